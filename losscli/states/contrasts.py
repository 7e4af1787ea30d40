"""Contrasts: the difference between the value of some rows and that of the rest, with its noise."""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import Struct

from losscli.numeric.arrays import Array, np
from losscli.numeric.independent import Error
from losscli.numeric.special import special
from losscli.numeric.student import normalised, quantile
from losscli.states import inference
from losscli.states.base import Estimate, Estimates
from losscli.states.clusters import Rest
from losscli.states.moments import Moments
from losscli.states.reductions import BoundReduction


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
    cells = zip(a, b, factors.tolist(), sizes.tolist(), strict=True)
    return [_contrast(one, other, factor, size, level, score) for one, other, factor, size in cells]


def _contrast(
    a: Estimate, b: Estimate, factor: float, size: float, level: float, score: bool
) -> Contrast | None:
    error_a, error_b = _error(a, level), _error(b, level)
    if error_a is None or error_b is None or a.value is None or b.value is None:
        return None
    error_a, error_b = (
        error_a if error_a.se else error_b.times(size),
        error_b if error_b.se else error_a.times(1 / size),
    )
    error, difference = error_a.minus(error_b).times(factor), a.value - b.value
    deviate = _deviate(difference, error, score)
    if deviate is None:
        return None
    reach = quantile(level, error.df)
    return Contrast(
        value=a.value,
        rest=b.value,
        difference=difference,
        se=error.se,
        ci_low=difference - reach * error.below,
        ci_high=difference + reach * error.above,
        df=error.df,
        p_value=_tail(deviate, error),
        certainty=math.copysign(_certainty(abs(deviate), error.df), deviate),
    )


def p_value(estimate: Estimate, others: Sequence[tuple[int, Estimate]], level: float, score: bool) -> float:
    """The p-value of the one-sided test that a value is no worse than the signed sum of others.

    The errors are taken to be independent.  1 if the noise of a value is unknown.
    """
    error, difference = _error(estimate, level), estimate.value
    for sign, term in others:
        noise = _error(term, level)
        if error is None or noise is None or difference is None or term.value is None:
            return 1.0
        error, difference = error.minus(noise.times(sign)), difference - sign * term.value
    if error is None or difference is None or (deviate := _deviate(difference, error, score)) is None:
        return 1.0
    return _tail(deviate, error)


def _deviate(difference: float, error: Error, score: bool) -> float | None:
    """How many standard errors worse than zero a difference is; None if both are zero."""
    towards_zero, worse = error.below if difference > 0 else error.above, -difference if score else difference
    if not math.isfinite(difference) or (difference == 0 and not towards_zero):
        return None
    return worse / towards_zero if towards_zero > 0 else math.copysign(math.inf, worse)


def _certainty(t: float, df: float) -> float:
    return normalised(t, df) if max(t, df) < math.inf else t


def _units(moments: Moments) -> Array:
    return moments.n if moments.units is None else moments.units


def _tail(deviate: float, error: Error) -> float:
    return float(special(np).stdtr(error.df, -deviate))


def _error(estimate: Estimate, level: float) -> Error | None:
    """The noise of an estimate; None without an interval."""
    if estimate.value is None or estimate.se is None or estimate.ci_low is None or estimate.ci_high is None:
        return None
    return Error.of(
        estimate.value, estimate.se, (estimate.ci_low, estimate.ci_high), level, estimate.df or math.inf
    )


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
