"""--by: a slice is the file filtered to it; crossed columns, bins of numbers, missing values, many slices."""

from __future__ import annotations

import io
import math

import numpy as np
import polars as pl
import pytest
from rich.console import Console
from support.grids import some

import losscli
from losscli.errors import UsageError
from losscli.evaluation import partial
from losscli.plan import plan as plans
from losscli.plan import slices
from losscli.render import print_tables

ROWS = 3_000
LOSSES = ["mse", "rmse", "r2", "wape", "max_error"]


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "y_pred": rng.normal(size=ROWS),
            "y_true": rng.normal(size=ROWS) + 1,
            "w": rng.integers(0, 3, ROWS) / 2,
            "region": rng.choice(["eu", "us", "as,ia", None], ROWS),
            "new": rng.choice([True, False], ROWS),
            "age": rng.integers(18, 90, ROWS),
            "income": np.where(rng.random(ROWS) < 0.1, np.nan, rng.lognormal(size=ROWS)),
        }
    )


def evaluated(frame: pl.DataFrame, by=(), **options) -> losscli.Report:
    return losscli.evaluate(frame, pred="y_pred", target="y_true", loss=LOSSES, by=by, **options)


def matches(frame: pl.DataFrame, cell: dict[str, str]) -> pl.Expr:
    return pl.all_horizontal(
        pl.col(name).is_null() if value == "(missing)" else pl.col(name).cast(pl.String) == value
        for name, value in cell.items()
    )


@pytest.mark.parametrize("weight", [None, "w"])
@pytest.mark.parametrize("by", some(["age", "region", "new", "new,age,region", "region,new"]))
def test_a_slice_is_the_file_filtered_to_it(by, weight, frame):
    report = evaluated(frame, [by], weight=weight)
    cells = {tuple(result.cell.items()) for result in report.results if result.cell}
    assert len(cells) == frame.select(pl.struct(by.split(",")).n_unique()).item()
    for cell in sorted(cells)[:25]:
        alone = evaluated(frame.filter(matches(frame, dict(cell))), weight=weight)
        for loss in LOSSES:
            here, there = report[loss, dict(cell)], alone[loss]
            assert here.rows == there.rows
            assert close(here.value, there.value, 1e-12)
            # Between two rows a step of the gradient is not so small beside what it moves.
            assert close(here.se, there.se, 1e-2 if loss == "r2" and here.rows < 10 else 1e-6)


def close(a: float | None, b: float | None, rel: float) -> bool:
    """Whether both are undefined, or nearly the same."""
    return a is b or (a is not None and b is not None and a == pytest.approx(b, rel=rel))


def test_slices_of_several_blocks_and_files_are_the_same(tmp_path):
    rng = np.random.default_rng(1)
    n = 300_000
    frame = pl.DataFrame({"y_pred": rng.normal(size=n), "y_true": 0.0, "g": rng.integers(0, 50, n)})
    # Some slices occur late in the file alone.
    frame = frame.with_columns(pl.when(pl.int_range(n) > 250_000).then("g").otherwise(pl.col("g") % 20))
    frame.write_parquet(tmp_path / "f.parquet")
    frame.write_csv(tmp_path / "f.csv")
    reports = [evaluated(frame, "g", threads=t).to_dict() for t in (1, 2)]
    reports += [evaluated(tmp_path / f"f.{s}", "g").to_dict() for s in ("parquet", "csv")]
    for report in reports[1:]:
        assert report["results"] == reports[0]["results"]
    found = evaluated(frame, "g")
    means = frame.group_by("g").agg((pl.col("y_pred") ** 2).mean(), pl.len())
    for g, mean, rows in means.iter_rows():
        assert found["mse", {"g": str(g)}].value == pytest.approx(mean, rel=1e-13)
        assert found["mse", {"g": str(g)}].rows == rows


