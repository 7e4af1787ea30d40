"""Each renderer on one small report, written out; and tables that keep whole at any width."""

import io
import json
import re
import subprocess
import sys
from xml.etree import ElementTree as Xml

import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from rich.console import Console

from losscli.errors import UsageError
from losscli.render import (
    ALL,
    format_help,
    format_of_suffix,
    formats,
    html_of,
    print_tables,
    render,
    suffix_help,
    text_of,
)
from losscli.render.digits import estimate
from losscli.render.formats import markdown, printed_formats
from losscli.render.formats.table import fold
from losscli.render.sections import document, verdicts
from losscli.render.tables import Column, Document, Table
from losscli.report.findings import Note
from losscli.report.model import Report, Result, Verdict

FIELDS = (
    *("loss", "value", "rows", "weight", "params", "model", "cell"),
    *("se", "ci_low", "ci_high", "level", "share"),
)


def result(*values, **named):
    return Result(**dict(zip(FIELDS, values, strict=False)), **named)


DELTA = {"delta": 1.0}
NO_ROWS = (Note("no-rows", "no rows"),)
REPORT = Report(
    results=(
        result("huber", 0.27123412, 442, 442.0, DELTA, None, {}, 0.01, 0.2516, 0.29083412, 0.95, 1.0),
        result("mse", 2859.6963, 442, 442.0),
        result("huber", 0.5, 42, 40.5, DELTA, None, {"region": "[red]_eu|"}, 0.2, 0.1, 0.9, 0.95, 0.025),
        result("huber", 0.125, 400, 400.0, DELTA, None, {"region": "us"}, 3e-05, 0.1, 0.2, 0.95, 0.0001),
        result("huber", None, 0, 0.0, DELTA, cell={"region": "mars"}, notes=NO_ROWS),
    ),
    gates=(
        Verdict("huber <= 0.27123411", "fail", {}, True, 0.27123412, 0.27123411, -1.25),
        Verdict("mae <= 2", "error", limit=2.0, reason="no loss mae"),
        Verdict("n >= 100", "pass", {}, False, 442.0, 100.0),
    ),
    findings=(Note("missing-value", "3 rows were dropped", 3),),
)

TABLE = """\
overall
loss                 value ± se   95 % interval  rows
─────────────────────────────────────────────────────
huber:delta=1     0.271 ± 0.010  0.252 to 0.291   442
mse            2859.70           -                442

huber:delta=1 by region
region              value ± se         95 % interval  share %  rows  weight
───────────────────────────────────────────────────────────────────────────
[red]_eu|  0.50     ± 0.20      0.10     to 0.90          2.5    42    40.5
us         0.125000 ± 0.000030  0.100000 to 0.200000     <0.1   400   400
mars       -                    -                         -       0     0

gates
status      gate                        value         limit  margin/se  reason
───────────────────────────────────────────────────────────────────────────────────
fail, weak  huber <= 0.27123411    0.27123412    0.27123411      -1.25
error       mae <= 2               -             2                      no loss mae
pass        n >= 100             442           100
weak: the interval contains the limit

notes
- no rows (huber:delta=1: region mars)
- 3 rows were dropped
"""

NARROW = """\
overall
loss                 value ± se
───────────────────────────────
huber:delta=1     0.271 ± 0.010
mse            2859.70

huber:delta=1 by region
region              value ± se  rows
────────────────────────────────────
[red]_eu|  0.50     ± 0.20        42
us         0.125000 ± 0.000030   400
mars       -                       0

4 columns hidden: -o report.md or a
wider terminal shows them
"""

MARKDOWN = """\
### overall

| loss | value ± se | 95 % interval | rows |
| :--- | ---: | ---: | ---: |
| huber:delta=1 | 0.271 ± 0.010 | 0.252 to 0.291 | 442 |
| mse | 2859.70 | - | 442 |

minimum detectable difference, independent sample of the same size, 80 % power: huber:delta=1 0.040

### huber:delta=1 by region

| region | value ± se | 95 % interval | share % | rows | weight |
| :--- | ---: | ---: | ---: | ---: | ---: |
| \\[red\\]\\_eu\\| | 0.50 ± 0.20 | 0.10 to 0.90 | 2.5 | 42 | 40.5 |
| us | 0.125000 ± 0.000030 | 0.100000 to 0.200000 | \\<0.1 | 400 | 400 |
| mars | - | - | - | 0 | 0 |

### gates

| status | gate | value | limit | margin/se | reason |
| :--- | :--- | ---: | ---: | ---: | :--- |
| fail, weak | huber \\<= 0.27123411 | 0.27123412 | 0.27123411 | -1.25 |  |
| error | mae \\<= 2 | - | 2 |  | no loss mae |
| pass | n \\>= 100 | 442 | 100 |  |  |

weak: the interval contains the limit

### notes

- no rows (huber:delta=1: region mars)
- 3 rows were dropped
"""

