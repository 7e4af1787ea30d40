"""The report as data: what `to_dict` writes, `from_dict` reads, whatever the names."""

import json
import math

import jsonschema
import pytest
from msgspec.structs import replace

from losscli.errors import DataError
from losscli.report import codec
from losscli.report.charts import KINDS, Chart
from losscli.report.findings import Note
from losscli.report.model import Report, Result, Verdict, cell_name
from losscli.tasks.catalog import TASKS

REPORT = Report(
    results=(
        Result(
            loss="huber",
            params={"delta": 1.0},
            model="a.csv",
            cell={},
            value=0.1 + 0.2,
            se=0.01,
            ci_low=0.28,
            ci_high=0.32,
            level=0.95,
            rows=442,
            weight=441.5,
            share=1.0,
        ),
        Result(
            loss="huber",
            value=None,
            rows=0,
            weight=0.0,
            cell={"class": "Käse\n"},
            notes=(Note("no-rows", "no rows"),),
        ),
    ),
    gates=(Verdict("huber <= 0.5", "pass", {}, True, 0.3, 0.5), Verdict("mae < 1", "error", reason="no mae")),
    findings=(Note("missing-value", "3 rows were dropped", 3, examples=("row 2",)),),
    signature="abc",
    losscli="0.1.0",
    charts=(
        Chart(
            name="confusion",
            cell={"output": "y"},
            columns={
                "actual": ["a", "b"],
                "predicted": ["b", "a"],
                "rows": [2, 0],
                "weight": [0.1 + 0.2, 0.0],
                "share": [1.0, None],
            },
        ),
    ),
)


def test_json_brings_every_field_back():
    assert Report.from_dict(json.loads(REPORT.to_json())) == REPORT


def test_json_names_charts_only_if_there_are_any():
    assert "charts" in REPORT.to_dict()
    assert "charts" not in replace(REPORT, charts=()).to_dict()


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"share": []}, "columns of chart confusion have different lengths"),
        ({"share": [0.5, 2.0]}, "column share of chart confusion does not hold numbers from 0 to 1"),
        ({"rows": [-1, 0]}, "column rows of chart confusion does not hold numbers from 0"),
        ({"actual": [1, 2]}, "column actual of chart confusion does not hold text"),
        ({"rows": ["2", 0]}, "column rows of chart confusion does not hold numbers from 0"),
    ],
)
def test_a_chart_that_cannot_be_drawn_is_refused(columns, said):
    report = REPORT.to_dict()
    report["charts"][0]["columns"] |= columns
    with pytest.raises(DataError, match=said):
        Report.from_dict(report)


def test_a_chart_needs_the_columns_of_its_kind():
    report = REPORT.to_dict()
    del report["charts"][0]["columns"]["share"]
    with pytest.raises(DataError, match="chart confusion has no column share"):
        Report.from_dict(report)


def test_a_chart_of_a_later_version_is_kept():
    report = REPORT.to_dict()
    report["charts"][0] = {"name": "new", "columns": {"x": [1.5]}}
    (chart,) = Report.from_dict(report).charts
    assert chart.kind is None
    assert chart.columns == {"x": [1.5]}


def test_kinds_of_charts_name_tasks():
    assert {task for kind in KINDS.values() for task in kind.tasks} <= set(TASKS)


def test_a_parameter_may_be_infinite():
    own = replace(REPORT.results[0], params={"a": -math.inf, "b": 2.0})
    report = replace(REPORT, results=(own,))
    assert json.loads(report.to_json())["results"][0]["params"] == {"a": "-inf", "b": 2.0}
    assert Report.from_dict(json.loads(report.to_json())) == report


def test_json_holds_every_digit_and_null():
    first, second = REPORT.to_dict()["results"]
    assert '"value": 0.30000000000000004' in REPORT.to_json()
    assert (first["cell"], second["value"]) == ({}, None)
    empty = {"count": None, "where": None, "examples": []}
    assert second["notes"] == [{"code": "no-rows", "text": "no rows", **empty}]


def test_a_result_is_found_by_loss_and_cell():
    assert REPORT["huber"] is REPORT.results[0]
    assert REPORT["huber", {"class": "Käse\n"}] is REPORT.results[1]


@pytest.mark.parametrize("key", ["mae", ("huber", {"class": "dog"})])
def test_a_missing_result_names_what_there_is(key):
    with pytest.raises(KeyError, match=r"no result of .* in cell .*; losses: huber"):
        REPORT[key]


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (None, "is not a losscli report"),
        (0, r"of losscli 0.1.0 in schema 0; this version reads schema 1\n  -> save it again"),
        (2, r"in schema 2; this version reads schema 1\n  -> upgrade losscli"),
    ],
)
def test_another_schema_is_refused(schema, said):
    with pytest.raises(DataError, match=said):
        Report.from_dict({**REPORT.to_dict(), "schema": schema})


