"""Gates within one report: the gap between slices, and a slice against all rows or against the rest."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import permutations

from msgspec import Struct

from losscli.numeric.independent import Error
from losscli.numeric.student import quantile
from losscli.report.model import Result

EXTREME = 100
"""The number of extreme slices at either end whose pairs are compared; all others lie between them."""
_SAME = 1e-6
"""The relative difference below which two numbers count as equal."""


class Gap(Struct, frozen=True):
    """The largest difference between two slices, with the noise of that pair and the ends of its interval.

    The interval holds for all pairs simultaneously: its level is adjusted for their number.
    """

    value: float
    high: Result
    low: Result
    error: Error | None = None
    ends: tuple[float, float] = (0.0, 0.0)


def gap(results: Sequence[Result], level: float | None, share_rows: bool = False) -> Gap:
    """The gap between at least two cells that have values.

    Slices have different rows, so their errors are independent.  Outputs and labels `share_rows`: the
    correlation of their errors does not follow from a report, so the noise is an upper bound.
    """
    minus = Error.minus_correlated if share_rows else Error.minus
    high, low = (extreme(results, key=_value) for extreme in (max, min))
    value = _value(high) - _value(low)
    errors = [error_of(result) for result in results]
    if level is None or any(error is None for error in errors):
        return Gap(value, high, low)
    pairs = len(results) * (len(results) - 1) / 2
    ends = list(_ends(results, 1 - (1 - level) / pairs, minus))
    (first, second) = (errors[results.index(result)] for result in (high, low))
    assert first is not None
    assert second is not None
    return Gap(value, high, low, minus(first, second), (max(a for a, _ in ends), max(b for _, b in ends)))


def _ends(
    results: Sequence[Result], level: float, minus: Callable[[Error, Error], Error]
) -> Iterator[tuple[float, float]]:
    """The ends of the interval of each pair of slices that could have the largest difference."""
    # With their places, as slices may be alike.
    noisy = [
        (place, _value(result), error)
        for place, result in enumerate(results)
        if (error := error_of(result)) is not None
    ]
    highest = sorted(noisy, key=lambda cell: cell[1] + cell[2].above)[-EXTREME:]
    lowest = sorted(noisy, key=lambda cell: cell[1] - cell[2].below)[:EXTREME]
    for (_, a, error_a), (_, b, error_b) in permutations(dict.fromkeys((*highest, *lowest)), 2):
        error, difference = minus(error_a, error_b), a - b
        reach = quantile(level, error.df)
        yield difference - reach * error.below, difference + reach * error.above


def error_of(result: Result) -> Error | None:
    """The noise of a result; None without an interval."""
    if result.value is None or result.se is None:
        return None
    df = result.df or math.inf
    if result.ci_low is None or result.ci_high is None or result.level is None:
        return Error(result.se, df, result.se, result.se)
    ends = result.ci_low, result.ci_high
    return Error.of(result.value, result.se, ends, quantile(result.level, df), df)


def share_rows(results: Sequence[Result], overall: Result | None) -> bool:
    """Whether cells share rows, as outputs and labels do: their weights add up to more than the total."""
    return overall is not None and math.fsum(result.weight for result in results) > overall.weight * (
        1 + _SAME
    )


def has_all_rows(slice_: Result, overall: Result) -> bool:
    """Whether a slice holds all rows; an output has as many, but another value."""
    pairs = ((slice_.value, overall.value), (slice_.se, overall.se))
    return slice_.rows == overall.rows and all(_is_close(a or 0.0, b or 0.0) for a, b in pairs)


def against_all(error: Error, overall: Error, share: float, slope: float) -> Error:
    """The noise of the value of a slice minus `slope` times the overall value.

    The slice has a `share` of all rows: the covariance of both values is this share of its variance.
    """
    variance = error.se**2 * (1 - 2 * slope * share) + (slope * overall.se) ** 2
    se = math.sqrt(max(0.0, variance))
    ratio = se / error.se if error.se else 1.0
    return Error(se, error.df, error.below * ratio, error.above * ratio)


def rest_of(slice_: Result, overall: Result) -> tuple[float, Error | None] | None:
    """The value of the rows outside of a slice, and its noise; None if it does not follow from a report.

    A loss that adds up over rows is their mean or its square root: the slice's share of the loss shows which.
    """
    overall_value, slice_value, weight = (
        overall.value,
        slice_.value,
        slice_.weight / overall.weight if overall.weight else 1.0,
    )
    if (
        overall_value is None
        or slice_value is None
        or not overall_value
        or slice_.share is None
        or not weight < 1
    ):
        return None
    powers = (1, 2)
    power = next(
        (p for p in powers if _is_close(slice_.share, weight * (slice_value / overall_value) ** p)), None
    )
    if power is None:
        return None
    power_mean = (overall_value**power - weight * slice_value**power) / (1 - weight)
    rest = max(power_mean, 0.0) ** (1 / power)
    if slice_.se is None or overall.se is None or rest <= 0:
        return rest, None
    se = _error_of_rest(
        [mean**power for mean in (overall_value, slice_value, rest)], weight, slice_, overall, power
    )
    return rest, Error(se, overall.df or math.inf, se, se)


def _error_of_rest(
    means: Sequence[float], weight: float, slice_: Result, overall: Result, power: int
) -> float:
    """The standard error of the rest; `means` are the mean row losses of all rows, the slice and the rest.

    The overall variance is the sum of that within both parts and that between their means.
    """
    overall_mean, slice_mean, rest_mean = means
    # 1 / n of both: the sums of squared weights, relative to the squares of the sums of weights.
    inverse_n, slice_inverse_n = (1 / ((result.df or result.rows - 1) + 1) for result in (overall, slice_))
    slice_inverse_n *= weight**2
    squares = [_mean_error(result, power) ** 2 for result in (overall, slice_)]
    between = (
        slice_inverse_n * (slice_mean - overall_mean) ** 2
        + max(inverse_n - slice_inverse_n, 0.0) * (rest_mean - overall_mean) ** 2
    )
    variance = max(0.0, squares[0] - weight**2 * squares[1] - between) / (1 - weight) ** 2
    return math.sqrt(variance) if power == 1 else math.sqrt(variance / rest_mean) / 2


def _mean_error(result: Result, power: int) -> float:
    """The standard error of the mean, of which the value is the root if `power` is 2."""
    assert result.value is not None
    assert result.se is not None
    return result.se if power == 1 else 2 * result.value * result.se


def _is_close(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=_SAME)


def _value(result: Result) -> float:
    assert result.value is not None
    return result.value
