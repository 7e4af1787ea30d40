"""Charts of binary classification: those of two classes, and their confusion."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from losscli.evaluation.views import scores
from losscli.evaluation.views.base import Drawing, Seen
from losscli.evaluation.views.confusion import confusion, pairs
from losscli.evaluation.views.scores import Scored
from losscli.report.charts import Chart
from losscli.states.base import Summary
from losscli.tasks.binary import Binary, BinaryLabel


def taken(block: Seen) -> dict[str, Summary]:
    """The histogram of scores by class; of predicted labels the pairs."""
    batch = block.batch(Binary)
    assert isinstance(batch, Binary)
    if block.plan.roles.link == "label":
        return {"pairs": pairs(block, batch.target, batch.prediction, 2)}
    probability = scores.probability(batch) if _has_probabilities(block) else None
    rows = Scored(batch.target, batch.prediction, probability, batch.held, block.block.rows.codes)
    found = scores.taken(block, rows)
    return found if probability is None else found | {"sides": scores.sides(block.every, rows)}


def _has_probabilities(block: Seen) -> bool:
    """Whether a loss takes the predictions as probabilities, so that they were checked, or as logits."""
    wanted = block.plan.wanted
    return block.plan.roles.link == "logit" or any(issubclass(kind, Binary | BinaryLabel) for kind in wanted)


def drawn(of: Drawing) -> Iterator[Chart]:
    """The charts of two classes."""
    names = of.plan.roles.names or ("0", "1")
    if of.has("pairs"):
        numbers, table = of.counts("pairs")
        yield confusion(of, names, numbers, table)
        return
    is_probability = of.has("deciles") and of.plan.roles.link == "probability"
    yield from scores.drawn(of, is_probability)
    if of.has("deciles"):
        table = of.grid("sides")[1]
        yield confusion(of, names, np.arange(4), table.mapped(np.ravel))
