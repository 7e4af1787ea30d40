"""Gates: what is read, what is judged, and that nothing passes which cannot be judged."""

import math
import random
import re
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from losscli.errors import Status, UsageError
from losscli.gates import judge, parse
from losscli.gates.base import judged
from losscli.gates.judge import Rules, status
from losscli.gates.parse import Gate, Limit, Subject, parse_gate
from losscli.numeric.student import quantile
from losscli.report.findings import Note
from losscli.report.model import Report, Result, Verdict, cell_name


def result(loss, value, cell=None, low=None, high=None, rows=100, **params):
    notes = () if value is not None else (Note("no-rows", "no rows of this class"),)
    return Result(
        loss=loss, params=params, cell=cell or {}, value=value, ci_low=low, ci_high=high,
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
        ("hi( mae ) <= 2", Subject(("mae",), field="ci_high"), "<=", Limit(2)),
        (
            "lo(mae[class=cat]) > 2",
            Subject(("mae",), cell=(("class", "cat"),), field="ci_low"),
            ">",
            Limit(2),
        ),
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


@pytest.mark.parametrize("examples", [20, pytest.param(100, marks=pytest.mark.slow)])
def test_reads_every_cell_as_it_is_named(examples):
    @settings(max_examples=examples, deadline=None)
    @given(st.dictionaries(st.text(), st.text(), min_size=1))
    def check(cell):
        assert parse(f"mae[{cell_name(cell)}] < 1").subject.cell == tuple(cell.items())

    check()


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        ("", 0, "the name of a loss"),
        ("0.5 >= mae", 0, "the name of a loss"),
        ("mae 0.5", 4, "<=, <, >= or >"),
        ("mae =< 0.5", 4, "<=, <, >= or >"),
        ("mae <=", 6, "a number, or base"),
        ("mae <= abc", 7, "a number, or base"),
        ("mae <= nan", 7, "a number, or base"),
        ("mae <= 1e999", 7, "a finite number"),
        ("mae <= 5 %", 9, "the end of the gate"),
        ("mae <= base * x", 14, "a number"),
        ("mae[class] < 1", 9, "= and a value after class"),
        ("mae[class=a[1]] < 1", 14, "<=, <, >= or >"),
        ("mae[class=cat < 1", 17, "a closing ]"),
        ("mae[a=1, a=2] < 1", 9, "a only once"),
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
def test_the_estimate_decides_and_an_interval_around_the_limit_is_weak(text, expected):
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
            "several variants match. The report has huber:delta=1.0,fair=true, huber:delta=2.0,fair=true.",
        ),
        ("huber:delta=3 < 9", "no huber with those parameters."),
        ("huber:delta=x < 9", "no huber with those parameters."),
        ("huber:gamma=1 < 9", "no huber with those parameters."),
        ("n[class=cat] > 1", "the losses have different numbers of rows in class=cat"),
        ("mae <= base + 1%", "no baseline"),
    ],
)
def test_what_cannot_be_judged_is_an_error_with_a_reason(text, reason):
    (found,) = judge([parse(text)], REPORT)
    assert (found.status, found.value, found.weak) == ("error", None, False)
    assert found.reason.startswith(reason)


def test_models_are_told_apart():
    report = Report(tuple(replace(result("mae", 1.0), model=model) for model in "ab"))
    assert [verdict.model for verdict in judge([parse("mae < 9")], report)] == ["a", "b"]
    assert [verdict.model for verdict in judge([parse("mae[b] < 9")], report)] == ["b"]


def test_any_of_the_names_that_a_short_name_stands_for_is_judged():
    gate = parse("MAE < 9", lambda name: ("l1", name.lower()))
    assert judge([gate], REPORT)[0].status == "pass"


def test_the_report_keeps_its_verdicts():
    report = judged([parse("mae < 9"), parse("max > 9")], REPORT)
    assert [verdict.status for verdict in report.gates] == ["pass", "fail"]
    assert report.results == REPORT.results
    assert '"gate": "max > 9"' in judged([parse("max > 9")], Report(REPORT.results[-2:])).to_json()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([], Status.OK),
        (["pass", "unsure", "skipped"], Status.OK),
        (["pass", "unsure", "fail"], Status.GATE_FAILED),
        (["fail", "error", "pass"], Status.DATA),
        (["pass", "PASS"], Status.DATA),
    ],
)
def test_status_of_the_verdicts(said, expected):
    assert status([Verdict("mae < 1", word) for word in said]) == expected


