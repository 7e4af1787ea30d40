"""An option whose value is empty, as that of an unset variable of a shell, is an error."""

from __future__ import annotations

import pytest

import losscli
from losscli.cli.app import run
from losscli.cli.parser import COMMANDS
from losscli.errors import UsageError
from losscli.plan.options import options_of

FLAGS = [
    (command, option)
    for command in COMMANDS
    for option in options_of(command)
    if option.flags and not option.is_switch
]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("empty", ["", pytest.param(" ", marks=pytest.mark.slow)])
def test_an_empty_value_is_an_error(command, empty, capsys):
    for option in (option for name, option in FLAGS if name == command and option.is_empty(empty)):
        assert run([command, "report.json", option.flags[0], empty]) == 2, option.name
        assert ": the value is empty" in capsys.readouterr().err, option.name


def test_the_empty_name_of_a_file_is_an_error(capsys):
    assert run(["evaluate", "", ""]) == 2
    said = capsys.readouterr().err
    assert "PREDS: the value is empty" in said
    assert "TARGETS: the value is empty" in said


@pytest.mark.parametrize("name", ["on", "pred", "target", "weight", "by", "where", "classes", "like"])
def test_an_empty_value_is_an_error_in_python(name):
    with pytest.raises(UsageError, match=f"--{name}: the value is empty"):
        losscli.evaluate([1.0], [2.0], loss="mae", **{name: ""})


@pytest.mark.parametrize("name", ["on", "pred", "target", "by", "classes", "null_values", "class_weight"])
def test_an_empty_name_in_a_list_is_an_error(name):
    flag = f"--{name.replace('_', '-')}"
    with pytest.raises(UsageError, match=f"{flag} .*: a name between commas is empty"):
        losscli.evaluate([1.0], [2.0], loss="mae", **{name: "a=1,,b=2"})


def test_more_memory_than_there_is_may_be_allowed(losscli):
    losscli.write(d="prediction,target\n1,2\n")
    assert losscli.bare("d.csv", "-l", "mae", "--max-memory", "1" + "0" * 400) == [1.0]
