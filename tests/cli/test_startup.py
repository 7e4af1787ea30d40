"""What a run must not import or draw: start-up is most of the time of a small run, and rich is not needed."""

from __future__ import annotations

import inspect
import os
import pkgutil
import re
import subprocess
import sys

import pytest
from support.grids import some

import losscli
from losscli.catalog import registry
from losscli.catalog.families import FAMILIES
from losscli.cli import parser
from losscli.cli.help import paper
from losscli.tasks.catalog import TASKS

HEAVY = {"numpy", "polars", "rich", "scipy", "pydantic", "losscli.catalog.registry", "losscli.plan.options"}


def loaded(folder, *argv: str) -> set[str]:
    """The modules that a run of the program has imported."""
    code = (
        "import os, sys\n"
        "from losscli.cli import app\n"
        f"status = app.run({list(argv)})\n"
        "open('modules', 'w').write(' '.join(sys.modules))\n"
        "os._exit(status)"
    )
    argv = (sys.executable, "-c", code)
    subprocess.run(argv, cwd=folder, check=True, stdout=subprocess.DEVNULL, timeout=60)
    return set((folder / "modules").read_text().split())


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "p.csv").write_text("pred\n1.5\n2.5\n2.0\n")
    (tmp_path / "t.csv").write_text("y\n1.0\n2.0\n3.0\n")
    return tmp_path


@pytest.mark.parametrize("argv", [["--help"], ["--version"], ["-h"]])
def test_the_programs_own_help_loads_no_command(argv, folder):
    modules = loaded(folder, *argv)
    assert not HEAVY & modules
    assert not {f"losscli.cli.commands.{name}" for name in parser.COMMANDS} & modules


@pytest.mark.parametrize("name", some(parser.COMMANDS))
def test_the_help_of_a_command_loads_no_rich_and_no_engine(name, folder):
    assert not (HEAVY - {"losscli.catalog.registry", "losscli.plan.options"}) & loaded(folder, name, "--help")


def test_one_loss_loads_what_it_needs_alone(folder):
    modules = loaded(folder, "evaluate", "p.csv", "t.csv", "-l", "huber", "--bare")
    assert {"numpy", "polars"} <= modules
    assert not {"rich", "scipy", "pydantic", "pandas", "pyarrow", "tomllib"} & modules
    for name in (
        "evaluation.compare_plan",
        "evaluation.differences",
        "evaluation.pairs",
        "evaluation.rank",
        "cli.help",
        "cli.commands.explain",
        "explanation.page",
    ):
        assert f"losscli.{name}" not in modules
    assert [name for name in FAMILIES if f"losscli.losses.{name}" in modules] == ["robust"]
    assert "losscli.tasks.distribution" not in modules


def test_a_comparison_of_few_rows_loads_no_scipy(folder):
    (folder / "p.csv").write_text("pred\n" + "1.5\n2.5\n" * 4)
    (folder / "q.csv").write_text("pred\n" + "1.0\n2.5\n2.0\n1.0\n" * 2)
    (folder / "t.csv").write_text("y\n" + "1.0\n2.0\n" * 4)
    argv = ["compare", "p.csv", "q.csv", "-t", "t.csv", "-l", "huber", "--bare"]
    assert not {"scipy", "rich"} & loaded(folder, *argv)


def test_the_catalog_does_not_depend_on_what_was_asked_for_first():
    code = (
        "from losscli.catalog import registry\n"
        "for name in {first}: registry.find(name)\n"
        "print([entry.name for entry in registry.list_losses()], [e.task for e in registry.find('brier')])"
    )
    told = [
        subprocess.run([sys.executable, "-c", code.format(first=first)], capture_output=True, timeout=60)
        for first in ([], ["crps_ensemble", "brier", "mse"])
    ]
    assert told[0].stdout == told[1].stdout != b""


def test_every_task_is_found_by_its_own_name():
    assert [TASKS[name].name for name in TASKS] == list(TASKS)


def test_one_loss_looks_through_no_parameters_of_others(folder):
    code = (
        "from losscli.catalog import registry\n"
        "def fail(): raise AssertionError\n"
        "registry.option_params = fail\n"
        "from losscli.cli.app import run\n"
        "assert run(['evaluate', 'p.csv', 't.csv', '-l', 'huber:delta=2', '--bare', '--no-config']) == 0\n"
        "assert run(['evaluate', 'p.csv', 't.csv', '-l', 'huber', '--delta', '2', '--bare']) == 70"
    )
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True, capture_output=True, timeout=60)


@pytest.mark.parametrize(("name", "line"), parser.COMMANDS.items())
def test_the_list_of_commands_says_what_their_docstrings_say(name, line):
    first = inspect.getdoc(parser.function_of(name)).partition("\n\n")[0]
    assert line == " ".join(first.split())


def test_no_public_name_is_that_of_a_module():
    """Importing losscli.NAME would put the module in the place of the function."""
    names = {name for _, name, _ in pkgutil.iter_modules(losscli.__path__)}
    assert not names & set(losscli.__all__)