CSV = """\
loss,label,params,model,cell,value,se,ci_low,ci_high,level,df,higher_is_better,rows,weight,share,max_error,notes
huber,,delta=1.0,,,0.27123412,0.01,0.2516,0.29083412,0.95,,False,442,442.0,1.0,,
mse,,,,,2859.6963,,,,,,False,442,442.0,,,
huber,,delta=1.0,,"region=""[red]_eu|\""",0.5,0.2,0.1,0.9,0.95,,False,42,40.5,0.025,,
huber,,delta=1.0,,region=us,0.125,3e-05,0.1,0.2,0.95,,False,400,400.0,0.0001,,
huber,,delta=1.0,,region=mars,,,,,,,False,0,0.0,,,no rows
"""


def text(report):
    return render(report, "table")


def terminal(report, width, cells=None, **options):
    options = {"force_terminal": True, "color_system": None, **options}
    console = Console(file=io.StringIO(), width=width, **options)
    print_tables(report, console, cells)
    return console.file.getvalue()


def test_markdown_escapes_each_cell_alone():
    cells = ("_a", "b_", "GH-", "1", "#", "2", "http:", "//", "", "a_b", "@", "me", "www.c")
    table = Table("t", (Column("name", cells, "name"),))
    lines = markdown.text(Document((table,))).splitlines()
    escaped = [r"\_a", r"b\_", *cells[2:-1], "`www.`c"]
    assert lines[4:] == [f"| {cell} |" for cell in escaped]
    assert markdown.text(Document((Table("t", (Column("name", (), "name"),)),))).splitlines() == lines[:4]


@pytest.mark.parametrize(("name", "expected"), [("table", TABLE), ("markdown", MARKDOWN), ("csv", CSV)])
def test_snapshot(name, expected):
    assert render(REPORT, name) == expected


def test_losses_are_shown_as_the_user_named_them():
    named = result("huber", 0.5, 9, 9.0, {"delta": 2.0, "eps": None}, label="huber:delta=2")
    shown = text(
        Report((named, result("huber", 0.5, 9, 9.0, {"delta": 3.0, "eps": None})), worst=({"huber": 1.0},))
    )
    assert [line.split()[0] for line in shown.splitlines()[3:5]] == ["huber:delta=2", "huber:delta=3"]
    assert "worst rows\nhuber:delta=2\n" in shown


def test_json_is_the_report():
    assert Report.from_dict(json.loads(render(REPORT, "json"))) == REPORT


def test_a_narrow_terminal_drops_columns_rather_than_digits():
    results = tuple(replace(result, notes=()) for result in REPORT.results)
    assert terminal(replace(REPORT, results=results, gates=(), findings=()), 36) == NARROW


def test_without_a_terminal_the_width_has_no_limit():
    console = Console(file=io.StringIO(), width=40, force_terminal=False)
    print_tables(REPORT, console)
    assert console.file.getvalue() == text(REPORT) == TABLE
    assert text_of(REPORT) == TABLE.rstrip()


@pytest.mark.parametrize("is_terminal", [True, False])
def test_an_encoding_without_lines_gets_dashes(is_terminal):
    file = io.TextIOWrapper(io.BytesIO(), encoding="latin-1", write_through=True)
    print_tables(REPORT, Console(file=file, width=80, force_terminal=is_terminal, color_system=None))
    lines = file.buffer.getvalue().decode("latin-1").splitlines()
    assert lines[2] == "-" * len(lines[1])
    assert "0.271 ± 0.010" in lines[3]


LOSSES = [f"loss_{i}_".ljust(40, "x") for i in range(10)]
CLASSES = [f"class {i:03} ".ljust(39, "y") + "猫" for i in range(100)]


def value(loss, name):
    return (LOSSES.index(loss) + 1.23456789) * 10 ** (CLASSES.index(name) % 7 - 3)