def test_the_worst_slices_come_first(frame):
    report = evaluated(frame, ["age"])
    values = [
        result.value for result in report.results if result.loss == "mean_squared_error" and result.cell
    ]
    assert values == sorted(values, reverse=True)
    scores = losscli.evaluate(frame, pred="y_pred", target="y_true", loss="r2", by="age")
    values = [result.value for result in scores.results if result.cell]
    assert values == sorted(values)


def test_shares_of_slices_add_up(frame):
    report = evaluated(frame, ["region", "age:7"])
    for kind in ({"region"}, {"age"}):
        shares = [r.share for r in report.results if set(r.cell) == kind and r.loss == "mean_squared_error"]
        assert math.fsum(shares) == pytest.approx(1.0, abs=1e-12)


def test_bins_hold_about_as_many_rows_each(frame):
    report = evaluated(frame, "income:4")
    rows = {r.cell["income"]: r.rows for r in report.results if r.cell and r.loss == "mean_squared_error"}
    missing = rows.pop("(missing)")
    assert missing == int(frame["income"].is_nan().sum())
    assert len(rows) == 4
    assert max(rows.values()) - min(rows.values()) <= 2
    edges = frame["income"].drop_nans().quantile(0.25, "lower")
    assert f"<= {edges:.6g}" in rows


def test_bins_of_few_numbers_are_fewer():
    frame = pl.DataFrame({"y_pred": [1.0] * 9, "y_true": 2.0, "k": [1, 1, 1, 1, 1, 1, 2, 2, 3]})
    report = losscli.evaluate(frame, pred="y_pred", target="y_true", loss="mse", by="k:4")
    rows = {r.cell["k"]: r.rows for r in report.results if r.cell}
    assert rows == {"<= 1": 6, "1 to 2": 2, "> 2": 1}


@pytest.mark.parametrize("most", [1, 2 * ROWS, slices.MOST_NUMBERS])
def test_bins_of_text_are_those_of_numbers_whichever_columns_are_read_together(
    most, frame, tmp_path, monkeypatch
):
    monkeypatch.setattr(slices, "MOST_NUMBERS", most)
    text = frame.select("y_pred", "y_true", "age", "income").with_columns(half=pl.col("age") / 2)
    words = [*text["income"].cast(pl.String)[:-1], "N/A"]  # which Polars cannot parse as a number
    text.with_columns(income=pl.Series(words)).write_csv(tmp_path / "f.csv")
    by = ["age:4", "half:3,age:2", "income:5"]
    known = text.with_columns(income=pl.Series([*text["income"][:-1], None]))
    reports = [
        losscli.evaluate(data, pred="y_pred", target="y_true", loss="mse", by=by).to_dict()
        for data in (tmp_path / "f.csv", known)
    ]
    assert reports[0]["results"] == reports[1]["results"]


def test_an_edge_at_zero_has_no_sign():
    frame = pl.DataFrame(
        {"y_pred": [1.0] * 8, "y_true": 2.0, "k": [-0.0, 0.0, 0.0, -0.0, -0.0, 0.0, 1.0, -1.0]}
    )
    report = losscli.evaluate(frame, pred="y_pred", target="y_true", loss="mse", by="k:2")
    assert {r.cell["k"]: r.rows for r in report.results if r.cell} == {"<= 0": 7, "> 0": 1}


def test_columns_come_from_either_file(frame, tmp_path):
    keyed = frame.with_row_index("id")
    keyed.select("id", "y_pred", "region").write_parquet(tmp_path / "p.parquet")
    keyed.select("id", "y_true", "age").reverse().write_parquet(tmp_path / "t.parquet")
    files = [tmp_path / "p.parquet", tmp_path / "t.parquet"]
    report = losscli.evaluate(*files, loss="mse", by=["region,age:2"])
    whole = losscli.evaluate(frame, pred="y_pred", target="y_true", loss="mse", by=["region,age:2"])
    for result in whole.results:
        assert report["mse", result.cell].value == pytest.approx(result.value, rel=1e-12)


