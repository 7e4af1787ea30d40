"""Multiclass classification: a probability, logit or score for each class, or a label."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from losscli.tasks.base import Batch, Block, Rows
from losscli.tasks.binary import check_probabilities
from losscli.xp import Array, Namespace, log_softmax, np

SUM_TOLERANCE = 1e-4
"""How far from one the probabilities of a row may sum: files are often rounded to a few digits."""


@dataclass(frozen=True, eq=False)
class Multiclass(Batch):
    """Probabilities (n, classes) with their logarithms, exact from probabilities, logits or logs.

    `code` (n,) is the true class, or None where `soft` (n, classes) holds a distribution.
    `relative_weight` (classes,) are the class weights, which the row's weight already holds for its own
    class: only what a loss charges to other classes needs them.
    """

    task: ClassVar[str] = "multiclass"
    prediction: Array
    link: str
    eps: float
    code: Array | None
    soft: Array | None
    class_weight: Array | None = None

    @property
    def classes(self) -> int:
        """How many there are."""
        return int(self.prediction.shape[1])

    @cached_property
    def probability(self) -> Array:
        """Of each class (n, classes)."""
        return self.prediction if self.link == "probability" else self.xp.exp(self.log_prob)

    @cached_property
    def complement(self) -> Array:
        """1 - probability (n, classes), with the digits that log-probabilities have."""
        return 1.0 - self.prediction if self.link == "probability" else -self.xp.expm1(self.log_prob)

    @cached_property
    def log_prob(self) -> Array:
        """Log-probability of each class (n, classes)."""
        if self.link == "probability":
            return self.xp.log(self.xp.maximum(self.prediction, self.eps))
        return self.prediction if self.link == "log_prob" else log_softmax(self.xp, self.prediction)

    @cached_property
    def log_prob_true(self) -> Array:
        """Log-probability of the true class (n,); for soft targets its expectation."""
        if self.code is not None and self.link == "probability":
            return self.xp.log(self.xp.maximum(self.pick(self.prediction), self.eps))
        return self.expect(self.log_prob)

    @cached_property
    def target(self) -> Array:
        """The target distribution (n, classes)."""
        if self.soft is not None:
            return self.soft
        assert self.code is not None
        return self.xp.where(_one_hot(self.xp, self.code, self.classes), 1.0, 0.0)

    def pick(self, values: Array) -> Array:
        """Of values (n, classes) that of the true class (n,); targets must be labels."""
        assert self.code is not None
        return self.xp.take_along_axis(values, self.code[:, None], axis=1)[:, 0]

    def expect(self, values: Array) -> Array:
        """The mean of values (n, classes) under the target distribution (n,), 0 times infinity being 0.

        With soft targets each class's part carries its class weight, relative to that of the row.
        """
        if self.code is not None:
            return self.pick(values)
        assert self.soft is not None
        parts = self.soft * self.share_weight if self.class_weight is not None else self.soft
        return self.xp.sum(self.xp.where(parts == 0, 0.0, parts * values), axis=1)

    @cached_property
    def share_weight(self) -> Array:
        """The weight of each class relative to the weight of the row (n, classes)."""
        if self.class_weight is None:
            return self.xp.ones((1, 1))
        own = (
            self.class_weight[self.code]
            if self.code is not None
            else self.xp.sum(self.soft * self.class_weight, axis=1)
        )
        return self.class_weight[None, :] / self.xp.where(own == 0, 1.0, own)[:, None]

    def smoothed(self, values: Array, label_smoothing: float | None) -> Array:
        """The mean of values (n, classes) under the target smoothed to t (1 - e) + e / K."""
        own = self.expect(values)
        if not label_smoothing:
            return own
        uniform = self.xp.sum(self.share_weight * values, axis=1) / self.classes
        return (1 - label_smoothing) * own + label_smoothing * uniform


@dataclass(frozen=True, eq=False)
class MulticlassScore(Batch):
    """Scores (n, classes), any number, and the true class `code` (n,)."""

    task: ClassVar[str] = "multiclass"
    score: Array
    code: Array

    @cached_property
    def true_score(self) -> Array:
        """The score of the true class (n,)."""
        return self.xp.take_along_axis(self.score, self.code[:, None], axis=1)[:, 0]

    @cached_property
    def is_true(self) -> Array:
        """Where the true class stands (n, classes)."""
        return _one_hot(self.xp, self.code, self.score.shape[1])

    @cached_property
    def best_other(self) -> Array:
        """The greatest score of another class (n,)."""
        return self.xp.max(self.xp.where(self.is_true, -self.xp.inf, self.score), axis=1)


@dataclass(frozen=True, eq=False)
class MulticlassLabel(Batch):
    """The predicted class (n,) and the true class (n,), as codes; of equal scores the first class counts."""

    task: ClassVar[str] = "multiclass"
    predicted: Array
    code: Array


def _one_hot(xp: Namespace, code: Array, classes: int) -> Array:
    """Where the class of each row stands (n, classes), column after column in memory as scores are."""
    return (xp.arange(classes)[:, None] == code).T


def pilot(block: Block) -> None:
    """Nothing is fixed from the first rows."""


def read(block: Block, xp: Namespace, wanted: frozenset[type[Batch]], pilot: None) -> Rows:
    """The batches that are wanted; soft targets have no true class."""
    roles = block.roles
    code, soft = _read_target(block)
    if roles.link == "label":
        scores = label_codes(block, roles.predictions[0], "predicted labels")
    else:
        scores = _read_scores(block, wanted)
    needs_label = wanted & {MulticlassScore, MulticlassLabel}
    if soft is not None and needs_label:
        block.flag(
            soft.max(axis=1) != 1.0,
            "soft targets, where a chosen loss needs one true class",
            roles.targets[0],
            "choose losses that take distributions (log_loss, focal, brier)",
        )
    code, soft, scores = block.drop_marked(code, soft, scores)
    if soft is not None and bool(np.all(soft.max(axis=1, initial=0.0) == 1.0)):
        # One-hot rows are labels: the same numbers to the last bit, whichever way they are written.
        code, soft = soft.argmax(axis=1), None
    return _rows(block, xp, wanted, code, soft, scores)


def _rows(
    block: Block,
    xp: Namespace,
    wanted: frozenset[type[Batch]],
    code: Array | None,
    soft: Array | None,
    scores: Array,
) -> Rows:
    roles = block.roles
    weights = None if roles.class_weight is None else xp.asarray(roles.class_weight)
    made: dict[type[Batch], Batch] = {}
    if roles.link != "label":
        scores = xp.asarray(scores)
    hard = None if code is None else xp.asarray(code)
    if Multiclass in wanted:
        if roles.link == "probability" and roles.eps > 0:
            _note_clipped(block, code, soft, scores)
        distribution = None if soft is None else xp.asarray(soft)
        made[Multiclass] = Multiclass(xp, scores, roles.link, roles.eps, hard, distribution, weights)
    if MulticlassScore in wanted and hard is not None:
        made[MulticlassScore] = MulticlassScore(xp, scores, hard)
    if MulticlassLabel in wanted and hard is not None:
        predicted = xp.asarray(scores) if roles.link == "label" else xp.argmax(scores, axis=1)
        made[MulticlassLabel] = MulticlassLabel(xp, predicted, hard)
    factor = None
    if weights is not None:
        factor = weights[hard] if hard is not None else xp.sum(xp.asarray(soft) * weights, axis=1)
    codes = hard if hard is not None else xp.full(block.height, -1)
    return Rows({kind: (batch,) for kind, batch in made.items()}, codes, factor)


def _read_target(block: Block) -> tuple[Array | None, Array | None]:
    """Codes of labels, or a distribution (n, classes)."""
    roles = block.roles
    if roles.target_form == "label":
        return label_codes(block, roles.targets[0], "labels"), None
    target = block.numbers(roles.targets)
    block.check_range(
        target, 0, 1, "target probabilities outside [0, 1]", roles.targets, "one-hot columns hold 0 and 1"
    )
    _check_sum(
        block,
        target,
        "target probabilities",
        roles.targets,
        "each row of one-hot or soft targets sums to one",
    )
    return None, target


def label_codes(block: Block, column: str, what: str) -> Array:
    """The place of each label among the classes; labels outside the classes are flagged."""
    codes, names = block.codes(column), block.roles.names
    series = block.frame[column]
    shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    block.flag(
        codes < 0,
        f"{what} outside the {len(names)} classes ({shown})",
        column,
        "name all classes with --classes, or leave a label out with --ignore-label",
        lambda i: repr(series[i]),
    )
    return codes


def _read_scores(block: Block, wanted: frozenset[type[Batch]]) -> Array:
    roles = block.roles
    scores = block.numbers(roles.predictions)
    if roles.link == "probability":
        if wanted & {Multiclass}:
            if roles.normalize:
                scores = _normalized(block, scores)
            else:
                check_probabilities(block, scores)
            remedy = "--normalize rescales them, --from-logits takes logits"
            _check_sum(block, scores, "probabilities", roles.predictions, remedy)
        return scores
    # A logit or log-probability of -inf is an impossible class, which models that mask classes write.
    highest = 1e-6 if roles.link == "log_prob" else np.finfo(float).max
    what = "log-probabilities above 0" if roles.link == "log_prob" else "infinite values"
    block.check_range(scores, -np.inf, highest, what, roles.predictions, "--from-logits takes logits")
    return scores


def _normalized(block: Block, scores: Array) -> Array:
    """The scores, from 0 up, rescaled so that each row sums to one; a row of zeros stays as it is."""
    block.check_range(
        scores,
        0,
        np.finfo(float).max,
        "probabilities below 0 or infinite",
        block.roles.predictions,
        "if these are logits, add --from-logits",
    )
    total = scores.sum(axis=1)
    off = (np.abs(total - 1.0) > SUM_TOLERANCE) & (total != 0)
    block.flag(off, "rows of probabilities were rescaled to sum to one", fatal=False, leave_out=False)
    return scores / np.where(total == 0, 1.0, total)[:, None]


def _check_sum(block: Block, values: Array, what: str, columns: tuple[str, ...], remedy: str) -> None:
    """Flag rows of probabilities whose sum is not one; what is outside [0, 1] is flagged elsewhere."""
    total = values.sum(axis=1)
    wrong = np.abs(total - 1.0) > SUM_TOLERANCE
    if wrong.any():
        wrong &= ((values >= 0) & (values <= 1)).all(axis=1)
        block.flag(wrong, f"{what} that do not sum to one", columns, remedy, lambda i: f"sum {total[i]:.6g}")


def _note_clipped(block: Block, code: Array | None, soft: Array | None, scores: Array) -> None:
    eps = block.roles.eps
    low = scores < eps
    if not low.any():
        return
    if soft is not None:
        hit = (low & (soft > 0)).any(axis=1)
    else:
        assert code is not None
        hit = np.take_along_axis(low, code[:, None], axis=1)[:, 0]
    block.flag(
        hit,
        f"probabilities were clipped at {eps:.3g} under a logarithm (--eps 0 gives infinity)",
        fatal=False,
        leave_out=False,
    )
