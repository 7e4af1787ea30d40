"""Each renderer on one small report, written out; and tables that keep whole at any width."""

import io
import json
import re
import subprocess
import sys

import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from rich.console import Console

from losscli.errors import UsageError
from losscli.render import FORMATS, format_of_suffix, render
from losscli.render.digits import aligned, apart, decimal, error, percent
from losscli.render.grid import fold
from losscli.render.table import print_table, text
from losscli.report.model import Report, Result, Verdict

FIELDS = ("loss", "value", "rows", "weight", "params", "model", "cell", "se", "low", "high", "level", "share")


def result(*values, **named):
    return Result(**dict(zip(FIELDS, values, strict=False)), **named)


DELTA = {"delta": 1.0}
REPORT = Report(
    results=(
        result("huber", 0.27123412, 442, 442.0, DELTA, None, {}, 0.01, 0.2516, 0.29083412, 0.95, 1.0),
        result("mse", 2859.6963, 442, 442.0),
        result("huber", 0.5, 42, 40.5, DELTA, None, {"region": "[red]_eu|"}, 0.2, 0.1, 0.9, 0.95, 0.025),
        result("huber", 0.125, 400, 400.0, DELTA, None, {"region": "us"}, 3e-05, 0.1, 0.2, 0.95, 0.0001),
        result("huber", None, 0, 0.0, DELTA, cell={"region": "mars"}, notes=("no rows in this slice",)),
    ),
    gates=(
        Verdict("huber <= 0.27123411", "fail", {}, True, 0.27123412, 0.27123411, -1.25),
        Verdict("mae <= 2", "error", limit=2.0, reason="no loss mae"),
        Verdict("n >= 100", "pass", {}, False, 442.0, 100.0),
    ),
    notes=("3 rows were dropped",),
)

TABLE = """\
overall
loss                    value ± se       95 % interval  rows
────────────────────────────────────────────────────────────
huber(delta=1)     0.271234 ± 0.01  0.2516 to 0.290834   442
mse             2859.70             -                    442
detectable on as many other rows, 80 % power: huber(delta=1) 0.0396

huber(delta=1) by region
region            value ± se  95 % interval  share %  rows  weight
──────────────────────────────────────────────────────────────────
[red]_eu|  0.5   ± 0.2           0.1 to 0.9      2.5    42    40.5
us         0.125 ± 0.0000300     0.1 to 0.2     <0.1   400   400
mars       -                     -                 -     0     0

gates
status      gate                        value         limit  margin/se  why
───────────────────────────────────────────────────────────────────────────────────
fail, weak  huber <= 0.27123411    0.27123412    0.27123411      -1.25
error       mae <= 2               -             2                      no loss mae
pass        n >= 100             442           100
weak: the interval straddles the limit

notes
- huber(delta=1), region=mars: no rows in this slice
- 3 rows were dropped
"""

NARROW = """\
overall
loss                    value ± se
──────────────────────────────────
huber(delta=1)     0.271234 ± 0.01
mse             2859.70
detectable on as many other rows, 80
% power: huber(delta=1) 0.0396

huber(delta=1) by region
region            value ± se  rows
──────────────────────────────────
[red]_eu|  0.5   ± 0.2          42
us         0.125 ± 0.0000300   400
mars       -                     0
"""

MARKDOWN = """\
### overall

| loss | value | ± se | 95 % interval | rows |
| :--- | ---: | ---: | ---: | ---: |
| huber(delta=1) | 0.271234 | 0.01 | 0.2516 to 0.290834 | 442 |
| mse | 2859.70 | - | - | 442 |

detectable on as many other rows, 80 % power: huber(delta=1) 0.0396

### huber(delta=1) by region

| region | value | ± se | 95 % interval | share % | rows | weight |
| :--- | ---: | ---: | ---: | ---: | ---: | ---: |
| \\[red\\]\\_eu\\| | 0.5 | 0.2 | 0.1 to 0.9 | 2.5 | 42 | 40.5 |
| us | 0.125 | 0.0000300 | 0.1 to 0.2 | \\<0.1 | 400 | 400 |
| mars | - | - | - | - | 0 | 0 |

### gates

| status | gate | cell | value | limit | margin/se | why |
| :--- | :--- | :--- | ---: | ---: | ---: | :--- |
| fail, weak | huber \\<= 0.27123411 |  | 0.27123412 | 0.27123411 | -1.25 |  |
| error | mae \\<= 2 |  | - | 2 |  | no loss mae |
| pass | n \\>= 100 |  | 442 | 100 |  |  |

weak: the interval straddles the limit

### notes

- huber(delta=1), region=mars: no rows in this slice
- 3 rows were dropped
"""

