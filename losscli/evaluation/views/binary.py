"""Charts of binary classification: those of two classes, and their confusion matrix."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from losscli.evaluation.views import scores
from losscli.evaluation.views.base import ChartBlock, Drawing
from losscli.evaluation.views.confusion import confusion, pairs
from losscli.evaluation.views.scores import Scored
from losscli.report.charts import Chart
from losscli.states.base import Summary
from losscli.tasks.binary import Binary, BinaryLabel


def taken(block: ChartBlock) -> dict[str, Summary]:
    """The histogram of scores by class; for predicted labels, the pairs of classes."""
    batch = block.batch(Binary)
    assert isinstance(batch, Binary)
    if block.plan.roles.link == "label":
        return {"pairs": pairs(block, batch.target, batch.prediction, 2)}
    probability = scores.probability(batch) if _has_probabilities(block) else None
    rows = Scored(batch.target, batch.prediction, probability, batch.held, block.block.rows.codes)
    summaries = scores.taken(block, rows)
    return summaries if probability is None else summaries | {"sides": scores.sides(block.every, rows)}


def _has_probabilities(block: ChartBlock) -> bool:
    """Whether predictions are logits, or probabilities checked for a loss that takes them."""
    wanted = block.plan.wanted
    return block.plan.roles.link == "logit" or any(issubclass(kind, Binary | BinaryLabel) for kind in wanted)


def drawn(drawing: Drawing) -> Iterator[Chart]:
    """The charts of two classes."""
    names = drawing.plan.roles.names or ("0", "1")
    if drawing.has("pairs"):
        numbers, table = drawing.counts("pairs")
        yield confusion(drawing, names, numbers, table)
        return
    is_probability = drawing.has("deciles") and drawing.plan.roles.link == "probability"
    yield from scores.drawn(drawing, is_probability)
    if drawing.has("deciles"):
        table = drawing.grid("sides")[1]
        yield confusion(drawing, names, np.arange(4), table.mapped(np.ravel))
