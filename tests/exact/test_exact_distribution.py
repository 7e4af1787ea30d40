"""Scores of distributions and ensembles at extreme inputs against mpmath: within 16 units in the last place.

CRPS from its definition: the integral, or the sum, of (F - [y <= x])^2.
"""

from __future__ import annotations

from itertools import product

import mpmath
import numpy as np
import pytest
from mpmath import inf, mpf
from test_exact import both_signs, check, columns, grid

from losscli.tasks.distribution import (
    Beta,
    Binomial,
    Exponential,
    Gamma,
    Laplace,
    Logistic,
    LogNormal,
    NegativeBinomial,
    Normal,
    Poisson,
    StudentT,
    Uniform,
)
from losscli.tasks.ensemble import Ensemble, MultivariateEnsemble

pytestmark = pytest.mark.slow  # 60 digits take long; the regression losses have a part by default

LIMIT = 16
log, exp, sqrt, pi = mpmath.log, mpmath.exp, mpmath.sqrt, mpmath.pi


def scores(name, kind, rows, formula, limit=LIMIT, **params):
    """Rows are (target, *parameters in the order of the formula)."""
    names = [name for name in kind.__struct_fields__ if name not in ("xp", "target")]
    target, *values = np.array(rows, dtype=float).T
    batch = kind(np, target=target, **dict(zip(names, values, strict=True)))
    found = columns(name, batch, **params)
    check(found, [formula(*map(mpf, row)) for row in rows], rows, limit)


def gaussian(y, mu, sigma):
    return log(sigma) + ((y - mu) / sigma) ** 2 / 2 + log(2 * pi) / 2


TAILS = [
    *((z, 0.0, 1.0) for z in both_signs(grid("0 1e-8 .5 1 5 10 30 38 39 50 1e4 1e200"))),
    *((1.0, 0.0, sigma) for sigma in (1e-10, 1e-200, 2.0, 1e8)),
    *((0.0, 0.0, sigma) for sigma in (1e-10, 1e-200)),
    (1e200, 0.0, 1e200),
    (1e-170, 0.0, 1e-170),
]


def test_log_score_normal():
    scores("log_score_normal", Normal, TAILS, gaussian)


@pytest.mark.parametrize("full", [False, True])
def test_gaussian_nll(full):
    rows = [row for row in TAILS if full or row[:2] != (0.0, 0.0) or row[2] != 1.0]
    scores(
        "gaussian_nll",
        Normal,
        rows,
        lambda *row: gaussian(*row) - (0 if full else log(2 * pi) / 2),
        full=full,
    )


def test_log_score_lognormal():
    rows = [(1.5, 0.3, 0.7), (1e-300, 0.0, 1.0), (1e300, 1.0, 2.0), (0.0, 0.0, 1.0), (-1.0, 0.0, 1.0)]
    scores(
        "log_score_lognormal",
        LogNormal,
        rows,
        lambda y, m, s: log(y) + gaussian(log(y), m, s) if y > 0 else inf,
    )


def test_log_score_logistic():
    def score(y, mu, sigma):
        z = abs(y - mu) / sigma
        return z + 2 * mpmath.log1p(exp(-z)) + log(sigma)

    scores("log_score_logistic", Logistic, TAILS, score)


def test_log_score_laplace():
    scores("log_score_laplace", Laplace, TAILS, lambda y, m, s: abs(y - m) / s + log(2 * s))


def test_log_score_student_t():
    def score(y, location, scale, df):
        z = (y - location) / scale
        constant = mpmath.loggamma(df / 2) - mpmath.loggamma((df + 1) / 2) + log(df * pi) / 2 + log(scale)
        return constant + (df + 1) / 2 * log(1 + z * z / df)

    rows = [(z, 0.0, s, df) for z in (0.0, -3.0, 40.0, 1e200) for s in (1.0, 1e-5)
            for df in (0.1, 1.0, 2.5, 11.9, 12.1, 1e3, 1e8)]  # fmt: skip
    scores("log_score_student_t", StudentT, rows, score)


def test_log_score_exponential():
    rows = [(y, rate) for y in (0.0, 1e-300, 2.5, 50.0, 800.0, 1e308, -1.0) for rate in (0.5, 3.0, 1e-200)]
    scores("log_score_exponential", Exponential, rows, lambda y, r: r * y - log(r) if y >= 0 else inf)


