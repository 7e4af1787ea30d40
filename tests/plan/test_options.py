"""The table of options: what is generated from it is up to date, and callers are checked against it."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
import typing

import pytest
from support import generate

import losscli
from losscli.catalog import registry
from losscli.catalog.families import FAMILIES
from losscli.catalog.index import HOMES
from losscli.errors import UsageError
from losscli.plan import option_types
from losscli.plan.options import COLORS, OPTIONS, PANELS, Use, keywords_of, loss_params, request_of, table
from losscli.tasks.catalog import TASKS

CALLER = """
import losscli
losscli.evaluate("p.csv", "t.csv", loss="huber", delta=2.0, class_weight={"cat": 2.0}, missing="drop")
losscli.compare("a.csv", "b.csv", targets="t.csv", all_pairs=True, ci=None)
losscli.rank("a.csv", targets="t.csv", names=["a"])
"""
WRONG = {
    "a parameter that no loss has": 'losscli.evaluate("p.csv", dellta=2)',
    "another type": 'losscli.evaluate("p.csv", normalize="yes")',
    "another word": 'losscli.evaluate("p.csv", missing="dorp")',
    "an option of another function": 'losscli.rank("p.csv", gate="mae < 1")',
}


def parsed(text: str) -> str:
    """The program in a text, whatever its layout."""
    return ast.dump(ast.parse(text))


@pytest.mark.parametrize("path", generate.written(), ids=lambda path: path.name)
def test_what_is_generated_is_up_to_date(path):
    assert parsed(path.read_text()) == parsed(generate.written()[path]), "python tests/support/generate.py"


def test_the_index_finds_every_name_where_it_is():
    assert list(HOMES) == registry.names()
    assert {family for families in HOMES.values() for family in families} == set(FAMILIES)


@pytest.mark.parametrize("command", ["evaluate", "compare", "rank", "weak"])
def test_the_functions_take_the_options_of_their_commands(command):
    options = getattr(option_types, f"{command.title()}Options")
    own = {option.name for option in keywords_of(command)} - {"predictions", "targets", "loss"}
    assert set(typing.get_type_hints(options)) == own | set(loss_params())
    signature = inspect.signature(getattr(losscli, command))
    assert signature.parameters["options"].annotation == f"Unpack[{command.title()}Options]"


def test_help_of_evaluate_shows_every_option():
    shown = " ".join(inspect.getdoc(losscli.evaluate).split())
    for option in keywords_of("evaluate"):
        assert f"{option.name}: " in shown
    assert all(name in shown for name in loss_params())


def test_entries_are_whole():
    for option in OPTIONS.values():
        assert option.text
        assert option.panel in PANELS
        assert set(option.tasks) <= set(TASKS)
        assert bool(option.what) == bool(option.tasks)
        assert set(option.rivals) <= set(OPTIONS)
        assert all(option.name in OPTIONS[rival].rivals for rival in option.rivals)
        assert not option.compared or option.use is Use.PLAN
    assert OPTIONS["color"].kind.choices() == COLORS


def test_a_flag_means_one_option_in_a_command():
    for command in {name for option in OPTIONS.values() for name in option.commands}:
        flags = [flag for option in OPTIONS.values() if command in option.commands for flag in option.flags]
        assert len(flags) == len(set(flags))


def test_the_table_has_every_entry_with_its_commands():
    shown = {(option.name, commands) for option, commands in table()}
    assert ("weight", ("evaluate", "compare", "rank", "weak", "check", "explain", "init")) in shown
    assert {name for name, _ in shown} == {name for name, option in OPTIONS.items() if option.commands}


def test_an_option_is_read_alike_from_text_toml_and_python():
    expected = request_of({"class_weight": {"cat": 2.0}, "on": ["a", "b"], "ci": 0.9, "threads": 2})
    assert request_of({"class_weight": "cat=2", "on": "a,b", "ci": "0.9", "threads": "2"}) == expected
    assert (expected.class_weight, expected.on) == ({"cat": 2.0}, ("a", "b"))
    with pytest.raises(UsageError, match="--threads must be a whole number >= 1, got two"):
        request_of({"threads": "two"})


@pytest.mark.slow
def test_type_checkers_refuse_what_no_option_takes(tmp_path):
    (tmp_path / "caller.py").write_text(CALLER + "\n".join(WRONG.values()) + "\n")
    argv = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "caller.py"]
    found = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=300).stdout
    lines = {int(line.split(":")[1]) for line in found.splitlines() if ": error:" in line}
    first = CALLER.count("\n") + 1
    assert lines == set(range(first, first + len(WRONG))), found
