"""Scores of truncated and censored distributions against mpmath: within 16 units in the last place.

The CRPS by antiderivatives of F and F^2, with enough digits for bounds far out in a tail.
"""

from __future__ import annotations

from itertools import product

import mpmath
import numpy as np
import pytest
from mpmath import inf, mpf
from test_exact import check, columns, ulps

from losscli.tasks.bounded import (
    BoundedLogistic,
    BoundedLogisticWithMass,
    BoundedNormal,
    BoundedNormalWithMass,
    BoundedStudentT,
    BoundedStudentTWithMass,
)

pytestmark = pytest.mark.slow

LIMIT = 16
log, exp, sqrt, pi = mpmath.log, mpmath.exp, mpmath.sqrt, mpmath.pi


class Normal:
    """The standard normal distribution: density, distribution, and the antiderivatives of F and F^2."""

    def density(self, x):
        return exp(-x * x / 2) / sqrt(2 * pi)

    def below(self, x):
        return mpmath.erfc(-x / sqrt(2)) / 2

    def first(self, x):
        return x * self.below(x) + self.density(x)

    def second(self, x):
        f = self.below(x)
        return x * f * f + 2 * self.density(x) * f - self.below(sqrt(2) * x) / sqrt(pi)


class Logistic:
    def density(self, x):
        return self.below(x) * self.below(-x)

    def below(self, x):
        return 1 / (1 + exp(-x))

    def first(self, x):
        return mpmath.log1p(exp(x))

    def second(self, x):
        return mpmath.log1p(exp(x)) - self.below(x)


class StudentT:
    def __init__(self, df):
        self.df = df

    def density(self, x):
        df = self.df
        constant = mpmath.gamma((df + 1) / 2) / mpmath.gamma(df / 2) / sqrt(df * pi)
        return constant * (1 + x * x / df) ** (-(df + 1) / 2)

    def below(self, x):
        df = self.df
        tail = mpmath.betainc(df / 2, mpf(1) / 2, 0, df / (df + x * x), regularized=True) / 2
        return 1 - tail if x > 0 else tail

    def first(self, x):
        return x * self.below(x) + self.density(x) * (self.df + x * x) / (self.df - 1)

    def second(self, x):
        df, f = self.df, self.below(x)
        g = -self.density(x) * (df + x * x) / (df - 1)
        inner = mpmath.betainc(mpf(1) / 2, df - mpf(1) / 2, 0, x * x / (df + x * x), regularized=True)
        both = 2 * sqrt(df) / (df - 1) * mpmath.beta(mpf(1) / 2, df - mpf(1) / 2)
        both /= mpmath.beta(mpf(1) / 2, df / 2) ** 2
        return x * f * f - 2 * g * f - both * (1 + mpmath.sign(x) * inner) / 2


def crps(law, y, location, scale, lower, upper, lmass, umass, density):
    """The integral of G^2 below the target and (1 - G)^2 above it, G = lmass + density (F - F(lower))."""
    low, high, at = ((bound - location) / scale for bound in (lower, upper, min(max(y, lower), upper)))

    def squared(shift, start, end):
        # The integral of (shift + density F)^2, F as a function that falls to zero toward infinite bounds.
        if shift == 0 and abs(start) == inf:
            return density**2 * law.second(end)
        value = [shift**2 * x + 2 * shift * density * law.first(x) + density**2 * law.second(x)
                 for x in (start, end)]  # fmt: skip
        return value[1] - value[0]

    left = lmass - density * (law.below(low) if low > -inf else 0)
    right = umass - density * (law.below(-high) if high < inf else 0)
    total = squared(left, low, at) + squared(right, -high, -at)
    return scale * total + abs(y - min(max(y, lower), upper))


def masses(law, kind, location, scale, lower, upper, given):
    low, high = (lower - location) / scale, (upper - location) / scale
    below = law.below(low) if low > -inf else mpf(0)
    above = law.below(-high) if high < inf else mpf(0)
    if kind == "censored":
        return below, above, mpf(1)
    lmass, umass = given if kind == "bounded" else (mpf(0), mpf(0))
    inside = 1 - below - above if low < 0 < high else None
    if inside is None:
        inside = law.below(-low) - above if low >= 0 else law.below(high) - below
    return lmass, umass, (1 - lmass - umass) / inside


def log_score(law, y, location, scale, lower, upper, lmass, umass, density):
    if not lower <= y <= upper:
        return inf
    if y == lower and lmass > 0:
        return -log(lmass)
    if y == upper and umass > 0:
        return -log(umass)
    return -log(density * law.density((y - location) / scale) / scale)