COUNTS = grid("0 1 2 3 5 6 7 20 100 170 171 200 1000 1e6")


def test_log_score_poisson():
    def score(y, mean):
        return mpmath.loggamma(y + 1) + mean - (0 if not y else y * log(mean) if mean else -inf)

    extreme = [(0.0, 0.0), (2.0, 0.0), (2.0, 1e-300), (2.0, 1e-8), (3.0, 2.5), (5.0, 1e200), (0.0, 1e-300)]
    scores("log_score_poisson", Poisson, [*extreme, *((k, k) for k in COUNTS[1:]), (7.0, 9.0)], score)


def test_log_score_binomial():
    def score(y, n, p):
        if y > n:
            return inf
        ways = mpmath.loggamma(n + 1) - mpmath.loggamma(y + 1) - mpmath.loggamma(n - y + 1)
        return -(ways + (y * log(p) if y else 0) + ((n - y) * mpmath.log1p(-p) if n > y else 0))

    rows = [(k, 2 * k, 0.5) for k in COUNTS[1:]]
    rows += [(0.0, 1e15, 1e-10), (1.0, 20.0, 1e-300), (3.0, 9.0, 0.9), (9.0, 9.0, 1.0), (0.0, 4.0, 0.0)]
    rows += [(5.0, 4.0, 0.5), (0.0, 30.0, 0.999), (30.0, 30.0, 1e-5)]
    scores("log_score_binomial", Binomial, rows, score)


def test_log_score_negbinom():
    def score(y, n, p):
        ways = mpmath.loggamma(n + y) - mpmath.loggamma(n) - mpmath.loggamma(y + 1)
        return -(ways + n * log(p) + (y * mpmath.log1p(-p) if y else 0))

    rows = [(k, k, 0.5) for k in COUNTS[1:]] + [(0.0, 2.5, 0.3), (4.0, 0.01, 0.9), (0.0, 3.0, 1.0)]
    scores("log_score_negbinom", NegativeBinomial, rows, score)


def test_log_score_gamma():
    def score(y, shape, rate):
        if y < 0:
            return inf
        if y == 0:
            return -log(rate) if shape == 1 else inf if shape > 1 else -inf
        return mpmath.loggamma(shape) - shape * log(rate) - (shape - 1) * log(y) + rate * y

    rows = [(k, k, 1.0) for k in COUNTS[1:]]
    rows += [(2.0, 0.5, 3.0), (1e-300, 0.01, 1.0), (0.0, 1.0, 2.0), (0.0, 0.5, 2.0), (0.0, 2.0, 2.0)]
    scores("log_score_gamma", Gamma, [*rows, (-1.0, 2.0, 2.0), (900.0, 2.0, 1.0)], score)


def test_log_score_beta():
    def score(y, a, b):
        if not 0 < y < 1:
            power, density = (a, b) if y == 0 else (b, a) if y == 1 else (2, 1)
            return -log(density) if power == 1 else inf if power > 1 else -inf
        return log(mpmath.beta(a, b)) - (a - 1) * log(y) - (b - 1) * mpmath.log1p(-y)

    rows = [(0.3, 2.0, 5.0), (1e-300, 0.5, 0.5), (0.5, 1000.0, 1000.0), (0.2, 30.0, 4.0), (0.9, 0.1, 8.0)]
    rows += [(end, a, b) for end in (0.0, 1.0, -0.5, 1.5) for a, b in product((0.5, 1.0, 3.0), repeat=2)]
    scores("log_score_beta", Beta, rows, score)


def test_log_score_uniform():
    rows = [(0.5, 0.0, 2.0), (0.0, 0.0, 1e-300), (3.0, 0.0, 2.0), (-1.0, 0.0, 2.0), (1e200, -1e300, 1e300)]
    scores("log_score_uniform", Uniform, rows, lambda y, a, b: log(b - a) if a <= y <= b else inf)


# CRPS


def crps(cdf, points):
    """The integral of (F - [y <= x])^2 over the line, cut at the points; the last is the target."""
    *inner, y = points
    ends = sorted({-inf, *inner, y, inf})
    return mpmath.quad(lambda x: (cdf(x) - (x >= y)) ** 2, ends)


