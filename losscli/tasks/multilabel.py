"""Multilabel classification: any number of labels per row."""

from __future__ import annotations

from typing import ClassVar, Literal

from losscli.numeric.arrays import Array, Namespace
from losscli.numeric.cached import cached_property
from losscli.report.findings import Code
from losscli.tasks.base import Batch, Rows
from losscli.tasks.binary import Bernoulli, Outcomes, outcomes
from losscli.tasks.block import Block
from losscli.tasks.catalog import Task
from losscli.tasks.probabilities import note_clipped, probabilities


class Multilabel(Bernoulli, frozen=True):
    """Probabilities (n, labels) and targets (n, labels) in [0, 1]."""

    task: ClassVar[str] = "multilabel"


class MultilabelLabel(Batch, frozen=True):
    """Targets (n, labels), 0 or 1, and probabilities (n, labels), to compare with a threshold."""

    task: ClassVar[str] = "multilabel"
    target: Array
    probability: Array

    def guessed(self, threshold: float, inclusive: bool = False) -> Array:
        """Whether each label is predicted (n, labels); equality counts only if inclusive."""
        return self.probability >= threshold if inclusive else self.probability > threshold

    def wrong(self, threshold: float, inclusive: bool = False) -> Array:
        """Whether the predicted label differs from the true one (n, labels)."""
        return self.guessed(threshold, inclusive) != (self.target > 0)


class MultilabelAgreement(MultilabelLabel, frozen=True):
    """As MultilabelLabel, for losses of all labels of a row together, which have no value for one of them."""

    of_cells: ClassVar[Literal["rows", "each", "none"]] = "none"


class MultilabelOutcome(MultilabelLabel, frozen=True):
    """As MultilabelLabel, for one label: arrays are (n,)."""

    of_cells: ClassVar[Literal["rows", "each", "none"]] = "each"

    def outcomes(self, threshold: float, inclusive: bool) -> Outcomes:
        """The outcome of each row for the label."""
        return outcomes(self.target, self.guessed(threshold, inclusive).astype(float))


class MultilabelScore(Batch, frozen=True):
    """Scores (n, labels), any number, and whether the row has the label (n, labels)."""

    task: ClassVar[str] = "multilabel"
    of_cells: ClassVar[Literal["rows", "each", "none"]] = "none"
    score: Array
    relevant: Array

    @cached_property
    def rank(self) -> Array:
        """The number of labels of the row with at least the score of each (n, labels): 1 for the best."""
        return sum(other[:, None] >= self.score for other in self.score.T)

    @cached_property
    def rank_among_relevant(self) -> Array:
        """The number of true labels of the row with at least the score of each (n, labels)."""
        pairs = zip(self.score.T, self.relevant.T, strict=True)
        return sum((other[:, None] >= self.score) & is_relevant[:, None] for other, is_relevant in pairs)


def read(block: Block, xp: Namespace, wanted: frozenset[type[Batch]], pilot: None) -> Rows:
    """The wanted batches of all labels, and of each label alone."""
    roles = block.roles
    target, prediction = block.numbers(roles.targets), block.numbers(roles.predictions)
    block.check_range(
        roles.targets, 0, 1, Code.NOT_BINARY_LABEL, "label columns must hold 0 and 1", negative=0, positive=1
    )
    labels = [kind for kind in wanted if issubclass(kind, MultilabelLabel)]
    if roles.link == "probability" and (labels or Multilabel in wanted):
        prediction = probabilities(block, roles.predictions)
    if labels or MultilabelScore in wanted:
        soft = ((target > 0) & (target < 1)).any(axis=1)
        block.flag(soft, Code.SOFT_LABEL, roles.targets[0], needed="0 or 1")
    target, prediction = block.drop_marked(target, prediction)
    if Multilabel in wanted and roles.notes_clips:
        note_clipped(block, target, prediction, roles.eps)
    target, prediction = xp.asarray(target), xp.asarray(prediction)

    def make(columns: slice) -> dict[type[Batch], Batch]:
        bernoulli = Multilabel(xp, target[:, columns], prediction[:, columns], roles.link, roles.eps)
        made_batches: dict[type[Batch], Batch] = {Multilabel: bernoulli}
        for kind in (MultilabelLabel, MultilabelAgreement):
            if kind in wanted:
                made_batches[kind] = kind(xp, target[:, columns], bernoulli.probability)
        if MultilabelScore in wanted:
            made_batches[MultilabelScore] = MultilabelScore(
                xp, prediction[:, columns], target[:, columns] > 0
            )
        return made_batches

    by_label = [make(slice(i, i + 1)) for i in range(target.shape[1])]
    parts: dict[type[Batch], tuple[Batch, ...]]
    parts = {kind: (batch,) for kind, batch in make(slice(None)).items()}
    if MultilabelOutcome in wanted:
        probability = Multilabel(xp, target, prediction, roles.link, roles.eps).probability
        pairs = zip(target.T, probability.T, strict=True)
        parts[MultilabelOutcome] = tuple(MultilabelOutcome(xp, y, p) for y, p in pairs)
    return Rows(
        parts,
        by_label={kind: tuple(batches[kind] for batches in by_label) for kind in by_label[0]},
    )


TASK = Task(
    "multilabel",
    read,
    usual=("multilabel_binary_cross_entropy", "hamming", "subset_zero_one"),
    cell="label",
)
