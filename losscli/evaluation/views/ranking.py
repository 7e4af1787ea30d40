"""The chart of ranking: how relevant the items at each rank are."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from losscli.evaluation.views.base import Drawing, Seen, plain, ratio, whole
from losscli.numeric.student import quantile
from losscli.report.charts import Chart
from losscli.states.base import Summary
from losscli.states.gathered import Gathered, Unbinned
from losscli.tasks.grouped import Relevance

MOST_RANKS = 20
"""Number of ranks that are shown."""


def taken(block: Seen) -> dict[str, Summary]:
    """The sums of relevance at each rank, of its square, and of that in the best order."""
    xp = block.xp
    kinds = [kind for kind in block.block.rows.parts if issubclass(kind, Relevance)]
    batch = block.batch(*kinds)
    if batch is None:
        return {}
    found, best = batch.shared(batch.target[batch.by_score]), batch.target[batch.by_target]
    weight = block.block.weight
    own = xp.ones(len(found)) if weight is None else weight[batch.group]
    at = xp.flatnonzero((batch.rank < MOST_RANKS) & (own > 0))
    found, best, own, rank = (each[at] for each in (found, best, own, batch.rank))
    counts = [None] if weight is None else [None, own, own * own]
    along = [own * found, own * found * found, own * best]
    return {"ranks": block.every.held(Gathered.of(xp, Unbinned((MOST_RANKS,), (rank,), counts, along)))}


def drawn(of: Drawing) -> Iterator[Chart]:
    """The relevance by rank."""
    if not of.has("ranks"):
        return
    _, table, sums = of.grid("ranks")
    held = np.flatnonzero(table.weight)
    own = table[held]
    mean, squares, best = (ratio(each, own.weight) for each in sums[:, held])
    low, high = np.full(len(held), math.nan), np.full(len(held), math.nan)
    for place, n in enumerate(own.effective.tolist()):
        if of.level is not None and n > 1:
            variance = max(0.0, squares[place] - mean[place] ** 2)
            half = quantile(of.level, n - 1) * math.sqrt(variance / (n - 1))
            low[place], high[place] = mean[place] - half, mean[place] + half
    columns = {
        "rank": whole(held + 1),
        "relevance": plain(mean),
        "ideal": plain(best),
        "ci_low": plain(low),
        "ci_high": plain(high),
        **of.counted(own),
    }
    yield of.chart("gain", columns)