def test_classes_and_slices_stand_together():
    rng = np.random.default_rng(2)
    frame = pl.DataFrame(
        {"p": rng.random(500), "y": rng.integers(0, 2, 500), "g": rng.choice(["a", "b"], 500)}
    )
    report = losscli.evaluate(frame, loss="log_loss", by="g")
    assert {tuple(r.cell) for r in report.results} == {(), ("class",), ("g",)}


def test_conditions_and_dropped_rows_are_not_in_slices(frame):
    holes = frame.with_columns(pl.when(pl.col("age") < 30).then(None).otherwise("y_true").alias("y_true"))
    report = evaluated(holes, "region", missing="drop", where="age < 60")
    kept = frame.filter((pl.col("age") >= 30) & (pl.col("age") < 60))
    for region, rows in kept.group_by("region").len().iter_rows():
        assert report["mse", {"region": region or "(missing)"}].rows == rows


@pytest.mark.parametrize("slices", [10_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_very_many_slices(slices):
    n = 2 * slices
    rng = np.random.default_rng(3)
    ids = rng.permutation(np.repeat(np.arange(slices), 2))
    frame = pl.DataFrame({"y_pred": rng.normal(size=n), "y_true": 0.0, "user": ids})
    report = losscli.evaluate(frame, pred="y_pred", target="y_true", loss="mse", by="user")
    assert len(report.results) == slices + 1
    assert sum(r.rows for r in report.results if r.cell) == n
    one = frame.filter(pl.col("user") == 7_777)
    assert report["mse", {"user": "7777"}].value == pytest.approx((one["y_pred"] ** 2).mean(), rel=1e-14)


@pytest.mark.parametrize(
    ("by", "said"),
    [
        ("regoin", "--by regoin: no column 'regoin'. Did you mean region"),
        ("region,region", "name each column once"),
        ("region:4", "needs numeric columns for bins, but region is String"),
        ("age:1", "at least two bins"),
        ("age:1001", "at most 1,000"),
        ("age:99999", "at most 1,000"),
    ],
)
def test_wrong_columns_are_usage_errors(by, said, frame):
    with pytest.raises(UsageError) as error:
        evaluated(frame, [by])
    assert said in str(error.value)


def test_text_with_codes_has_the_slices_of_its_text():
    names = [f"c{number}" for number in range(256)]
    frame = pl.DataFrame({"y_pred": 1.0, "y_true": 0.0, "kind": [*names, None]})
    for dtype in (pl.Enum(names), pl.Categorical(), pl.String()):
        report = evaluated(frame.with_columns(pl.col("kind").cast(dtype)), "kind")
        found = {result.cell["kind"] for result in report.results if result.cell}
        assert found == {*names, "(missing)"}


def test_a_column_with_a_comma_is_quoted(frame):
    named = frame.rename({"region": "area, region"})
    with pytest.raises(UsageError) as error:
        evaluated(named, ["area, region"])
    assert str(error.value).endswith("""-> quote a column whose name has a comma: --by '"area, region"'""")
    report = evaluated(named, ['"area, region"'])
    assert {name for result in report.results for name in result.cell} == {"area, region"}


def test_bins_of_dates_are_units_of_time(frame):
    dated = frame.with_columns(pl.lit("2024-03-31").str.to_date().alias("day"))
    with pytest.raises(UsageError) as error:
        evaluated(dated, ["day:4"])
    assert str(error.value).endswith("-> --by day:month, or --by day")


def test_the_plan_with_slices_pastes_back(frame, losscli):
    losscli.write(f_parquet=frame)
    asked = ("-p", "y_pred", "-y", "y_true", "--by", "region,age:4", "--by", "new")
    assert "--by region,age:4 --by new" in losscli.pastes_back("f.parquet", *asked)


def test_a_terminal_sees_the_worst_slices_and_how_many_are_left_out(frame):
    buffer = io.StringIO()
    console = Console(file=buffer, force_terminal=True, width=100, color_system=None)
    print_tables(evaluated(frame, "age"), console)
    shown = buffer.getvalue()
    assert "by age" in shown
    assert "... 62 more; --cells all shows them" in shown


ODD = {
    "unsigned": pl.Series([2**63 + 5, 2**63 + 5, 2**63 + 6, None], dtype=pl.UInt64),
    "of 128 bits": pl.Series([2**100, 2**100, -1, None], dtype=pl.Int128),
    "durations": pl.Series([1, 1, 2, None], dtype=pl.Duration("us")),
    "nanoseconds": pl.Series([1, 1, 5_000, None], dtype=pl.Datetime("ns")),
    "times": pl.Series([1, 1, 5_000_000_000, None], dtype=pl.Time),
}


@pytest.mark.parametrize("values", ODD.values(), ids=ODD)
def test_columns_of_any_type_cut_rows(values):
    frame = pl.DataFrame({"y_pred": [1.0, 2, 3, 5], "y_true": [0.0, 1, 1, 1], "cut": values})
    report = losscli.evaluate(frame, loss="mse", by="cut")
    assert [(r.value, r.rows) for r in report.results if r.cell] == [(16.0, 1), (4.0, 1), (1.0, 2)]


ALIKE = {
    "the word that stands for no value": pl.Series(["(missing)", None, "a"]),
    "what is shown to the microsecond": pl.Series([1, 2, 5_000], dtype=pl.Datetime("ns")),
}


@pytest.mark.parametrize("values", ALIKE.values(), ids=ALIKE)
def test_values_that_read_the_same_are_one_slice_which_loses_no_row(values):
    frame = pl.DataFrame({"y_pred": [1.0, 2, 3], "y_true": [0.0, 0, 0], "cut": values})
    report = losscli.evaluate(frame, loss="mse", by="cut")
    assert sorted((r.value, r.rows) for r in report.results if r.cell) == [(2.5, 2), (9.0, 1)]


def test_bytes_cut_no_rows():
    frame = pl.DataFrame({"y_pred": [1.0, 2], "y_true": [0.0, 1], "cut": [b"\xff", b"a"]})
    with pytest.raises(UsageError, match="column cut holds bytes"):
        losscli.evaluate(frame, loss="mse", by="cut")


@pytest.mark.parametrize("rows", [150_000, 300_000], ids=["of one block", "of two"])
def test_more_slices_than_a_report_can_hold_are_an_error(rows, monkeypatch):
    monkeypatch.setattr(partial, "MAX_SLICES", 100_000)
    numbers = np.arange(float(rows)) // (rows // 150_000)
    frame = pl.DataFrame({"y_pred": numbers, "y_true": numbers, "cut": numbers})
    with pytest.raises(UsageError, match="more than 100,000 slices"):
        losscli.evaluate(frame, loss="mse", by="cut")


def test_a_correlation_of_two_rows_does_not_round_beyond_its_bounds():
    rng = np.random.default_rng(0)
    rows = {"y_pred": rng.normal(size=600), "y_true": rng.normal(size=600), "s": np.arange(600) % 300}
    report = losscli.evaluate(pl.DataFrame(rows), loss="pearson_correlation", by="s")
    values = [result.value for result in report.results if result.cell]
    assert sorted({round(value, 6) for value in values}) == [-1.0, 1.0]
    assert all(abs(value) <= 1.0 for value in values)


def test_many_clusters_give_the_noise_of_few_at_a_time(monkeypatch):
    """Several blocks are folded as one where clusters are many."""
    rng = np.random.default_rng(1)
    rows = {"y_pred": rng.normal(size=90_000), "y_true": 0.0, "c": rng.integers(0, 30_000, 90_000)}
    monkeypatch.setattr(plans, "BLOCK_NUMBERS", 32_768)
    together = losscli.evaluate(pl.DataFrame(rows), loss="mae", cluster="c")["mae"]
    monkeypatch.setattr(partial, "_MANY", 2.0)
    alone = losscli.evaluate(pl.DataFrame(rows), loss="mae", cluster="c")["mae"]
    assert (together.value, together.rows) == (alone.value, alone.rows)
    assert (together.se, together.df) == pytest.approx((alone.se, alone.df), rel=1e-12)