def noisy(loss, value, se, cell=None, df=1e6, rows=100):
    """A result whose interval is that of Student's t."""
    half = quantile(0.95, df) * se
    return Result(
        loss=loss, cell=cell or {}, value=value, se=se, ci_low=value - half, ci_high=value + half,
        level=0.95, df=df, rows=rows, weight=float(rows),
    )  # fmt: skip


def one(text, new, old=None, **rules):
    base = None if old is None else Report((old,))
    (verdict,) = judge([parse(text)], Report((new,)), base, Rules(**rules))
    return verdict


@pytest.mark.parametrize(
    ("text", "value", "base", "limit", "expected"),
    [
        ("log <= base", 2.0, 2.0, 2.0, "pass"),
        ("log < base", 2.0, 2.0, 2.0, "fail"),
        ("log <= base + 10%", 2.2, 2.0, 2.2, "pass"),
        ("log <= base + 10%", -1.8, -2.0, -1.8, "pass"),
        ("log <= base + 10%", -1.75, -2.0, -1.8, "fail"),
        ("log <= base - 10%", -2.2, -2.0, -2.2, "pass"),
        ("log <= base + 0.5", -1.5, -2.0, -1.5, "pass"),
        ("log <= base * 1.5", 2.9, 2.0, 3.0, "pass"),
        ("r2 >= base - 1%", 0.5, 0.5, 0.495, "pass"),
        ("r2 >= base + 1%", 0.5, 0.5, 0.505, "fail"),
        ("log <= base + 5%", 0.0, 0.0, 0.0, "pass"),
    ],
)
def test_a_limit_follows_the_base(text, value, base, limit, expected):
    loss = text.split()[0]
    found = one(text, noisy(loss, value, 0.1), noisy(loss, base, 0.1))
    assert (found.status, found.base, found.value) == (expected, base, value)
    assert found.limit == pytest.approx(limit, rel=1e-15)


@pytest.mark.parametrize(("value", "weak"), [(2.97, True), (2.99, False), (1.03, True), (1.01, False)])
def test_the_noise_of_base_and_value_adds(value, weak):
    found = one("mae <= base", noisy("mae", value, 0.3), noisy("mae", 2.0, 0.4))
    assert found.weak == weak
    assert found.margin == pytest.approx((2.0 - value) / 0.5, rel=1e-12)


def test_a_factor_scales_the_noise_of_the_base():
    found = one("mae <= base * 2", noisy("mae", 5.0, 0.3), noisy("mae", 2.0, 0.2))
    assert found.margin == pytest.approx(-1.0 / 0.5, rel=1e-12)


def test_few_rows_on_either_side_widen_the_difference():
    # Welch: (1 + 1)^2 / (1 / 4 + 1 / 4) = 8 degrees; t is 2.306, and the difference 2.2 standard errors.
    few, many = ([noisy("mae", value, 1.0, df=df) for value in (2.2 * 2**0.5, 0.0)] for df in (4, 10**6))
    assert one("mae <= base", *few).weak
    assert not one("mae <= base", *many).weak


@pytest.mark.parametrize(
    ("old", "reason"),
    [
        (noisy("mse", 1.0, 0.1), "the base has no mae with these parameters"),
        (noisy("mae", 1.0, 0.1, {"class": "cat"}), "the base has no mae with these parameters"),
        (result("mae", None), "the base has no value: no rows of this class"),
        (result("mae", math.inf), "the base has no value"),
        (result("mae", 1.0, delta=1.0), "the base has no mae with these parameters"),
    ],
)
def test_a_base_without_the_number_cannot_be_judged_by(old, reason):
    found = one("mae <= base", noisy("mae", 1.0, 0.1), old)
    assert (found.status, found.reason) == ("error", reason)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [({}, "fail"), ({"confident": True}, "unsure"), ({"strict": True}, "fail")],
)
def test_a_weak_failure_under_each_rule(rules, expected):
    found = one("mae <= 1.9", noisy("mae", 2.0, 0.1), **rules)
    assert (found.status, found.weak) == (expected, True)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [({}, "pass"), ({"confident": True}, "unsure"), ({"strict": True}, "fail")],
)
def test_a_weak_pass_under_each_rule(rules, expected):
    assert one("mae <= 2.1", noisy("mae", 2.0, 0.1), **rules).status == expected


