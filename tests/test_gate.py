"""Gates: what is read, what is judged, and that nothing passes which cannot be judged."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from losscli.errors import Status, UsageError
from losscli.gate import Gate, Limit, Subject, judge, judged, parse, status
from losscli.report import Report, Result, Verdict, cell_name


def result(loss, value, cell=None, low=None, high=None, rows=100, **params):
    notes = () if value is not None else ("no rows of this class",)
    return Result(
        loss=loss, params=params, cell=cell or {}, value=value, low=low, high=high,
        rows=rows, weight=float(rows), notes=notes,
    )  # fmt: skip


REPORT = Report(
    (
        result("mae", 2.0, low=1.5, high=2.5),
        result("mae", 1.0, {"class": "cat"}, 0.9, 1.1),
        result("mae", 3.0, {"class": "a ] b"}, 2.0, 4.0),
        result("mae", None, {"class": "owl"}),
        result("mae", 5.0, {"region": "eu", "class": "cat"}),
        result("huber", 0.5, delta=1.0, fair=True),
        result("huber", 0.75, delta=2.0, fair=True),
        result("odd", math.nan),
        result("max", 9.0),
        result("short", 1.0, {"class": "cat"}, rows=99),
    )
)


def verdicts(text, report=REPORT):
    return [(v.status, v.weak, v.value) for v in judge([parse(text)], report)]


@pytest.mark.parametrize(
    ("text", "subject", "sign", "limit"),
    [
        ("huber <= 0.5", Subject(("huber",)), "<=", Limit(0.5)),
        (" huber<-1e-3 ", Subject(("huber",)), "<", Limit(-1e-3)),
        ("r2 > +.5", Subject(("r2",)), ">", Limit(0.5)),
        ("n >= 10000", Subject((), field="rows"), ">=", Limit(10000)),
        ("n[class=*] >= 30", Subject((), cell=(("class", None),), field="rows"), ">=", Limit(30)),
        ("hi( mae ) <= 2", Subject(("mae",), field="high"), "<=", Limit(2)),
        ("lo(mae[class=cat]) > 2", Subject(("mae",), cell=(("class", "cat"),), field="low"), ">", Limit(2)),
        (
            'huber:delta=2,top-k=5[ region = north america ,"class"="a ] \\"b"] <= 1',
            Subject(
                ("huber",),
                (("delta", "2"), ("top_k", "5")),
                (("region", "north america"), ("class", 'a ] "b')),
            ),
            "<=",
            Limit(1),
        ),
        ('mae[class="*"] < 1', Subject(("mae",), cell=(("class", "*"),)), "<", Limit(1)),
        ("mae < base", Subject(("mae",)), "<", Limit(base=True)),
        ("mae < base + 1%", Subject(("mae",)), "<", Limit(base=True, percent=1)),
        ("mae < base - 0.01", Subject(("mae",)), "<", Limit(-0.01, base=True)),
        ("mae < base*1.1", Subject(("mae",)), "<", Limit(base=True, factor=1.1)),
    ],
)
def test_reads(text, subject, sign, limit):
    assert parse(text) == Gate(text.strip(), subject, sign, limit)


@given(st.dictionaries(st.text(), st.text(), min_size=1))
def test_reads_every_cell_as_it_is_named(cell):
    assert parse(f"mae[{cell_name(cell)}] < 1").subject.cell == tuple(cell.items())


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        ("", 0, "the name of a loss"),
        ("0.5 >= mae", 0, "the name of a loss"),
        ("mae 0.5", 4, "one of <= < >= >"),
        ("mae =< 0.5", 4, "one of <= < >= >"),
        ("mae <=", 6, "a number, or base"),
        ("mae <= abc", 7, "a number, or base"),
        ("mae <= nan", 7, "a number, or base"),
        ("mae <= 1e999", 7, "a finite number"),
        ("mae <= 5 %", 9, "nothing more"),
        ("mae <= base * x", 14, "a number"),
        ("mae[class] < 1", 9, "= and a value after class"),
        ("mae[class=a[1]] < 1", 14, "one of"),
        ("mae[class=cat < 1", 17, "a closing ]"),
        ("mae[a=1, a=2] < 1", 9, "a once only"),
        ('mae["\\q"=1] < 1', 4, "a name"),
        ("huber:delta < 1", 12, "= and a value after delta"),
        ("hi(mae < 1", 7, "a closing )"),
        ("hi(n) < 1", 3, "n has no interval"),
    ],
)
def test_shows_the_place_that_is_not_understood(text, at, expected):
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert expected in str(caught.value)
    assert caught.value.problems[0].examples == (text, " " * at + "^")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mae <= 2", ("pass", True, 2.0)),
        ("mae < 2", ("fail", True, 2.0)),
        ("mae >= 2", ("pass", True, 2.0)),
        ("mae > 2", ("fail", True, 2.0)),
        ("mae <= 2.5", ("pass", False, 2.0)),
        ("mae < 2.5", ("pass", True, 2.0)),
        ("mae <= 1.5", ("fail", True, 2.0)),
        ("mae <= 1.4", ("fail", False, 2.0)),
        ("hi(mae) <= 2.4", ("fail", False, 2.5)),
        ("lo(mae) >= 1.5", ("pass", False, 1.5)),
        ("mae[class=cat] <= 1", ("pass", True, 1.0)),
        ('mae[class="a ] b"] <= 1', ("fail", False, 3.0)),
        ("mae[region=eu,class=cat] <= 5", ("pass", False, 5.0)),
        ("mae[class=*,region=eu] < 5", ("fail", False, 5.0)),
        ("huber:delta=2 <= 0.6", ("fail", False, 0.75)),
        ("huber:delta=1.0,fair=TRUE <= 0.6", ("pass", False, 0.5)),
        ("n >= 100", ("pass", False, 100.0)),
        ("n[class=owl] > 100", ("fail", False, 100.0)),
    ],
)
def test_the_point_decides_and_a_straddling_interval_is_weak(text, expected):
    assert verdicts(text) == [expected]


def test_a_star_judges_each_cell():
    found = judge([parse("mae[class=*] <= 1")], REPORT)
    assert [(v.status, v.cell["class"]) for v in found] == [
        ("pass", "cat"),
        ("fail", "a ] b"),
        ("error", "owl"),
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("mea < 9", "no loss mea in the report. Did you mean max or mae?"),
        ("mae[class=cst] < 9", "no class=cst. Did you mean cat?"),
        ("mae[class=zebra] < 9", "no class=zebra. The report has cat, a ] b, owl."),
        ("mae[region=eu] < 9", "no result by region. The report has overall, by class, by region+class."),
        ("short < 9", "no result overall. The report has by class."),
        ("mae[region=eu,class=*,x=*] < 9", "no result by region+class+x."),
        ("mae[class=owl] < 9", "no value: no rows of this class"),
        ("hi(mae[class=owl]) < 9", "no value: no rows of this class"),
        ("hi(max) < 99", "no interval"),
        ("odd < 9", "the value is nan"),
        ("odd > 9", "the value is nan"),
        (
            "huber < 9",
            "which one is meant? The report has huber:delta=1.0,fair=true, huber:delta=2.0,fair=true.",
        ),
        ("huber:delta=3 < 9", "no huber with those parameters."),
        ("huber:delta=x < 9", "no huber with those parameters."),
        ("huber:gamma=1 < 9", "no huber with those parameters."),
        ("n[class=cat] > 1", "the losses do not have the same rows in class=cat"),
        ("mae <= base + 1%", "no baseline"),
    ],
)
def test_what_cannot_be_judged_is_an_error_with_a_reason(text, reason):
    (found,) = judge([parse(text)], REPORT)
    assert (found.status, found.value, found.weak) == ("error", None, False)
    assert found.reason.startswith(reason)


def test_models_are_told_apart():
    report = Report(tuple(replace(result("mae", 1.0), model=model) for model in "ab"))
    assert "mae of a, mae of b" in judge([parse("mae < 9")], report)[0].reason


def test_any_of_the_names_that_a_short_name_stands_for_is_judged():
    gate = parse("MAE < 9", lambda name: ("l1", name.lower()))
    assert judge([gate], REPORT)[0].status == "pass"


def test_the_report_keeps_its_verdicts():
    report = judged([parse("mae < 9"), parse("max > 9")], REPORT)
    assert [verdict.status for verdict in report.gates] == ["pass", "fail"]
    assert report.results == REPORT.results
    assert '"gate": "max > 9"' in judged([parse("max > 9")], Report(REPORT.results[-2:])).to_json()


@pytest.mark.parametrize(
    ("said", "strict", "expected"),
    [
        ([], False, Status.OK),
        (["pass", "unsure"], False, Status.OK),
        (["pass", "unsure"], True, Status.GATE_FAILED),
        (["pass", "fail"], False, Status.GATE_FAILED),
        (["fail", "error", "pass"], False, Status.DATA),
        (["pass", "PASS"], False, Status.DATA),
    ],
)
def test_status_of_the_verdicts(said, strict, expected):
    assert status([Verdict("mae < 1", word) for word in said], strict) == expected