USUAL = [  # target, location, scale, lower, upper
    (0.3, 0.5, 2.0, -1.0, 4.0),
    (0.0, 0.5, 2.0, 0.0, np.inf),
    (2.5, -1.5, 2.0, 0.0, np.inf),
    (0.7, 1.0, 0.75, -np.inf, 1.25),
    (-3.0, 1.0, 0.5, -np.inf, 1.25),
    (1.0, 0.25, 1.5, -np.inf, np.inf),
    (7.0, 0.25, 1.5, -2.0, 3.0),
    (-7.0, 0.25, 1.5, -2.0, 3.0),
    (3.0, 0.25, 1.5, -2.0, 3.0),
    (-2.0, 0.25, 1.5, -2.0, 3.0),
    (0.5, 0.25, 1.5, 0.25, 3.0),
    (0.5, 0.25, 1e-3, -2.0, 3.0),
    (1e9 + 1.5, 1e9, 2.0, 1e9 - 1.0, 1e9 + 4.0),
]
EXTREME = [
    *((y, -39.0, 1.0, 0.0, np.inf) for y in (0.0, 1e-3, 0.02, 0.5, 30.0, 1e200)),  # far out in the tail
    *((y, 42.0, 1.0, -np.inf, 0.0) for y in (0.0, -1e-3, -0.02, -1.0)),
    *((y, 0.25, 1.0, 0.5, 0.5 + 1e-6) for y in (0.5, 0.5 + 5e-7, 0.5 + 1e-6, 7.0)),  # narrow
    *((y, 0.0, 1.0, -1e-3, 1e-3) for y in (0.0, 5e-4, -1e-3)),
    *((y, -20.0, 1.0, 0.0, 1e-3) for y in (0.0, 5e-4, 1e-3)),
    *((y, 0.0, 1.0, -1e6, 1e6) for y in (0.0, 50.0, -1e6, 1e7)),  # wide
    (0.3, 0.5, 1e-200, -np.inf, np.inf),
    (1e200, 0.0, 1e200, -1e200, 2e200),
]
GIVEN = [(0.125, 0.25), (0.0, 0.5), (0.9375, 0.0), (0.5, 0.5)]
KINDS = {
    "normal": (BoundedNormal, BoundedNormalWithMass, Normal),
    "logistic": (BoundedLogistic, BoundedLogisticWithMass, Logistic),
    "student_t": (BoundedStudentT, BoundedStudentTWithMass, StudentT),
}


def rows_of(kind, family):
    rows = [*USUAL, *EXTREME]
    if kind == "bounded":
        rows = [
            (*row, *mass)
            for row, mass in product(rows, GIVEN)
            if (row[3] > -np.inf or mass[0] == 0) and (row[4] < np.inf or mass[1] == 0)
        ]
    if family == "student_t":
        dfs = [(row, df) for row in rows for df in (2.5, 30.0)]
        rows = [(*row[:5], df, *row[5:]) for row, df in dfs]
    return rows


@pytest.mark.parametrize("score", ["crps", "log_score"])
@pytest.mark.parametrize("family", KINDS)
@pytest.mark.parametrize("kind", ["truncated", "censored", "bounded"])
def test_scores_between_bounds(kind, family, score):
    plain, with_mass, law = KINDS[family]
    batch_of = with_mass if kind == "bounded" else plain
    rows = rows_of(kind, family)
    names = ["target", *(name for name in batch_of.__struct_fields__ if name not in ("xp", "target"))]
    batch = batch_of(np, **dict(zip(names, np.array(rows, dtype=float).T, strict=True)))
    found = columns(f"{score}_{kind}_{family}", batch)
    exact = []
    with mpmath.workdps(900 if family == "normal" else 120):
        for row in rows:
            y, location, scale, lower, upper, *others = map(mpf, row)
            own = law(others.pop(0)) if family == "student_t" else law()
            mass = masses(own, kind, location, scale, lower, upper, others)
            formula = crps if score == "crps" else log_score
            exact.append(formula(own, y, location, scale, lower, upper, *mass))
    if score == "crps":
        check(found, exact, rows, LIMIT)
    else:  # which is zero where the density is one
        triples = zip(rows, found, exact, strict=True)
        wrong = [(row, f, float(e)) for row, f, e in triples if ulps(f, e) > LIMIT and abs(f - e) > 4e-15]
        assert not wrong
