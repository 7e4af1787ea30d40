"""Contrasts: how the value of some rows differs from that of the rows outside, with its noise."""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import Struct

from losscli.numeric.arrays import Array, np
from losscli.numeric.independent import Error
from losscli.numeric.special import special
from losscli.numeric.student import normalised, quantile
from losscli.states import inference
from losscli.states.base import Estimate
from losscli.states.clusters import Rest
from losscli.states.moments import Moments
from losscli.states.reductions import BoundReduction


class Contrast(Struct, frozen=True):
    """The value of some rows, that of the rest, and their difference with its interval.

    `p_value` is that of the one-sided test that the rows are no worse than the rest, and `certainty` its
    normal deviate, which tells apart what is beyond the smallest p-value.
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
    """The contrast of each cell with the rows outside of it; None if one of both has no interval.

    Of a `score` larger values are better.  The rows of both are others, so that their errors are independent,
    unless they share clusters.  Rows that all have the same loss may vary as those of the other side.
    """
    rest = outside.moments if isinstance(outside, Rest) else outside
    a, b = inside.estimates(bound, level), rest.estimates(bound, level)
    factors = np.ones(len(a))
    if isinstance(outside, Rest):
        factors = _of_clusters(bound, inside, outside, a, b)
    with np.errstate(all="ignore"):
        sizes = np.sqrt(_units(rest) / _units(inside))
    each = zip(a, b, factors.tolist(), sizes.tolist(), strict=True)
    return [_contrast(own, other, factor, size, level, score) for own, other, factor, size in each]


def _contrast(
    a: Estimate, b: Estimate, factor: float, size: float, level: float, score: bool
) -> Contrast | None:
    own, other = _error(a, level), _error(b, level)
    if own is None or other is None or a.value is None or b.value is None:
        return None
    own, other = own if own.se else other.times(size), other if other.se else own.times(1 / size)
    error, difference = own.minus(other).times(factor), a.value - b.value
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


def p_value(own: Estimate, others: Sequence[tuple[int, Estimate]], level: float, score: bool) -> float:
    """That of the one-sided test that a value is no worse than the sum of others, each with a sign.

    The errors count as independent.  One if the noise of a value is not known.
    """
    error, difference = _error(own, level), own.value
    for sign, each in others:
        noise = _error(each, level)
        if error is None or noise is None or difference is None or each.value is None:
            return 1.0
        error, difference = error.minus(noise.times(sign)), difference - sign * each.value
    if error is None or difference is None or (deviate := _deviate(difference, error, score)) is None:
        return 1.0
    return _tail(deviate, error)


def _deviate(difference: float, error: Error, score: bool) -> float | None:
    """By how many standard errors a difference is worse than none; None if both are nothing."""
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


def _error(each: Estimate, level: float) -> Error | None:
    """The noise of an estimate; None without an interval."""
    if each.value is None or each.se is None or each.ci_low is None or each.ci_high is None:
        return None
    return Error.of(each.value, each.se, (each.ci_low, each.ci_high), level, each.df or math.inf)


def _of_clusters(
    bound: BoundReduction, inside: Moments, outside: Rest, a: Sequence[Estimate], b: Sequence[Estimate]
) -> Array:
    """By how much errors that share clusters make the standard error (c,) of a difference wider."""
    rest = outside.moments
    own, other = (inference.gradients(bound, each) for each in (inside, rest))
    with np.errstate(all="ignore"):
        scale = _scale(inside) * _scale(rest)
        common = np.einsum("ci,cij,cj->c", own, outside.common, other) * scale
        variance = np.array(
            [(x.se or math.nan) ** 2 + (y.se or math.nan) ** 2 for x, y in zip(a, b, strict=True)]
        )
        found = np.sqrt(np.maximum(variance - 2 * common, 0.0) / variance)
    return np.where(np.isfinite(found), found, 1.0)


def _scale(moments: Moments) -> Array:
    assert moments.units is not None
    units = moments.units
    return np.sqrt(units / (units - 1)) / moments.weight[:, 0]
