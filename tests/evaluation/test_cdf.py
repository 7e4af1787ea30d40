"""The distribution functions of the PIT: against SciPy, by their score, and at masses and counts."""

import numpy as np
import polars as pl
import pytest
from scipy import stats

from losscli.api import evaluate
from losscli.evaluation.views import cdf
from losscli.tasks.distribution import DISTRIBUTIONS, BoundedNormal, Normal, distribution_of

ROWS = 200
RNG = np.random.default_rng(11)
Y = RNG.normal(0.3, 2.0, ROWS)
A, B = RNG.uniform(0.5, 3.0, (2, ROWS))
LOW, HIGH = Y - RNG.uniform(-0.3, 2.0, ROWS), Y + RNG.uniform(0.1, 2.0, ROWS)
COUNT = RNG.integers(-1, 9, ROWS).astype(float)
SHARE = RNG.uniform(0.05, 0.9, ROWS)
PLACE = {"target": Y, "location": A, "scale": B}
BOUNDS = PLACE | {"lower": LOW, "upper": HIGH}
MASSES = {"lmass": SHARE / 2, "umass": SHARE / 3}
TWO = (np.stack([A, -B], axis=1), np.stack([B, A], axis=1), np.stack([SHARE, 1 - SHARE], axis=1))


def truncated(base, y):
    return np.clip((base.cdf(np.clip(y, LOW, HIGH)) - base.cdf(LOW)) / (base.cdf(HIGH) - base.cdf(LOW)), 0, 1)


def pairs(low, high):
    return lambda: (low, high)


def density(function):
    return function, function


def bounded(base):
    """Truncated, censored, and with masses: the probabilities of less than, and of at most the target."""
    part, whole = truncated(base, Y), base.cdf(Y)
    lower, upper = MASSES["lmass"], MASSES["umass"]
    given = lower + (1 - lower - upper) * part
    return {
        "truncated": (part, part),
        "censored": (
            np.where(Y > HIGH, 1.0, np.where(Y > LOW, whole, 0.0)),
            np.where(Y >= HIGH, 1.0, np.where(Y >= LOW, whole, 0.0)),
        ),
        "bounded": (
            np.where(Y > HIGH, 1.0, np.where(Y > LOW, given, 0.0)),
            np.where(Y >= HIGH, 1.0, np.where(Y >= LOW, given, 0.0)),
        ),
    }


BASES = {
    "normal": stats.norm(A, B),
    "logistic": stats.logistic(A, B),
    "student_t": stats.t(A + 1, A, B),
}


def two_pieces(base):
    w = A / (A + B)
    z = Y - 0.2
    return np.where(z < 0, 2 * w * base.cdf(z / A), 1 - 2 * (1 - w) * base.sf(z / B))


def with_mass(base):
    upto = SHARE + (1 - SHARE) * base.cdf(Y)
    return np.where(Y > A, upto, 0.0), np.where(Y >= A, upto, 0.0)


def counted(base):
    return base.cdf(np.floor(COUNT) - 1), base.cdf(np.floor(COUNT))


def shape(value):
    return {"shape": np.full(ROWS, value)}


PIECES = {"target": Y, "location": np.full(ROWS, 0.2), "scale1": A, "scale2": B}
LOGS = {"target": Y, "mulog": B - 1, "sigmalog": A}
RAIN = {"target": np.maximum(Y, -0.1), "shape": A, "rate": B, "shift": np.full(ROWS, 0.7)}
wet = stats.gamma(A, scale=1 / B).cdf(RAIN["target"] + 0.7)
DRAWS = {"target": COUNT, "m": np.full(ROWS, 9.0), "n": np.full(ROWS, 12.0), "k": np.full(ROWS, 7.0)}

