"""The chart of ensembles: the rank of targets among the members."""

from __future__ import annotations

from collections.abc import Iterator

from losscli.evaluation.views.base import ChartBlock, Drawing
from losscli.evaluation.views.uniform import BINS, histogram, spread
from losscli.report.charts import Chart
from losscli.states.base import Summary
from losscli.tasks.ensemble import Ensemble, WeightedEnsemble


def taken(block: ChartBlock) -> dict[str, Summary]:
    """The rank of each target among the members, which ties spread over several ranks."""
    xp, batch = block.xp, block.batch(Ensemble)
    if batch is None or isinstance(batch, WeightedEnsemble):
        return {}
    members, target = block(batch.members), block(batch.target)
    below, upto = xp.zeros(len(target)), xp.ones(len(target))
    for member in members.T:
        below += member < target
        upto += member <= target
    ranks = batch.size + 1
    return {"ranks": spread(block, below / ranks, upto / ranks, min(ranks, BINS))}


def drawn(drawing: Drawing) -> Iterator[Chart]:
    """The histogram of ranks."""
    if drawing.has("ranks"):
        yield histogram(drawing, "rank_histogram", "ranks")