def broken(value):
    """The same JSON value with each of its parts, one at a time, replaced by some of another type."""
    wrong = [None, True, 10**400, -1.5, "text", [], [[]], {}, {"a": {}}]
    yield from (other for other in wrong if type(other) is not type(value))
    if isinstance(value, dict):
        yield from ({**value, key: other} for key, own in value.items() for other in broken(own))
        yield from ({k: v for k, v in value.items() if k != key} for key in value)
    if isinstance(value, list):
        for i, own in enumerate(value):
            yield from ([*value[:i], other, *value[i + 1 :]] for other in broken(own))


def test_a_damaged_report_is_read_or_refused():
    whole = REPORT.to_dict()
    damaged = list(broken(whole))
    assert len(damaged) > 500
    refused = 0
    for data in damaged:
        try:
            report = Report.from_dict(data)
        except DataError:
            refused += 1
        else:
            assert Report.from_dict(report.to_dict()) == report
    assert refused > len(damaged) / 2


def test_what_is_wrong_has_its_place():
    whole = REPORT.to_dict()
    whole["results"][1]["value"] = "x"
    with pytest.raises(DataError, match=r"is a damaged report at \$\.results\[1\]\.value: Expected `float"):
        Report.from_dict(whole)


@pytest.mark.parametrize("name", Report.always)
def test_a_report_without_a_field_that_all_have_is_damaged(name):
    lost = {key: value for key, value in REPORT.to_dict().items() if key != name}
    with pytest.raises(DataError, match=f"is a damaged report: it has no field {name}"):
        Report.from_dict(lost)


@pytest.mark.parametrize(
    "rows",
    [
        {"worst": [{"row": 1}, {"line": 2}]},
        {"worst": [{"row": {}}]},
        {"changed": [{"a": "x", "row": 1}]},
        {"changed": [{"a": "x", "b": ["y"], "row": 1}]},
    ],
)
def test_rows_that_no_table_can_show_are_damaged(rows):
    with pytest.raises(DataError, match="is a damaged report"):
        Report.from_dict(REPORT.to_dict() | rows)


@pytest.mark.parametrize("lost", ["better", "worse"])
def test_rows_that_are_better_are_counted_with_those_that_are_worse(lost):
    compared = {"loss": "mae", "a": "x", "b": "y", "value_a": 2.0, "value_b": 1.0, "difference": -1.0}
    whole = REPORT.to_dict() | {
        "comparisons": [{**compared, "rows": 3, "weight": 3.0, "better": 2, "worse": 1}]
    }
    assert Report.from_dict(whole).comparisons[0].worse == 1
    del whole["comparisons"][0][lost]
    with pytest.raises(DataError, match=r"damaged report at \$\.comparisons\[0\]: .* one of them is missing"):
        Report.from_dict(whole)


@pytest.mark.parametrize("level", [0, 1, -0.5, 2])
def test_a_level_is_a_probability(level):
    damaged = REPORT.to_dict()
    damaged["results"][0]["level"] = level
    with pytest.raises(DataError, match=r"at \$\.results\[0\]\.level"):
        Report.from_dict(damaged)


def test_the_highest_level_has_a_detectable_difference():
    high = replace(REPORT.results[0], level=math.nextafter(1, 0))
    usual = replace(REPORT.results[0], level=0.95)
    assert 3 * usual.minimum_detectable < high.minimum_detectable < math.inf


def test_text_that_is_nested_too_deeply_is_refused():
    deep = "[" * 100_000
    with pytest.raises(DataError):
        Report.from_json('{"schema": 1, "results": [], "more": ' + deep)


def test_reports_match_their_schema():
    schema = codec.schema(Report)
    written = REPORT.to_dict()
    described = schema["$defs"]["Report"]["properties"]
    assert set(written) == set(described)
    assert set(written["results"][0]) == set(schema["$defs"]["Result"]["properties"])
    jsonschema.validate(written, schema)


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ({}, ""),
        ({"region": "eu", "class": "black cat"}, "region=eu,class=black cat"),
        ({"class": "a,b"}, 'class="a,b"'),
        ({"class": 'a "b" ]'}, r'class="a \"b\" ]"'),
        ({"class": "*"}, 'class="*"'),
        ({"class": ""}, 'class=""'),
        ({"class": "\x1b[31mé"}, r'class="\u001b[31m\u00e9"'),
    ],
)
def test_cells_are_named_so_that_a_gate_can_read_them(cell, name):
    assert cell_name(cell) == name
