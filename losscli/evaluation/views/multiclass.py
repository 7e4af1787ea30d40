"""Charts of multiclass classification: confusion matrix, and reliability of the most probable class."""

from __future__ import annotations

from collections.abc import Iterator

from losscli.evaluation.views import scores
from losscli.evaluation.views.base import ChartBlock, Drawing
from losscli.evaluation.views.confusion import confusion, pairs
from losscli.evaluation.views.scores import Entries, deciles
from losscli.numeric.arrays import Array
from losscli.numeric.softmax import row_maxima
from losscli.report.charts import Chart
from losscli.states.base import Summary
from losscli.tasks.classes import Multiclass, MulticlassLabel, MulticlassScore


def taken(block: ChartBlock) -> dict[str, Summary]:
    """The pairs of true and predicted class, and the sums in bins of the largest probability."""
    xp = block.xp
    batch = block.batch(Multiclass, MulticlassScore, MulticlassLabel, *_kinds(block))
    summaries: dict[str, Summary] = {}
    if batch is None:
        return summaries
    if isinstance(batch, MulticlassLabel):
        return {"pairs": pairs(block, batch.code, batch.predicted, batch.classes)}
    values = batch.prediction if isinstance(batch, Multiclass) else batch.score
    predicted, largest = row_maxima(xp, values)
    if batch.code is not None:
        summaries["pairs"] = pairs(block, batch.code, predicted, values.shape[1])
    if isinstance(batch, Multiclass):
        if batch.link != "probability":
            largest = _probability(batch, predicted, largest)
        if batch.code is not None:
            hit = predicted == batch.code
            entries = Entries.of(block, hit, hit)
        else:
            entries = Entries.of(block, xp.take_along_axis(batch.target, predicted[:, None], axis=1)[:, 0])
        summaries |= deciles(entries, entries(largest), batch.held)
    return summaries


def _kinds(block: ChartBlock) -> list[type]:
    """The types of batch with labels that losses take."""
    return [kind for kind in block.block.rows.parts if issubclass(kind, MulticlassLabel)]


def _probability(batch: Multiclass, predicted: Array, largest: Array) -> Array:
    """The probability (n,) of the predicted class, from its logit or log-probability `largest` (n,)."""
    xp = batch.xp
    if batch.link == "log_prob":
        return xp.minimum(xp.exp(largest), 1.0)
    if batch.code is not None and "probability" not in vars(batch):
        # Relative to the true class, whose probability a loss has computed already.
        probability = xp.minimum(xp.exp(largest - batch.pick(batch.prediction) + batch.log_prob_true), 1.0)
        if bool(xp.isfinite(probability).all()):
            return probability
    return xp.take_along_axis(batch.probability, predicted[:, None], axis=1)[:, 0]


def drawn(drawing: Drawing) -> Iterator[Chart]:
    """The confusion matrix, and the reliability of the most probable class."""
    if drawing.has("deciles"):
        yield scores.reliability(drawing, "deciles")
    if drawing.has("pairs"):
        yield confusion(drawing, drawing.plan.roles.names, *drawing.counts("pairs"))