def large():
    overall = [
        result(loss, 1 / 3, 10**7, 1e6, se=0.1, ci_low=0.1, ci_high=0.4, level=0.95) for loss in LOSSES
    ]
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
    worst = [value(loss, CLASSES[6]) for loss in LOSSES]
    assert {estimate(v, v / 9).split()[0] for v in worst} <= words
    assert "100,000" in words
    assert f"... {len(CLASSES) - 10} more; --cells all shows them" in shown
    assert shown.count("pass ") == 9
    assert shown.count("fail ") == 1
    assert ("hidden: -o report.md" in shown) == (width < 200)


def cells(count):
    missing = result("mae", None, 0, 0.0, cell={"class": "none"})
    return Report((missing, *(result("mae", i, 9, 9.0, cell={"class": f"c{i}"}) for i in range(count))))


def test_a_terminal_shows_the_worst_cells_and_how_many_are_left():
    lines = terminal(cells(24), 60).splitlines()
    assert [line.split()[0] for line in lines[3:13]] == [f"c{i}" for i in range(23, 13, -1)]
    assert lines[13:] == ["... 15 more; --cells all shows them"]
    assert terminal(cells(9), 60).splitlines()[3].split()[0] == "none"
    assert terminal(cells(24), 60, cells=ALL) == text(cells(24))
    assert terminal(cells(24), 60, cells=1).splitlines()[3:] == [
        "c23       23     9",
        "... 24 more; --cells all shows them",
    ]


def test_the_worst_cells_of_a_score_are_the_lowest():
    results = tuple(replace(result, higher_is_better=True) for result in cells(24).results)
    shown = terminal(Report(results), 60, cells=2).splitlines()
    assert [line.split()[0] for line in shown[3:5]] == ["c0", "c1"]


def test_elsewhere_every_cell_is_there_unless_fewer_are_asked_for():
    shown = text(large())
    assert all(name in shown for name in CLASSES)
    assert "95 % interval" in shown
    assert "more;" not in shown
    assert "hidden" not in shown
    for name in ("table", "markdown"):
        assert "... 23 more; --cells all shows them" in render(cells(24), name, cells=2)
    for name in ("csv", "json", "flat"):
        assert render(cells(24), name, cells=2) == render(cells(24), name)


def test_a_short_table_of_verdicts_formats_only_what_it_shows(monkeypatch):
    formatted = []
    monkeypatch.setattr(verdicts, "distinct", lambda *pair: formatted.append(pair) or ("1", "2"))
    passes = [Verdict("mae[c=*] < 9", "pass", {"c": str(i)}, margin=i) for i in range(30)]
    skipped = Verdict("mae[c=*] < 9", "skipped", {"c": "s"}, reason="fewer than 5 rows")
    report = Report((), (*passes, Verdict("mae < 9", "pass"), skipped))
    for cells in (3, 31):
        formatted.clear()
        short = document(report, cells=cells)
        assert len(formatted) == 1 + cells
        assert short == document(report).first(cells)
    assert "mae[c=*] < 9: fewer than 5\nrows" in terminal(report, 30)  # though it is hidden


def test_gates_on_cells_that_pass_are_left_out_before_those_that_fail():
    passes = [Verdict("mae[c=*] < 9", "pass", {"c": str(i)}, margin=i) for i in range(30)]
    fails = [Verdict("mae[c=*] < 9", "fail", {"c": f"f{i}"}, margin=-i) for i in range(3)]
    report = Report((), (*passes, *fails, *[Verdict("mae < 9", "pass")] * 5))
    title, _, _, *lines = terminal(report, 80, cells=4).splitlines()
    rows = [line.split() for line in lines]
    assert title == "gates: 3 fail, 35 pass"
    assert [row[0] for row in rows[:9]] == ["pass"] * 5 + ["fail"] * 3 + ["pass"]
    assert [row[4] for row in rows[5:9]] == ["c=f2", "c=f1", "c=f0", "c=0"]
    assert " ".join(rows[9]) == "... 29 more; --cells all shows them"


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
    notes = (Note("custom", f"{name}, {name}"),)
    report = Report((result("mae", 1.5, 9, 9.0, cell={"class": name}, notes=notes),), findings=notes)
    shown = show(report)
    assert shown.splitlines()[3].startswith(f"{expected} ")
    assert "\x1b" not in shown


