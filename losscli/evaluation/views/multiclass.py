"""Charts of multiclass classification: confusion, and reliability of the most probable class."""

from __future__ import annotations

from collections.abc import Iterator

from losscli.evaluation.views import scores
from losscli.evaluation.views.base import Drawing, Seen
from losscli.evaluation.views.confusion import confusion, pairs
from losscli.evaluation.views.scores import Entries, deciles
from losscli.numeric.arrays import Array
from losscli.numeric.softmax import greatest
from losscli.report.charts import Chart
from losscli.states.base import Summary
from losscli.tasks.classes import Multiclass, MulticlassLabel, MulticlassScore


def taken(block: Seen) -> dict[str, Summary]:
    """The pairs of true and predicted class, and the sums in bins of the greatest probability."""
    xp = block.xp
    batch = block.batch(Multiclass, MulticlassScore, MulticlassLabel, *_kinds(block))
    found: dict[str, Summary] = {}
    if batch is None:
        return found
    if isinstance(batch, MulticlassLabel):
        return {"pairs": pairs(block, batch.code, batch.predicted, batch.classes)}
    values = batch.prediction if isinstance(batch, Multiclass) else batch.score
    guess, most = greatest(xp, values)
    if batch.code is not None:
        found["pairs"] = pairs(block, batch.code, guess, values.shape[1])
    if isinstance(batch, Multiclass):
        if batch.link != "probability":
            most = _probability(batch, guess, most)
        if batch.code is not None:
            hit = guess == batch.code
            entries = Entries.of(block, hit, hit)
        else:
            entries = Entries.of(block, xp.take_along_axis(batch.target, guess[:, None], axis=1)[:, 0])
        found |= deciles(entries, entries(most), batch.held)
    return found


def _kinds(block: Seen) -> list[type]:
    """The types of batch with labels that a loss receives."""
    return [kind for kind in block.block.rows.parts if issubclass(kind, MulticlassLabel)]


def _probability(batch: Multiclass, guess: Array, most: Array) -> Array:
    """The probability (n,) of the class with the greatest logit or log-probability, which is `most` (n,)."""
    xp = batch.xp
    if batch.link == "log_prob":
        return xp.minimum(xp.exp(most), 1.0)
    if batch.code is not None and "probability" not in vars(batch):
        # Relative to the true class, whose probability a loss has computed: that of all classes takes longer.
        found = xp.minimum(xp.exp(most - batch.pick(batch.prediction) + batch.log_prob_true), 1.0)
        if bool(xp.isfinite(found).all()):
            return found
    return xp.take_along_axis(batch.probability, guess[:, None], axis=1)[:, 0]


def drawn(of: Drawing) -> Iterator[Chart]:
    """The confusion of the classes, and the reliability of the most probable one."""
    if of.has("deciles"):
        yield scores.reliability(of, "deciles")
    if of.has("pairs"):
        yield confusion(of, of.plan.roles.names, *of.counts("pairs"))
