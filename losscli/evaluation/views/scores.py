"""Charts of two classes: reliability, ROC, precision and recall, scores by class, errors by threshold.

All come from one histogram of scores by class, and the sums in ten bins of the probability.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from msgspec import Struct

from losscli.evaluation.views.base import ChartBlock, Drawing, Table, plain, ratio, spread_of
from losscli.evaluation.views.notes import beyond
from losscli.numeric.arrays import Array, Namespace
from losscli.numeric.edges import unit_edges, unit_places
from losscli.numeric.segments import compressed
from losscli.report.charts import Chart, Value
from losscli.report.findings import Note
from losscli.states.base import Summary
from losscli.states.gathered import Gathered, Unbinned
from losscli.states.grid import Axis
from losscli.states.sampled import Sampled
from losscli.tasks.binary import Bernoulli

SCORE = Axis(digits=7, octaves=14)
"""The axis of scores: 3,842 bins at most, or 1,921 on one side of zero."""
DECILES = 10
"""Bins of a reliability diagram."""
_SPREAD = 40
"""Maximum number of bins of a distribution."""
_PROBABILITIES = 32
"""Bins of a distribution of probabilities."""
_POINTS = 250
"""Maximum number of points of a curve."""


class Scored(Struct, frozen=True, eq=False):
    """Rows of two classes: targets (n,) from 0 to 1, and scores or probabilities (n,).

    `probability` is None if scores have no probabilities; `dtype` is their type in the file.  `code` (n,) is
    the class if known, -1 for a soft label.
    """

    target: Array
    score: Array
    probability: Array | None
    dtype: str = "float64"
    code: Array | None = None

    @property
    def is_probability(self) -> bool:
        """Whether the scores are the probabilities."""
        return self.score is self.probability

    def side(self, score: Array) -> Array:
        """The side that scores (n,) are on: 1 for a predicted positive."""
        return (score > (0.5 if self.is_probability else 0.0)).view(np.uint8)

    def size(self, xp: Namespace, score: Array, side: Array) -> Array:
        """The distance of scores (n,) from the end of their side (n,).

        It is the distance from one for probabilities above one half, so that bins there are as fine as near
        zero.
        """
        return xp.abs(score - side) if self.is_probability else xp.abs(score)


def probability(batch: Bernoulli) -> Array:
    """The probability of the event, from its logarithm if a loss has computed that already."""
    known = vars(batch)
    if batch.link == "logit" and "log_p" in known and "probability" not in known:
        return batch.xp.exp(batch.log_p)
    return batch.probability


def taken(block: ChartBlock, rows: Scored, name: str = "") -> dict[str, Summary]:
    """The histogram of scores by class, and the sums in bins of the probability."""
    xp = block.xp
    entries = Entries.of(block, rows.target, rows.code)
    score = entries(rows.score)
    side = rows.side(score)
    places = (rows.size(xp, score, side), 2 * side + entries.code)
    summaries: dict[str, Summary] = {f"{name}scores": entries.grid((SCORE, 4), *places)}
    if rows.probability is not None:
        probability = score if rows.is_probability else entries(rows.probability)
        summaries |= deciles(entries, probability, rows.dtype, name)
    return summaries


def sides(block: ChartBlock, rows: Scored) -> Sampled:
    """The sums by class and predicted class, which is the side that a score is on."""
    entries = Entries.of(block, rows.target, rows.code)
    return entries.grid((2, 2), entries.code, rows.side(entries(rows.score)))


def deciles(entries: Entries, probability: Array, dtype: str, name: str = "") -> dict[str, Summary]:
    """The sums of entries by class in bins of their probability (n,), and the sums of the probability."""
    xp = entries.block.xp
    place = unit_places(xp, probability, unit_edges(xp, DECILES, dtype))
    along = probability if entries.weight is None else entries.weight * probability
    return {f"{name}deciles": entries.grid((DECILES, 2), place, entries.code, along=[along])}


class Entries(Struct, frozen=True, eq=False):
    """The rows of a block by class: one entry per row, or with soft labels a share of it in each class.

    `code` (n,) is the class, 0 or 1, `counted` the columns to sum, and `weight` the weight of an entry.
    """

    block: ChartBlock
    code: Array
    counted: list[Array | None]
    weight: Array | None
    times: int

    @classmethod
    def of(cls, block: ChartBlock, target: Array, code: Array | None = None) -> Entries:
        """The entries of targets (n,) from 0 to 1; their `code` (n,), if known, is -1 for soft labels."""
        xp = block.xp
        codes = _class(xp, block(target)) if code is None else block(code)
        if not bool((codes < 0).any()):
            return cls(block, codes.astype(np.uint8), block.counted, block.weight, 1)
        target = block(target)
        share = xp.concatenate([1.0 - target, target])
        count = xp.concatenate([target < 0.5, target >= 0.5]).astype(
            float
        )  # a row counts in the nearer class
        weight = xp.ones(len(share)) if block.weight is None else xp.tile(block.weight, 2)
        counted = [count, weight * share, weight * weight * share]
        return cls(block, xp.repeat(xp.arange(2), len(target)), counted, weight * share, 2)

    def grid(self, axes: Sequence[Axis | int], *places: Array, along: Sequence[Array] = ()) -> Sampled:
        """The grid of entries by positions (n,) on each axis; sums `along` in the bins of the first axis."""
        return self.block.summary(Gathered.of(self.block.xp, Unbinned(axes, places, self.counted, along)))

    def __call__(self, values: Array) -> Array:
        """The values (n,) of the entries, from those of all rows of the block."""
        of_rows = self.block(values)
        return of_rows if self.times == 1 else self.block.xp.tile(of_rows, self.times)


def _class(xp: Namespace, target: Array) -> Array:
    """The class of targets (n,) from 0 to 1; -1 for a soft label."""
    return xp.where(target == 1, 1, xp.where(target == 0, 0, -1))


class _Histogram(Struct, frozen=True, eq=False):
    """The nonempty bins of a histogram of scores by class, in the order of the scores.

    `low` and `high` (bins,) are their bounds, `smallest` the smallest number in each, and `table` (bins, 2)
    the sums of negatives and positives.
    """

    low: Array
    high: Array
    smallest: Array
    table: Table

    @classmethod
    def of(cls, drawing: Drawing, name: str, is_probability: bool) -> _Histogram:
        (bins,), table, _ = drawing.grid(f"{name}scores")
        near, far = bins.edges()
        sides = (near, far), (1.0 - far, 1.0 - near)
        if not is_probability:
            sides = (-far, -near), (near, far)
        low, high = (np.concatenate(ends) for ends in zip(*sides, strict=True))
        # Where bins are numbered towards the end of their side, the lower bound belongs to the bin below.
        is_open = np.repeat([not is_probability, is_probability], len(near))
        smallest = np.where(is_open, np.nextafter(low, np.inf), low)
        both = table.mapped(lambda sums: np.concatenate([sums[:, :2], sums[:, 2:]]))
        order = np.argsort(low, kind="stable")
        order = order[both.weight.sum(axis=1)[order] > 0]
        return cls(low[order], high[order], smallest[order], both[order])


def drawn(
    drawing: Drawing, is_probability: bool, name: str = "", cell: Mapping[str, str] | None = None
) -> Iterator[Chart]:
    """The charts of two classes, named as in the plan, or of a label if `cell` is given."""
    histogram = _Histogram.of(drawing, name, is_probability)
    notes = drawing.sampled(f"{name}scores")
    classes = (
        tuple(drawing.plan.roles.names) if cell is None and len(drawing.plan.roles.names) == 2 else ("0", "1")
    )
    if drawing.has(f"{name}deciles"):
        yield reliability(drawing, f"{name}deciles", cell)
    if (histogram.table.weight.sum(axis=0) > 0).all():
        yield from _curves(drawing, histogram, cell, notes)
    yield _distribution(drawing, histogram, is_probability, classes, cell, notes)
    yield _costs(drawing, histogram, cell, notes)


def reliability(drawing: Drawing, name: str, cell: Mapping[str, str] | None = None) -> Chart:
    """The reliability diagram of a grid of bins, and rows without and with the event."""
    _, table, (probability,) = drawing.grid(name)
    whole_table = table.sum(1)
    nonempty = whole_table.weight > 0
    counts = whole_table[nonempty]
    observed = ratio(table.weight[nonempty, 1], counts.weight)
    edges = np.arange(DECILES + 1) / DECILES
    columns = {
        "probability_low": plain(edges[:-1][nonempty]),
        "probability_high": plain(edges[1:][nonempty]),
        "probability": plain(ratio(probability[nonempty], counts.weight)),
        "observed": plain(observed),
        **drawing.share_intervals(observed, counts),
        **drawing.counted(counts),
    }
    return drawing.chart("reliability", columns, cell, drawing.sampled(name))


def _at_or_above(weight: Array) -> Array:
    """The weight (bins + 1, 2) of each class at or above each threshold, from the highest threshold down."""
    return np.concatenate([np.zeros((1, 2)), np.cumsum(weight[::-1], axis=0)])


def _curves(
    drawing: Drawing, histogram: _Histogram, cell: Mapping[str, str] | None, notes: tuple[Note, ...]
) -> Iterator[Chart]:
    """The curves of ROC, and of precision and recall."""
    positives = _at_or_above(histogram.table.weight)
    rates = positives / positives[-1]
    at = _spread_out(np.abs(np.diff(rates, axis=0)).sum(axis=1))
    threshold = _thresholds(histogram)
    columns = {
        "threshold": plain(threshold[at]),
        "false_positive_rate": plain(rates[at, 0]),
        "true_positive_rate": plain(rates[at, 1]),
    }
    yield drawing.chart("roc", columns, cell, notes)
    predicted = positives.sum(axis=1)
    precision = np.divide(positives[:, 1], predicted, out=np.ones(len(predicted)), where=predicted > 0)
    steps = np.abs(np.diff(rates[:, 1])) + np.abs(np.diff(precision))
    at = _spread_out(steps)
    columns = {
        "threshold": plain(threshold[at]),
        "recall": plain(rates[at, 1]),
        "precision": plain(precision[at]),
    }
    yield drawing.chart("precision_recall", columns, cell, notes)


def _thresholds(histogram: _Histogram) -> Array:
    """The thresholds (bins + 1,): infinity, then the smallest number of each bin from the highest down."""
    return np.concatenate([[np.inf], histogram.smallest[::-1]])


def _spread_out(steps: Array, most: int = _POINTS) -> Array:
    """At most about `most` points of a curve with steps of these lengths, about equally spaced along it."""
    if len(steps) < most:
        return np.arange(len(steps) + 1)
    length = np.concatenate([[0.0], np.cumsum(steps)])
    targets = np.linspace(0.0, length[-1], most)
    points = np.concatenate([[0], np.searchsorted(length, targets), [len(steps)]])
    return compressed(points.clip(0, len(steps)))[1]


def _distribution(
    drawing: Drawing,
    histogram: _Histogram,
    is_probability: bool,
    classes: tuple[str, ...],
    cell: Mapping[str, str] | None,
    notes: tuple[Note, ...],
) -> Chart:
    """The distribution of scores in each class."""
    table = histogram.table
    if is_probability:
        edges = np.linspace(0.0, 1.0, _PROBABILITIES + 1)
        middle = (histogram.low + histogram.high) / 2
        places = np.minimum((middle * _PROBABILITIES).astype(np.int64), _PROBABILITIES - 1)
    else:
        along = spread_of(histogram.low, histogram.high, table.weight.sum(axis=1), _SPREAD)
        edges, places = along.edges, along.places
    shown_table = table.grouped(places, len(edges) - 1)
    columns: dict[str, list[Value]] = {name: [] for name in ("score_low", "score_high", "class")}
    rows: list[Value] = []
    weight: list[Value] = []
    share: list[Value] = []
    for code, name in enumerate(classes):
        columns["score_low"] += plain(edges[:-1])
        columns["score_high"] += plain(edges[1:])
        columns["class"] += [name] * (len(edges) - 1)
        counted = drawing.counted(shown_table[:, code])
        rows += counted["rows"]
        weight += counted["weight"]
        total = table.weight[:, code].sum()
        share += plain(ratio(shown_table.weight[:, code], np.full(len(edges) - 1, total)))
    rows_outside = table.rows.sum() - shown_table.rows.sum()
    extent = float(histogram.low[0]), float(histogram.high[-1])
    left_out = beyond(rows_outside, table.rows.sum(), {"scores": extent})
    columns |= {"rows": rows, "weight": weight, "share": share}
    return drawing.chart("score_distribution", columns, cell, (*left_out, *notes))


def _costs(
    drawing: Drawing, histogram: _Histogram, cell: Mapping[str, str] | None, notes: tuple[Note, ...]
) -> Chart:
    """The share of rows misclassified at each threshold."""
    positives = _at_or_above(histogram.table.weight)
    total = positives[-1].sum()
    false_positive, false_negative = positives[:, 0] / total, (positives[-1, 1] - positives[:, 1]) / total
    # The first threshold, above all scores, is shown at the largest score.
    threshold = np.concatenate([[histogram.high[-1]], histogram.smallest[::-1]])
    at = _spread_out(np.abs(np.diff(false_positive)) + np.abs(np.diff(false_negative)))
    columns = {
        "threshold": plain(threshold[at]),
        "false_positives": plain(false_positive[at]),
        "false_negatives": plain(false_negative[at]),
        "cost": plain(false_positive[at] + false_negative[at]),
    }
    return drawing.chart("threshold_cost", columns, cell, notes)
