"""README and docs are true: every command prints what is shown, and every example in Python runs.

    python tests/docs/test_docs.py [PAGE ...]

writes the outputs anew, in place, after a change that alters them.
"""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
from contextlib import chdir, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from losscli.catalog import registry
from losscli.errors import Status

ROOT = Path(__file__).parent.parent.parent
README = ROOT / "README.md"
DOCS = ROOT / "docs"
GENERATED = (DOCS / "_build", DOCS / "_generated", DOCS / "reference" / "losses")
"""Folders that the documentation build writes."""
FIRST_OUTPUT = re.compile(r"(?<=^```text\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)


def fence(language: str) -> re.Pattern[str]:
    """The pattern of what stands in the fenced blocks of a language."""
    return re.compile(rf"(?<=^```{language}\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)


def pages() -> list[Path]:
    """The README and every page of the documentation that is written by hand."""
    found = sorted(DOCS.rglob("*.md"))
    return [README, *(p for p in found if not any(p.is_relative_to(folder) for folder in GENERATED))]


def pages_with(language: str, sign: str) -> list[Path]:
    """The pages that have a block of a language in which a sign occurs."""
    return [path for path in pages() if any(sign in block for block in blocks(path, language))]


def blocks(path: Path, language: str) -> list[str]:
    """What stands in the fenced blocks of a language on a page."""
    return fence(language).findall(path.read_text(encoding="utf-8"))


def commands(block: str) -> list[str]:
    """The commands of a console block: what follows '$ ', with the lines that a backslash joins to it."""
    return re.findall(r"^\$ ((?:.*\\\n)*.*)$", block, re.MULTILINE)


def run(lines: list[str], folder: Path) -> list[str]:
    """What each command of one bash session prints to stdout, in a folder that looks like the root.

    Raises AssertionError for a command that fails without being meant to: neither the status nor what stands
    on stderr is shown.
    """
    bin_dir = Path(sys.executable).parent
    (folder / ".venv").mkdir()
    (folder / ".venv" / "bin").symlink_to(bin_dir)
    (folder / "sample_data").symlink_to(ROOT / "sample_data")
    # NULs enclose the status of a command; the subshell hands it on to `echo $?`.
    script = "".join(f"{line}\n(status=$?; printf '\\0%s\\0' $status; exit $status)\n" for line in lines)
    kept = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
    path = os.pathsep.join([str(bin_dir), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={"PATH": path, "PYTHONUTF8": "1", "XDG_CONFIG_HOME": os.devnull, **kept},
        capture_output=True,
        timeout=300,
    )
    *parts, _ = done.stdout.decode().split("\0")
    outputs, statuses = parts[::2], parts[1::2]
    for line, following, status in zip(lines, [*lines[1:], ""], statuses, strict=True):
        meant = status == "0" or following == "echo $?" or line.endswith("2>&1")
        assert meant, f"{line}\nfails with status {status}:\n{done.stderr.decode()}"
    return outputs


def with_outputs(text: str) -> str:
    """A page with what the commands of its console blocks print now, all in one session."""
    shown = fence("console").findall(text)
    lines = [line for block in shown for line in commands(block)]
    with TemporaryDirectory() as folder:
        outputs = iter(run(lines, Path(folder)) if lines else ())
    transcripts = iter("".join(f"$ {line}\n{next(outputs)}" for line in commands(block)) for block in shown)
    return fence("console").sub(lambda match: next(transcripts), text)


def with_first_output(text: str) -> str:
    """The README with what its first set-up command prints, once the environment is there."""
    evaluate = fence("sh").findall(text)[0]
    with TemporaryDirectory() as folder:
        (output,) = run([evaluate.strip().rsplit(" && ", 1)[1]], Path(folder))
    return FIRST_OUTPUT.sub(lambda match: output, text, count=1)


EXAMPLE = re.compile(r"^(>>> .*\n(?:\.\.\..*\n)*)((?:(?!>>> ).*\n)*)", re.MULTILINE)
"""An example in Python as it is typed, and what it prints."""


def with_examples(text: str) -> str:
    """A page with what its examples in Python print now, run in order in a folder like the root."""
    scope: dict[str, object] = {}

    def renew(example: re.Match[str]) -> str:
        typed, shown = example.groups()
        space = "\n" if shown.endswith("\n\n") or shown == "\n" else ""  # between two examples
        return typed + printed(typed, scope) + space

    with TemporaryDirectory() as folder, chdir(folder):
        Path("sample_data").symlink_to(ROOT / "sample_data")
        return fence("python").sub(lambda block: EXAMPLE.sub(renew, block[0]), text)


def printed(typed: str, scope: dict[str, object]) -> str:
    """What one statement prints, as Python's prompt shows it."""
    code = re.sub(r"^(?:>>>|\.\.\.) ?", "", typed, flags=re.MULTILINE)
    with redirect_stdout(StringIO()) as output:
        exec(compile(code, "<example>", "single"), scope)
    return output.getvalue()


def renewed(path: Path) -> str:
    """A page with all of its outputs as they are now."""
    text = with_examples(with_outputs(path.read_text(encoding="utf-8")))
    return with_first_output(text) if path == README else text


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


DEFAULT = (README, DOCS / "start.md")
"""The pages whose commands run by default; those of the others are slow."""


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=name(path), marks=() if path in DEFAULT else pytest.mark.slow)
        for path in pages_with("console", "$ ")
    ],
)
def test_commands_print_what_is_shown(path):
    text = path.read_text(encoding="utf-8")
    assert with_outputs(text) == text


