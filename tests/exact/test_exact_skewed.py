"""Scores of skewed distributions, mixtures and draws against mpmath: within 16 units in the last place.

CRPS by their definitions: the integral, or the sum, of (F - [y <= x])^2.
"""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from mpmath import inf, mpf
from test_exact import check, columns, ulps
from test_exact_distribution import scores

from losscli.tasks.distribution import Hypergeometric
from losscli.tasks.mixture import NormalMixture
from losscli.tasks.skewed import (
    CensoredShiftedGamma,
    ExponentialWithMass,
    GeneralizedExtremeValue,
    GeneralizedPareto,
    GeneralizedParetoWithMass,
    LogLaplace,
    LogLogistic,
    ShiftedExponential,
    TwoPieceExponential,
    TwoPieceNormal,
)

pytestmark = pytest.mark.slow

log, exp, sqrt, pi = mpmath.log, mpmath.exp, mpmath.sqrt, mpmath.pi
LIMIT = 16


def unstretched(z, shape):
    return mpmath.log1p(shape * z) / shape if shape else z


def test_crps_gev():
    def score(y, location, scale, shape):
        z = (y - location) / scale
        if shape == 0:
            return scale * (-z - 2 * mpmath.ei(-exp(-z)) + mpmath.euler - log(2))
        inside = shape * z > -1
        f = exp(-exp(-unstretched(z, shape))) if inside else mpf(shape < 0)
        mean = mpmath.gammainc(1 - shape, -log(f)) if f else mpf(0)
        spread = (1 - (2 - 2**shape) * mpmath.gamma(1 - shape)) / shape
        return scale * (z * (2 * f - 1) - 2 * (mean - f) / shape - spread)

    rows = [(y, 0.5, 2.0, shape) for y in (0.5, 1.25, -2.0, 9.0)
            for shape in (0.0, 1e-12, -1e-9, 0.125, -0.25, 0.75, -1.5)]  # fmt: skip
    scores("crps_gev", GeneralizedExtremeValue, rows, score)


def test_log_score_gev():
    def score(y, location, scale, shape):
        z = (y - location) / scale
        if shape * z <= -1:
            return inf
        v = unstretched(z, shape)
        return log(scale) + (1 + shape) * v + exp(-v)

    rows = [(y, 0.5, 3.0, shape) for y in (0.5, 1.25, -2.0, 9.0, 1e6)
            for shape in (0.0, 1e-12, -1e-9, 1e-300, 0.125, -0.25, 0.75, -1.5)]  # fmt: skip
    scores("log_score_gev", GeneralizedExtremeValue, rows, score)


def pareto(y, location, scale, shape, mass):
    z = (y - location) / scale
    above = mpf(1) if z < 0 else mpf(0) if shape * z <= -1 else exp(-unstretched(z, shape))
    inner = 2 * (1 - mass) * (1 - above ** (1 - shape)) / (1 - shape)
    return scale * (abs(z) - inner + (1 - mass) ** 2 / (2 - shape))


def pareto_score(y, location, scale, shape, mass):
    z = (y - location) / scale
    if z < 0 or shape * z < -1:
        return inf
    if z == 0 and mass > 0:
        return -log(mass)
    return log(scale) + (1 + shape) * unstretched(z, shape) - mpmath.log1p(-mass)


PLACES = [(y, 0.5, 3.0) for y in (0.5, 0.75, 4.0, 60.0, 1e200, -1.0, 0.5 + 2**-40)]
SHAPES = (0.0, 1e-12, -1e-9, 0.125, -0.25, 0.9375, -1.5)


def test_excesses_and_waiting_times():
    rows = [(*place, shape) for place in PLACES for shape in SHAPES]
    kinds = GeneralizedPareto, GeneralizedParetoWithMass
    scores("crps_gpd", kinds[0], rows, lambda y, m, s, k: pareto(y, m, s, k, mpf(0)))
    scores("crps_gpd_with_mass", kinds[1], [(*row, 0.25) for row in rows], pareto)
    scores("crps_shifted_exponential", ShiftedExponential, PLACES, lambda *row: pareto(*row, 0, mpf(0)))
    scores("crps_exponential_with_mass", ExponentialWithMass, [(*row, 0.75) for row in PLACES],
           lambda y, m, s, mass: pareto(y, m, s, 0, mass))  # fmt: skip
    inside = [row for row in rows if row[0] < 1e3 or row[3] >= 0]
    scores("log_score_gpd", kinds[0], inside, lambda y, m, s, k: pareto_score(y, m, s, k, mpf(0)))
    scores("log_score_gpd_with_mass", kinds[1], [(*row, 0.25) for row in inside], pareto_score)
    scores("log_score_shifted_exponential", ShiftedExponential, PLACES,
           lambda *row: pareto_score(*row, 0, mpf(0)))  # fmt: skip
    scores("log_score_exponential_with_mass", ExponentialWithMass, [(*row, 0.75) for row in PLACES],
           lambda y, m, s, mass: pareto_score(y, m, s, 0, mass))  # fmt: skip


