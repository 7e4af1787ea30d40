"""Contrasts: the difference between the value of some rows and that of the rest, with its noise."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from msgspec import Struct

from losscli.numeric.arrays import Array, np
from losscli.numeric.independent import Error
from losscli.numeric.student import normalised, quantiles
from losscli.numeric.student_tail import two_sided
from losscli.states import inference
from losscli.states.base import Estimates
from losscli.states.clusters import Rest
from losscli.states.moments import Moments
from losscli.states.reductions import BoundReduction

_Noisy = tuple[float, Error]
"""A value with its noise."""


class Contrast(Struct, frozen=True):
    """The value of some rows, that of the rest, and their difference with its interval.

    `p_value` is that of the one-sided test that the rows are no worse than the rest; `certainty` is its
    normal deviate, which still ranks contrasts whose p-values round to zero.
    """

    value: float
    rest: float
    difference: float
    se: float
    ci_low: float
    ci_high: float
    df: float
    p_value: float
    certainty: float


def contrasts(
    bound: BoundReduction, inside: Moments, outside: Moments | Rest, level: float, score: bool
) -> list[Contrast | None]:
    """The contrast of each cell with the rows outside of it; None if either has no interval.

    Larger values of a `score` are better.  The two sides share no rows, so their errors are independent
    unless they share clusters.  A side whose rows all have the same loss is given the noise of the other
    side.
    """
    rest = outside.moments if isinstance(outside, Rest) else outside
    a, b = inside.estimates(bound, level), rest.estimates(bound, level)
    factors = np.ones(len(a))
    if isinstance(outside, Rest):
        factors = _cluster_factor(bound, inside, outside, a, b)
    with np.errstate(all="ignore"):
        sizes = np.sqrt(_units(rest) / _units(inside))
    cells = zip(_noisy(a, level), _noisy(b, level), factors.tolist(), sizes.tolist(), strict=True)
    tests = [_Test.of(*cell, score) for cell in cells]
    found = iter(_contrasts([test for test in tests if test is not None], level))
    return [None if test is None else next(found) for test in tests]


def p_values(estimates: Estimates, signs: Sequence[Sequence[int]], level: float, score: bool) -> Array:
    """The p-values (r, t) of one-sided tests that sums of estimates are no worse than zero.

    Each of r runs of k estimates is tested with all `signs` (t, k), of which the first is 1.  The errors are
    taken to be independent.  1 if the noise of a value is unknown.
    """
    values, k = _noisy(estimates, level), len(signs[0])
    runs = [values[start : start + k] for start in range(0, len(values), k)]
    sums = [_sum(own, run) for run in runs for own in signs]
    deviates = np.array([math.nan if each is None else _deviate(*each, score) for each in sums])
    df = np.array([math.inf if each is None else each[1].df for each in sums])
    tails = _tails(np.where(np.isnan(deviates), -np.inf, deviates), df)
    return tails.reshape(len(runs), len(signs))


class _Test(Struct, frozen=True, gc=False):
    """The values of some rows and of the rest, the noise of their difference, and its studentised deviate."""

    value: float
    rest: float
    error: Error
    deviate: float

    @classmethod
    def of(
        cls, inside: _Noisy | None, outside: _Noisy | None, factor: float, size: float, score: bool
    ) -> _Test | None:
        """The test of a difference; None if its noise is unknown.

        If the units of one side are all alike, its noise is that of the other side, which the root of the
        ratio of their numbers, `size`, adapts.
        """
        if inside is None or outside is None:
            return None
        (a, error_a), (b, error_b) = inside, outside
        first = error_a if error_a.se else error_b.times(size)
        second = error_b if error_b.se else error_a.times(1 / size)
        error = first.minus(second).times(factor)
        deviate = _deviate(a - b, error, score)
        return None if math.isnan(deviate) else cls(a, b, error, deviate)


def _contrasts(tests: Sequence[_Test], level: float) -> Iterator[Contrast]:
    df = np.array([test.error.df for test in tests])
    tails = _tails(np.array([test.deviate for test in tests]), df)
    for test, reach, p in zip(tests, quantiles(level, df).tolist(), tails.tolist(), strict=True):
        difference, error = test.value - test.rest, test.error
        yield Contrast(
            value=test.value,
            rest=test.rest,
            difference=difference,
            se=error.se,
            ci_low=difference - reach * error.below,
            ci_high=difference + reach * error.above,
            df=error.df,
            p_value=p,
            certainty=math.copysign(_certainty(abs(test.deviate), error.df), test.deviate),
        )


def _noisy(estimates: Estimates, level: float) -> list[_Noisy | None]:
    """The values with their noise; None without an interval."""
    columns = [estimates.by_name[name] for name in ("value", "se", "ci_low", "ci_high")]
    freedom = np.where(np.isnan(estimates.by_name["df"]), np.inf, estimates.by_name["df"])
    cells = zip(*(each.tolist() for each in (*columns, freedom, quantiles(level, freedom))), strict=True)
    return [
        None
        if math.isnan(value + se + low + high)
        else (value, Error.of(value, se, (low, high), deviate, df))
        for value, se, low, high, df, deviate in cells
    ]


def _sum(signs: Sequence[int], values: Sequence[_Noisy | None]) -> _Noisy | None:
    """The sum of values times their signs, of which the first is 1; None if the noise of one is unknown."""
    terms = [(sign, each) for sign, each in zip(signs, values, strict=True) if sign]
    total: _Noisy | None = terms[0][1]
    for sign, each in terms[1:]:
        if total is None or each is None:
            return None
        total = total[0] + sign * each[0], total[1].minus(each[1].times(-sign))
    return total


def _deviate(difference: float, error: Error, score: bool) -> float:
    """How many standard errors worse than zero a difference is; NaN if both are zero."""
    towards_zero = error.below if difference > 0 else error.above
    worse = -difference if score else difference
    if not math.isfinite(difference) or (difference == 0 and not towards_zero):
        return math.nan
    return worse / towards_zero if towards_zero > 0 else math.copysign(math.inf, worse)


def _tails(deviates: Array, df: Array) -> Array:
    """The p-values (n,) of one-sided tests with studentised deviates (n,)."""
    tails = two_sided(np.abs(deviates), df) / 2
    return np.where(deviates > 0, tails, 1 - tails)


def _certainty(t: float, df: float) -> float:
    return normalised(t, df) if max(t, df) < math.inf else t


def _units(moments: Moments) -> Array:
    return moments.n if moments.units is None else moments.units


def _cluster_factor(
    bound: BoundReduction, inside: Moments, outside: Rest, a: Estimates, b: Estimates
) -> Array:
    """The factor (c,) by which shared clusters change the standard error of a difference."""
    rest = outside.moments
    slopes, slopes_of_rest = (inference.gradients(bound, moments) for moments in (inside, rest))
    with np.errstate(all="ignore"):
        scale = _scale(inside) * _scale(rest)
        common = np.einsum("ci,cij,cj->c", slopes, outside.common, slopes_of_rest) * scale
        errors = np.stack([a.by_name["se"], b.by_name["se"]])
        variance = (np.where(errors == 0, np.nan, errors) ** 2).sum(axis=0)
        factor = np.sqrt(np.maximum(variance - 2 * common, 0.0) / variance)
    return np.where(np.isfinite(factor), factor, 1.0)


def _scale(moments: Moments) -> Array:
    assert moments.units is not None
    units = moments.units
    return np.sqrt(units / (units - 1)) / moments.weight[:, 0]
