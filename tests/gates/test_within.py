"""Gates within one report: gaps between slices, and slices against all rows and the rest."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import losscli
from losscli.errors import UsageError
from losscli.gates import judge, parse, within


def frame(rows: int = 3_000, seed: int = 0, **shifts: float) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    region = rng.choice(["as", "eu", "us"], rows, p=[0.2, 0.3, 0.5])
    error = np.abs(rng.normal(size=rows)) + np.array([shifts.get(each, 0.0) for each in region])
    return pl.DataFrame({"pred": error, "y": 0.0, "region": region, "w": rng.integers(1, 4, rows)})


def judged(data: pl.DataFrame, *gates: str, loss: str = "mae", **options) -> tuple:
    return losscli.evaluate(data, loss=loss, by="region", gate=list(gates), **options).gates


def means(data: pl.DataFrame) -> dict[str, float]:
    return dict(data.group_by("region").agg(pl.col("pred").mean()).iter_rows())


def test_the_overall_value_is_looked_up_once_for_all_slices(monkeypatch):
    # In a saved report it is looked for among all results, of which there may be a million.
    saved = losscli.Report.from_json(losscli.evaluate(frame(), loss="mae", by="region").to_json())
    looked, overall = [], losscli.Report.overall.fget
    monkeypatch.setattr(losscli.Report, "overall", property(lambda self: looked.append(1) or overall(self)))
    gate = parse("mae[region=*] <= overall", lambda name: (saved.names[name],))
    assert len(judge([gate], saved)) == 3
    assert len(looked) == 1


def test_a_gap_is_that_between_the_worst_and_the_best_slice():
    data = frame(eu=1.0)
    own = means(data)
    gap, overall = max(own.values()) - min(own.values()), data["pred"].mean()
    absolute, relative, failed = judged(
        data, "gap(mae[region=*]) <= 3", "gap(mae[region=*]) <= 150%", "gap(mae[region=*]) < 0.5"
    )
    assert absolute.value == relative.value == pytest.approx(gap, rel=1e-12)
    assert (absolute.limit, relative.limit) == (3.0, pytest.approx(1.5 * overall, rel=1e-12))
    assert [each.status for each in (absolute, relative, failed)] == ["pass", "pass", "fail"]
    best = min(own, key=own.get)
    assert absolute.reason == f"from region={best} to region=eu"
    assert not failed.weak


@pytest.mark.parametrize("errors", [[0.0, 0.0], [1.0, 2.0]])
def test_slices_that_are_alike_have_a_gap_of_zero(errors):
    data = pl.DataFrame({"pred": errors * 40, "y": 0.0, "region": np.repeat(["as", "eu"], 40)})
    (verdict,) = judged(data, "gap(mae[region=*]) <= 0.1")
    assert (verdict.status, verdict.value) == ("pass", 0.0)
    assert verdict.weak == (max(errors) > 0)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_outputs_share_rows_so_that_their_gap_has_the_noise_of_any_correlation(sign):
    errors = np.abs(np.random.default_rng(2).normal(0, 1, 500))
    data = pl.DataFrame({"a": errors, "b": 20.0 + sign * errors, "y": 0.0, "z": 0.0})
    report = losscli.evaluate(
        data,
        pred="a,b",
        target="y,z",
        loss="mae",
        gate=["gap(mae[output=*]) <= 0.1", "mae[output=*] <= overall"],
    )
    a, b = (report["mae", {"output": name}] for name in "ab")
    gap = report.gates[0]
    noise = (gap.value - gap.limit) / -gap.margin
    true = (data["b"] - data["a"]).std() / np.sqrt(500)
    assert a.se + b.se >= true - 1e-12
    assert noise == pytest.approx(a.se + b.se, rel=0.1)  # but for the skewness of its interval
    assert not within.share_rows([a], report["mae"])
    assert report.gates[1].margin is not None


def test_a_gap_of_scores_is_one_too():
    data = frame(eu=1.0)
    data = data.with_columns(y=pl.col("w"))
    (verdict,) = judged(data, "gap(r2[region=*]) <= 2", loss="r2")
    values = [r.value for r in losscli.evaluate(data, loss="r2", by="region").results if r.cell]
    assert verdict.value == pytest.approx(max(values) - min(values), rel=1e-12)


def test_the_interval_of_a_gap_holds_those_of_all_pairs():
    data = frame()
    results = [r for r in losscli.evaluate(data, loss="mae", by="region").results if r.cell]
    gap = within.gap(results, 0.95)
    low, high = gap.ends
    assert low < 0 < gap.value < high
    pairs = [within.error_of(a).minus(within.error_of(b)) for a in results for b in results if a is not b]
    most = max(error.above for error in pairs)
    assert high >= gap.value + 1.96 * gap.error.above
    assert high - gap.value <= 2.6 * most  # 2.39 standard errors for three pairs, and skewness
    assert within.gap(results, None).error is None


def test_gaps_of_noise_are_weak():
    """The limit is the true gap, none: noise alone must not fail a gate that asks to be sure."""
    failed = 0
    for seed in range(60):
        (verdict,) = judged(frame(400, seed), "gap(mae[region=*]) <= 0", strict=False)
        failed += not verdict.weak
    assert failed <= 6  # 5 % of 60, and two standard errors


@pytest.mark.parametrize("weight", [None, "w"])
@pytest.mark.parametrize("loss", ["mae", "rmse"])
def test_the_rest_is_that_of_the_other_rows(loss, weight):
    data = frame(eu=0.5)
    verdicts = judged(data, f"{loss}[region=*] <= rest", loss=loss, weight=weight)
    for verdict in verdicts:
        others = data.filter(pl.col("region") != verdict.cell["region"])
        alone = losscli.evaluate(others.drop("region"), loss=loss, weight=weight).results[0]
        assert verdict.base == verdict.limit == pytest.approx(alone.value, rel=1e-9)
        own = losscli.evaluate(
            data.filter(region=verdict.cell["region"]).drop("region"), loss=loss, weight=weight
        )
        margin = abs(own.results[0].value - alone.value) / np.hypot(own.results[0].se, alone.se)
        assert abs(verdict.margin) == pytest.approx(margin, rel=0.02)
        assert verdict.status == ("fail" if verdict.cell["region"] == "eu" else "pass")


def test_the_rows_of_a_slice_are_among_all_rows():
    data = frame(eu=0.1)
    for verdict in judged(data, "mae[region=*] <= overall"):
        inside = pl.col("region") == verdict.cell["region"]
        a, b = data.filter(inside)["pred"], data.filter(~inside)["pred"]
        share = len(a) / data.height
        se = (1 - share) * np.hypot(a.std() / len(a) ** 0.5, b.std() / len(b) ** 0.5)
        assert verdict.base == pytest.approx(data["pred"].mean(), rel=1e-12)
        assert abs(verdict.margin) == pytest.approx(abs(a.mean() - data["pred"].mean()) / se, rel=0.01)


def test_a_slice_of_all_rows_is_compared_with_itself():
    data = frame().with_columns(region=pl.lit("eu"))
    same, more, rest = judged(
        data, "mae[region=*] <= overall", "mae[region=*] <= overall + 10%", "mae[region=*] <= rest"
    )
    assert (same.status, same.weak) == ("pass", False)
    own = losscli.evaluate(data.drop("region"), loss="mae").results[0]
    assert more.margin == pytest.approx(0.1 * own.value / (0.1 * own.se))
    assert (rest.status, rest.reason) == ("error", "no rows are outside of this slice")


def test_limits_from_all_rows_have_percentages_and_factors():
    data = frame()
    overall = data["pred"].mean()
    found = judged(
        data,
        "mae[region=eu] <= overall + 10%",
        "mae[region=eu] <= overall * 2",
        "mae[region=eu] <= overall + 0.5",
        "hi(mae[region=eu]) <= overall + 20%",
        "n[region=eu] >= overall * 0.1",
    )
    limits = [1.1 * overall, 2 * overall, overall + 0.5, 1.2 * overall, 0.1 * data.height]
    assert [each.limit for each in found] == pytest.approx(limits)
    assert [each.status for each in found] == ["pass"] * 5


def test_saved_reports_are_judged_alike():
    report = losscli.evaluate(frame(eu=0.5), loss="mae", by="region")
    again = losscli.gate(losscli.Report.from_json(report.to_json()), gate="gap(mae[region=*]) <= 10%")
    assert again.gates == losscli.gate(report, gate="gap(mae[region=*]) <= 10%").gates
    assert again.gates[0].status == "fail"


def test_slices_of_few_rows_are_left_out_of_a_gap():
    data = pl.concat(
        [frame(eu=0.1), pl.DataFrame({"pred": [99.0, 98.0], "y": 0.0, "region": "xx", "w": 1})],
        how="vertical_relaxed",
    )
    (verdict,) = judged(data, "gap(mae[region=*]) <= 1", min_n=10)
    assert (verdict.status, verdict.value < 1) == ("pass", True)
    (verdict,) = judged(
        data.filter(pl.col("region").is_in(["eu", "xx"])), "gap(mae[region=*]) <= 1", min_n=10
    )
    assert (verdict.status, verdict.reason) == (
        "error",
        "fewer than two slices with enough rows, which have no gap",
    )


def test_what_has_no_noise_cannot_be_judged_for_sure():
    (verdict,) = judged(frame(), "gap(mae[region=*]) <= 1", ci="none", confident=True)
    assert (verdict.status, verdict.reason) == ("error", "no interval, which --confident and --strict need")
    (verdict, *_) = judged(frame().with_columns(y=pl.col("w")), "r2[region=*] <= rest", loss="r2")
    assert (verdict.status, verdict.reason[:24]) == ("error", "the rest does not follow")


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        ("gap(mae) <= 1", "slices to compare, as in gap"),
        ("gap(mae[region=eu]) <= 1", "slices to compare, as in gap"),
        ("gap(n[region=*]) <= 1", "a loss, since n has no noise"),
        ("gap(mae[region=*]) <= base", "a number, or a percentage of the overall value"),
        ("gap(mae[region=*]) <= overall", "a number, or a percentage of the overall value"),
        ("mae <= overall + 1%", "a slice on the left of overall"),
        ("mae <= rest", "a slice on the left of rest"),
        ("n[region=*] <= rest", "overall, since n is judged"),
        ("mae[region=*] <= 10%", "the end of the gate"),
    ],
)
def test_a_wrong_gate_says_what_was_expected(gate, expected):
    with pytest.raises(UsageError) as error:
        judged(frame(60), gate)
    assert expected in str(error.value)


def test_a_baseline_is_not_meant_by_them():
    report = losscli.evaluate(frame(), loss="mae", by="region")
    with pytest.raises(UsageError, match="no gate refers to base"):
        losscli.gate(report, report, gate="gap(mae[region=*]) <= 1")