def test_two_pieces():
    def normal(y, location, scale1, scale2):
        share = {-1: scale1 / (scale1 + scale2), 1: scale2 / (scale1 + scale2)}

        def tail(x, side):  # integrals of S and S^2 of the standard normal from x on
            s = mpmath.erfc(x / sqrt(2)) / 2
            f = exp(-x * x / 2) / sqrt(2 * pi)
            return f - x * s, 2 * mpf(0) + x * 0 + (-x * s * s + 2 * f * s - mpmath.erfc(x) / 2 / sqrt(pi))

        side = 1 if y >= location else -1
        scale = {-1: scale1, 1: scale2}
        z = abs(y - location) / scale[side]
        first0, second0 = tail(mpf(0), side)
        firstz, secondz = tail(z, side)
        w = share[side]
        # Beyond y (2 w S)^2, from the location to y (1 - 2 w S)^2, and (2 w' S)^2 on the other side.
        own = 4 * w * w * secondz + z - 4 * w * (first0 - firstz) + 4 * w * w * (second0 - secondz)
        return scale[side] * own + scale[-side] * 4 * share[-side] ** 2 * second0

    def exponential(y, location, scale1, scale2):
        scale = scale2 if y >= location else scale1
        z = abs(y - location) / scale
        c = (scale1**3 + scale2**3) / (2 * (scale1 + scale2) ** 2)
        return scale * z + 2 * scale**2 / (scale1 + scale2) * mpmath.expm1(-z) + c

    rows = [(y, 0.5, s1, s2) for y in (0.5, 0.75, 3.0, -2.0, 1e9, -1e200, 0.5 + 2**-40)
            for s1, s2 in ((1.0, 1.0), (0.25, 3.0), (1e-6, 2.0), (5.0, 0.125))]  # fmt: skip
    scores("crps_two_piece_normal", TwoPieceNormal, rows, normal)
    scores("crps_two_piece_exponential", TwoPieceExponential, rows, exponential)

    def squares(y, location, scale1, scale2):
        z = (y - location) / (scale2 if y >= location else scale1)
        return log((scale1 + scale2) / 2) + z * z / 2 + log(2 * pi) / 2

    def distances(y, location, scale1, scale2):
        return log(scale1 + scale2) + abs(y - location) / (scale2 if y >= location else scale1)

    near = [row for row in rows if abs(row[0]) < 1e100]
    scores("log_score_two_piece_normal", TwoPieceNormal, near, squares)
    scores("log_score_two_piece_exponential", TwoPieceExponential, near, distances)


LOGS = [
    (y, 0.25, s) for y in (1.0, 1.5, 0.01, 90.0, 0.0, -1.0, 1.284025416687741) for s in (0.125, 0.9375, 0.5)
]


def test_crps_loglogistic():
    def score(y, mulog, s):
        f = 1 / (1 + exp((mulog - log(y)) / s)) if y > 0 else mpf(0)
        mean = mpmath.beta(1 + s, 1 - s)
        part = mpmath.betainc(1 + s, 1 - s, 0, f, regularized=True)
        return y * (2 * f - 1) - exp(mulog) * mean * (2 * part + s - 1)

    scores("crps_loglogistic", LogLogistic, LOGS, score)


def test_crps_loglaplace():
    def score(y, location, s):
        median = exp(location)
        z = (log(y) - location) / s if y > 0 else -inf
        below = 0 if y <= 0 else exp(z) / 2 if z < 0 else 1 - exp(-z) / 2
        left, share = (1 + s, below) if z < 0 else (1 - s, 1 - below)
        a = (1 - (2 * share) ** left) / left * (1 if z < 0 else -1)
        return y * (2 * below - 1) + median * (a + s / (4 - s * s))

    scores("crps_loglaplace", LogLaplace, LOGS, score)


@pytest.mark.parametrize("name", ["loglogistic", "loglaplace"])
def test_log_scores_of_positive_numbers(name):
    def score(y, location, s):
        if y <= 0:
            return inf
        z = abs(log(y) - location) / s
        return log(y) + log(s) + (z + 2 * mpmath.log1p(exp(-z)) if name == "loglogistic" else z + log(2))

    kind = LogLogistic if name == "loglogistic" else LogLaplace
    target, median, scale = np.array(LOGS).T
    names = [field for field in kind.__struct_fields__ if field not in ("xp", "target")]
    found = columns(f"log_score_{name}", kind(np, target, **dict(zip(names, (median, scale), strict=True))))
    exact = [score(*map(mpf, row)) for row in LOGS]
    triples = zip(LOGS, found, exact, strict=True)  # they are zero where the density is one
    assert not [row for row, f, e in triples if ulps(f, e) > LIMIT and abs(f - e) > 4e-15]


SHIFTED = ((2.0, 0.5), (0.25, 0.125), (0.5, 3.0), (3.0, 20.0), (40.0, 30.0), (2.0, 0.0))
RAIN = [(y, k, 0.75, shift) for y in (0.0, 0.5, 6.0) for k, shift in SHIFTED] + [(-1.0, 2.0, 0.75, 0.5)]