@pytest.mark.parametrize("rules", [{"confident": True}, {"strict": True}])
def test_confidence_needs_noise_but_for_counts_and_bounds(rules):
    assert one("max <= 99", result("max", 9.0), **rules).status == "error"
    assert one("n >= 100", result("max", 9.0), **rules).status == "pass"
    assert one("hi(mae) <= 2.2", noisy("mae", 2.0, 0.1), **rules).status == "pass"
    assert one("mae <= 2.2", noisy("mae", 2.0, 0.1), **rules).status == "pass"


def test_a_perfect_cell_puts_no_other_in_doubt():
    # The interval of a share of one ends there.
    share = {"se": 0.02, "level": 0.95, "df": 99.0}
    good, bad = result("hits", 1.0, {"s": "good"}, 0.98, 1.0), result("hits", 0.05, {"s": "bad"}, 0.02, 0.09)
    report = Report(tuple(replace(each, **share) for each in (good, bad)))
    found = judge([parse("hits[s=*] >= 1")], report, rules=Rules(confident=True))
    assert [(verdict.status, verdict.weak) for verdict in found] == [("unsure", True), ("fail", False)]


def test_intervals_of_several_cells_are_adjusted_by_holm():
    # Two-sided p of 2.5, 2.2 and 2.0 standard errors: 0.0124, 0.0278, 0.0455; Holm asks 0.0167, 0.025, 0.05.
    def weak(*distances):
        cells = [noisy("mae", 1.0 - d, 1.0, {"class": str(i)}) for i, d in enumerate(distances)]
        return [v.weak for v in judge([parse("mae[class=*] <= 1")], Report(tuple(cells)))]

    assert weak(2.0) == [False]
    assert weak(2.0, 2.2, 2.5) == [True, True, False]
    assert weak(2.0, 2.3, 2.5) == [False, False, False]
    assert weak(2.3, 2.3, 2.3) == [True, True, True]


@pytest.mark.parametrize("seed", range(20))
def test_cells_far_from_the_limit_are_judged_by_the_quantile_of_all(seed, monkeypatch):
    draw = random.Random(seed)

    def cell(number):
        value = draw.choice([1.0, draw.gauss(1, 0.01), draw.gauss(1, 30)])
        low, high = (draw.choice([0.0, abs(draw.gauss(0, 1))]) for _ in range(2))
        made = result("mae", value, {"c": str(number)}, value - low, value + high)
        return replace(made, se=1.0, df=draw.choice([None, 1.0, 1.5, 3.7, 17.0, 1e5]), level=0.95)

    report = Report(tuple(map(cell, range(draw.choice([1, 3, 40])))))
    gates = [parse(f"mae[c=*] {sign} 1") for sign in ("<=", "<", ">=", ">")]
    found = judge(gates, report)
    monkeypatch.setattr(sys.modules[judge.__module__], "_is_far", lambda assessment, cells: False)
    assert judge(gates, report) == found


def test_small_cells_are_shown_and_not_judged():
    cells = [noisy("mae", 5.0, 0.1, {"class": name}, rows=rows) for name, rows in (("cat", 9), ("dog", 10))]
    report = Report(tuple(cells))
    found = judge([parse("mae[class=*] <= 9"), parse("n[class=*] >= 10")], report, rules=Rules(min_n=10))
    assert [v.status for v in found] == ["skipped", "pass", "fail", "pass"]
    assert (found[0].value, found[0].reason) == (5.0, "fewer than 10 rows")


def test_a_gate_of_small_cells_alone_does_not_pass():
    assert one("mae <= 9", noisy("mae", 5.0, 0.1, rows=9), min_n=10).status == "error"