@pytest.mark.parametrize("argv", [["gate", "r.json", "-g", "mae <= 9"], ["show", "r.json"], ["explain"]])
def test_what_reads_no_rows_loads_no_engine(argv, folder):
    (folder / "r.json").write_text(losscli.evaluate([1.0, 2.0], [1.0, 3.0], loss="mae").to_json())
    modules = loaded(folder, *argv)
    assert not {"numpy", "polars", "losscli.evaluation.run", "losscli.plan.resolve"} & modules


def test_importing_the_package_loads_nothing_and_its_names_are_there():
    code = (
        "import sys, losscli\n"
        "assert [name for name in sys.modules if name.startswith('losscli.')] == ['losscli._version']\n"
        "every = losscli.list_losses()\n"
        "assert losscli.list_losses('ranking') == tuple(e for e in every if e.task == 'ranking')\n"
        "from losscli.catalog.registry import find\n"
        "assert losscli.list_losses('ranking')\n"
        "assert all(hasattr(losscli, name) for name in losscli.__all__)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def words(text: str) -> set[str]:
    return set(re.sub("[╭─╮│╰╯]", " ", text).split())


@pytest.mark.parametrize("width", [30, 40, 60, 80, 120, 200])
@pytest.mark.parametrize("argv", [[], ["evaluate"], ["gate"]], ids=["program", "evaluate", "gate"])
def test_help_keeps_to_the_width_and_loses_no_word(argv, width, losscli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "110")
    wide = losscli(*argv, "--help").out
    monkeypatch.setenv("COLUMNS", str(width))
    status, out, err = losscli(*argv, "--help")
    assert (status, err) == (0, "")
    assert {len(line) for line in out.splitlines() if line[:1] in set("╭│╰")} == {min(width, 120)}
    assert max(map(len, out.splitlines())) <= width
    if width >= 60:
        assert words(wide) == words(out)


def test_help_has_panels_by_topic_and_fits_two_screens(losscli, monkeypatch):
    from losscli.plan.options import PANELS, options_of

    monkeypatch.setenv("COLUMNS", "80")
    out = losscli("evaluate", "--help").out
    assert all(f"╭─ {title} ─" in out for title in PANELS)
    assert len(out.splitlines()) <= 110  # two screens: an option is a line, or two
    assert out.count("   losscli evaluate ") == 5  # examples
    for option in options_of("evaluate"):
        shown = f"--[no-]{option.flag[2:]}" if option.negated else option.flag
        assert f"│ {shown} " in out
    assert "'log_loss[class=*] < 0.6'" in " ".join(out.replace("│", " ").split())


def test_parameters_of_losses_have_a_help_of_their_own(losscli):
    from losscli.plan.options import loss_params

    status, out, err = losscli("evaluate", "--help-losses")
    assert (status, err) == (0, "")
    assert "╭─ Parameters of losses ─" in out
    assert all(f"│ --{name.replace('_', '-')} " in out for name in loss_params())


class Stream:
    def __init__(self, terminal: bool, encoding: str = "utf-8") -> None:
        self.terminal, self.encoding = terminal, encoding

    def isatty(self) -> bool:
        return self.terminal


@pytest.mark.parametrize(
    ("terminal", "environment", "styled", "coloured"),
    [
        (True, {}, True, True),
        (False, {}, False, True),
        (False, {"FORCE_COLOR": "1"}, True, True),
        (True, {"TERM": "dumb"}, False, True),
        (True, {"NO_COLOR": "1"}, True, False),
        (True, {"NO_COLOR": ""}, True, True),
    ],
)
def test_styles_are_for_terminals_that_show_them(terminal, environment, styled, coloured):
    on = paper(Stream(terminal), environment)
    assert (on.styled, on.coloured) == (styled, coloured)
    shown = on.dye("1;36", "--loss")
    assert shown == {(True, True): "\x1b[1;36m--loss\x1b[0m", (True, False): "\x1b[1m--loss\x1b[0m"}.get(
        (styled, coloured), "--loss"
    )


def test_frames_are_plain_where_the_terminal_has_no_unicode(folder):
    env = {"PATH": os.environ["PATH"], "PYTHONIOENCODING": "ascii"}
    argv = [sys.executable, "-m", "losscli", "--help"]
    out = subprocess.run(argv, env=env, capture_output=True, check=True, timeout=60).stdout
    assert out.isascii()
    assert b"+- Commands ---" in out


def test_users_see_the_signature_of_what_they_get():
    shown = inspect.signature(losscli.Result)
    assert str(shown.parameters["value"]) == "value: float | None"
    assert str(shown.parameters["cell"]) == "cell: collections.abc.Mapping[str, str] = <factory>"
    assert repr(registry.find("huber")[0]) == "<loss huber of regression>"


def test_a_terminal_of_no_width_is_none(monkeypatch):
    monkeypatch.setattr(os, "get_terminal_size", lambda stream: os.terminal_size((0, 0)))
    assert paper(sys.stdout, {"COLUMNS": "0"}).width == 80
