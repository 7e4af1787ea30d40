"""Batches whose fields name their columns: what is read, in any order, what flags mean, and what is wrong."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from test_columns import flags, frame, value

import losscli
from losscli.catalog import registry
from losscli.errors import DataError, UsageError
from losscli.tasks.catalog import TASKS

RNG = np.random.default_rng(17)
N = 50
Y = RNG.normal(size=N)
MU = Y + RNG.normal(size=N)
SIGMA = RNG.gamma(2.0, size=N) + 0.1
MEMBERS = Y[:, None] + RNG.normal(size=(N, 11))
T = frame(id=range(N), y=Y)


def refused(kind, *args, **options) -> str:
    with pytest.raises(kind) as error:
        losscli.evaluate(*args, **options)
    return str(error.value)


# Quantiles


def pinball(q, level):
    return np.mean(np.maximum(level * (Y - q), (level - 1) * (Y - q)))


@pytest.mark.parametrize("stem", ["q", "q_", "quantile_"])
def test_quantile_columns_in_any_order(stem):
    columns = {f"{stem}{level}": MU + level for level in (0.9, 0.05, 0.5)}
    report = losscli.evaluate(frame(id=range(N), other=Y, **columns), T)
    levels = {"0.05": 0.05, "0.5": 0.5, "0.9": 0.9}
    expected = [pinball(MU + level, level) for level in levels.values()]
    assert [r.loss for r in report.results if not r.cell] == ["multi_quantile", "quantile_crps"]
    assert report["multi_quantile"].value == pytest.approx(np.mean(expected))
    assert report["quantile_crps"].value == pytest.approx(2 * np.mean(expected))
    for (name, _), own in zip(levels.items(), expected, strict=True):
        assert report["multi_quantile", {"quantile": name}].value == pytest.approx(own)


def test_quantiles_that_cross_are_noted_and_not_refused():
    report = losscli.evaluate(frame(**{"q0.1": MU, "q0.9": MU - (Y > 0)}), frame(y=Y))
    assert tuple(map(str, report.findings)) == (
        f"{(Y > 0).sum()} rows with crossing quantiles, e.g. row {(Y > 0).argmax() + 1}",
    )


def test_levels_are_named_by_columns_alone():
    p = frame(**{"q0.1": MU, "low": MU, "q0.9": MU + 1})
    assert "-p q0.1,q0.9 " in flags(p, frame(y=Y), loss="multi_quantile")
    assert "-p q0.9 " in flags(p, frame(y=Y), loss="multi_quantile", pred="q0.9")
    assert "-p low: not read by any chosen loss" in refused(
        UsageError, p, frame(y=Y), loss="multi_quantile", pred="q0.1,low"
    )
    assert "no column q0.1, q0.5, ..." in refused(
        UsageError, p, frame(y=Y), loss="multi_quantile", pred="low"
    )
    assert "each once" in refused(
        UsageError, p.with_columns(q_0_1=MU).rename({"q_0_1": "q_0.1"}), frame(y=Y), loss="multi_quantile"
    )


def test_intervals_need_partners_and_a_median():
    p = frame(**{"q0.1": MU - 1, "q0.5": MU, "q0.8": MU + 1})
    assert "not 0.1, 0.5, 0.8" in refused(UsageError, p, frame(y=Y), loss="weighted_interval_score")


def test_losses_of_several_batches_read_all_their_columns():
    p = frame(**{"q0.1": MU, "q0.5": MU + 1}, lower=MU - 1, upper=MU + 2)
    losses = ["multi_quantile", "interval_score:alpha=0.5"]
    report = losscli.evaluate(p, frame(y=Y), loss=losses)
    score = 3 + 4 * np.mean(np.maximum(MU - 1 - Y, 0) + np.maximum(Y - MU - 2, 0))
    assert report["interval_score"].value == pytest.approx(score)
    assert [r.cell for r in report.results if r.loss == "interval_score"] == [{}]
    plan = flags(p, frame(y=Y), loss=losses)
    assert "-p q0.1,q0.5,lower,upper -y y" in plan
    assert flags(p, frame(y=Y), loss=losses, pred="q0.1,q0.5,lower,upper", target="y") == plan


def test_flags_stand_for_fields_in_their_order():
    p = frame(bottom=MU - 1, top=MU + 1)
    score = "interval_score:alpha=0.1"
    assert value(p, frame(y=Y), loss=score, pred="bottom,top") > 2
    said = refused(DataError, p, frame(y=Y), loss=score, pred="top,bottom")
    assert "50 lower bounds greater than upper bounds" in said
    assert "predictions, columns top, bottom" in said
    said = refused(UsageError, p, frame(y=Y), loss=score)
    assert "no column lower or upper; the chosen losses read lower and upper" in said
    assert "name them in this order: -p LOWER,UPPER" in said


# Distributions


def test_parameters_by_name_and_the_usual_law():
    p = frame(id=range(N), sigma=SIGMA, extra=Y, mu=MU)
    report = losscli.evaluate(p, T)
    assert [r.loss for r in report.results] == ["crps_normal", "log_score_normal"]
    assert value(p, T, loss="log_score_normal") == value(
        frame(id=range(N), s=SIGMA, m=MU), T, loss="log_score_normal", pred="m,s"
    )
    assert flags(p, T, loss="crps_logistic") == (
        "--task distribution -p mu,sigma -y y --on id -l crps_logistic"
    )


def test_a_task_that_is_named_takes_the_law_whose_parameters_are_there():
    p = frame(shape=SIGMA, rate=SIGMA)
    report = losscli.evaluate(p, frame(y=np.abs(Y)), task="distribution")
    assert [r.loss for r in report.results] == ["crps_gamma", "log_score_gamma"]


def test_one_file_may_hold_both_sides():
    both = frame(id=range(N), y=Y, mu=MU, sigma=SIGMA)
    assert value(both, loss="crps_normal") == value(both.drop("y"), T, loss="crps_normal")


BOUNDED = {"location": 0.0, "scale": 1.0, "lower": -1.0, "upper": np.inf}


@pytest.mark.parametrize(
    ("loss", "columns", "wrong", "said"),
    [
        ("crps_normal", {"mu": 0.0, "sigma": 1.0}, {"sigma": 0.0}, "sigma: 1 value that is not a number > 0"),
        ("crps_normal", {"mu": 0.0, "sigma": 1.0}, {"mu": np.inf}, "mu: 1 infinite value"),
        ("crps_normal", {"mu": 0.0, "sigma": 1.0}, {"y": -np.inf}, "column y: 1 infinite value"),
        ("crps_binomial", {"n": 4.0, "prob": 0.5}, {"prob": 1.5}, "1 value that is not a number >= 0, <= 1"),
        ("crps_binomial", {"n": 4.0, "prob": 0.5}, {"n": 2.5}, "n: 1 value that is not a whole number >= 0"),
        ("log_score_poisson", {"mean": 4.0}, {"y": 1.5}, "(targets that are counts: whole numbers from 0)"),
        ("log_score_negbinom", {"n": 4.0, "prob": 0.5}, {"y": -1.0}, "1 row outside the domain of"),
        ("crps_uniform", {"min": -1.0, "max": 4.0}, {"min": 4.0}, "1 min that is not below its max"),
        ("crps_tnormal", BOUNDED, {"upper": -1.0}, "1 lower that is not below its upper"),
        ("crps_tnormal", BOUNDED, {"location": -np.inf}, "location: 1 infinite value"),
        ("crps_gpd", {"shape": 0.5, "location": 0.0, "scale": 1.0}, {"shape": 1.0}, "shape below 1"),
        ("crps_hypergeometric", {"m": 4.0, "n": 3.0, "k": 7.0}, {"k": 8.0}, "more draws than m + n"),
        ("crps_mixnorm", {"m0": 0.0, "s0": 1.0, "w0": 1.0}, {"w0": 0.5}, "do not sum to one"),
        ("owcrps_ensemble:a=0,b=2", {"m0": 0.5}, {"m0": 3.0}, "a member between a and b"),
    ],
)  # fmt: skip
def test_parameters_outside_their_range_are_refused_with_their_row(loss, columns, wrong, said):
    rows = {"y": 1.0, **columns}
    table = pl.DataFrame([rows, rows, {**rows, **wrong}])
    message = refused(DataError, table.drop("y"), table.select("y"), loss=loss)
    assert said in message
    assert "\n  row 3: " in message


@pytest.mark.parametrize(
    ("loss", "columns", "wrong", "said"),
    [
        ("crps_tnormal", BOUNDED, {"lower": np.nan}, "column lower: 1 missing value"),
        ("crps_gtcnormal", {**BOUNDED, "lmass": 0.5, "umass": 0.5}, {"umass": 0.75}, "at most one together"),
        ("crps_tt", {**BOUNDED, "df": 1.5}, {"df": 0.75}, "df above 1, or two finite bounds"),
        ("crps_weighted_ensemble", {"m0": 0.0, "w0": 1.0}, {"w0": 0.0}, "no member has a weight"),
    ],
)  # fmt: skip
def test_parameters_that_do_not_fit_together_are_refused_with_their_row(loss, columns, wrong, said):
    rows = {"y": 1.0, **columns}
    table = pl.DataFrame([rows, rows, {**rows, **wrong}])
    message = refused(DataError, table.drop("y"), table.select("y"), loss=loss)
    assert said in message
    assert "\n  row 3\n" in message


def test_columns_that_several_distributions_have_are_those_of_the_one_with_most():
    p = frame(location=MU, scale=SIGMA, lower=np.full(N, -np.inf), upper=np.full(N, np.inf))
    report = losscli.evaluate(p, T, task="distribution")
    names = ["crps_truncated_normal", "log_score_truncated_normal"]
    assert [result.loss for result in report.results] == names
    normal = frame(mu=MU, sigma=SIGMA)  # which it is without bounds
    for name, plain in zip(names, ["crps_normal", "log_score_normal"], strict=True):
        assert report[name].value == pytest.approx(value(normal, T, loss=plain), rel=1e-14)
    assert value(p, T, loss="crps_cnormal") == pytest.approx(report[names[0]].value, rel=1e-14)


# Ensembles


def test_members_in_any_order_or_in_one_column():
    names = [f"m{i}" for i in range(11)]
    p = pl.DataFrame(MEMBERS, schema=names)
    spread = np.abs(MEMBERS[:, :, None] - MEMBERS[:, None, :]).mean(axis=(1, 2))
    expected = np.mean(np.abs(MEMBERS - Y[:, None]).mean(axis=1) - spread / 2)
    t = frame(y=Y)
    report = losscli.evaluate(p.select(reversed(names)), t)
    assert report["crps_ensemble"].value == pytest.approx(expected)
    assert [r.loss for r in report.results] == ["crps_ensemble", "dawid_sebastiani_ensemble"]
    assert "-p m0,m1,m2,m3,m4,m5,m6,m7,m8,m9,m10 " in flags(p.select(reversed(names)), t)
    for dtype in (pl.Array(pl.Float64, 11), pl.List(pl.Float64)):
        one = pl.DataFrame({"sample": pl.Series(MEMBERS.tolist(), dtype=dtype)})
        assert value(one, t, loss="crps_ensemble") == report["crps_ensemble"].value


def test_rows_of_too_few_members_are_named():
    rows = [[1.0, 2.0, 3.0], [1.0, 2.0]]
    said = refused(DataError, frame(members=rows), frame(y=[1.0, 2.0]), loss="crps_ensemble")
    assert "1 list that does not have 3 numbers" in said.replace("do not", "does not")
    assert "row 2: 2 numbers" in said


def test_what_compares_members_needs_two_of_them():
    said = refused(DataError, frame(m0=MU), frame(y=Y), loss="crps_ensemble:estimator=fair")
    assert "(two members or more where it is unbiased)" in said
    for loss in ("dawid_sebastiani_ensemble", "error_spread_score"):
        assert "outside the domain" in refused(DataError, frame(m0=MU), frame(y=Y), loss=loss)


def test_members_and_dimensions_in_any_order():
    x = RNG.normal(size=(N, 3, 2))
    p = {f"m{i}_d{d}": x[:, i, d] for d in (1, 0) for i in (2, 0, 1)}
    t = frame(y_true_1=Y, y_true_0=MU)
    target = np.stack([MU, Y], axis=1)
    lengths = np.linalg.norm(x[:, :, None] - x[:, None], axis=-1).mean(axis=(1, 2))
    expected = np.linalg.norm(x - target[:, None], axis=-1).mean(axis=1) - lengths / 2
    assert value(frame(**p), t, loss="energy_score") == pytest.approx(expected.mean())
    assert [r.loss for r in losscli.evaluate(frame(**p), t).results] == ["energy_score", "variogram_score"]
    del p["m1_d1"]
    assert "each of the 2 dimensions" in refused(UsageError, frame(**p), t, loss="energy_score")


def test_bounds_may_be_infinite():
    p, t = pl.DataFrame(MEMBERS, schema=[f"m{i}" for i in range(11)]), frame(y=Y)
    whole = value(p, t, loss="crps_ensemble")
    assert value(p, t, loss="twcrps_ensemble:a=-inf,b=inf") == pytest.approx(whole, rel=1e-14)
    assert "twcrps_ensemble:b=1.0" in flags(p, t, loss="twcrps_ensemble", b=1)
    said = refused(UsageError, p, t, loss="twcrps_ensemble:a=2,b=-2")
    assert "twcrps_ensemble needs a < b, got a=2, b=-2" in said


# What was there before


def test_options_that_mean_nothing_here_are_refused():
    said = refused(
        UsageError, frame(mu=MU, sigma=SIGMA), frame(y=Y), loss="crps_normal", from_logits=True, eps=0.1
    )
    assert "--from-logits is for classification, but this is a distribution task" in said
    assert "--eps clips probabilities" in said


def test_a_name_of_several_tasks_means_the_one_that_columns_show():
    assert "quantile_crps" in flags(frame(**{"q0.5": MU}), frame(y=Y), loss="crps")
    assert "crps_normal" in flags(frame(mu=MU, sigma=SIGMA), frame(y=Y), loss="crps")
    assert "crps_ensemble" in flags(frame(m0=MU, m1=Y), frame(y=Y), loss="crps")
    assert "--task regression" in flags(frame(pred=MU), frame(y=Y), loss="pinball")
    assert "--task quantile" in flags(frame(**{"q0.5": MU}), frame(y=Y), loss="pinball")


def test_weights_and_missing_values_as_everywhere():
    w = RNG.integers(1, 4, N)
    p, t = frame(mu=MU, sigma=SIGMA), frame(y=Y, w=w)
    twice = np.repeat(np.arange(N), w)
    expected = value(p[twice], t[twice], loss="crps_normal")
    assert value(p, t, loss="crps_normal", weight="w") == pytest.approx(expected, rel=1e-12)
    holes = p.with_columns(sigma=pl.when(pl.col("mu") > 0).then(pl.col("sigma")))
    assert value(holes, t, loss="crps_normal", missing="drop") == pytest.approx(
        value(p.filter(MU > 0), t.filter(MU > 0), loss="crps_normal"), rel=1e-12
    )


def test_numbers_that_have_no_single_target_are_outputs_as_before():
    p, t = frame(m0=MU, m1=Y), frame(m0=Y, m1=MU)
    assert "--task regression -p m0,m1 -y m0,m1" in flags(p, t)
    assert "--task distribution" in flags(frame(mu=MU, sigma=SIGMA), frame(anything=Y))
    assert "--task regression -p pred" in flags(frame(pred=MU), frame(y=Y))


def test_losses_that_read_other_sides_of_a_file_go_together():
    x = {f"x1_{i}": MU for i in range(2)} | {f"x2_{i}": MU for i in range(2)}
    p, t = frame(e0=MU, e1=Y, **x), frame(e0=MU, e1=Y, y=np.sign(Y))
    report = losscli.evaluate(p, t, loss=["cosine_distance", "cosine_embedding"])
    assert report["cosine_distance"].value == 0


@pytest.mark.parametrize(
    "task", [task for task in TASKS.values() if task.batches], ids=lambda task: task.name
)
def test_every_batch_that_a_task_shows_has_usual_losses(task):
    usual = [entry for name in task.usual for entry in registry.find(name) if entry.name == name]
    assert {entry.name for entry in usual} == set(task.usual)
    assert {entry.task for entry in usual} == {task.name}
    assert set(task.shown) <= set(task.batches) == {entry.batch for entry in usual}
    assert not [entry.name for entry in usual if any(param.required for param in entry.params)]


# Variances


MEANS, DEVIATIONS, SEEN = np.array([0.0, 1.0, 2.0]), np.array([2.0, 0.5, 1e-6]), np.array([1.0, 1.5, 2.0])
DENSITY = np.log(DEVIATIONS) + ((SEEN - MEANS) / DEVIATIONS) ** 2 / 2


@pytest.mark.parametrize("name", ["var", "variance", "sigma2", "sigma_sq", "pred_var", "Var"])
def test_a_column_that_is_named_as_a_variance_is_one(name):
    rows = pl.DataFrame({"mu": MEANS, name: DEVIATIONS**2, "target": SEEN})
    for given in ({}, {"pred": ["mu", name]}):
        report = losscli.evaluate(rows, loss="gaussian_nll", **given)
        assert report.results[0].value == pytest.approx(DENSITY.mean(), rel=1e-14)
        said = f"column {name} holds variances: sigma is their root"
        assert said in map(str, report.findings)
    plain = losscli.evaluate(rows.rename({name: "sigma"}), loss="gaussian_nll")
    assert [note.code for note in plain.findings] == []
    assert plain.results[0].value != report.results[0].value


def test_a_log_normal_forecast_may_have_variances():
    rows = pl.DataFrame({"mulog": MEANS, "sigmalog": DEVIATIONS, "target": SEEN})
    expected = losscli.evaluate(rows, loss="log_score_lognormal").results[0].value
    squares = rows.with_columns(pl.col("sigmalog") ** 2).rename({"sigmalog": "var"})
    found = losscli.evaluate(squares, loss="log_score_lognormal", pred=["mulog", "var"])
    assert found.results[0].value == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("loss", ["crps_logistic", "crps_laplace"])
def test_a_scale_that_is_no_deviation_is_not_read_from_a_variance(loss):
    rows = pl.DataFrame({"m": MEANS, "var": DEVIATIONS, "target": SEEN})
    with pytest.raises(UsageError, match="column var is named as a variance"):
        losscli.evaluate(rows, loss=loss, pred=["m", "var"])


def test_torch_takes_a_variance_whatever_its_name_but_that_of_a_deviation():
    # 0.5 * (log(max(var, eps)) + (target - input)^2 / max(var, eps))
    var = np.maximum(DEVIATIONS**2, 1e-6)
    expected = (np.log(var) + (SEEN - MEANS) ** 2 / var).mean() / 2
    rows = pl.DataFrame({"mu": MEANS, "s": DEVIATIONS**2, "target": SEEN})
    given = {"loss": "gaussian_nll", "like": "torch"}
    found = losscli.evaluate(rows, pred=["mu", "s"], **given)
    assert found.results[0].value == pytest.approx(expected, rel=1e-12)
    assert "column s holds variances: sigma is their root" in map(str, found.findings)
    deviations = pl.DataFrame({"mu": MEANS, "sigma": DEVIATIONS, "target": SEEN})
    assert losscli.evaluate(deviations, **given).results[0].value == pytest.approx(expected, rel=1e-12)
