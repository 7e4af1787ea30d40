"""The README is true: every command prints what is shown, every example runs, the table of losses is whole.

    python tests/docs/test_readme.py

writes the outputs and the table into the README anew.
"""

from __future__ import annotations

import doctest
import inspect
import json
import os
import re
import subprocess
import sys
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from losscli.catalog import registry
from losscli.catalog.loss import Loss
from losscli.errors import Status

ROOT = Path(__file__).parent.parent.parent
README = ROOT / "README.md"
TABLE = re.compile(r"(?<=<!-- losses -->\n).*?(?=<!-- /losses -->)", re.DOTALL)
FIRST_OUTPUT = re.compile(r"(?<=^```text\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)


def blocks(language: str, text: str | None = None) -> list[str]:
    """What stands in the fenced blocks of a language."""
    pattern = re.compile(rf"^```{language}\n(.*?)^```$", re.DOTALL | re.MULTILINE)
    return pattern.findall(README.read_text(encoding="utf-8") if text is None else text)


def commands(block: str) -> list[str]:
    """The commands of a console block: what follows '$ ', with the lines that a backslash joins to it."""
    return re.findall(r"^\$ ((?:.*\\\n)*.*)$", block, re.MULTILINE)


def run(lines: list[str], folder: Path) -> list[str]:
    """What each command of one bash session prints to stdout, in a folder that looks like the root."""
    bin_dir = Path(sys.executable).parent
    (folder / ".venv").mkdir()
    (folder / ".venv" / "bin").symlink_to(bin_dir)
    (folder / "sample_data").symlink_to(ROOT / "sample_data")
    # A NUL ends what a command prints; the subshell hands the command's status on to `echo $?`.
    script = "".join(f"{line}\n(status=$?; printf '\\0'; exit $status)\n" for line in lines)
    path = os.pathsep.join([str(bin_dir), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={"PATH": path, "PYTHONUTF8": "1", "XDG_CONFIG_HOME": os.devnull},
        capture_output=True,
        timeout=300,
    )
    return done.stdout.decode().split("\0")[:-1]


def transcript(block: str, folder: Path) -> str:
    """A console block with what its commands print now."""
    lines = commands(block)
    return "".join(f"$ {line}\n{output}" for line, output in zip(lines, run(lines, folder), strict=True))


def first_output(folder: Path) -> str:
    """What the first set-up command prints, once the environment is there."""
    evaluate, _ = blocks("sh")
    return run([evaluate.strip().rsplit(" && ", 1)[1]], folder)[0]


def losses_table() -> str:
    """The losses of the registry, a table a task."""
    parts = []
    for task, entries in groupby(registry.losses(), key=lambda entry: entry.task):
        head = f"### {task.replace('_', ' ').capitalize()}\n\n"
        head += "| loss | short names | formula | parameters |\n|---|---|---|---|\n"
        parts.append(head + "".join(map(row, entries)))
    return "\n" + "\n".join(parts) + "\n"


def row(entry: Loss) -> str:
    params = [p.name if p.required else f"{p.name}={text(p.default)}" for p in entry.params]
    formula = " ".join(entry.formula.split()).removesuffix(".")
    return f"| {code([entry.name])} | {code(short(entry))} | {code([formula])} | {code(params)} |\n"


def short(entry: Loss) -> list[str]:
    """The aliases that are quick to write: four at most, and none that a shown name begins."""
    found: list[str] = []
    for alias in entry.aliases:
        if re.fullmatch(r"[a-z0-9_]+", alias) and not alias.startswith((entry.name, *found)):
            found.append(alias)
    return found[:4]


def text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def code(words: list[str]) -> str:
    return ", ".join(f"`{word}`" for word in words).replace("|", "\\|")


def renewed(readme: str) -> str:
    """The README with its outputs and its table as they are now."""

    def renew(match: re.Match[str]) -> str:
        with TemporaryDirectory() as folder:
            return transcript(match[0], Path(folder))

    readme = re.sub(r"(?<=^```console\n).*?(?=^```$)", renew, readme, flags=re.DOTALL | re.MULTILINE)
    with TemporaryDirectory() as folder:
        output = first_output(Path(folder))
    readme = FIRST_OUTPUT.sub(lambda match: output, readme, count=1)
    return TABLE.sub(lambda match: losses_table(), readme)


def test_first_command_prints_what_is_shown(tmp_path):
    assert first_output(tmp_path) == blocks("text")[0]


def test_ci_runs_the_test_command():
    _, test_command = blocks("sh")
    assert test_command in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize("block", blocks("console"), ids=lambda block: commands(block)[0][-40:])
def test_commands_print_what_is_shown(block, tmp_path):
    assert commands(block)
    assert transcript(block, tmp_path) == block


def test_examples_in_python_give_what_is_shown(monkeypatch):
    monkeypatch.chdir(ROOT)
    examples = "\n".join(block for block in blocks("python") if ">>>" in block)
    test = doctest.DocTestParser().get_doctest(examples, {}, "README.md", str(README), 0)
    assert test.examples
    assert doctest.DocTestRunner().run(test).failed == 0


def test_the_number_of_losses_is_that_of_the_catalogue():
    assert f"{len(registry.losses())} losses, each tested" in README.read_text()


def test_the_loss_that_is_shown_is_the_one_in_the_source():
    (shown,) = (block for block in blocks("python") if ">>>" not in block)
    (huber,) = registry.find("huber")
    assert shown == inspect.getsource(huber.function)


def test_the_reference_case_that_is_shown_is_one_of_the_cases():
    (shown,) = blocks("json")
    assert json.loads(shown) in json.loads((ROOT / "tests" / "reference" / "cases.json").read_text())


def test_table_of_losses_is_that_of_the_registry():
    shown = TABLE.search(README.read_text(encoding="utf-8"))
    assert shown is not None
    assert shown[0] == losses_table()


def test_every_exit_status_is_in_the_table():
    shown = re.findall(r"^\| (\d+) \|", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert [int(status) for status in shown] == [*sorted(Status), 141]


if __name__ == "__main__":
    README.write_text(renewed(README.read_text(encoding="utf-8")), encoding="utf-8")
