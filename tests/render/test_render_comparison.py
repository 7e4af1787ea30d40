"""Comparisons of models as tables, Markdown and data."""

import csv
import io
import json

import pytest
from rich.cells import cell_len
from rich.console import Console

import losscli
from losscli.render import print_tables, render
from losscli.render.digits import signed
from losscli.render.sections import comparisons, document
from losscli.render.sections.comparisons import LEGEND, stars
from losscli.report.findings import Note
from losscli.report.model import Comparison, Report, Result


def pair(loss="mae", difference=-0.25, se=0.05, adjusted=0.0005, cell=None, **more):
    noise = {"se": se, "ci_low": difference - 2 * se, "ci_high": difference + 2 * se, "level": 0.95, "df": 99}
    fields = {
        "value_a": 1.0,
        "value_b": 1.0 + difference,
        "difference": difference,
        "percent": 100 * difference,
        "p_value": adjusted,
        "adjusted": adjusted,
        "rows": 100,
        "weight": 100.0,
    }
    return Comparison(loss=loss, a="a.csv", b="b.csv", cell=cell or {}, **(fields | noise | more))


def text(report):
    return render(report, "table")


def terminal(report, width):
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    print_tables(report, console)
    return console.file.getvalue()


def results(*models):
    return tuple(Result(loss="mae", model=model, value=1.0, rows=100, weight=100.0) for model in models)


CELLS = [pair(cell={"region": f"r{i}"}, contribution=-0.25 / (i + 1)) for i in range(30)]
REPORT = Report(results("a.csv", "b.csv"), comparisons=(pair(better=70, worse=30), *CELLS))


def test_a_table_tells_who_is_better_and_by_how_much():
    shown = text(REPORT)
    head, _, first = shown.splitlines()[1:4]
    assert shown.splitlines()[0] == "b.csv against a.csv"
    for word in ("a.csv", "b.csv", "difference", "95 % interval", "better"):
        assert word in head
    for word in ("0.750", "-0.250 ± 0.050", "-25", "-0.350 to -0.150", "0.0005 ***", "b.csv", "70 : 30"):
        assert word in first
    assert "●" in first
    assert LEGEND in shown
    assert shown.count("\nr") == 31
    assert "overall" not in shown


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_line_is_wider_than_the_terminal(width):
    shown = terminal(REPORT, width)
    assert all(cell_len(line) <= width for line in shown.splitlines())
    assert "difference" in shown
    assert "... 20 more; --cells all shows them" in shown


@pytest.mark.parametrize(
    ("low", "middle", "high", "bar"),
    [
        (-1.0, -0.5, 0.5, "├────●───┼───┤     "),
        (0.5, 0.75, 1.0, "         │   ├──●─┤"),
        (-1.0, -0.75, -0.5, "├─●──┤   │         "),
        (-0.5, 1.0, 0.5, "     ├───┼───┤    ●"),  # no interval of ours, but a saved report may hold it
    ],
)
def test_an_interval_is_drawn_about_zero(low, middle, high, bar):
    report = Report((), comparisons=(pair(difference=middle, ci_low=low, ci_high=high),))
    assert bar.rstrip() in text(report)


def test_a_difference_without_an_interval_is_not_drawn():
    without = pair(difference=-9.0, cell={"region": "ap"}, ci_low=None, ci_high=None)
    assert "-9" in text(Report((), comparisons=(pair(cell={"region": "eu"}), without)))


@pytest.mark.parametrize("times", [{}, {"region": "month"}], ids=["by contribution", "by time"])
def test_a_short_table_formats_only_what_it_shows(times, monkeypatch):
    formatted = []
    monkeypatch.setattr(comparisons, "signed", lambda percent: formatted.append(percent) or signed(percent))
    wide = pair(cell={"region": "wide"}, se=9.0)
    report = Report((), comparisons=(*CELLS[:15], wide, *CELLS[15:]), times=times)
    short = document(report, cells=3)
    assert len(formatted) == 3
    assert short == document(report).first(3)  # also on the same axis
    assert document(report, cells=31) == document(report)


def test_stars_are_earned_by_the_adjusted_p_value():
    assert [stars(pair(adjusted=p, p_value=0.0)) for p in (0.0009, 0.009, 0.04, 0.06, None)] == [
        "***",
        "**",
        "*",
        "",
        "",
    ]
    assert LEGEND not in text(Report((), comparisons=(pair(adjusted=0.5),)))
    assert "neither" in text(Report((), comparisons=(pair(adjusted=0.5),)))


def test_what_is_not_defined_has_its_reason():
    none = Comparison(
        loss="mae",
        a="a.csv",
        b="b.csv",
        value_a=1.0,
        value_b=None,
        difference=None,
        rows=0,
        weight=0.0,
        notes=(Note("no-rows", "no rows"),),
    )
    shown = text(Report((), comparisons=(none,)))
    assert "no rows" in shown
    assert "None" not in shown


def test_names_are_no_markup():
    named = Comparison(
        loss="mae", a="[red]a", b="b\x1b[31m", value_a=1.0, value_b=2.0, difference=1.0, rows=1, weight=1.0
    )
    shown = text(Report((), comparisons=(named,)))
    assert "[red]a" in shown
    assert "\x1b" not in shown


def test_other_formats():
    markdown = render(REPORT, "markdown")
    assert "### b.csv against a.csv" in markdown
    assert "-0.350 to -0.150" in markdown
    assert "●" not in markdown
    rows = list(csv.DictReader(io.StringIO(render(REPORT, "csv"))))
    assert len(rows) == 31
    assert (rows[0]["difference"], rows[1]["cell"]) == ("-0.25", "region=r0")
    flat = json.loads(render(REPORT, "flat"))
    assert flat["b.csv-a.csv/mae/overall"] == -0.25
    assert flat["b.csv-a.csv/mae/region/r0"] == -0.25
    assert Report.from_dict(json.loads(render(REPORT, "json"))) == REPORT
    alone = Report(results(None), comparisons=(pair(),))
    assert "overall" in text(alone)
    assert render(alone, "csv").startswith("loss,label,params,model")


def test_a_note_on_the_same_cells_of_models_and_differences_is_shown_once():
    report = losscli.compare(
        {"a": [0.2, 0.9, 0.4, 0.7] * 20, "b": [0.3, 0.8, 0.1, 0.9] * 20},
        targets=[0, 1, 0, 1] * 20,
        loss="ece",
    )
    assert text(report).count("interval not corrected for skewness") == 1
