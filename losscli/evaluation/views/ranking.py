"""The chart of rankings: the relevance of the items at each rank."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from losscli.evaluation.views.base import ChartBlock, Drawing, plain, ratio, whole
from losscli.numeric.student import quantile
from losscli.report.charts import Chart
from losscli.states.base import Summary
from losscli.states.gathered import Gathered, Unbinned
from losscli.tasks.grouped import Relevance

MOST_RANKS = 20
"""Number of shown ranks."""


def taken(block: ChartBlock) -> dict[str, Summary]:
    """The sums, at each rank, of the relevance, its square, and the relevance in the ideal order."""
    xp = block.xp
    kinds = [kind for kind in block.block.rows.parts if issubclass(kind, Relevance)]
    batch = block.batch(*kinds)
    if batch is None:
        return {}
    relevance, ideal = batch.shared(batch.target[batch.by_score]), batch.target[batch.by_target]
    weight = block.block.weight
    item_weight = xp.ones(len(relevance)) if weight is None else weight[batch.group]
    at = xp.flatnonzero((batch.rank < MOST_RANKS) & (item_weight > 0))
    relevance, ideal, item_weight, rank = (each[at] for each in (relevance, ideal, item_weight, batch.rank))
    counts = [None] if weight is None else [None, item_weight, item_weight * item_weight]
    along = [item_weight * relevance, item_weight * relevance * relevance, item_weight * ideal]
    return {"ranks": block.every.summary(Gathered.of(xp, Unbinned((MOST_RANKS,), (rank,), counts, along)))}


def drawn(drawing: Drawing) -> Iterator[Chart]:
    """The relevance by rank."""
    if not drawing.has("ranks"):
        return
    _, table, sums = drawing.grid("ranks")
    ranks = np.flatnonzero(table.weight)
    counts = table[ranks]
    mean, squares, ideal = (ratio(each, counts.weight) for each in sums[:, ranks])
    low, high = np.full(len(ranks), math.nan), np.full(len(ranks), math.nan)
    for place, n in enumerate(counts.effective.tolist()):
        if drawing.level is not None and n > 1:
            variance = max(0.0, squares[place] - mean[place] ** 2)
            half = quantile(drawing.level, n - 1) * math.sqrt(variance / (n - 1))
            low[place], high[place] = mean[place] - half, mean[place] + half
    columns = {
        "rank": whole(ranks + 1),
        "relevance": plain(mean),
        "ideal": plain(ideal),
        "ci_low": plain(low),
        "ci_high": plain(high),
        **drawing.counted(counts),
    }
    yield drawing.chart("gain", columns)