@pytest.mark.parametrize("path", pages_with("python", ">>>"), ids=name)
def test_examples_in_python_give_what_is_shown(path):
    text = path.read_text(encoding="utf-8")
    assert with_examples(text) == text


@pytest.mark.parametrize("path", pages(), ids=name)
def test_every_console_block_has_a_command(path):
    assert all(commands(block) for block in blocks(path, "console"))


def test_first_command_prints_what_is_shown():
    text = README.read_text(encoding="utf-8")
    assert with_first_output(text) == text


def test_readme_is_short():
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 200


def test_ci_runs_the_test_command():
    _, test_command = blocks(README, "sh")
    assert test_command in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize("path", [README, DOCS / "index.md"], ids=name)
def test_the_number_of_losses_is_that_of_the_catalog(path):
    assert f"{len(registry.list_losses())} losses" in path.read_text(encoding="utf-8")


def test_the_loss_that_is_shown_is_the_one_in_the_source():
    (shown,) = (
        block for block in blocks(DOCS / "development" / "add-a-loss.md", "python") if "@loss" in block
    )
    (huber,) = registry.find("huber")
    assert shown == inspect.getsource(huber.function)


def test_the_reference_case_that_is_shown_is_one_of_the_cases():
    (shown,) = blocks(DOCS / "development" / "add-a-loss.md", "json")
    assert json.loads(shown) in json.loads((ROOT / "tests" / "reference" / "cases.json").read_text())


@pytest.mark.parametrize("path", [README, DOCS / "reference" / "exit-status.md"], ids=name)
def test_every_exit_status_is_in_the_table(path):
    shown = re.findall(r"^\| (\d+) \|", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert [int(status) for status in shown] == [*sorted(Status), 141]


def links(path: Path) -> list[str]:
    """The relative links of a page to files."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return list(re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text))


@pytest.mark.parametrize("path", pages(), ids=name)
def test_links_lead_to_files(path):
    generated = DOCS / "reference" / "losses"
    for link in links(path):
        target = (path.parent / link).resolve()
        assert target.exists() or target.is_relative_to(generated), link


if __name__ == "__main__":
    for page in [Path(given).resolve() for given in sys.argv[1:]] or pages():
        page.write_text(renewed(page), encoding="utf-8")
