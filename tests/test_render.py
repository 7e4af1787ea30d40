"""Each renderer on one small report, written out; and tables that keep whole at any width."""

import io
import json
import re
import subprocess
import sys

import pytest
from rich.cells import cell_len
from rich.console import Console

from losscli.errors import UsageError
from losscli.render import FORMATS, format_of_suffix, render
from losscli.render.digits import aligned, apart, decimal, error, percent
from losscli.render.table import print_table, text
from losscli.report import Report, Result, Verdict

MARS = ("no rows in this slice",)
REPORT = Report(
    results=(
        Result("huber", 0.27123412, 442, 442.0, {"delta": 1.0}, None, {}, 0.01, 0.2516, 0.29083412, 0.95, 1.0),
        Result("mse", 2859.6963, 442, 442.0),
        Result("huber", 0.5, 42, 40.5, {"delta": 1.0}, None, {"region": "[red]_eu|"}, 0.2, 0.1, 0.9, 0.95, 0.025),
        Result("huber", 0.125, 400, 400.0, {"delta": 1.0}, None, {"region": "us"}, 3e-05, 0.1, 0.2, 0.95, 0.0001),
        Result("huber", None, 0, 0.0, {"delta": 1.0}, cell={"region": "mars"}, notes=MARS),
    ),
    gates=(
        Verdict("huber <= 0.27123411", "fail", {}, True, 0.27123412, 0.27123411),
        Verdict("mae <= 2", "error", limit=2.0, reason="no loss mae"),
        Verdict("n >= 100", "pass", {}, False, 442.0, 100.0),
    ),
    notes=("3 rows were dropped",),
)

TABLE = """\
overall
loss                      value ± se        95 % interval  share %  rows
────────────────────────────────────────────────────────────────────────
huber(delta=1)     0.271234 ± 0.0100  0.2516 to 0.290834    100.0   442
mse             2859.70                    -                    -   442
"""


def terminal(report, width, **options):
    options = {"force_terminal": True, "color_system": None, **options}
    console = Console(file=io.StringIO(), width=width, **options)
    print_table(report, console)
    return console.file.getvalue()


def test_table():
    assert render(REPORT, "table") == TABLE


def test_markdown():
    assert render(REPORT, "markdown") == ""


def test_csv():
    assert render(REPORT, "csv") == ""