def test_censored_shifted_gamma():
    def crps(y, k, rate, shift):
        start, place = rate * shift, rate * (max(y, mpf(0)) + shift)

        def below(x):
            return mpmath.gammainc(k, 0, x, regularized=True)

        def above(x):
            return mpmath.gammainc(k, x, inf, regularized=True)

        steps = [start + step for step in (mpf(1) / 1000, mpf(1) / 10, 1, 5, 20)]
        cuts = sorted({start, place, *(x for x in steps if x < place)})
        left = mpmath.quad(lambda x: below(x) ** 2, cuts) if place > start else mpf(0)
        cuts = sorted({place, *(place + step for step in (mpf(1) / 1000, mpf(1) / 10, 1, 5, 20, 80))})
        return (left + mpmath.quad(lambda x: above(x) ** 2, [*cuts, inf])) / rate - min(y, mpf(0))

    def score(y, k, rate, shift):
        if y < 0:
            return inf
        if y == 0:
            inner = mpmath.gammainc(k, 0, rate * shift, regularized=True)
            return -log(inner) if inner else inf
        x = y + shift
        return mpmath.loggamma(k) - k * log(rate) - (k - 1) * log(x) + rate * x

    with mpmath.workdps(20):
        scores("crps_censored_shifted_gamma", CensoredShiftedGamma, RAIN, crps)
    scores("log_score_censored_shifted_gamma", CensoredShiftedGamma, RAIN, score)


def test_draws_without_replacement():
    def mass(x, m, n, k):
        return mpmath.binomial(m, x) * mpmath.binomial(n, k - x) / mpmath.binomial(m + n, k)

    def support(m, n, k):
        return int(max(0, k - n)), int(min(m, k))

    def crps(y, m, n, k):
        low, high = support(m, n, k)
        total, below = max(low - y, mpf(0)) + max(y - high, mpf(0)), mpf(0)
        for x in range(low, high):
            below += mass(x, m, n, k)
            inside = min(max(y - x, mpf(0)), mpf(1))
            total += inside * below**2 + (1 - inside) * (1 - below) ** 2
        return total

    def score(y, m, n, k):
        low, high = support(m, n, k)
        return -log(mass(y, m, n, k)) if low <= y <= high else inf

    rows = [(0.0, 5.0, 4.0, 3.0), (3.0, 5.0, 1.0, 4.0), (2.0, 30.0, 40.0, 9.0), (60.0, 100.0, 80.0, 90.0)]
    rows += [(9.0, 5.0, 4.0, 3.0), (0.0, 0.0, 4.0, 3.0), (4.0, 4.0, 0.0, 4.0), (300.0, 900.0, 1100.0, 700.0)]
    with mpmath.workdps(40):
        scores("log_score_hypergeometric", Hypergeometric, rows, score)
        rows += [(1.5, 5.0, 4.0, 3.0), (-2.5, 5.0, 4.0, 3.0)]
        scores("crps_hypergeometric", Hypergeometric, rows, crps)


MIXTURES = [  # target, means, deviations, weights
    (0.5, (0.0, 1.0, -2.0), (1.0, 0.5, 3.0), (0.5, 0.25, 0.25)),
    (1e9, (1e9 - 1, 1e9 + 2, 1e9), (1.0, 0.5, 3.0), (0.5, 0.25, 0.25)),
    (0.0, (0.0, 1e6, 3e6), (1.0, 1.0, 2.0), (1 - 2**-9, 2**-10, 2**-10)),
    (90.0, (0.0, 1.0, -2.0), (1.0, 0.5, 3.0), (0.5, 0.5, 0.0)),
    (1e200, (0.0, 1.0, -2.0), (1.0, 0.5, 3.0), (0.5, 0.25, 0.25)),
    (0.25, (0.0, 0.0, 0.0), (1e-200, 1e-200, 1e-200), (0.5, 0.25, 0.25)),
]


def test_mixtures_of_normals():
    def mean_size(d, s):
        return d * mpmath.erf(d / s / sqrt(2)) + 2 * s * exp(-((d / s) ** 2) / 2) / sqrt(2 * pi)

    def crps(y, means, deviations, weights):
        parts = list(zip(means, deviations, weights, strict=True))
        pairs = sum(w * v * mean_size(m - n, sqrt(s * s + t * t)) for m, s, w in parts for n, t, v in parts)
        return sum(w * mean_size(y - m, s) for m, s, w in parts) - pairs / 2

    def score(y, means, deviations, weights):
        parts = zip(means, deviations, weights, strict=True)
        return -log(sum(w * exp(-(((y - m) / s) ** 2) / 2) / s / sqrt(2 * pi) for m, s, w in parts))

    y, *others = map(np.array, zip(*MIXTURES, strict=True))
    batch = NormalMixture(np, y, *others)
    exact = [(mpf(own), *(list(map(mpf, part)) for part in parts)) for own, *parts in MIXTURES]
    with mpmath.workdps(450):
        check(columns("crps_mixture_normal", batch), [crps(*row) for row in exact], MIXTURES, LIMIT)
        check(
            columns("log_score_mixture_normal", batch)[:4],
            [score(*row) for row in exact[:4]],
            MIXTURES[:4],
            LIMIT,
        )