CSV = """\
loss,params,model,cell,value,se,low,high,level,freedom,rows,weight,share,notes
huber,delta=1.0,,,0.27123412,0.01,0.2516,0.29083412,0.95,,442,442.0,1.0,
mse,,,,2859.6963,,,,,,442,442.0,,
huber,delta=1.0,,"region=""[red]_eu|\""",0.5,0.2,0.1,0.9,0.95,,42,40.5,0.025,
huber,delta=1.0,,region=us,0.125,3e-05,0.1,0.2,0.95,,400,400.0,0.0001,
huber,delta=1.0,,region=mars,,,,,,,0,0.0,,no rows in this slice
"""


def terminal(report, width, **options):
    options = {"force_terminal": True, "color_system": None, **options}
    console = Console(file=io.StringIO(), width=width, **options)
    print_table(report, console)
    return "".join(f"{line.rstrip()}\n" for line in console.file.getvalue().splitlines())


@pytest.mark.parametrize(("name", "expected"), [("table", TABLE), ("markdown", MARKDOWN), ("csv", CSV)])
def test_snapshot(name, expected):
    assert render(REPORT, name) == expected


def test_json_is_the_report():
    assert Report.from_dict(json.loads(render(REPORT, "json"))) == REPORT


def test_a_narrow_terminal_drops_columns_rather_than_digits():
    assert terminal(replace(REPORT, gates=(), notes=()), 36).startswith(NARROW)


def test_without_a_terminal_the_width_has_no_limit():
    console = Console(file=io.StringIO(), width=40, force_terminal=False)
    print_table(REPORT, console)
    assert console.file.getvalue() == text(REPORT) == TABLE


LOSSES = [f"loss_{i}_".ljust(40, "x") for i in range(10)]
CLASSES = [f"class {i:03} ".ljust(39, "y") + "猫" for i in range(100)]


def value(loss, name):
    return (LOSSES.index(loss) + 1.23456789) * 10 ** (CLASSES.index(name) % 7 - 3)


def large():
    overall = [result(loss, 1 / 3, 10**7, 1e6, se=0.1, low=0.1, high=0.4, level=0.95) for loss in LOSSES]
    cells = [
        result(loss, v, 10**5, 12345.678, {}, None, {"class": name}, v / 9, v - 1, v, 0.95, share=v)
        for loss in LOSSES
        for name in CLASSES
        for v in [value(loss, name)]
    ]
    combined = [replace(r, cell={"region": "north of here", **r.cell}) for r in cells[::9]]
    gates = [Verdict(f"{LOSSES[0]}[class=*] <= 1", "pass", {"class": n}, False, 1 / 3, 1.0) for n in CLASSES]
    return Report((*overall, *cells, *combined), (*gates, replace(gates[0], status="fail")))


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_large_report_fits_with_every_number_whole(width):
    shown = terminal(large(), width)
    assert max(map(cell_len, shown.splitlines())) <= width
    assert "…" not in shown
    words = set(shown.split())
    assert {decimal(value(loss, CLASSES[6])) for loss in LOSSES} <= words
    assert "100,000" in words
    assert re.search(r"the 20 with the\s+largest\s+share\s+of", shown)
    assert f"{len(CLASSES) - 20} more are" in " ".join(shown.split())
    assert shown.count("pass ") == 19
    assert shown.count("fail ") == 1


@pytest.mark.parametrize("by", ["share", "value"])
def test_a_terminal_shows_the_heaviest_cells(by):
    def cell(i):
        return Result(loss="mae", **{"value": -i, by: i}, rows=9, weight=9.0, cell={"class": f"c{i}"})

    missing = result("mae", None, 0, 0.0, cell={"class": "none"})
    lines = terminal(Report((missing, *map(cell, range(24)))), 60).splitlines()
    assert [line.split()[0] for line in lines[3:23]] == [f"c{i}" for i in range(23, 3, -1)]
    assert " ".join(lines[23:]) == f"the 20 with the largest {by} of mae; 5 more are left out, --json has all"


def test_without_a_terminal_every_cell_is_there():
    shown = text(large())
    assert all(name in shown for name in CLASSES)
    assert "left out" not in shown
    assert "95 % interval" in shown


def test_losses_stand_side_by_side_where_they_fit():
    cells = [result(loss, 1.5, 9, 9.0, cell={"class": "cat"}) for loss in ("mae", "mse")]
    report = Report((*cells, result("mae", 2.5, 9, 9.0, cell={"class": "dog"})))
    assert [line.split() for line in terminal(report, 60).splitlines()[1::2]] == [
        ["class", "mae", "mse", "rows"],
        ["cat", "1.5", "1.5", "9"],
    ]
    assert terminal(report, 60).splitlines()[-1].split() == ["dog", "2.5", "-", "9"]


