"""What the command line takes from Typer, and what the shell completes."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys

import pytest
from typer import _coercion, core

from losscli.cli import parser
from losscli.cli.completion import loss_names


def test_the_private_parts_of_typer_are_as_the_parser_uses_them():
    """What may change with the next minor version of Typer, which pyproject.toml therefore excludes."""
    fields = list(inspect.signature(_coercion.TypeDescriptor).parameters)
    assert fields == ["annotation", "parameter_info", "file_annotation"]
    assert "get_runtime_param" in vars(core._TyperParameter)
    for made in (core.TyperOption, core.TyperArgument):
        taken = set(inspect.signature(made).parameters)
        assert {"param_decls", "type_descriptor", "rich_help_panel", "autocompletion", "nargs"} <= taken
    assert {"parse_args", "invoke", "format_help", "get_params"} <= set(dir(core.TyperCommand))
    assert core.TyperGroup(name="x").commands == {}


def test_one_file_uses_private_parts_of_typer():
    folder = os.path.dirname(os.path.dirname(parser.__file__))
    users = []
    for root, _, names in os.walk(folder):
        for name in names:
            if name.endswith(".py"):
                with open(os.path.join(root, name), encoding="utf-8") as file:
                    text = file.read()
                if "typer._" in text or "typer.core" in text or "get_runtime_param" in text:
                    users.append(name)
    assert users == ["parser.py"]


COMPLETED = {
    "a library": ("losscli evaluate --like ", ["sklearn", "torch", "keras"]),
    "a task": ("losscli evaluate --task multi", ["multiclass", "multilabel"]),
    "a format": ("losscli gate --format j", ["json", "junit"]),
    "a policy": ("losscli evaluate --missing ", ["error", "drop"]),
    "a colour": ("losscli rank --color ", ["auto", "always", "never"]),
    "a loss": ("losscli evaluate -l hub", ["huber", "huber_loss", "huberloss", "hubert"]),
    "a loss that is explained": ("losscli explain hub", ["huber", "huber_loss", "huberloss", "hubert"]),
    "a column": ("losscli evaluate p.csv -w ", ["pred", "region"]),
    "a column of either file": ("losscli evaluate p.csv t.csv --by re", ["region"]),
    "the last of several columns": ("losscli evaluate p.csv -p pred,re", ["pred,region"]),
    "a column of the targets": ("losscli compare p.csv p.csv -t t.csv --cluster ", ["pred", "region", "y"]),
    "a parameter of a loss": ("losscli evaluate --del", ["--delta"]),
}


@pytest.mark.slow
@pytest.mark.parametrize(("line", "expected"), COMPLETED.values(), ids=COMPLETED)
def test_the_shell_completes(line, expected, tmp_path):
    (tmp_path / "p.csv").write_text("pred,region\n1,eu\n")
    (tmp_path / "t.csv").write_text("y\n1\n")
    words = line.split(" ")
    environment = {
        **os.environ,
        "_LOSSCLI_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    argv = [sys.executable, "-c", "from losscli.cli import main; main()"]
    done = subprocess.run(argv, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == expected, done.stderr


def test_parameters_of_a_loss_are_completed_after_its_name():
    assert loss_names("huber:") == ["huber:delta="]
    assert loss_names("smooth_l1:b") == ["smooth_l1:beta="]
    assert loss_names("hampel:a=1,") == ["hampel:a=1,b=", "hampel:a=1,c="]
    assert loss_names("hubber:") == []