def test_cells_of_several_keys_meet_their_own_base():
    cells = [{"region": r, "class": c} for r in ("eu", "us") for c in ("cat", "dog")]
    new = Report(tuple(noisy("mae", float(i), 0.0, cell) for i, cell in enumerate(cells)))
    old = Report(tuple(noisy("mae", 1.5, 0.0, dict(reversed(cell.items()))) for cell in cells[:3]))
    found = judge([parse("mae[class=*,region=*] <= base")], new, old)
    assert [v.status for v in found] == ["pass", "pass", "fail", "error"]


BASIS = {"task": "regression", "targets": "1f"}


@pytest.mark.parametrize(
    ("basis", "version", "told"),
    [
        (BASIS, "1", []),
        ({**BASIS, "targets": "2f"}, "1", ["the baseline has other targets"]),
        (BASIS, "0", ["the baseline was made by losscli 0, this report by 1"]),
        ({}, "1", ["the baseline does not record its options"]),
    ],
)
def test_what_differs_from_the_base_is_said(basis, version, told):
    new, old = (replace(REPORT, provenance=b, losscli=v) for b, v in ((BASIS, "1"), (basis, version)))
    notes = judged([parse("mae <= base")], new, old).findings
    assert "its variance is added" in notes[0].text
    assert len(notes) == 1 + len(told)
    assert all(note.text.startswith(start) for note, start in zip(notes[1:], told, strict=True))


def test_a_base_of_other_policies_is_refused():
    old = replace(REPORT, provenance={**BASIS, "where": "a > 1"})
    with pytest.raises(UsageError, match="made with where a > 1, this report with none"):
        judged([parse("mae <= base")], replace(REPORT, provenance=BASIS), old)


def test_a_gate_in_a_table_may_warn_and_has_a_name():
    report = Report((result("mae", 1.0), result("mae", 2.0, {"region": "eu"})))
    table = {"check": "mae <= 0.5", "severity": "warn", "name": "accuracy"}
    (verdict,) = judge([parse_gate(table)], report)
    assert (verdict.status, verdict.name, verdict.title) == ("warn", "accuracy", "accuracy: mae <= 0.5")
    assert status([verdict]) == Status.OK
    (missing,) = judge([parse_gate(table | {"check": "rmse <= 0.5"})], report)
    assert missing.status == "warn"
    assert "no loss rmse" in missing.reason
    (passed,) = judge([parse_gate(table | {"check": "mae <= 5"})], report)
    assert passed.status == "pass"


def test_a_gate_in_a_table_has_its_own_min_n():
    report = Report((result("mae", 1.0), result("mae", 2.0, {"region": "eu"})))
    rows = report.results[0].rows
    (few,) = judge([parse_gate({"check": "mae <= 5", "min_n": rows + 1})], report)
    assert few.status == "error"
    assert f"fewer than {rows + 1} rows" in few.reason
    (enough,) = judge([parse_gate({"check": "mae <= 5", "min_n": 0})], report, rules=Rules(min_n=rows + 1))
    assert enough.status == "pass"
    assert parse_gate({"check": "mae <= 5", "min_n": "30"}).min_n == 30, "as the option of the same name"


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("severity", "warning", "severity must be error or warn, got 'warning'"),
        ("min_n", -1, "min_n must be a whole number"),
        ("min_n", 1.5, "min_n must be a whole number"),
        ("min_n", True, "min_n must be a whole number >= 0, got True"),
        ("min_n", "few", "min_n must be a whole number"),
        ("name", 3, "name must be text"),
        ("severty", "warn", "a gate has no 'severty'. Did you mean severity?"),
    ],
)
def test_a_table_of_a_gate_that_makes_no_sense(key, value, said):
    with pytest.raises(UsageError, match=re.escape(said)):
        parse_gate({"check": "mae <= 1", key: value})


@pytest.mark.parametrize("df", [0.5, 1.0, 29.5, 1e15, 1e300, math.inf])
def test_any_degrees_of_freedom_have_a_quantile(df):
    found = one("mae <= base", noisy("mae", 1.0, 0.1, df=df), noisy("mae", 2.0, 0.1, df=df))
    assert found.status == "pass"
    assert quantile(0.95, df) >= 1.9599
