"""--cluster: the sandwich formula, the laws of rows and slices, the bound on clusters, what is said."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from support.samples import moments

import losscli
from losscli.cli.app import run
from losscli.errors import DataError, UsageError
from losscli.render import render
from losscli.states import clusters

LOSSES = ["mse", "rmse", "r2", "wape"]
ROWS = 3_000


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    user = rng.integers(0, 200, ROWS)
    return pl.DataFrame(
        {
            "y_pred": rng.normal(size=ROWS) + rng.normal(size=200)[user],
            "y_true": rng.normal(size=ROWS) + 1,
            "w": rng.integers(0, 4, ROWS) / 2,
            "user": user,
            "name": [f"user {i}" for i in user],
            "row": np.arange(ROWS),
            "region": rng.choice(["eu", "us"], ROWS),
        }
    )


def evaluated(frame, loss=LOSSES, **options) -> losscli.Report:
    return losscli.evaluate(frame, pred="y_pred", target="y_true", loss=loss, **options)


def sandwich(frame: pl.DataFrame, cluster: str, influence: np.ndarray) -> float:
    """The standard error of a sum of influences (n,), between clusters."""
    _, codes = np.unique(frame[cluster].to_numpy(), return_inverse=True)
    totals = np.zeros(codes.max() + 1)
    np.add.at(totals, codes, influence)
    return math.sqrt(totals @ totals * len(totals) / (len(totals) - 1))


@pytest.mark.parametrize("weight", [None, "w"])
def test_the_standard_error_is_that_of_the_sandwich_formula(weight, frame):
    report = evaluated(frame, cluster="user", weight=weight)
    used = frame if weight is None else frame.filter(pl.col("w") > 0)
    y, p = used["y_true"].to_numpy(), used["y_pred"].to_numpy()
    w = np.ones(len(used)) if weight is None else used["w"].to_numpy()
    w = w / w.sum()
    square, absolute = (p - y) ** 2, np.abs(p - y)
    mse, mean = w @ square, w @ y
    variance, size = w @ (y - mean) ** 2, w @ np.abs(y)
    influences = {
        "mse": w * (square - mse),
        "rmse": w * (square - mse) / (2 * math.sqrt(mse)),
        "r2": w * (-square / variance + mse / variance**2 * (y - mean) ** 2),
        "wape": w * (absolute - w @ absolute / size * np.abs(y)) / size,
    }
    for loss, influence in influences.items():
        precision = 1e-12 if loss == "mse" else 1e-6  # of the gradient, by differences
        assert report[loss].se == pytest.approx(sandwich(used, "user", influence), rel=precision), loss
    naive = evaluated(frame, weight=weight)
    assert report["mse"].se > 1.5 * naive["mse"].se
    assert report["mse"].value == naive["mse"].value
    assert report["mse"].rows == naive["mse"].rows


@pytest.mark.parametrize("by", [(), "region"])
@pytest.mark.parametrize("weight", [None, "w"])
def test_rows_that_are_clusters_of_their_own_have_the_intervals_of_rows(weight, by, frame):
    alone = evaluated(frame, cluster="row", weight=weight, by=by)
    rows = evaluated(frame, weight=weight, by=by)
    for here, there in zip(alone.results, rows.results, strict=True):
        assert here.cell == there.cell
        for field in ("value", "se", "ci_low", "ci_high"):
            assert getattr(here, field) == pytest.approx(getattr(there, field), rel=1e-9)


@pytest.mark.parametrize("weight", [None, "w"])
def test_a_slice_is_the_file_filtered_to_it(weight, frame):
    report = evaluated(frame, "mse", cluster="user", by="region", weight=weight)
    for region in ("eu", "us"):
        alone = evaluated(frame.filter(region=region), "mse", cluster="user", weight=weight)
        here = report["mse", {"region": region}]
        assert here.se == pytest.approx(alone["mse"].se, rel=1e-12)
        assert here.ci_low == pytest.approx(alone["mse"].ci_low, rel=1e-12)


def test_a_class_is_the_file_filtered_to_it(frame):
    rng = np.random.default_rng(1)
    part = frame.select("user", p=rng.random(ROWS), y=rng.integers(0, 2, ROWS))
    report = losscli.evaluate(part, loss=["log_loss", "brier"], cluster="user")
    for label in (0, 1):
        alone = losscli.evaluate(part.filter(y=label), loss=["log_loss", "brier"], cluster="user")
        for loss in ("log_loss", "brier"):
            own = report[loss, {"class": str(label)}]
            assert own.se == pytest.approx(alone[loss].se, rel=1e-12)


def test_a_label_and_an_output_are_their_columns_alone(frame):
    rng = np.random.default_rng(2)
    several = frame.select(
        "user",
        **{f"prob_{name}": rng.random(ROWS) for name in "xz"},
        **{name: rng.integers(0, 2, ROWS) for name in "xz"},
    )
    options = {"task": "multilabel", "loss": "log_loss", "cluster": "user"}
    columns = {"pred": ["prob_x", "prob_z"], "target": ["x", "z"]}
    report = losscli.evaluate(several, **columns, **options)
    outputs = losscli.evaluate(several, **columns, task="regression", loss="mse", cluster="user")
    for name in "xz":
        squares = (several[f"prob_{name}"] - several[name]).to_numpy() ** 2
        influence = (squares - squares.mean()) / ROWS
        own = next(r for r in outputs.results if next(iter(r.cell.values()), "").endswith(name))
        assert own.se == pytest.approx(sandwich(several, "user", influence), rel=1e-12)
        p = np.where(several[name] == 1, several[f"prob_{name}"], 1 - several[f"prob_{name}"])
        influence = -(np.log(p) - np.log(p).mean()) / ROWS
        label = next(r for r in report.results if next(iter(r.cell.values()), "").endswith(name))
        assert label.se == pytest.approx(sandwich(several, "user", influence), rel=1e-9)


def test_weight_zero_is_a_row_that_is_absent(frame):
    silent = frame.with_columns(w=pl.when(pl.col("user") < 50).then(0.0).otherwise(1.0))
    report = evaluated(silent, "mse", cluster="user", weight="w")
    kept = evaluated(frame.filter(pl.col("user") >= 50), "mse", cluster="user")
    assert report["mse"].se == pytest.approx(kept["mse"].se, rel=1e-12)
    assert "intervals are clustered by user: 150 clusters" in map(str, report.findings)


def test_threads_blocks_and_formats_give_the_same_bits(tmp_path):
    rng = np.random.default_rng(3)
    n = 300_000
    frame = pl.DataFrame({"y_pred": rng.normal(size=n), "y_true": 0.0, "g": rng.integers(0, 9_000, n)})
    frame.write_parquet(tmp_path / "f.parquet", row_group_size=7_000)
    frame.write_csv(tmp_path / "f.csv")
    narrow = frame.with_columns(pl.col("g").cast(pl.Int32))
    reports = [evaluated(frame, cluster="g", threads=t).to_dict()["results"] for t in (1, 2, 3)]
    reports += [evaluated(each, cluster="g").to_dict()["results"] for each in (narrow, tmp_path / "f.csv")]
    reports += [evaluated(tmp_path / "f.parquet", cluster="g", threads=2).to_dict()["results"]]
    assert all(report == reports[0] for report in reports[1:])
    squares = frame["y_pred"].to_numpy() ** 2
    expected = sandwich(frame, "g", (squares - squares.mean()) / n)
    assert reports[0][0]["se"] == pytest.approx(expected, rel=1e-12)


def test_columns_come_from_either_file(frame, tmp_path):
    keyed = frame.with_row_index("id")
    keyed.select("id", "y_pred").write_parquet(tmp_path / "p.parquet")
    keyed.select("id", "y_true", "name").reverse().write_parquet(tmp_path / "t.parquet")
    files = [tmp_path / "p.parquet", tmp_path / "t.parquet"]
    report = losscli.evaluate(*files, loss="mse", cluster="name")
    assert report["mse"].se == pytest.approx(evaluated(frame, cluster="user")["mse"].se, rel=1e-12)


def totals(user: np.ndarray, x: np.ndarray) -> clusters.Totals:
    block = clusters.Block(
        clusters.pairs_of(clusters.Clusters.of(clusters.hashed(pl.Series(user))), {0: None})
    )
    block.add(0, [x], None, None)
    return block.totals()[0]


def test_more_clusters_than_the_bound_are_the_same_groups_in_any_order(monkeypatch):
    monkeypatch.setattr(clusters, "MAX_CLUSTERS", 1_000)
    rng = np.random.default_rng(4)
    user, x = rng.integers(0, 30_000, 60_000), rng.normal(size=60_000)
    user[:500] = np.arange(500) % 20  # a block whose clusters are few
    parts = [totals(*each) for each in zip(np.split(user, 120), np.split(x, 120), strict=True)]
    forward, backward = parts[0], parts[-1]
    for part in parts[1:]:
        forward = forward.merge(part)
    for part in parts[-2::-1]:
        backward = part.merge(backward)
    whole = totals(user, x)
    assert 500 < len(whole.keys) <= 1_000
    for other in (forward, backward):
        assert (other.keys == whole.keys).all()
        assert other.sums[0] == pytest.approx(whole.sums[0], abs=1e-11)
        assert other.coarse == whole.coarse > 0
    assert whole.sums[0].sum(axis=0) == pytest.approx([60_000, x.sum()], rel=1e-12)


def test_random_groups_leave_the_variance_what_it_is(monkeypatch):
    """Over 200 draws of users with noise of their own the mean of the variances is the same within 2 %."""
    rng = np.random.default_rng(5)
    users = np.repeat(np.arange(2_000), 2)
    exact, grouped = [], []
    for draw in range(200):
        x = rng.normal(size=2_000)[users] + rng.normal(size=4_000)
        names = users + draw * 10_000  # other hashes
        found = moments([x], interval=False)
        for most, variances in ((1 << 16, exact), (100, grouped)):
            monkeypatch.setattr(clusters, "MAX_CLUSTERS", most)
            between = clusters.between(found, totals(names, x), 0)
            assert (most == 100) == (between.units[0] <= 100)
            units = between.units[0]
            variances.append(between.spread[0, 0, 0] * units / (units - 1))
    assert np.mean(grouped) == pytest.approx(np.mean(exact), rel=0.03)


def test_too_many_pairs_of_slices_and_clusters_are_grouped(monkeypatch, frame):
    monkeypatch.setattr(clusters, "MAX_PAIRS", 64)
    report = evaluated(frame, "mse", cluster="row", by="region")
    rows = evaluated(frame, "mse", by="region")
    for region in ("eu", "us"):
        cell = {"region": region}
        assert report["mse", cell].se == pytest.approx(rows["mse", cell].se, rel=0.5)
        assert report["mse", cell].se != rows["mse", cell].se
    assert report["mse"].se == pytest.approx(rows["mse"].se, rel=1e-9)


def test_how_many_clusters_there_are_is_said(frame, monkeypatch):
    report = evaluated(frame, cluster="user")
    assert tuple(map(str, report.findings)) == ("intervals are clustered by user: 200 clusters",)
    monkeypatch.setattr(clusters, "MAX_CLUSTERS", 64)
    (note,) = evaluated(frame, cluster="user").findings
    assert note.text.endswith(" random groups of its more than 64 clusters")


def test_one_cluster_has_no_interval(frame):
    one = frame.with_columns(user=pl.lit("a"))
    report = evaluated(one, "mse", cluster="user")
    assert report["mse"].se is report["mse"].ci_low is None
    assert tuple(map(str, report["mse"].notes)) == ("no interval: one cluster",)
    assert tuple(map(str, report.findings)) == ("intervals are clustered by user: 1 cluster",)


def test_an_infinite_row_leaves_the_other_cells_their_spread():
    rng = np.random.default_rng(3)
    codes, users = np.arange(400) % 2, rng.integers(0, 40, 400)
    clean = rng.normal(size=400)
    spoilt = np.where(np.arange(400) == 7, np.inf, clean)

    def between(column):
        block = clusters.Block(clusters.pairs_of(clusters.Clusters.of(users), {0: codes}))
        block.add(0, (column,), None, None)
        found = moments((column,), codes=codes, cells=2)
        return clusters.between(found, block.totals()[0], 0).spread

    assert np.isnan(between(spoilt)[1]).all()
    np.testing.assert_array_equal(between(spoilt)[0], between(clean)[0])
    assert between(clean)[0] > 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"cluster": "usr"}, "--cluster: no column 'usr'. Did you mean user"),
        ({"cluster": "user", "ci": "none"}, "--cluster and --ci none exclude each other"),
        ({"cluster": "several"}, "column several holds lists"),
    ],
)
def test_wrong_requests_are_usage_errors(options, said, frame):
    lists = frame.with_columns(several=pl.concat_list("user", "row"))
    with pytest.raises(UsageError) as error:
        evaluated(lists, **options)
    assert said in str(error.value)


def test_a_column_of_both_files_is_a_usage_error(frame):
    left, right = frame.select("row", "y_pred", "user"), frame.select("row", "y_true", "user")
    with pytest.raises(UsageError, match="both files have a column user"):
        losscli.evaluate(left, right, loss="mse", on="row", cluster="user")


@pytest.mark.parametrize("column", ["name", "user"])
def test_rows_without_a_cluster_are_rows_with_missing_values(column, frame):
    holes = frame.with_columns(pl.when(pl.col("row") >= 10).then(column).alias(column))
    with pytest.raises(DataError) as error:
        evaluated(holes, cluster=column)
    assert "10 missing values" in str(error.value)
    assert column in str(error.value)
    report = evaluated(holes, "mse", cluster=column, missing="drop")
    assert report["mse"].rows == ROWS - 10
    assert "10 rows with missing values dropped" in " ".join(map(str, report.findings))
    assert report["mse"].se == evaluated(frame[10:], "mse", cluster=column)["mse"].se


def test_a_first_block_without_rows_changes_nothing():
    """Its sums were integers, to which those of later blocks could not be added."""
    rows = np.arange(40_000)
    frame = pl.DataFrame({"y_true": rows * 1.0, "y_pred": rows % 7 + rows, "user": rows % 50})
    holes = frame.with_columns(y_pred=pl.when(pl.col("y_true") >= 33_000).then("y_pred"))
    found = evaluated(holes, "mae", cluster="user", missing="drop")["mae"]
    expected = evaluated(frame[33_000:], "mae", cluster="user")["mae"]
    assert (found.value, found.rows) == (expected.value, 7_000)
    assert found.se == pytest.approx(expected.se, rel=1e-12)


def test_the_plan_with_clusters_pastes_back(frame, losscli):
    losscli.write(f_parquet=frame)
    asked = ("-p", "y_pred", "-y", "y_true", "--cluster", "user", "-l", "mean_squared_error")
    assert "--cluster user" in losscli.pastes_back("f.parquet", *asked)


def test_clusters_are_in_the_signature(frame):
    assert evaluated(frame, cluster="user").signature != evaluated(frame).signature


def test_check_reads_clusters(frame, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frame.with_columns(pl.when(pl.col("row") != 4).then("name").alias("name")).write_csv("f.csv")
    asked = ["f.csv", "-p", "y_pred", "-y", "y_true"]
    assert run(["check", *asked]) == 0
    assert run(["check", *asked, "--cluster", "name"]) == 3
    assert "missing value" in capsys.readouterr().err


def test_groups_that_are_evaluated_together_come_in_clusters_too(frame):
    sessions = frame.with_columns(session=pl.col("row") // 10).with_columns(
        shop=pl.col("session") // 2, y_true=(pl.col("row") % 3).cast(pl.Float64)
    )
    options = {"loss": "ndcg", "pred": "y_pred", "target": "y_true", "group": "session"}
    report = losscli.evaluate(sessions, cluster="shop", **options)
    alone = losscli.evaluate(sessions, by="session", **options)
    each = {int(r.cell["session"]): r.value for r in alone.results if r.cell}
    values = pl.DataFrame({"session": list(each), "value": list(each.values())}).sort("session")
    values = values.with_columns(shop=pl.col("session") // 2)
    influence = (values["value"] - values["value"].mean()).to_numpy() / len(values)
    assert report["ndcg"].rows == 300
    assert report["ndcg"].se == pytest.approx(sandwich(values, "shop", influence), rel=1e-9)
    with pytest.raises(DataError, match="another cluster by user than the first of their group"):
        losscli.evaluate(sessions, cluster="user", **options)


def test_a_file_of_settings_names_the_clusters(frame, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frame.write_parquet("f.parquet")
    (tmp_path / "losscli.toml").write_text('pred = "y_pred"\ntarget = "y_true"\ncluster = "user"\n')
    assert run(["evaluate", "f.parquet", "-l", "mse"]) == 0
    assert "intervals are clustered by user: 200 clusters" in capsys.readouterr().out


def test_what_is_detectable_is_so_on_as_many_other_clusters():
    rng = np.random.default_rng(5)
    frame = pl.DataFrame({"y_pred": rng.normal(size=400), "y_true": 0.0, "user": rng.integers(0, 50, 400)})
    report = losscli.evaluate(frame, loss="mse", pred="y_pred", target="y_true", cluster="user")
    assert "independent sample of the same number of clusters, 80 % power" in render(report, "markdown")