def test_losses_with_other_rows_each_say_theirs():
    cells = [result(loss, 1.5, rows, 9.0, cell={"class": "cat"}) for loss, rows in (("mae", 9), ("mse", 8))]
    shown = terminal(Report(tuple(cells)), 60)
    assert shown.splitlines()[3].split() == ["cat", "1.5", "9", "1.5", "8", "9"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("[red]", "[red]"),
        ("[/]", "[/]"),
        (":cat:", ":cat:"),
        (" cat", '" cat"'),
        ("", '""'),
        ("\x1b[31m", r'"\u001b[31m"'),
        ("a\nb", r'"a\nb"'),
    ],
)
@pytest.mark.parametrize("show", [text, lambda report: terminal(report, 80)])
def test_names_from_the_data_steer_nothing(show, name, expected):
    note = f"{name}, {name}"
    report = Report((result("mae", 1.5, 9, 9.0, cell={"class": name}, notes=(note,)),), notes=(note,))
    shown = show(report)
    assert shown.splitlines()[3].startswith(f"{expected} ")
    assert "\x1b" not in shown


def test_colour_is_sparse_and_can_be_switched_off():
    shown = terminal(REPORT, 90, color_system="standard")
    assert "\x1b[1m   0.271234\x1b[0m ± 0.01" in shown
    assert re.findall(r"\x1b\[(3\d)m([a-z, ]*[a-z])", shown) == [
        ("31", "fail, weak"),
        ("31", "error"),
        ("32", "pass"),
    ]
    weak = Report((), (Verdict("mae < 1", "pass", weak=True), Verdict("mae < 1", "unsure")))
    assert terminal(weak, 80, color_system="standard").count("\x1b[33m") == 2
    assert "\x1b[3" not in terminal(REPORT, 80, color_system="standard", no_color=True)


def test_a_note_of_many_cells_is_said_once():
    cells = [result("mae", None, 0, 0.0, cell={"class": name}, notes=("no rows",)) for name in "abcdefg"]
    report = Report(tuple(cells))
    assert "- class=a, class=b, class=c, class=d, class=e, 2 more: no rows\n" in terminal(report, 80)
    assert "class=g: no rows" in text(report)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (None, "-"),
        (0.0, "0"),
        (-0.0, "0"),
        (0.5, "0.5"),
        (1 / 3, "0.333333"),
        (-200 / 3, "-66.6667"),
        (0.4999999999, "0.500000"),
        (999999.97, "1000000"),
        (12345678.9, "12345679"),
        (12345678.0, "12345678"),
        (1e9 / 3, "333333333"),
        (1e12 / 3, "3.33333e+11"),
        (1e-4 / 3, "3.33333e-05"),
        (1e-5, "1e-05"),
    ],
)
def test_decimal(number, expected):
    assert decimal(number) == expected


@pytest.mark.parametrize(
    ("se", "of", "expected"),
    [
        (None, 1.0, ""),
        (0.012345, 1 / 3, "0.0123"),
        (0.00001234, 1 / 3, "0.0000123"),
        (123456789.0, 4e9 / 3, "1.23e+08"),
        (9.999e-5, 1 / 3, "0.000100"),
    ],
)
def test_a_standard_error_is_written_as_its_value_is(se, of, expected):
    assert error(se, of) == expected


def test_different_numbers_read_differently():
    assert apart(0.5000000001, 0.5) == ("0.5000000001", "0.5")
    assert apart(0.3, 0.1 + 0.2) == ("0.3", "0.30000000000000004")
    assert apart(1 / 3, 1 / 3) == ("0.333333", "0.333333")
    assert apart(None, 1 / 3) == ("-", "0.333333")


def test_shares_and_points_in_line():
    assert [percent(share) for share in (None, 0.0, 0.0004, 0.123)] == ["-", "0.0", "<0.1", "12.3"]
    assert aligned(["1.5", "22", "-", "3e-05"]) == [" 1.5  ", "22    ", " -    ", " 3e-05"]


def test_formats():
    suffixes = (".json", ".CSV", ".md", ".txt", ".flat.json", ".xml")
    assert [format_of_suffix(f"report{end}") for end in suffixes] == [
        "json", "csv", "markdown", "table", "flat", "junit",
    ]  # fmt: skip
    with pytest.raises(
        UsageError, match=r"\.html is none of \.json, \.csv, \.md, \.txt, \.xml, \.flat\.json"
    ):
        format_of_suffix("report.html")
    with pytest.raises(UsageError, match="Did you mean markdown"):
        render(REPORT, "markdwn")
    assert all(render(REPORT, name).endswith("\n") for name in FORMATS)


def test_json_needs_no_rich():
    code = "import sys, losscli.render as r; r.render(r.Report(()), 'json'); sys.exit('rich' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("name", "width", "lines"),
    [
        ("short", 9, ["short"]),
        ("a_long_class_name", 9, ["a_long_", "  class_", "  name"]),
        ("exactly nine, then", 9, ["exactly", "  nine,", "  then"]),
        ("ninechars then", 9, ["ninechars", "  then"]),
        ("a_xxxxxxxxxxxxx", 9, ["a_xxxxxxx", "  xxxxxx"]),
        ("猫猫猫猫猫", 9, ["猫猫猫猫", "  猫"]),
        ("猫,猫", 1, ["猫,", "  猫"]),
    ],
)
def test_names_fold_between_words_where_they_can(name, width, lines):
    assert fold(name, width, hang=2) == lines
