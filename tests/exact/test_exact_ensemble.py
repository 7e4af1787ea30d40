"""Scores of ensembles against mpmath by their definitions: within 16 units in the last place."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from mpmath import mpf
from test_exact import check, columns, ulps

from losscli.tasks.ensemble import Ensemble, MultivariateEnsemble, WeightedEnsemble

LIMIT = 16
log, exp, sqrt, pi = mpmath.log, mpmath.exp, mpmath.sqrt, mpmath.pi

ROWS = [
    ((0.0, 1.0, 2.0, 5.0), 1.5),
    ((0.25, -1.0, 1.0, 0.5), -0.75),
    ((1e9, 1e9 + 1, 1e9 + 2, 1e9 + 5), 1e9 + 0.5),
    ((0.0, 2**-30, 2**-29, 3 * 2.0**-30), 2**-31),
    ((0.0, 1.0, -1.0, 0.5), 40.0),
    ((1e6, -1e6, 0.0, 3.0), 3.0),
]
MEMBERS, TARGETS = np.array([row[0] for row in ROWS]), np.array([row[1] for row in ROWS])


def check_near_zero(found, exact, rows):
    """As check, but scores whose terms cancel within four roundings of one."""
    triples = zip(rows, found, exact, strict=True)
    assert not [(row, f, float(e)) for row, f, e in triples if ulps(f, e) > LIMIT and abs(f - e) > 4.5e-16]


def exact(formula):
    return [formula([mpf(m) for m in members], mpf(y)) for members, y in ROWS]


@pytest.mark.parametrize("estimator", ["nrg", "fair"])
@pytest.mark.parametrize("bandwidth", [1.0, 2.5])
def test_gaussian_kernel_score(estimator, bandwidth):
    def score(x, y):
        def kernel(a, b):
            return exp(-(((a - b) / mpf(bandwidth)) ** 2) / 2)

        pairs = sum(kernel(a, b) for a in x for b in x)
        mean = (pairs - len(x)) / 12 if estimator == "fair" else pairs / 16
        return (1 + mean) / 2 - sum(kernel(a, y) for a in x) / 4

    batch = Ensemble(np, MEMBERS, TARGETS)
    found = columns("gaussian_kernel_score_ensemble", batch, estimator=estimator, bandwidth=bandwidth)
    check_near_zero(found, exact(score), ROWS)
    apart = MultivariateEnsemble(np, MEMBERS[:, :, None], TARGETS[:, None])
    found = columns("gaussian_kernel_score_multivariate", apart, estimator=estimator, bandwidth=bandwidth)
    check_near_zero(found, exact(score), ROWS)


def crps(x, w, y, pairs=1):
    spread = sum(v * u * abs(a - b) for a, v in zip(x, w, strict=True) for b, u in zip(x, w, strict=True))
    return sum(v * abs(a - y) for a, v in zip(x, w, strict=True)) - spread / pairs / 2


@pytest.mark.parametrize("estimator", ["nrg", "fair"])
def test_crps_of_weighted_members(estimator):
    weights = np.array([(3.0, 1.0, 0.0, 4.0)] * len(ROWS))
    own = [mpf(w) / 8 for w in weights[0]]
    pairs = 1 - sum(w * w for w in own) if estimator == "fair" else 1
    batch = WeightedEnsemble(np, MEMBERS, TARGETS, weights)
    found = columns("crps_weighted_ensemble", batch, estimator=estimator)
    check(found, exact(lambda x, y: crps(x, own, y, pairs)), ROWS, LIMIT)


def test_crps_of_equal_weights_is_that_of_the_ensemble():
    weighted = WeightedEnsemble(np, MEMBERS, TARGETS, np.full(MEMBERS.shape, 0.3))
    for estimator in ("nrg", "fair"):
        found = columns("crps_weighted_ensemble", weighted, estimator=estimator)
        plain = columns("crps_ensemble", Ensemble(np, MEMBERS, TARGETS), estimator=estimator)
        np.testing.assert_allclose(found, plain, rtol=1e-15)


@pytest.mark.parametrize(("a", "b"), [(-1.0, 2.0), (0.0, math.inf), (-math.inf, 1.0)])
def test_crps_of_some_values(a, b):
    def within(x):
        return a <= x <= b

    def outcome(x, y):
        kept = [m for m in x if within(m)]
        if not within(y):
            return mpf(0)
        return crps(kept, [mpf(1) / len(kept)] * len(kept), y) if kept else mpmath.inf

    def rescaled(x, y):
        moved = [m if within(m) else mpf(0) for m in x]
        return crps(moved, [mpf(1) / 4] * 4, y if within(y) else mpf(0))

    batch = Ensemble(np, MEMBERS, TARGETS)
    check(columns("owcrps_ensemble", batch, a=a, b=b), exact(outcome), ROWS, LIMIT)
    check(columns("vrcrps_ensemble", batch, a=a, b=b), exact(rescaled), ROWS, LIMIT)


def silverman(x):
    mean = sum(x) / 4
    spread = sqrt(sum((m - mean) ** 2 for m in x) / 3)
    ordered = sorted(x)
    quarter = [ordered[0] + (ordered[1] - ordered[0]) * mpf(3) / 4,
               ordered[2] + (ordered[3] - ordered[2]) / 4]  # fmt: skip
    width = min(spread, (quarter[1] - quarter[0]) / mpf(1.34))
    return mpf(1.06) * width * mpf(4) ** mpf(-0.2)


@pytest.mark.parametrize("bandwidth", [None, 0.5])
def test_log_score_of_kernels(bandwidth):
    def score(x, y):
        h = silverman(x) if bandwidth is None else mpf(bandwidth)
        return -log(sum(exp(-(((y - m) / h) ** 2) / 2) for m in x) / 4 / h / sqrt(2 * pi))

    found = columns("log_score_ensemble", Ensemble(np, MEMBERS, TARGETS), bandwidth=bandwidth)
    check(found, exact(score), ROWS, LIMIT)


@pytest.mark.parametrize("cens", [True, False])
@pytest.mark.parametrize(("a", "b"), [(-1.0, 2.0), (1.0, math.inf), (-30.0, 45.0)])
def test_censored_log_score_of_kernels(cens, a, b):
    def score(x, y):
        h = mpf(0.5)
        density = -log(sum(exp(-(((y - m) / h) ** 2) / 2) for m in x) / 4 / h / sqrt(2 * pi))

        def below(z):
            return mpmath.erfc(-z / sqrt(2)) / 2

        inside = sum(below((mpf(b) - m) / h) - below((mpf(a) - m) / h) for m in x) / 4
        outside = sum(below(-(mpf(b) - m) / h) + below((mpf(a) - m) / h) for m in x) / 4
        if cens:
            return density if a < y < b else -log(outside)
        return density + log(inside) if a < y < b else mpf(0)

    rows = [row for row in ROWS if abs(row[1]) < 1e3 and max(row[0]) < 1e3]
    batch = Ensemble(np, np.array([row[0] for row in rows]), np.array([row[1] for row in rows]))
    found = columns("censored_log_score_ensemble", batch, a=a, b=b, cens=cens, bandwidth=0.5)
    with mpmath.workdps(100):
        expected = [score([mpf(m) for m in members], mpf(y)) for members, y in rows]
    check(found, expected, rows, LIMIT)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("offset", [0.0, 1e9])
def test_dawid_sebastiani_of_vectors(bias, offset):
    rng = np.random.default_rng(4)
    x = np.round(rng.normal(size=(3, 7, 3)) * 64) / 64 + offset
    y = np.round(rng.normal(size=(3, 3)) * 64) / 64 + offset

    def score(members, own):
        x = [[mpf(v) for v in m] for m in members]
        mean = [sum(m[d] for m in x) / 7 for d in range(3)]
        covariance = mpmath.matrix(3, 3)
        for i in range(3):
            for j in range(3):
                products = ((m[i] - mean[i]) * (m[j] - mean[j]) for m in x)
                covariance[i, j] = sum(products) / (7 if bias else 6)
        error = mpmath.matrix([mpf(own[d]) - mean[d] for d in range(3)])
        return (error.T * covariance**-1 * error)[0], log(mpmath.det(covariance))

    found = columns("dawid_sebastiani_multivariate", MultivariateEnsemble(np, x, y), bias=bias)
    for value, (distance, size) in zip(found, (score(*row) for row in zip(x, y, strict=True)), strict=True):
        terms = float(abs(distance) + abs(size))  # which may cancel
        assert abs(value - (distance + size)) <= LIMIT * math.ulp(terms)
