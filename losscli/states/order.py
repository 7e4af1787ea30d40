"""Losses of order: functions of the sorted rows, such as a median or the area under a curve.

Once all rows of a cell are there, a function settles the loss: it returns the value T and one column, whose
entry in row i is T + psi_i, with the influence psi_i = W dT / dw_i of the weight of the row on the value.
The column has the mean T, and the standard error of this mean is that of the value (the infinitesimal
jackknife): so intervals, clusters, paired differences and leaderboards are those of a mean.
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
"""The relative distance from a bound below which a value is at it, but for rounding."""


class Sample(Struct, frozen=True, dict=True):
    """The rows of one cell: the `columns` (n,) that a loss keeps of them, and their `weight` (n,), positive.

    `cluster` (n,) numbers the clusters of the rows, None if they are independent.  `level` is that of the
    interval, None for none.  `share(condition, at)` is the effective number of independent rows behind the
    share `at` of the rows on which a condition (n,) holds, and the deviate of its interval, and
    `error(influence)` the standard error of a value whose rows have this influence (n,).

    An entry may stand for several rows that are alike: its weight is then the sum of theirs, `counts` (n,)
    is their number, and `alike` (n,) their effective number.
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
        """The namespace of the arrays, which lie in host memory whatever device computed them."""
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
        """The effective number of rows, or of clusters; of those rows on which a condition holds.

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
        """The interval of a value that lies between low and high, from its log-odds; None for none.

        `df` are its degrees of freedom, by default those of a mean, and `pairs` is the number of pairs that
        share no row, by default half of the rows.
        """
        if self.level is None or not low < high or not low <= value <= high:
            return None
        near = _NEAR * (high - low)
        if min(value - low, high - value) <= near:
            # No row has an influence.  If k pairs of rows are in order, most others are too.
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
    """A loss of the rows of one cell: the columns (n,) of which it is a function of means, and their means.

    `ends` are those of its interval if they are not those of a mean.  `parts` gives the loss of each class or
    label.
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
        """Columns (n,) whose means the reduction of the loss takes."""
        means = (float((sample.weight * column).sum() / sample.total) for column in columns)
        return cls(tuple(means), columns)

    @classmethod
    def undefined(cls, sample: Sample) -> Settled:
        """What is not defined on these rows."""
        return cls((math.nan,), (np.full(len(sample.weight), math.nan),))


class Order(Struct, frozen=True, dict=True):
    """What settles a loss: a function of a sample, and of those parameters of the loss that it names.

    `undefined` is the reason shown if the value is not a number.  Without `noise` the columns do not show how
    the value varies, and there is no interval.  With `parts` the settled loss has those of classes or labels.

    A loss that is `binned` depends on the order of the first column and, if there is another, on whether a
    condition holds.  If all that is known of rows is a bin in which their first column lies, its value is
    between those of two samples: with the rows at the lower end of the bin where the condition holds and at
    the upper end elsewhere, and the reverse.  Where these do not bound it, `limits` of both samples do.  If
    the rows of one bin are told apart, the value changes, whatever the rows of the others, by the same; that
    of a `maximum` over thresholds is then the largest that any bin gives.
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
        """The value of all rows, from that of bins and those with the rows of some bins told apart."""
        if self.maximum:
            return max(known, *refined) if refined else known
        # A bin that changes nothing leaves an infinite value as it is.
        return known + math.fsum(value - known for value in refined if value != known)

    def between(self, low: Sample, high: Sample, params: Mapping[str, Any]) -> tuple[float, float]:
        """The least and the greatest value of rows whose bins have these two samples."""
        with np.errstate(all="ignore"):
            if self.limits is not None:
                return self.limits(low, high)
        (first,), (last,) = (self(sample, params).means for sample in (low, high))
        return first, last


def order_of_quantile(share: float) -> Order:
    """What makes a loss the quantile of its only column."""
    return Order(lambda sample: quantile_of(sample, share), binned=True)


def quantile_of(sample: Sample, share: float, nearest: bool = False) -> Settled:
    """The quantile of the only column of a sample, or the value of the row `nearest` to it.

    Its interval ends at two rows, and depends on no density: the number of rows up to the quantile of the
    population is binomial.  The width of the interval gives the slope of the quantile over the share.
    Woodruff (1952), Confidence intervals for medians and other position measures, doi:10.2307/2280781
    """
    (values,) = sample.columns
    ties = Ties.of(values, sample.weight)
    found = ties.quantile(share)
    if nearest:
        row = sample.total / sample.rows
        found = float(ties.values[ties.place(share * sample.total + row * (0.5 - share))])
    if sample.level is None:
        return Settled.of(found, np.zeros(len(values)))
    lower = values <= found
    rows, deviate = sample.share(lower, share)
    below, above = order_interval(share, rows, deviate)
    ends = [float(ties.values[ties.place(end / rows * sample.total)]) for end in (below, above)]
    width = (min(above, rows) - max(below, 0.0)) / rows
    # Where several rows are equal, more than the share lies up to them.
    reached = float(sample.weight[lower].sum()) / sample.total
    influence = (ends[1] - ends[0]) / width * (reached - lower)
    low, high = -math.inf if below < 0 else ends[0], math.inf if above > rows else ends[1]
    return Settled.of(found, influence, (low, high))
