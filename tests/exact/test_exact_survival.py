"""Losses of survival against mpmath at extreme times, scales and intervals: within 16 ulp."""

from __future__ import annotations

from itertools import product

import mpmath
import numpy as np
import pytest
from mpmath import mpf
from test_exact import check, columns, grid

from losscli.numeric.standard import STANDARD
from losscli.tasks.survival import Lifetime

INF = mpf("inf")
ENDS = grid("-1e4 -300 -38 -25.3 -10 -3 -1 -.1 0 .2 1 2.5")
WIDTHS = grid("1e-100 1e-20 1e-12 1e-5 .01 .1 .3 .5 .8 1 1.5 3 10 50 1e3")


def log_mass(name, a, b):
    """The logarithm of the mass of [a, b] in a standard distribution, with digits for every cancellation."""
    with mpmath.workdps(300):
        if name == "normal":
            a, b = (-b, -a) if a + b > 0 else (a, b)
            root = mpmath.sqrt(2)
            below, above = mpmath.erfc(-a / root) / 2, mpmath.erfc(b / root) / 2
            tail = mpmath.erfc(-b / root) / 2
            return mpmath.log(tail - below) if tail < 0.9 else mpmath.log1p(-(below + above))
        if name == "logistic":
            low, high = (mpmath.log1p(mpmath.exp(-b)), mpmath.log1p(mpmath.exp(a)))
            return log1mexp(b - a) - low - high
        lower, upper = mpmath.exp(a), mpmath.exp(b)
        return log1mexp(upper - lower) - lower


def log1mexp(x):
    return mpmath.log1p(-mpmath.exp(-x)) if x > 1 else mpmath.log(-mpmath.expm1(-x))


@pytest.mark.parametrize("name", STANDARD)
def test_masses_of_intervals(name):
    rows = [(a, a + w, w) for a, w in product(ENDS, WIDTHS)]
    rows += [(-b, -a, w) for a, b, w in rows if name != "extreme" or a > -3]
    rows += [(a, np.inf, np.inf) for a in ENDS] + [(-np.inf, a, np.inf) for a in ENDS]
    rows = [row for row in rows if name != "extreme" or not 6 < row[1] < np.inf]
    exact = []
    for a, b, width in rows:
        with mpmath.workdps(300):
            # The width of a narrow interval says where its ends are, around its centre.
            centre = (mpf(a) + mpf(b)) / 2
            ends = (centre - mpf(width) / 2, centre + mpf(width) / 2) if width < 1 else (mpf(a), mpf(b))
            exact.append(log_mass(name, *ends))
    a, b, width = np.array(rows).T
    with np.errstate(all="ignore"):  # as the engine has it
        check(STANDARD[name].log_mass(np, a, b, width), exact, rows, 4)


ROWS = [  # log time, lower, upper
    (0.3, 2.0, 2.0), (-690.0, 1e-300, 1e-300), (-695.0, 1e-300, 2e-300), (5.0, 1.0, 1.0 + 1e-12),
    (3.0, 1e-5, 20.0), (0.5, 0.0, 1e-200), (-2.0, 3.0, np.inf), (1.5, 3.0, np.inf), (1.5, 0.0, 7.0),
    (100.0, 0.0, 7.0), (0.7, 2.0, 3.0), (690.0, 1e300, np.inf), (12.0, 1e5, 1.1e5),
]  # fmt: skip


@pytest.mark.parametrize("scale", [0.3, 1.0, 20.0])
@pytest.mark.parametrize("name", STANDARD)
def test_aft_likelihood(name, scale):
    def exact(f, lower, upper):
        with mpmath.workdps(300):
            a, b = ((mpmath.log(mpf(t)) - mpf(f)) / mpf(scale) if t else -INF for t in (lower, upper))
            if lower < upper:
                return -log_mass(name, a, b)
            density = {
                "normal": -b * b / 2 - mpmath.log(2 * mpmath.pi) / 2,
                "logistic": -abs(b) - 2 * mpmath.log1p(mpmath.exp(-abs(b))),
                "extreme": b - mpmath.exp(b),
            }[name]
            return mpmath.log(mpf(scale)) + mpmath.log(mpf(upper)) - density

    found = columns("aft_nll", Lifetime(np, *np.array(ROWS).T), distribution=name, scale=scale)
    check(found, [exact(*row) for row in ROWS], ROWS, 16)


def test_distance_of_a_time_from_its_interval():
    rows = [(0.0, 2.0, 3.0), (2.0, 2.0, 3.0), (1.0, 2.0, np.inf), (9.0, 2.0, np.inf), (-800.0, 0.0, 1e-300)]
    exact = [1, mpmath.exp(2) - 3, 0, 0, 0]
    found = columns("aft_interval_distance", Lifetime(np, *np.array(rows).T))
    check(found, exact, rows, 4)


@pytest.mark.parametrize("name", STANDARD)
@pytest.mark.parametrize("scale", [5e-324, 1e-310, 1e-155, 1e155, 1e308])
def test_scales_at_the_ends_of_the_floats_give_numbers(name, scale):
    with np.errstate(all="ignore"):  # as the engine has it
        found = columns("aft_nll", Lifetime(np, *np.array(ROWS).T), distribution=name, scale=scale)
    assert not np.isnan(found).any()
