"""Every kind of chart is drawn in a terminal: at 60 columns, without colours, without Unicode."""

import math

import pytest
from msgspec.structs import replace

from losscli.render.chart import LABELS, Canvas
from losscli.render.plots import drawn
from losscli.report.charts import KINDS, Chart
from losscli.report.findings import Note

WIDTH = 60
GREATEST = 1.7e308
LOOKS = {
    "a terminal": Canvas(WIDTH - LABELS, 11, True, True),
    "no colours": Canvas(WIDTH - LABELS, 11, False, True),
    "no Unicode": Canvas(WIDTH - LABELS, 11, False, False),
    "the narrowest": Canvas(20, 11, False, True),
}


def chart_of(name, rows=12, number=None, **columns):
    """A chart whose columns rise from 0 to 1, or hold one number."""
    found = {}
    for column in KINDS[name].columns:
        if column.is_text:
            found[column.name] = [f"class {row // 4}" for row in range(rows)]
        else:
            shift = column.name.endswith("high") and column.name != "ci_high"
            own = None if number is None else min(max(number, column.range[0]), column.range[1])
            found[column.name] = [(row + shift) / rows if own is None else own for row in range(rows)]
    return Chart(name=name, columns=found | columns)


def text_of(chart, canvas):
    return ["".join(part for part, _ in row) for row in drawn(chart, canvas)]


@pytest.mark.parametrize("canvas", LOOKS.values(), ids=LOOKS)
@pytest.mark.parametrize("name", KINDS)
def test_a_chart_fits_its_width(name, canvas):
    lines = text_of(chart_of(name), canvas)
    assert max(map(len, lines)) <= canvas.width + LABELS
    assert len(lines) > 4 or name == "confusion"
    if not canvas.unicode:
        assert "".join(lines).isascii()


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("number", [0.0, 1.0, -3.5, 1e-320, GREATEST, -GREATEST])
def test_numbers_of_any_size_are_drawn(name, number):
    for rows in (1, 2, 12):
        assert text_of(chart_of(name, rows, number), LOOKS["a terminal"])


@pytest.mark.parametrize("name", KINDS)
def test_a_chart_without_numbers_says_so(name):
    assert text_of(chart_of(name, 0), LOOKS["a terminal"])[1] == "there is nothing to draw"
    columns = {column.name: [None] * 3 for column in KINDS[name].columns if not column.is_text}
    texts = {column.name: ["a"] * 3 for column in KINDS[name].columns if column.is_text}
    assert (
        text_of(Chart(name=name, columns=columns | texts), LOOKS["a terminal"])[1]
        == "there is nothing to draw"
    )


def test_text_of_files_is_escaped_and_named():
    chart = chart_of(
        "confusion", 4, actual=["\x1b[31m", "b"] * 2, predicted=["\x1b[31m", "\x1b[31m", "b", "b"]
    )
    named = Chart(
        name="confusion",
        model="m\n",
        cell={"label": "x"},
        columns=chart.columns,
        notes=(Note("beyond-chart", "3 rows\x07 are outside the plotted range"),),
    )
    lines = text_of(named, LOOKS["a terminal"])
    assert all(line.isprintable() for line in lines)
    assert lines[0].startswith("Confusion matrix: m")
    assert "label=x" in lines[0]
    assert "are outside the plotted range" in lines[-1]


def test_points_whose_interval_misses_are_counted():
    columns = {"probability": [0.2, 0.8], "observed": [0.2, 0.5], "ci_low": [0.1, 0.4], "ci_high": [0.3, 0.6]}
    lines = text_of(chart_of("reliability", 2, 0.5, **columns), LOOKS["no colours"])
    assert lines[-1] == "1 of 2 intervals miss the expected value (◆)"
    assert sum(line.count("◆") for line in lines[:-1]) == 1


def test_the_share_of_the_worst_rows_is_between_those_of_bins():
    columns = {
        "top_share": [1.0, 0.5, 0.02],
        "top_loss_share": [1.0, 0.9, 0.4],
        "loss_low": [0.0, 1.0, 2.0],
        "loss_high": [1.0, 2.0, 4.0],
    }
    lines = text_of(chart_of("loss_distribution", 3, **columns), LOOKS["a terminal"])
    said = " ".join(lines[-2:])
    later = 100 * (0.4 + 0.5 * 0.08 / 0.48)
    assert f"the worst 1 % of rows account for 20.0 % of the loss, the worst 10 % for {later:.1f} %" in said


@pytest.mark.parametrize(
    ("fields", "weight", "axis", "said"),
    [
        ({}, [1, 1, 1], "share of rows", "the worst 1 % of rows account for"),
        ({"unit": "groups"}, [1, 1, 1], "share of groups", "the worst 1 % of groups account for"),
        ({}, [2, 1, 1], "share of weight", "the worst rows, 1 % of the weight, account for"),
        ({"loss": "mae"}, [1, 1, 1], "share of rows", "% of mae, the worst 10 % for"),
    ],
)
def test_a_chart_names_what_it_counts(fields, weight, axis, said):
    chart = chart_of("loss_distribution", 3, number=1, weight=weight, loss_low=[1, 2, 3], loss_high=[2, 3, 4])
    chart = replace(chart, **fields)
    lines = text_of(chart, LOOKS["a terminal"])
    assert lines[1].strip() == axis
    assert f"loss per {chart.unit.removesuffix('s')} (log scale)" in " ".join(lines)
    assert said in " ".join(lines[-2:])


def test_many_classes_are_drawn_as_the_greatest_errors():
    classes = [f"class {place}" for place in range(15)]
    pairs = [(a, b) for a in classes for b in classes]
    weight = [0 if a == b else math.prod(map(ord, a[-1] + b[-1])) % 7 for a, b in pairs]
    columns = {"actual": [a for a, _ in pairs], "predicted": [b for _, b in pairs], "weight": weight}
    lines = text_of(chart_of("confusion", len(pairs), 0.25, **columns), LOOKS["no Unicode"])
    assert len(lines) == 22
    assert all("->" in line and "#" in line for line in lines[2:])


def test_a_confusion_without_all_pairs_is_drawn_as_errors():
    lines = text_of(
        chart_of("confusion", 2, 0.5, actual=["a", "a"], predicted=["a", "b"]), LOOKS["no Unicode"]
    )
    assert any("a -> b" in line for line in lines)