def crps_normal(y, mu, sigma):
    z = abs(y - mu) / sigma
    return sigma * (z * mpmath.erf(z / sqrt(2)) + sqrt(2 / pi) * exp(-z * z / 2) - 1 / sqrt(pi))


def test_crps_normal():
    mpmath.mp.dps = 100
    for z in (0, mpf(1) / 2, 3):  # the closed form is the integral
        assert mpmath.almosteq(crps_normal(z, 0, 1), crps(mpmath.ncdf, [-5, 5, z]), 1e-15)
    rows = [
        *TAILS,
        (3.0, 0.0, 1.0),
        (40.0, 0.0, 1.0),
        (1e10, 0.0, 1.0),
        (1e-8, 0.0, 1e8),
        (1e200, 0.0, 1e-200),
    ]
    scores("crps_normal", Normal, rows, crps_normal)


def test_crps_logistic_and_laplace():
    def logistic(y, mu, sigma):
        z = abs(y - mu) / sigma
        return sigma * (z + 2 * mpmath.log1p(exp(-z)) - 1)

    def laplace(y, mu, sigma):
        z = abs(y - mu) / sigma
        return sigma * (z + exp(-z) - mpf(3) / 4)

    scores("crps_logistic", Logistic, TAILS, logistic)
    scores("crps_laplace", Laplace, TAILS, laplace)


def test_crps_exponential_and_uniform():
    def exponential(y, rate):
        below = 1 - exp(-rate * y) if y > 0 else 0
        return abs(y) - 2 * below / rate + 1 / (2 * rate)

    def uniform(y, low, high):
        nearest = min(max(y, low), high)
        u = (nearest - low) / (high - low)
        return abs(y - nearest) + (high - low) * (u * u - u + mpf(1) / 3)

    rows = [(y, rate) for y in (0.0, 1e-300, 0.7, 50.0, 1e300, -2.0) for rate in (0.5, 3.0, 1e-200)]
    scores("crps_exponential", Exponential, rows, exponential)
    rows = [(y, -1.0, 2.0) for y in (-1e300, -1.0, 0.1, 0.5, 2.0, 7.0)]
    scores("crps_uniform", Uniform, rows, uniform)


def test_crps_lognormal():
    def score(y, mulog, sigmalog):
        def cdf(x):
            return mpmath.ncdf((log(x) - mulog) / sigmalog) if x > 0 else mpf(0)

        return crps(cdf, [0, exp(mulog), 5 * exp(mulog), y])

    with with_digits(20):
        scores("crps_lognormal", LogNormal, [(1.5, 0.3, 0.7), (0.2, 0.0, 1.5), (-1.0, 0.5, 1.0)], score)


def with_digits(digits):
    """The context of slow integrals."""
    return mpmath.workdps(digits)


def test_crps_student_t():
    def score(y, location, scale, df):
        def cdf(x):
            tail = mpmath.betainc(df / 2, mpf(1) / 2, 0, df / (df + x * x), regularized=True) / 2
            return 1 - tail if x > 0 else tail

        return scale * crps(cdf, [-10, -1, 0, 1, 10, (y - location) / scale])

    rows = [(0.0, 0.0, 1.0, 3.0), (2.0, 0.5, 2.0, 2.5), (-3.0, 0.0, 0.5, 20.0)]
    with with_digits(20):
        scores("crps_student_t", StudentT, rows, score)


def test_crps_gamma_and_beta():
    def gamma(y, shape, rate):
        def cdf(x):
            return mpmath.gammainc(shape, 0, rate * x, regularized=True) if x > 0 else mpf(0)

        return crps(cdf, [0, shape / rate, 3 * shape / rate, y])

    def beta(y, a, b):
        def cdf(x):
            return mpf(0) if x <= 0 else mpf(1) if x >= 1 else mpmath.betainc(a, b, 0, x, regularized=True)

        return crps(cdf, [0, a / (a + b), 1, y])

    with with_digits(20):
        scores("crps_gamma", Gamma, [(2.0, 1.5, 0.7), (9.0, 8.0, 1.0), (0.1, 3.0, 2.0)], gamma)
        scores("crps_beta", Beta, [(0.3, 2.0, 5.0), (0.7, 8.0, 3.0), (0.5, 1.0, 1.5)], beta)


