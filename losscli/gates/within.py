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
"""Slices at either end among which pairs are compared; the others are between them."""
_SAME = 1e-6
"""The relative difference below which two shares are one."""


class Gap(Struct, frozen=True):
    """The greatest difference between two slices, with the noise of that pair and the ends of its interval.

    The interval holds the differences of all pairs at once: its level is adjusted for their number.
    """

    value: float
    high: Result
    low: Result
    error: Error | None = None
    ends: tuple[float, float] = (0.0, 0.0)


def gap(results: Sequence[Result], level: float | None, share_rows: bool = False) -> Gap:
    """The gap between cells with a value, at least two.

    Slices have different rows, so their errors are independent.  Outputs and labels `share_rows`: how their
    errors are correlated does not follow from a report, and the noise is the most that it may be.
    """
    minus = Error.minus_correlated if share_rows else Error.minus
    high, low = (end(results, key=_value) for end in (max, min))
    value = _value(high) - _value(low)
    errors = [error_of(result) for result in results]
    if level is None or any(error is None for error in errors):
        return Gap(value, high, low)
    pairs = len(results) * (len(results) - 1) / 2
    ends = list(_ends(results, 1 - (1 - level) / pairs, minus))
    (first, second) = (errors[results.index(each)] for each in (high, low))
    assert first is not None
    assert second is not None
    return Gap(value, high, low, minus(first, second), (max(a for a, _ in ends), max(b for _, b in ends)))


def _ends(
    results: Sequence[Result], level: float, minus: Callable[[Error, Error], Error]
) -> Iterator[tuple[float, float]]:
    """The ends of the interval of each pair of slices that may differ most."""
    noisy = [(_value(each), error) for each in results if (error := error_of(each)) is not None]
    most = sorted(noisy, key=lambda each: each[0] + each[1].above)[-EXTREME:]
    least = sorted(noisy, key=lambda each: each[0] - each[1].below)[:EXTREME]
    for (a, own), (b, other) in permutations(dict.fromkeys((*most, *least)), 2):
        error, difference = minus(own, other), a - b
        reach = quantile(level, error.df)
        yield difference - reach * error.below, difference + reach * error.above


def error_of(result: Result) -> Error | None:
    """The noise of a result; None without an interval."""
    if result.value is None or result.se is None:
        return None
    df = result.df or math.inf
    if result.ci_low is None or result.ci_high is None or result.level is None:
        return Error(result.se, df, result.se, result.se)
    return Error.of(result.value, result.se, (result.ci_low, result.ci_high), result.level, df)


def share_rows(results: Sequence[Result], whole: Result | None) -> bool:
    """Whether cells are of the same rows, as outputs and labels are: together they weigh more than all."""
    return whole is not None and math.fsum(each.weight for each in results) > whole.weight * (1 + _SAME)


def is_all(slice_: Result, whole: Result) -> bool:
    """Whether a slice holds all rows; an output has them too, but another value."""
    pairs = ((slice_.value, whole.value), (slice_.se, whole.se))
    return slice_.rows == whole.rows and all(_alike(a or 0.0, b or 0.0) for a, b in pairs)


def against_all(own: Error, whole: Error, share: float, slope: float) -> Error:
    """The noise of the value of a slice minus `slope` times that of all rows, of which it has a `share`.

    The rows of the slice are among all: the covariance of both is that share of the variance of the slice.
    """
    variance = own.se**2 * (1 - 2 * slope * share) + (slope * whole.se) ** 2
    se = math.sqrt(max(0.0, variance))
    wider = se / own.se if own.se else 1.0
    return Error(se, own.df, own.below * wider, own.above * wider)


def rest_of(slice_: Result, whole: Result) -> tuple[float, Error | None] | None:
    """The value of the rows outside of a slice, and its noise; None if it does not follow from a report.

    A loss that adds up over rows is their mean, or the root of it: of which of both it is, the slice's share
    of the loss tells.
    """
    value, own, weight = whole.value, slice_.value, slice_.weight / whole.weight if whole.weight else 1.0
    if value is None or own is None or not value or slice_.share is None or not weight < 1:
        return None
    powers = (1, 2)
    power = next((p for p in powers if _alike(slice_.share, weight * (own / value) ** p)), None)
    if power is None:
        return None
    left = (value**power - weight * own**power) / (1 - weight)
    rest = max(left, 0.0) ** (1 / power)
    if slice_.se is None or whole.se is None or rest <= 0:
        return rest, None
    se = _error_of_rest([mean**power for mean in (value, own, rest)], weight, slice_, whole, power)
    return rest, Error(se, whole.df or math.inf, se, se)


def _error_of_rest(means: Sequence[float], weight: float, slice_: Result, whole: Result, power: int) -> float:
    """The standard error of the rest, from the means of the row losses: of all rows, the slice and the rest.

    The variance of all rows is that within both parts, and that between their means.
    """
    mean, own, rest = means
    # 1 / n of both: the sums of the squared weights, relative to the squares of all.
    every, inside = (1 / ((each.df or each.rows - 1) + 1) for each in (whole, slice_))
    inside *= weight**2
    squares = [_of_mean(each, power) ** 2 for each in (whole, slice_)]
    between = inside * (own - mean) ** 2 + max(every - inside, 0.0) * (rest - mean) ** 2
    variance = max(0.0, squares[0] - weight**2 * squares[1] - between) / (1 - weight) ** 2
    return math.sqrt(variance) if power == 1 else math.sqrt(variance / rest) / 2


def _of_mean(result: Result, power: int) -> float:
    """The standard error of the mean whose root a value may be."""
    assert result.value is not None
    assert result.se is not None
    return result.se if power == 1 else 2 * result.value * result.se


def _alike(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=_SAME)


def _value(result: Result) -> float:
    assert result.value is not None
    return result.value