CASES = [
    ("normal", {"target": Y, "mu": A, "sigma": B}, density(stats.norm(A, B).cdf(Y))),
    ("logistic", {"target": Y, "mu": A, "sigma": B}, density(stats.logistic(A, B).cdf(Y))),
    ("laplace", PLACE, density(stats.laplace(A, B).cdf(Y))),
    ("student_t", PLACE | {"df": A}, density(stats.t(A, A, B).cdf(Y))),
    ("lognormal", LOGS, density(stats.lognorm(A, scale=np.exp(B - 1)).cdf(Y))),
    ("loglogistic", LOGS, density(stats.fisk(1 / A, scale=np.exp(B - 1)).cdf(Y))),
    (
        "loglaplace",
        {"target": Y, "locationlog": B - 1, "scalelog": A},
        density(stats.loglaplace(1 / A, scale=np.exp(B - 1)).cdf(Y)),
    ),
    ("exponential", {"target": Y, "rate": A}, density(stats.expon(scale=1 / A).cdf(Y))),
    ("shifted_exponential", PLACE, density(stats.expon(A, B).cdf(Y))),
    ("gamma", {"target": Y, "shape": A, "rate": B}, density(stats.gamma(A, scale=1 / B).cdf(Y))),
    ("beta", {"target": SHARE, "a": A, "b": B}, density(stats.beta(A, B).cdf(SHARE))),
    ("uniform", {"target": Y, "min": -A, "max": B}, density(stats.uniform(-A, A + B).cdf(Y))),
    *(("gev", PLACE | shape(xi), density(stats.genextreme(-xi, A, B).cdf(Y))) for xi in (-0.7, 0.0, 0.4)),
    *(("gpd", PLACE | shape(xi), density(stats.genpareto(xi, A, B).cdf(Y))) for xi in (-0.7, 0.0, 0.4)),
    ("gpd_with_mass", PLACE | shape(0.4) | {"mass": SHARE}, with_mass(stats.genpareto(0.4, A, B))),
    ("exponential_with_mass", PLACE | {"mass": SHARE}, with_mass(stats.expon(A, B))),
    ("two_piece_normal", PIECES, density(two_pieces(stats.norm))),
    ("two_piece_exponential", PIECES, density(two_pieces(stats.laplace))),
    (
        "mixture_normal",
        {"target": Y, "means": TWO[0], "deviations": TWO[1], "weights": TWO[2]},
        density((TWO[2] * stats.norm(TWO[0], TWO[1]).cdf(Y[:, None])).sum(axis=1)),
    ),
    (
        "censored_shifted_gamma",
        RAIN,
        (np.where(RAIN["target"] > 0, wet, 0.0), np.where(RAIN["target"] >= 0, wet, 0.0)),
    ),
    ("poisson", {"target": COUNT, "mean": A}, counted(stats.poisson(A))),
    ("binomial", {"target": COUNT, "n": np.full(ROWS, 6.0), "prob": SHARE}, counted(stats.binom(6, SHARE))),
    ("negbinom", {"target": COUNT, "n": A, "prob": SHARE}, counted(stats.nbinom(A, SHARE))),
    ("hypergeometric", DRAWS, counted(stats.hypergeom(21, 9, 7))),
    *(
        (f"{kind}_{name}", BOUNDS | MASSES | {"df": A + 1}, expected)
        for name, base in BASES.items()
        for kind, expected in bounded(base).items()
    ),
]


def pair_of(name, columns):
    fields = DISTRIBUTIONS[name].__struct_fields__
    own = {key: value for key, value in columns.items() if key in fields}
    return cdf.FUNCTIONS[name](DISTRIBUTIONS[name](np, **own))


def test_every_distribution_has_a_function():
    assert cdf.FUNCTIONS.keys() == DISTRIBUTIONS.keys() == {name for name, *_ in CASES}


@pytest.mark.parametrize(("name", "columns", "expected"), CASES, ids=[name for name, *_ in CASES])
def test_the_function_is_that_of_scipy(name, columns, expected):
    found = pair_of(name, columns)
    for own, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(own, np.broadcast_to(other, ROWS), rtol=1e-10, atol=1e-13)


def test_bounds_far_from_the_location_leave_digits():
    columns = {"target": [41.0], "location": [0.0], "scale": [1.0], "lower": [40.0], "upper": [60.0]}
    far = pair_of("truncated_normal", {name: np.array(each) for name, each in columns.items()})
    expected = -np.expm1(stats.norm.logsf(41) - stats.norm.logsf(40))
    np.testing.assert_allclose(far, expected, rtol=1e-13)


def test_one_batch_may_be_of_several_distributions():
    assert distribution_of("log_score_truncated_normal", BoundedNormal) == "truncated_normal"
    assert distribution_of("crps_censored_normal@p95", BoundedNormal) == "censored_normal"
    assert distribution_of("my_own_loss", BoundedNormal) is None
    assert distribution_of("my_own_loss", Normal) == "normal"


@pytest.mark.parametrize("name", ["censored_normal", "hypergeometric", "gpd_with_mass", "mixture_normal"])
def test_the_pit_of_calibrated_forecasts_is_uniform(name):
    rows, rng = 2000, np.random.default_rng(4)
    mass, normal = rng.random(rows) < 0.3, rng.normal(0, 1, rows)
    zero, one = np.zeros(rows), np.ones(rows)
    frame = {
        "censored_normal": {
            "location": zero,
            "scale": one,
            "lower": zero - 0.5,
            "upper": one,
            "y": np.clip(normal, -0.5, 1.0),
        },
        "hypergeometric": {
            "m": one * 9,
            "n": one * 12,
            "k": one * 7,
            "y": rng.hypergeometric(9, 12, 7, rows),
        },
        "gpd_with_mass": {
            "shape": one / 5,
            "location": zero,
            "scale": one,
            "mass": one * 0.3,
            "y": np.where(mass, 0.0, stats.genpareto.rvs(0.2, size=rows, random_state=rng)),
        },
        "mixture_normal": {
            "m0": zero,
            "s0": one,
            "w0": one * 0.3,
            "m1": one * 4,
            "s1": one * 2,
            "w1": one * 0.7,
            "y": np.where(mass, normal, 4 + 2 * normal),
        },
    }[name]
    report = evaluate(pl.DataFrame(frame), target="y", loss=f"log_score_{name}", charts=True)
    (chart,) = (chart for chart in report.charts if chart.name == "pit")
    assert np.abs(np.array(chart.columns["density"]) - 1).max() < 0.3
    assert sum(chart.columns["weight"]) == pytest.approx(rows)
