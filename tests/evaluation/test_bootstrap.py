"""--ci-method bootstrap: what is resampled, in which runs, and what reports say about it."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import losscli
from losscli.errors import DataError, UsageError
from losscli.evaluation import codec
from losscli.evaluation.partial import EvaluationJob, finished
from losscli.evaluation.results import results_of
from losscli.evaluation.run import fold_all
from losscli.numeric import poisson
from losscli.numeric.hashing import hash_keys
from losscli.numeric.poisson import Resampling, counts
from losscli.plan import plan as plans
from losscli.plan.resolve import prepare
from losscli.report.model import Report

N, REPLICATES = 400, 200
RNG = np.random.default_rng(8)
TARGET = RNG.normal(size=N)
A, B = TARGET + RNG.normal(size=N), TARGET + 0.9 * RNG.normal(size=N)
ROWS = pl.DataFrame(
    {
        "y_pred": A,
        "y_true": TARGET,
        "w": RNG.uniform(0.5, 2.0, N),
        "user": RNG.integers(0, 60, N),
        "part": RNG.choice(["a", "b"], N),
    }
)
LABELS = pl.DataFrame({"label": (TARGET > 0.5).astype(int)})
TIMES = counts(np, Resampling(REPLICATES).keys(np.arange(N)), REPLICATES).astype(float)
BOOTSTRAP = {"ci_method": "bootstrap", "replicates": REPLICATES}
WIDER = np.sqrt(N / (N - 1))


def evaluated(loss="mae", rows=ROWS, **options) -> Report:
    return losscli.evaluate(rows, loss=loss, **BOOTSTRAP | options)


def codes_of(report: Report) -> list[str]:
    return [str(each.code) for each in report.findings]


def standard_error(values: np.ndarray, units: int = N) -> float:
    return float(np.std(values, ddof=1) * np.sqrt(units / (units - 1)))


def test_the_standard_error_is_that_of_the_replicates():
    loss, w = np.abs(A - TARGET), ROWS["w"].to_numpy()
    assert evaluated()["mae"].se == pytest.approx(standard_error(loss @ TIMES / TIMES.sum(axis=0)), rel=1e-9)
    drawn = TIMES * w[:, None]
    found = evaluated(weight="w")["mae"]
    assert found.se == pytest.approx(standard_error(loss @ drawn / drawn.sum(axis=0)), rel=1e-9)


def test_the_value_is_the_analytic_one_and_so_is_about_the_interval():
    losses = ["mae", "rmse", "r2", "mae@p50", "spearman"]
    report, analytic = evaluated(losses, replicates=1_000), losscli.evaluate(ROWS, loss=losses)
    for found, expected in zip(report.results, analytic.results, strict=True):
        assert found.value == expected.value
        assert found.se == pytest.approx(expected.se, rel=0.15)
        assert found.ci_low == pytest.approx(expected.ci_low, abs=0.5 * expected.se)
        assert found.ci_high == pytest.approx(expected.ci_high, abs=0.5 * expected.se)
        assert (found.level, found.df) == (expected.level, expected.df)


@pytest.mark.parametrize("loss", ["mae", "r2", "mae@p50"])
def test_neither_threads_nor_blocks_matter(loss, monkeypatch):
    whole = evaluated(loss, by="part", weight="w")
    assert evaluated(loss, by="part", weight="w", threads=2) == whole
    monkeypatch.setattr(plans, "MIN_ROWS", 32)
    monkeypatch.setattr(plans, "BLOCK_COUNTS", 32 * REPLICATES)
    small = [evaluated(loss, by="part", weight="w", threads=threads) for threads in (1, 3)]
    assert small[0] == small[1]
    for found, expected in zip(small[0].results, whole.results, strict=True):
        assert found.cell == expected.cell
        for one in ("value", "se", "ci_low", "ci_high"):
            assert getattr(found, one) == pytest.approx(getattr(expected, one), rel=1e-9)


def test_the_seed_matters_a_little_and_repeats():
    one, two = evaluated(seed=1)["mae"], evaluated(seed=2)["mae"]
    assert one.se != two.se == pytest.approx(one.se, rel=0.25)
    assert evaluated(seed=1)["mae"] == one


def test_slices_are_resampled_with_the_rows_of_the_file():
    loss = np.abs(A - TARGET)
    for result in evaluated(by="part").results[1:]:
        own = ROWS["part"].to_numpy() == result.cell["part"]
        values = loss[own] @ TIMES[own] / TIMES[own].sum(axis=0)
        assert result.se == pytest.approx(standard_error(values, own.sum()), rel=1e-9)


def test_clusters_are_drawn_as_wholes():
    keys = Resampling(REPLICATES).keys(hash_keys(ROWS["user"]))
    times = counts(np, keys, REPLICATES).astype(float)
    values = np.abs(A - TARGET) @ times / times.sum(axis=0)
    found = evaluated(cluster="user")["mae"]
    assert found.se == pytest.approx(standard_error(values, ROWS["user"].n_unique()), rel=1e-9)
    plain = losscli.evaluate(ROWS, loss="mae@p50", cluster="user")["mae@p50"]
    ordered = evaluated("mae@p50", cluster="user")["mae@p50"]
    assert ordered.se == pytest.approx(plain.se, rel=0.4)


@pytest.mark.parametrize("loss", ["mae", "rmse", "mae@p50"])
def test_two_models_are_drawn_alike(loss):
    """So that what they have in common cancels, of losses of order too."""
    (found,) = losscli.compare(A, B, targets=TARGET, loss=loss, **BOOTSTRAP).comparisons

    def replicates(prediction):
        error = np.abs(prediction - TARGET)
        if loss == "mae":
            return error @ TIMES / TIMES.sum(axis=0)
        if loss == "rmse":
            return np.sqrt(error**2 @ TIMES / TIMES.sum(axis=0))
        return np.array([np.median(np.repeat(error, own.astype(int))) for own in TIMES.T])

    values = [replicates(each) for each in (A, B)]
    assert found.se == pytest.approx(standard_error(values[1] - values[0]), rel=1e-9)
    assert found.se_a == pytest.approx(standard_error(values[0]), rel=1e-9)
    (analytic,) = losscli.compare(A, B, targets=TARGET, loss=loss).comparisons
    assert found.p_value == pytest.approx(analytic.p_value, abs=0.15)


def test_dropped_rows_keep_the_counts_of_the_others():
    holes = ROWS.with_columns(y_pred=pl.when(pl.col("part") == "a").then("y_pred"))
    kept = (ROWS["part"] == "a").to_numpy()
    times = TIMES[kept]
    values = np.abs(A - TARGET)[kept] @ times / times.sum(axis=0)
    found = evaluated(rows=holes, missing="drop")["mae"]
    assert found.se == pytest.approx(standard_error(values, kept.sum()), rel=1e-9)


def test_the_key_of_a_row_gives_its_counts_whatever_the_order():
    keyed = (
        ROWS.select("y_pred", id=pl.int_range(N) * 7 + 3),
        ROWS.select("y_true", id=pl.int_range(N) * 7 + 3),
    )
    times = counts(np, Resampling(REPLICATES).keys(hash_keys(keyed[0]["id"])), REPLICATES).astype(float)
    values = np.abs(A - TARGET) @ times / times.sum(axis=0)
    shuffled = keyed[0].sample(fraction=1.0, shuffle=True, seed=1)
    for predictions in (keyed[0], shuffled):
        found = losscli.evaluate(predictions, keyed[1], "mae", **BOOTSTRAP)["mae"]
        assert found.se == pytest.approx(standard_error(values), rel=1e-9)


def test_classes_labels_and_outputs_are_resampled():
    scores = pl.DataFrame({"y_prob": 1 / (1 + np.exp(-A))}).hstack(LABELS)
    found = evaluated(["log_loss", "f1", "roc_auc"], scores)
    analytic = losscli.evaluate(scores, loss=["log_loss", "f1", "roc_auc"])
    assert {str(each.cell) for each in found.results} == {str(each.cell) for each in analytic.results}
    for one, other in zip(found.results, analytic.results, strict=True):
        assert one.se == pytest.approx(other.se, rel=0.25)
    y, p = RNG.normal(size=(2, N, 2))
    both = (losscli.evaluate(p, y, loss=["mae", "r2"], **more).results for more in (BOOTSTRAP, {}))
    for one, other in zip(*both, strict=True):
        assert one.se == pytest.approx(other.se, rel=0.25)


def test_groups_are_units():
    rows = pl.DataFrame(
        {"query": np.repeat(np.arange(100), 4), "relevance": RNG.integers(0, 3, N), "score": A}
    )
    options = {"task": "grouped_ranking", "loss": "ndcg", "group": "query"}
    found, analytic = (losscli.evaluate(rows, **options, **more)["ndcg"] for more in (BOOTSTRAP, {}))
    assert found.se == pytest.approx(analytic.se, rel=0.2)


def test_gates_judge_the_interval_of_the_bootstrap():
    report = evaluated(gate=["hi(mae) <= 100", "mae <= 0.81"], confident=True)
    result = report["mae"]
    assert report.gates[0].value == result.ci_high
    near = evaluated(gate=f"mae <= {result.ci_high - 1e-9}", confident=True).gates[0]
    far = evaluated(gate=f"mae <= {result.ci_high + 1e-9}", confident=True).gates[0]
    assert (near.status, far.status) == ("unsure", "pass")
    assert result.minimum_detectable == pytest.approx(2.8016 * np.sqrt(2) * result.se, rel=1e-4)


def test_a_report_says_how_its_intervals_were_made(tmp_path):
    report = evaluated(seed=3)
    assert "resampled" in codes_of(report)
    assert "200 replicates, seed 3" in str(report)
    shown = {name: report.provenance[name] for name in ("intervals", "replicates", "seed")}
    assert shown == {"intervals": "bootstrap", "replicates": "200", "seed": "3"}
    plain = losscli.evaluate(ROWS, loss="mae")
    assert (plain.provenance.get("intervals"), codes_of(plain)) == (None, [])
    assert plain.signature != report.signature
    path = tmp_path / "old.json"
    path.write_text(plain.to_json())
    assert codes_of(evaluated(baseline=path, gate="mae <= base")).count("baseline-intervals") == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": 3}, "--seed has no effect without --ci-method bootstrap"),
        (
            {"replicates": 500, "ci_method": "analytic"},
            "--replicates has no effect without --ci-method bootstrap",
        ),
        ({"ci_method": "bootstrap", "ci": None}, "--ci-method bootstrap and --ci none exclude each other"),
        ({"ci_method": "jackknife"}, "jackknife"),
        ({"ci_method": "bootstrap", "replicates": 10}, "replicates"),
    ],
)
def test_a_bootstrap_that_means_nothing_is_refused(options, message):
    with pytest.raises(UsageError, match=message):
        losscli.evaluate(ROWS, loss="mae", **options)


def test_replicates_survive_a_saved_state():
    run = prepare(ROWS, loss=["mae", "r2", "mae@p50"], by="part", weight="w", **BOOTSTRAP)
    job = EvaluationJob(run.plan, kept=False)
    part, _ = fold_all(run, job=job)
    again = codec.unpacked(job, *codec.packed(part))
    found, expected = (results_of(run.plan, finished(run.plan, each)) for each in (again, part))
    assert found == expected


@pytest.mark.parametrize("loss", ["mae", "max_error"])
def test_a_report_is_reproduced(loss, losscli, tmp_path):
    ROWS.write_csv(tmp_path / "rows.csv")
    made = ("rows.csv", "-l", loss, "--ci-method", "bootstrap", "--seed", "2", "--replicates", "200")
    assert losscli("evaluate", *made, "-o", "r.json").status == 0
    assert losscli("check", *made, "--verify", "r.json").status == 0
    other = losscli("check", *made[:-3], "5", *made[-2:], "--verify", "r.json")
    assert (other.status, "seed: 2 in the report, 5 now" in other.err) == (3, True)


def test_a_flag_for_analytic_intervals_puts_aside_what_a_file_says_of_a_bootstrap(losscli, tmp_path):
    ROWS.write_csv(tmp_path / "rows.csv")
    (tmp_path / "losscli.toml").write_text('ci_method = "bootstrap"\nseed = 4\nreplicates = 200\n')
    assert "200 replicates, seed 4" in losscli("evaluate", "rows.csv", "-l", "mae").out
    done = losscli("evaluate", "rows.csv", "-l", "mae", "--ci-method", "analytic")
    assert (done.status, "replicates" in done.out) == (0, False)
    (tmp_path / "losscli.toml").write_text("seed = 4\n")
    assert losscli("evaluate", "rows.csv", "-l", "mae").status == 2


def test_a_check_draws_nothing(losscli, tmp_path, monkeypatch):
    """As it shows no intervals, it takes no longer than without a bootstrap."""
    ROWS.write_csv(tmp_path / "rows.csv")
    monkeypatch.setattr(poisson, "counts", None)
    done = losscli("check", "rows.csv", "-l", "mae", "--ci-method", "bootstrap", "--seed", "1")
    assert done.status == 0


def test_a_leaderboard_has_no_bootstrap(losscli):
    done = losscli("rank", "a.csv", "b.csv", "-t", "t.csv", "--ci-method", "bootstrap")
    assert (done.status, done.out) == (2, "")
    assert done.err == (
        "losscli: error: --ci-method is an option of evaluate, compare or check, not of rank\n"
        "  -> losscli rank --help\n"
    )


def test_losses_without_an_interval_have_none():
    assert evaluated("max_error")["max_error"].se is None


def test_the_plan_as_flags_repeats_the_bootstrap(losscli, tmp_path):
    ROWS.write_csv(tmp_path / "rows.csv")
    found = losscli(
        "evaluate", "rows.csv", "-l", "mae", "--ci-method", "bootstrap", "--seed", "4", "--dry-run"
    )
    assert "--ci-method bootstrap --seed 4" in found.out + found.err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("loss", "near"),
    [
        *((loss, 0.05) for loss in ("mae", "wape", "r2", "rmse", "spearman", "roc_auc", "average_precision")),
        # The standard error of a quantile, from the width of its interval, is rough.
        *((loss, 0.10) for loss in ("mae@p50", "mae@p95")),
    ],
)
def test_standard_errors_agree_with_the_analytic_ones(loss, near):
    rng = np.random.default_rng(5)
    target = rng.gamma(2, size=2_000) + 1
    prediction = target + rng.normal(size=2_000) * np.sqrt(target) / 2
    rows = {"y_pred": prediction, "y_true": target}
    if loss in ("roc_auc", "average_precision"):
        rows = {"y_prob": 1 / (1 + np.exp(3 - prediction)), "label": (target > 3).astype(int)}
    found, expected = (
        losscli.evaluate(pl.DataFrame(rows), loss=loss, **more)[loss]
        for more in ({"ci_method": "bootstrap"}, {})
    )
    assert found.se == pytest.approx(expected.se, rel=near)


@pytest.mark.parametrize("keyed", [True, False])
def test_parts_merge_to_the_replicates_of_one_run(keyed, tmp_path):
    """Of rows with a key, which gives their counts; the numbers of others begin anew in each part."""
    rows = ROWS.with_columns(id=pl.int_range(N))
    options = {"loss": ["mae", "wape", "mae@p50"], "on": "id" if keyed else "position", **BOOTSTRAP}
    states = []
    for number, part in enumerate((slice(0, 150), slice(150, N))):
        own = rows[part]
        states.append(tmp_path / f"{number}.state")
        losscli.evaluate(own[["id", "y_pred"]], own[["id", "y_true"]], state=states[-1], **options)
    if not keyed:
        with pytest.raises(DataError, match="which repeats in each part"):
            losscli.merge(*states)
        return
    merged = losscli.merge(*states)
    whole = losscli.evaluate(rows[["id", "y_pred"]], rows[["id", "y_true"]], **options)
    for found, expected in zip(merged.results, whole.results, strict=True):
        for one in ("value", "se", "ci_low", "ci_high"):
            assert getattr(found, one) == pytest.approx(getattr(expected, one), rel=1e-9)
    assert "resampled" in codes_of(merged)
