"""losscli weak: what stands out is found, what others explain is folded, and noise lists nothing."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

import losscli
from losscli.errors import UsageError
from losscli.evaluation import weak as searching
from losscli.render import render
from losscli.report.model import Report


def frame(rows: int = 2_000, seed: int = 0) -> pl.DataFrame:
    """Columns of every kind that can cut rows into slices, of which no loss depends."""
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "prediction": rng.normal(size=rows),
            "target": 0.0,
            "region": rng.choice(["eu", "us", "as"], rows),
            "device": rng.choice([*"abcdef"], rows),
            "age": rng.integers(18, 90, rows),
            "new": rng.random(rows) < 0.3,
            "day": np.datetime64("2024-01-01") + rng.integers(0, 300, rows),
            "user": [f"u{user}" for user in rng.integers(0, 900, rows)],
        }
    )


def worse(data: pl.DataFrame, where: pl.Expr, by: float = 1.0) -> pl.DataFrame:
    """The same with absolute errors that are larger by this much in some rows."""
    error = pl.col("prediction")
    return data.with_columns(prediction=error + pl.when(where).then(by * error.sign()).otherwise(0.0))


def cells(report: Report) -> list[dict[str, str]]:
    return [dict(segment.cell) for segment in report.segments]


EU, OLD = pl.col("region") == "eu", pl.col("age") > 75


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ([EU], [{"region": "eu"}]),
        ([EU & pl.col("new")], [{"region": "eu", "new": "true"}]),
        ([EU, pl.col("device") == "c"], [{"region": "eu"}, {"device": "c"}]),
        ([pl.col("day") >= pl.date(2024, 10, 1)], [{"day": "2024-10"}]),
        ([EU, EU & pl.col("new")], [{"region": "eu"}, {"region": "eu", "new": "true"}]),
    ],
    ids=["one column", "two columns", "two segments", "a month", "both a segment and a part of it"],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_segment_that_explains_is_listed_alone(where, expected, weighted):
    data = frame()
    for own in where:
        data = worse(data, own)
    data = data.with_columns(w=pl.int_range(pl.len()) % 3 + 0.5)
    report = losscli.weak(data, loss="mae", weight="w" if weighted else None, ci=0.99)
    assert sorted(map(str, cells(report))) == sorted(map(str, expected))


def test_numbers_are_those_of_the_rows_inside_and_outside():
    data = worse(frame(), EU).with_columns(pl.col("prediction").abs().alias("e"))
    report = losscli.weak(data.drop("e"), loss="mae")
    (found,) = report.segments
    inside, outside = (data.filter(own)["e"].mean() for own in (EU, ~EU))
    assert (found.value, found.rest) == pytest.approx((inside, outside), rel=1e-13)
    assert found.difference == pytest.approx(inside - outside, rel=1e-12)
    assert found.gain == pytest.approx((data["e"].mean() - outside) / data["e"].mean(), rel=1e-10)
    errors = [own["e"].std() / own.height**0.5 for own in (data.filter(EU), data.filter(~EU))]
    assert found.se == pytest.approx(np.hypot(*errors), rel=1e-9)
    assert found.ci_low < found.difference < found.ci_high
    assert found.rows == data.filter(EU).height
    assert found.p_value <= found.adjusted < 0.05


def test_scores_are_weak_where_they_are_low():
    right = pl.Series(["yes", "no"] * 1_000)
    missed = EU & (pl.int_range(pl.len()) % 3 == 0)
    data = frame().with_columns(
        target=right, prediction=pl.when(missed).then(right.reverse()).otherwise(right)
    )
    report = losscli.weak(data, loss="accuracy")
    (found,) = report.segments
    assert (dict(found.cell), found.rest, found.higher_is_better) == ({"region": "eu"}, 1.0, True)
    assert found.difference < 0 < found.gain


def test_a_model_that_is_always_wrong_somewhere_is_found():
    data = frame(400).with_columns(prediction=pl.when(EU).then(3.0).otherwise(0.0))
    assert cells(losscli.weak(data, loss="mae")) == [{"region": "eu"}]
    data = frame(400).with_columns(prediction=pl.when(EU & pl.col("new")).then(3.0).otherwise(0.0))
    assert cells(losscli.weak(data, loss="mae")) == [{"region": "eu", "new": "true"}]


def test_what_was_looked_at_is_said():
    report = losscli.weak(frame(), loss="mae")
    notes = {note.code: note.text for note in report.findings}
    assert "by region, device, age:5, new, day:month" in notes["segments-searched"]
    assert notes["too-many-values"] == "not searched, more than 50 values: user"
    assert notes["no-weak-segment"]
    assert report.is_search
    assert not report.segments


def test_that_no_segment_has_rows_enough_is_no_finding_that_none_is_weak():
    report = losscli.weak(worse(frame(), OLD), loss="mae", min_n=10_000)
    codes = {note.code: note.text for note in report.findings}
    assert "no-weak-segment" not in codes
    assert "10,000 rows inside and outside" in codes["no-large-segment"]


def test_what_is_worse_is_drawn_to_the_right_of_zero_for_scores_too():
    data = worse(frame(), OLD).with_columns(pl.col("prediction") + pl.col("age"), target="age")
    for loss in ("mae", "r2"):
        lines = render(losscli.weak(data, loss=loss, depth=1), "table").splitlines()
        (heading,) = (line for line in lines if line.startswith("segment"))
        assert heading.index("  0  ") < heading.index("worse")


def test_columns_to_look_through_can_be_named():
    data = worse(frame(), OLD)
    report = losscli.weak(data, loss="mae", by=["age:10", "region"], depth=1)
    assert {tuple(cell) for cell in cells(report)} == {("age",)}
    assert "by age:10, region;" in {note.code: note.text for note in report.findings}["segments-searched"]


def test_segments_have_a_minimum_of_rows():
    data = worse(frame(), (pl.col("device") == "c") & EU, 3.0)
    assert cells(losscli.weak(data, loss="mae", by=["region", "device"])) == [{"region": "eu", "device": "c"}]
    few = losscli.weak(data, loss="mae", by=["region", "device"], min_n=200)
    assert cells(few) == [{"device": "c"}]  # which explains what is worse in eu
    assert not losscli.weak(data, loss="mae", min_n=900).segments
    assert cells(losscli.weak(data, loss="mae", depth=1, by="device")) == [{"device": "c"}]


def test_clusters_are_the_units_of_noise():
    rng = np.random.default_rng(2)
    data = frame(1_200)
    group = np.arange(1_200) // 60
    # All of the noise is that of 20 groups, each in one region: by rows it looks like structure.
    noise = rng.lognormal(sigma=0.7, size=20)[group]
    data = data.with_columns(prediction=pl.Series(noise), group=group, region=pl.Series([*"abcd"])[group % 4])
    assert losscli.weak(data, loss="mae", by=["region", "new"]).segments
    assert not losscli.weak(data, loss="mae", by=["region", "new"], cluster="group").segments
    inside = worse(data, pl.col("new"), 0.3)
    assert cells(losscli.weak(inside, loss="mae", by=["region", "new"], cluster="group")) == [{"new": "true"}]


def test_one_pass_or_several_give_the_same(monkeypatch):
    data, by = worse(worse(frame(), EU), pl.col("new")), ["region", "new", "device"]
    whole = losscli.weak(data, loss="mae", by=by)
    monkeypatch.setattr(searching, "MOST_CELLS", 12)
    assert losscli.weak(data, loss="mae", by=by).to_dict() == whole.to_dict()
    monkeypatch.setattr(searching, "AT_ONCE", 2)
    assert cells(losscli.weak(data, loss="mae", by=by, threads=2)) == cells(whole)


def test_files_give_the_same_as_frames(tmp_path):
    data = worse(frame(), EU)
    data.select("prediction", id=pl.int_range(pl.len())).write_csv(tmp_path / "p.csv")
    data.drop("prediction").with_columns(id=pl.int_range(pl.len())).write_csv(tmp_path / "t.csv")
    one = losscli.weak(data, loss="mae")
    two = losscli.weak(tmp_path / "p.csv", tmp_path / "t.csv", loss="mae")
    assert two.segments == one.segments


@pytest.mark.parametrize(
    ("loss", "why"),
    [
        ("median_absolute_error", "its slices have no noise that one pass tells"),
        ("max_error", "its slices have no noise that one pass tells"),
    ],
)
def test_losses_without_cheap_noise_are_refused(loss, why):
    with pytest.raises(UsageError, match=why):
        losscli.weak(frame(100), loss=loss)


def test_it_needs_intervals_and_columns():
    with pytest.raises(UsageError, match="losscli weak needs intervals"):
        losscli.weak(frame(100), loss="mae", ci="none")
    with pytest.raises(UsageError, match="no column cuts the rows into slices"):
        losscli.weak(frame(100).select("prediction", "target"), loss="mae")


def test_reports_keep_their_segments_in_every_form():
    report = losscli.weak(worse(frame(), EU), loss="mae")
    again = Report.from_json(report.to_json())
    assert again == report
    assert "where mae is worse than in the rest of the rows" in str(report)
    assert "region eu" in render(report, "markdown")
    header, whole, row = render(report, "csv").splitlines()
    assert header.startswith("loss,label,params,cell,value,rest,difference,se")
    assert f",mae,,,{report['mae'].value!r},,,,," in whole
    assert ",region=eu," in row
    assert json.loads(render(report, "flat"))["mae/region/eu"] == report.segments[0].value
    none = losscli.weak(frame(), loss="mae")
    assert render(none, "csv").splitlines()[0] == header
    assert len(render(none, "csv").splitlines()) == 2


def test_auto_takes_the_same_columns_in_evaluate(tmp_path):
    data = frame()
    report = losscli.evaluate(data, loss="mae", by="auto")
    kinds = dict.fromkeys(tuple(result.cell) for result in report.results if result.cell)
    assert list(kinds) == [("region",), ("device",), ("age",), ("new",), ("day",)]
    assert report.times == {"day": "month"}
    named = losscli.evaluate(data, loss="mae", by=["region", "device", "age:5", "new", "day:month"])
    assert named.results == report.results
    assert named.signature == report.signature


def test_parts_follow_the_bins_of_a_plan(tmp_path):
    data = frame(400)
    parts = [data[:250], data[250:]]
    first = tmp_path / "1.state"
    losscli.evaluate(parts[0], loss="mae", by="auto", part="1/2", state=first)
    second = losscli.evaluate(parts[1], plan=first, part="2/2", state=tmp_path / "2.state")
    assert {result.cell["age"] for result in second.results if "age" in result.cell}
    merged = losscli.merge(first, tmp_path / "2.state")
    assert sum(result.rows for result in merged.results if "age" in result.cell) == 400


def test_a_column_called_auto_is_a_column():
    data = frame(100).rename({"region": "auto"})
    report = losscli.evaluate(data, loss="mae", by="auto")
    assert {tuple(result.cell) for result in report.results} == {(), ("auto",)}


@pytest.mark.parametrize(
    ("last", "unit"),
    [
        ("2024-01-20", "day"),
        ("2024-03-20", "week"),
        ("2025-03-20", "month"),
        ("2028-03-20", "quarter"),
        ("2099-01-01", "year"),
    ],
)
def test_dates_are_in_the_shortest_unit_that_has_few(last, unit):
    days = pl.select(
        pl.date_range(pl.date(2024, 1, 1), pl.lit(last).str.to_date(), interval="1d")
    ).to_series()
    data = pl.DataFrame({"prediction": 1.0, "target": 0.0, "day": days.cast(pl.String)})
    assert losscli.evaluate(data, loss="mae", by="auto").times == {"day": unit}


def test_text_after_dates_is_no_date():
    days = ["2024-01-01", "2024-01-02"] * 100
    for last, times in (("2024-01-03", {"day": "day"}), ("soon", {})):
        data = pl.DataFrame({"prediction": 1.0, "target": 0.0, "day": [*days, last]})
        assert losscli.evaluate(data, loss="mae", by="auto").times == times


def false_lists(runs: int, rows: int, noise: str) -> int:
    """In how many of the runs on data without structure something is listed."""
    found = 0
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        drawn = {
            "normal": rng.normal(size=rows),
            "skewed": rng.lognormal(sigma=0.8, size=rows),
            "rare": (rng.random(rows) < 0.1) * 1.0,
        }
        data = frame(rows, seed).with_columns(prediction=pl.Series(drawn[noise]))
        found += bool(losscli.weak(data, loss="mse", threads=1).segments)
    return found


def test_noise_lists_nothing():
    assert false_lists(8, 500, "skewed") == 0


@pytest.mark.slow
@pytest.mark.parametrize("noise", ["normal", "skewed", "rare"])
def test_noise_is_listed_no_more_often_than_the_level_says(noise):
    runs = 60
    found = false_lists(runs, 1_500, noise)
    # Five per cent, and three standard errors of the simulation.
    assert found <= 0.05 * runs + 3 * (runs * 0.05 * 0.95) ** 0.5
