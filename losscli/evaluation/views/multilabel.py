"""Charts of multilabel classification: those of two classes for each label."""

from __future__ import annotations

from collections.abc import Iterator

from losscli.evaluation.views import scores
from losscli.evaluation.views.base import MOST_CELLS, ChartBlock, Drawing
from losscli.evaluation.views.scores import Scored
from losscli.report.charts import Chart
from losscli.states.base import Summary
from losscli.tasks.multilabel import Multilabel, MultilabelLabel


def taken(block: ChartBlock) -> dict[str, Summary]:
    """The histogram of scores by class of each label."""
    summaries: dict[str, Summary] = {}
    wanted = block.plan.wanted
    checked = any(issubclass(kind, Multilabel | MultilabelLabel) for kind in wanted)
    for place, batch in enumerate(block.block.rows.by_label.get(Multilabel, ())[:MOST_CELLS]):
        assert isinstance(batch, Multilabel)
        target, score = batch.target[:, 0], batch.prediction[:, 0]
        probability = None
        if batch.link == "logit":
            probability = scores.probability(batch)[:, 0]
        elif checked:
            probability = score
        summaries |= scores.taken(block, Scored(target, score, probability, batch.held), f"{place}.")
    return summaries


def drawn(drawing: Drawing) -> Iterator[Chart]:
    """The charts of each label."""
    is_probability = drawing.plan.roles.link == "probability"
    for place, name in enumerate(drawing.plan.roles.names[:MOST_CELLS]):
        if drawing.has(f"{place}.scores"):
            is_checked = is_probability and drawing.has(f"{place}.deciles")
            yield from scores.drawn(drawing, is_checked, f"{place}.", {"label": name})