def count_crps(mass, y, last):
    total, cdf = mpf(0), mpf(0)
    for k in range(last):
        cdf += mass(k)
        total += (cdf - (k >= y)) ** 2
    return total


def test_crps_of_counts():
    def poisson(y, mean):
        return count_crps(lambda k: exp(-mean) * mean**k / mpmath.factorial(k), y, 300)

    def binomial(y, n, p):
        return count_crps(lambda k: mpmath.binomial(n, k) * p**k * (1 - p) ** (n - k), y, int(n))

    def negbinom(y, n, p):
        return count_crps(lambda k: mpmath.binomial(n + k - 1, k) * p**n * (1 - p) ** k, y, 900)

    with with_digits(30):
        scores("crps_poisson", Poisson, [(0.0, 1.5), (3.0, 2.0), (40.0, 30.0), (2.0, 60.0)], poisson)
        rows = [(0.0, 1.0, 0.5), (3.0, 10.0, 0.3), (10.0, 10.0, 0.9), (120.0, 200.0, 0.55)]
        scores("crps_binomial", Binomial, rows, binomial)
        rows = [(0.0, 1.0, 0.5), (3.0, 2.5, 0.3), (40.0, 20.0, 0.4), (2.0, 0.5, 0.2)]
        scores("crps_negbinom", NegativeBinomial, rows, negbinom)


# Ensembles


def kernel(x, y, pairs):
    spread = sum(abs(a - b) for a in x for b in x) / pairs
    return sum(abs(a - y) for a in x) / len(x) - spread / 2


@pytest.mark.parametrize("estimator", ["qd", "nrg", "int", "fair", "pwm"])
@pytest.mark.parametrize("offset", [0.0, 1e6, 1e9, 1e12, -1e12])
def test_crps_ensemble_wherever_the_members_are(estimator, offset):
    for members, y in (((0, 1, 2, 5), 1.5), ((5, 0, 2, 1), 7), ((3, 3, 3, 3), 2), ((0, 1, 1, 4), -1)):
        x, at = np.array([members]) + offset, np.array([y]) + offset
        exact = kernel([mpf(m) for m in members], mpf(y), 12 if estimator in ("fair", "pwm") else 16)
        check(columns("crps_ensemble", Ensemble(np, x, at), estimator=estimator), [exact], [members], 4)


def test_dawid_sebastiani_and_error_spread_wherever_the_members_are():
    x, y = np.array([[0.0, 1.0, 2.0, 5.0]]), np.array([1.5])
    variance = mpf(14) / 3
    exact = [mpf("0.5") ** 2 / variance + log(variance)]
    skewness = sum((mpf(m) - 2) ** 3 for m in (0, 1, 2, 5)) / sqrt(variance) ** 3 / 6
    error = mpf("0.5")
    spread = [(variance - error**2 - error * sqrt(variance) * skewness) ** 2]
    for offset in (0.0, 1e6, 1e9, 1e12):
        batch = Ensemble(np, x + offset, y + offset)
        check(columns("dawid_sebastiani_ensemble", batch), exact, ["dss"], 4)
        check(columns("error_spread_score", batch), spread, ["ess"], 8)


@pytest.mark.parametrize("scale", [1.0, 1e200, 1e-200])
@pytest.mark.parametrize("estimator", ["nrg", "fair"])
def test_energy_score_of_huge_and_tiny_vectors(scale, estimator):
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(4, 5, 3)) * scale, rng.normal(size=(4, 3)) * scale

    def length(a, b):
        return sqrt(sum((mpf(p) - mpf(q)) ** 2 for p, q in zip(a, b, strict=True)))

    exact = [
        sum(length(m, own) for m in members) / 5
        - sum(length(a, b) for a in members for b in members) / (2 * (25 if estimator == "nrg" else 20))
        for members, own in zip(x, y, strict=True)
    ]
    found = columns("energy_score", MultivariateEnsemble(np, x, y), estimator=estimator)
    check(found, exact, range(4), 8)
