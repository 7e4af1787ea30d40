"""Losses of order: functions of the sorted rows, such as a median or the area under a curve.

When all rows of a cell are known, a function settles the loss: it returns the value T and one column, whose
entry in row i is T + psi_i, with the influence psi_i = W dT / dw_i of the weight of the row on the value.
The mean of the column is T, and the standard error of this mean is that of T (the infinitesimal jackknife):
so intervals, clusters, paired differences and leaderboards work as for a mean.
Efron (1982), The jackknife, the bootstrap and other resampling plans, doi:10.1137/1.9781611970319
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from losscli.numeric.arrays import Array, Namespace, np
from losscli.numeric.cached import cached_property
from losscli.numeric.ranking import Ties
from losscli.numeric.scores import order_interval, share_interval
from losscli.numeric.student import quantile as student

_NEAR = 1e-12
"""The relative distance from a bound within which a value equals it but for rounding."""


class Sample(Struct, frozen=True, dict=True):
    """The rows of one cell: the `columns` (n,) kept for a loss, and their positive `weight` (n,).

    `cluster` (n,) numbers the clusters of the rows, None if rows are independent.  `level` is the confidence
    level, None for no interval.  `share(condition, at)` returns the effective number of independent rows
    behind the share `at` of the rows where a condition (n,) holds, and the deviate of its interval;
    `error(influence)` returns the standard error of a value whose rows have this influence (n,).

    An entry may stand for several equal rows: its weight is then the sum of theirs, `counts` (n,) their
    number, and `alike` (n,) their effective number.
    """

    columns: tuple[Array, ...]
    weight: Array
    cluster: Array | None
    level: float | None
    share: Callable[[Array, float], tuple[float, float]]
    error: Callable[[Array], float]
    counts: Array | float = 1.0
    alike: Array | float = 1.0

    @property
    def xp(self) -> Namespace:
        """The namespace of the arrays, which are in host memory whatever device computed them."""
        return np

    @cached_property
    def total(self) -> float:
        """The sum of the weights."""
        return float(self.weight.sum())

    @cached_property
    def rows(self) -> int:
        """The number of rows."""
        return int(np.broadcast_to(self.counts, self.weight.shape).sum())

    def units(self, rows: Array | None = None) -> float:
        """The effective number of rows or clusters, optionally of the rows where a condition holds.

        (sum w)^2 / sum w^2: Kish (1965), Survey sampling.
        """
        weight = self.weight if rows is None else np.where(rows, self.weight, 0.0)
        if self.cluster is not None:
            weight = np.bincount(np.unique(self.cluster, return_inverse=True)[1], weight)
        scale = float(weight.max(initial=0.0))
        if scale == 0.0:
            return 0.0
        weight = weight / scale
        alike = self.alike if self.cluster is None else 1.0
        return float(weight.sum() ** 2 / (weight * weight / alike).sum())

    def ends(
        self,
        value: float,
        influence: Array,
        low: float,
        high: float,
        df: float | None = None,
        pairs: float | None = None,
    ) -> tuple[float, float] | None:
        """The interval of a value between `low` and `high`, from its log-odds; None without an interval.

        `df` are its degrees of freedom, by default those of a mean; `pairs` is the number of pairs of rows
        without a common row, by default half of the rows.
        """
        if self.level is None or not low < high or not low <= value <= high:
            return None
        near = _NEAR * (high - low)
        if min(value - low, high - value) <= near:
            # No row has an influence.  That k disjoint pairs are in order bounds the share of the others.
            pairs = self.units() / 2 if pairs is None else pairs
            if pairs == 0:
                return low, high
            first, last = share_interval(
                round((value - low) / (high - low)), pairs, student(self.level, math.inf)
            )
            return low + float(first) * (high - low), low + float(last) * (high - low)
        error = self.error(influence) * (high - low) / ((value - low) * (high - value))
        step = student(self.level, max(self.units() - 1.0, 1.0) if df is None else df) * error
        centre = math.log((value - low) / (high - value))
        ends = ((low + high * math.exp(at)) / (1.0 + math.exp(at)) for at in (centre - step, centre + step))
        first, last = (high if math.isnan(end) else end for end in ends)
        return first, last


class Settled(Struct, frozen=True):
    """The loss of the rows of one cell, as a function of the means of columns (n,).

    `ends` are the ends of its interval unless it is that of a mean.  `parts` returns the loss of each class
    or label.
    """

    means: tuple[float, ...]
    columns: tuple[Array, ...]
    ends: tuple[float, float] | None = None
    parts: Callable[[], list[Settled]] | None = None

    @classmethod
    def of(cls, value: float, influence: Array, ends: tuple[float, float] | None = None) -> Settled:
        """A value with the influence (n,) of each row."""
        return cls((value,), (value + influence,), ends)

    @classmethod
    def of_columns(cls, sample: Sample, columns: tuple[Array, ...]) -> Settled:
        """Columns (n,) whose means are the arguments of the reduction."""
        means = (float((sample.weight * column).sum() / sample.total) for column in columns)
        return cls(tuple(means), columns)

    @classmethod
    def undefined(cls, sample: Sample) -> Settled:
        """A loss that is undefined on these rows."""
        return cls((math.nan,), (np.full(len(sample.weight), math.nan),))


class Order(Struct, frozen=True, dict=True):
    """How a loss is settled: a function of a sample and of the loss parameters that it names.

    `undefined` is the reason shown if the value is not a number.  Without `noise` the columns do not show how
    the value varies, and there is no interval.  With `parts` the settled loss has those of classes or labels.

    A `binned` loss depends on the order of the first column and, if there is a second, on a condition.  If
    only the bins of the first column are known, its value lies between those of two samples: one with the
    rows at the lower end of their bin where the condition holds and at the upper end elsewhere, and one with
    the reverse.  If these do not bound it, `limits` of both samples does.  Resolving the rows of one bin
    changes the value by the same amount, whatever the rows of other bins; the value of a `maximum` over
    thresholds is the largest that any resolved bin gives.
    """

    function: Callable[..., Settled]
    undefined: str = "not defined on these rows"
    noise: bool = True
    binned: bool = False
    limits: Callable[[Sample, Sample], tuple[float, float]] | None = None
    parts: bool = False
    maximum: bool = False

    @cached_property
    def names(self) -> frozenset[str]:
        """The arguments of the function other than the sample."""
        return frozenset(list(inspect.signature(self.function).parameters)[1:])

    def __call__(self, sample: Sample, params: Mapping[str, Any]) -> Settled:
        """The loss of the rows of a sample."""
        with np.errstate(all="ignore"):
            return self.function(sample, **{name: params[name] for name in self.names})

    def joined(self, known: float, refined: Sequence[float]) -> float:
        """The value of all rows, from that of the bins and those with the rows of some bins resolved."""
        if self.maximum:
            return max(known, *refined) if refined else known
        # Unchanged values are skipped: the difference of infinite ones is undefined.
        return known + math.fsum(value - known for value in refined if value != known)

    def between(self, low: Sample, high: Sample, params: Mapping[str, Any]) -> tuple[float, float]:
        """The minimum and maximum value of rows whose bins have these two samples."""
        with np.errstate(all="ignore"):
            if self.limits is not None:
                return self.limits(low, high)
        (first,), (last,) = (self(sample, params).means for sample in (low, high))
        return first, last


def order_of_quantile(share: float) -> Order:
    """The order of a loss that is a quantile of its only column."""
    return Order(lambda sample: quantile_of(sample, share), binned=True)


def quantile_of(sample: Sample, share: float, nearest: bool = False) -> Settled:
    """The quantile of the only column of a sample, or the value of the row `nearest` to it.

    Its interval ends at two rows and needs no density estimate: the number of rows up to the population
    quantile is binomial.  The width of the interval gives the slope of the quantile over the share.
    Woodruff (1952), Confidence intervals for medians and other position measures, doi:10.2307/2280781
    """
    (values,) = sample.columns
    ties = Ties.of(values, sample.weight)
    value = ties.quantile(share)
    if nearest:
        row = sample.total / sample.rows
        value = float(ties.values[ties.place(share * sample.total + row * (0.5 - share))])
    if sample.level is None:
        return Settled.of(value, np.zeros(len(values)))
    lower = values <= value
    rows, deviate = sample.share(lower, share)
    below, above = order_interval(share, rows, deviate)
    ends = [float(ties.values[ties.place(end / rows * sample.total)]) for end in (below, above)]
    width = (min(above, rows) - max(below, 0.0)) / rows
    # With ties, more than the share lies at or below the quantile.
    reached = float(sample.weight[lower].sum()) / sample.total
    influence = (ends[1] - ends[0]) / width * (reached - lower)
    low, high = -math.inf if below < 0 else ends[0], math.inf if above > rows else ends[1]
    return Settled.of(value, influence, (low, high))