def test_colour_is_sparse_and_can_be_switched_off():
    shown = terminal(REPORT, 90, color_system="standard")
    assert "\x1b[1m   0.271\x1b[0m ± 0.010" in shown
    assert "\x1b[1;4moverall\x1b[0m" in shown
    assert re.findall(r"\x1b\[(3\d)m([a-z, ]*[a-z])", shown) == [
        ("31", "fail, weak"),
        ("31", "error"),
        ("32", "pass"),
    ]
    weak = Report((), (Verdict("mae < 1", "pass", weak=True), Verdict("mae < 1", "unsure")))
    assert terminal(weak, 80, color_system="standard").count("\x1b[33m") == 2
    assert "\x1b[3" not in terminal(REPORT, 80, color_system="standard", no_color=True)


@pytest.mark.parametrize(
    ("cells", "losses", "note"),
    [
        ([{}], ["mae"], "no rows"),
        ([{"class": "a"}], ["mae"], "no rows (class a)"),
        ([{"class": name} for name in "abcdefg"], ["mae"], "no rows (classes a, b and 5 more)"),
        ([{"class": name} for name in "abcd"], ["mae"], "no rows (classes a, b, c and d)"),
        ([{}, {"region": "eu"}, {"region": "us"}], ["mae"], "no rows (overall, region eu and us)"),
        ([{"a": "1", "b": "2"}], ["mae"], "no rows (a=1,b=2)"),
        ([{"class": "a"}], ["mae", "mse"], "no rows (class a)"),
        ([{"class": "a"}], ["mse"], "no rows (mse: class a)"),
        ([{}], ["mse"], "no rows (mse)"),
    ],
)
def test_a_note_on_many_cells_is_one_line(cells, losses, note):
    noted = [result(loss, None, 0, 0.0, cell=cell, notes=NO_ROWS) for loss in losses for cell in cells]
    others = [result(loss, 1.0, 9, 9.0) for loss in ("mae", "mse") if losses != ["mae"]]
    report = Report((*others, *noted))
    for name in ("table", "markdown"):
        assert f"- {note}\n" in render(report, name)


def test_html_is_escaped_and_has_all_that_is_shown():
    report = replace(REPORT, findings=(Note("custom", "<script>1</script>"),))
    shown = html_of(report)
    root = Xml.fromstring(shown.replace("&nbsp;", " "))
    titles = [element.text for element in root.iter("h4")]
    assert titles == ["overall", "huber:delta=1 by region", "gates", "notes"]
    tables = [
        [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")]
        for table in root.iter("table")
    ]
    assert tables[0][1] == ["huber:delta=1", "0.271 ± 0.010", "0.252 to 0.291", "442"]
    assert tables[1][1][0] == "[red]_eu|"
    assert "<script>" not in shown
    assert "weak: the interval contains the limit" in shown


def test_formats():
    suffixes = (".json", ".CSV", ".md", ".txt", ".flat.json", ".xml")
    assert [format_of_suffix(f"report{end}") for end in suffixes] == [
        "json", "csv", "markdown", "table", "flat", "junit",
    ]  # fmt: skip
    with pytest.raises(
        UsageError,
        match=r"unknown suffix \.xlsx.*\n.* \.txt, \.html, \.md, \.png, \.svg, \.csv, \.flat\.json",
    ):
        format_of_suffix("report.xlsx")
    with pytest.raises(
        UsageError, match=r"^/dev/full: no suffix; it chooses the format\n  -> end the name in"
    ):
        format_of_suffix("/dev/full")
    with pytest.raises(UsageError, match="Did you mean markdown"):
        render(REPORT, "markdwn")
    assert all(render(REPORT, name).endswith("\n") for name in printed_formats())


def test_a_format_is_one_file(tmp_path, monkeypatch):
    """A module that is put into the folder is offered by --format, -o and both of their help texts."""
    (tmp_path / "latex.py").write_text(
        "from losscli.render.formats import Layout\n"
        "FORMAT = Layout('latex', '.tex', lambda document: document.tables[0].title + '\\n', 'LaTeX')\n"
    )
    monkeypatch.setattr(formats, "__path__", [*formats.__path__, str(tmp_path)])
    monkeypatch.setattr(formats, "all_formats", formats.all_formats.__wrapped__)
    monkeypatch.setattr("losscli.render.all_formats", formats.all_formats)
    assert render(REPORT, "latex") == "overall\n"
    assert format_of_suffix("report.tex") == "latex"
    assert "latex" in format_help()
    assert ".tex (LaTeX)" in suffix_help()


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
