"""The chart of all tasks: the distribution of losses, and the share of the largest in the total."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from losscli.catalog.loss import Choice
from losscli.evaluation.views.base import ChartBlock, Drawing, Table, grouped, plain, shown
from losscli.evaluation.views.notes import infinite
from losscli.numeric.arrays import Array
from losscli.numeric.segments import compressed
from losscli.plan.plan import Plan
from losscli.report.charts import Chart, Value
from losscli.states.base import Summary
from losscli.states.grid import NEGATIVE_ZERO, Axis, Bins
from losscli.states.sampled import Sampled

LOSS = Axis(digits=4, octaves=40)
MOST_LOSSES = 3
"""Number of losses, the first ones, whose distribution is shown."""
_MOST = 40
"""Maximum number of shown bins, without that of the smallest losses."""
_SMALLEST_SHARE = 0.005
"""The share of the weight with a loss that is too small to have its own bin."""
_LARGEST_ROWS = 64
"""The largest losses, one row in this many, are all counted."""
_MANY = _LARGEST_ROWS // 4
"""If more rows than one in this many reach the limit, most equal it and are only sampled."""
_FINEST = 4.0
"""Maximum number of bins of one octave."""


def chosen(plan: Plan) -> list[Choice]:
    """The first losses that have a value for each row."""
    return [each for each in plan.choices if each.loss.additive and not each.loss.score][:MOST_LOSSES]


def taken(block: ChartBlock) -> dict[str, Summary]:
    """The grid of each loss."""
    grids: dict[str, Summary] = {}
    for place, choice in enumerate(chosen(block.plan)):
        units = {getattr(pilot, "error_unit", 1.0) for pilot in block.block.rows.pilots}
        if units <= {1.0}:  # otherwise losses are in other units
            grids[str(place)] = _grid(block, _values(block.block.output_columns(choice)))
    return grids


def _grid(block: ChartBlock, values: Array) -> Sampled:
    """The grid of the losses (n,) of a block; a sample also holds the largest losses of all rows.

    A few rows may account for most of a loss, and a sample would miss them.
    """
    if not block.is_sample:
        return _bins(block, block(values))
    xp, sample, every = block.xp, block(values), block.every
    place = len(sample) - max(1, len(sample) // _LARGEST_ROWS)
    limit = xp.partition(sample, place)[place] if len(sample) else -np.inf
    is_large = every(values) >= limit
    if int(xp.count_nonzero(is_large)) > len(values) // _MANY:  # many rows have exactly this loss
        limit = xp.nextafter(limit, np.inf)
        is_large = every(values) >= limit
    largest, others = every.where(is_large), ~(sample >= limit)
    return _bins(largest, largest(values)).merge(_bins(block.where(others), sample[others]))


def _bins(block: ChartBlock, values: Array) -> Sampled:
    return block.grid((LOSS,), values, also=(values,))


def _values(columns: list[Sequence[Array]]) -> Array:
    """The loss of each row (n,), averaged over outputs."""
    outputs = [column for (column,) in columns]
    return outputs[0] if len(outputs) == 1 else sum(outputs) / len(outputs)


def drawn(drawing: Drawing) -> Iterator[Chart]:
    """The distribution of each loss."""
    for place, choice in enumerate(chosen(drawing.plan)):
        if not drawing.has(str(place)):
            continue
        (bins,), table, (total,) = drawing.grid(str(place))
        if table.weight.sum() > 0:
            notes = (
                *infinite(drawing.outside(str(place))),
                *drawing.sampled(str(place), ", and all of the largest losses"),
            )
            yield drawing.chart(
                "loss_distribution", _columns(drawing, bins, table, total), notes=notes, loss=choice.label
            )


def _columns(drawing: Drawing, bins: Bins, table: Table, total: Array) -> dict[str, list[Value]]:
    low, high = bins.edges()
    is_loss = bins.low >= NEGATIVE_ZERO
    if is_loss:
        low, high = np.maximum(low, 0.0), high if bins.high > 0 else np.zeros(len(high))
    places = _by_size(bins, table.weight) if is_loss else shown(bins, table.weight, _MOST).places
    _, nonempty = compressed(places[(table.weight > 0) & (places >= 0)])
    count = int(places.max()) + 1
    counts = table.grouped(places, count)[nonempty]
    members = [np.flatnonzero(places == place) for place in nonempty]
    weight, loss = counts.weight, grouped(total, places, count)[nonempty]
    top, top_loss = (np.cumsum(each[::-1])[::-1] for each in (weight, loss))
    total_loss = loss.sum()
    share = top_loss / total_loss if is_loss and 0 < total_loss < np.inf else np.full(len(top), np.nan)
    return {
        "loss_low": plain(np.array([low[at[0]] for at in members])),
        "loss_high": plain(np.array([high[at[-1]] for at in members])),
        **drawing.counted(counts),
        "share": plain(weight / weight.sum()),
        "top_share": plain(top / weight.sum()),
        "top_loss_share": plain(share),
    }


def _by_size(bins: Bins, weight: Array) -> Array:
    """The bin on a logarithmic axis of each bin (bins,); zero and the smallest losses are in bin 0."""
    sizes = bins.first + np.arange(bins.count)
    positive = np.where(sizes > 0, weight, 0.0)
    places = np.zeros(bins.count, dtype=np.int64)
    if not positive.any():
        return places
    cumulative = np.cumsum(positive) / positive.sum()
    smallest = int(np.searchsorted(cumulative, _SMALLEST_SHARE))
    # Bins of nearly equal width on the axis: equal parts of an octave would look like a sawtooth.
    middle = sum(np.log2(edge[smallest:]) for edge in bins.edges()) / 2
    parts = _FINEST
    while math.floor(parts * middle[-1]) - math.floor(parts * middle[0]) >= _MOST:
        parts /= 2
    logarithmic = np.floor(parts * middle).astype(np.int64)
    places[smallest:] = logarithmic - logarithmic[0] + 1
    return places
