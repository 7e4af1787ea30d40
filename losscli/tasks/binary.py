"""Binary classification: one probability, logit, score or label per row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, NamedTuple, Self

from losscli.numeric.arrays import Array, Namespace, np
from losscli.numeric.cached import cached_property
from losscli.numeric.softmax import expit_pair
from losscli.report.findings import Code
from losscli.tasks.base import Batch, Labelled, Rows
from losscli.tasks.block import Block
from losscli.tasks.catalog import Task
from losscli.tasks.probabilities import note_clipped, note_rounded, probabilities, tolerance
from losscli.tasks.variables import BinaryVariables
from losscli.text import shortened


class Bernoulli(Batch, frozen=True):
    """Probabilities of an event with their logarithms, exact from probabilities or from logits.

    `target` in [0, 1] and `prediction` have the same shape; `link` is probability or logit.  Logarithms of
    probabilities and complements are clipped at `eps`.  `held` is the type of the probabilities in the file.
    """

    may_be_infinite: ClassVar[bool] = True
    target: Array
    prediction: Array
    link: str
    eps: float
    held: str = "float64"

    @cached_property
    def probability(self) -> Array:
        """Probability of the event."""
        if self.link == "probability":
            return self.prediction
        return self._sigmoids[0]

    @cached_property
    def complement(self) -> Array:
        """1 - probability, without loss of digits if the prediction is a logit."""
        if self.link == "probability":
            return 1.0 - self.prediction
        return self._sigmoids[1]

    @cached_property
    def _sigmoids(self) -> tuple[Array, Array]:
        return expit_pair(self.xp, self.prediction)

    @cached_property
    def _tail(self) -> Array:
        """The logarithm of 1 + exp(-|logit|)."""
        return self.xp.log1p(self.xp.exp(-self.xp.abs(self.prediction)))

    @cached_property
    def log_p(self) -> Array:
        """Log-probability of the event."""
        if self.link == "logit":
            return -(self.xp.maximum(-self.prediction, 0.0) + self._tail)
        return self.xp.log(self.xp.maximum(self.prediction, self.eps))

    @cached_property
    def log_q(self) -> Array:
        """Log-probability of no event."""
        if self.link == "logit":
            return -(self.xp.maximum(self.prediction, 0.0) + self._tail)
        log_q = self.xp.log1p(-self.xp.minimum(self.prediction, 1.0 - self.eps))
        # 1 - eps rounds to 1, so the logarithm is clipped instead.
        tiny = self.eps > 0 and 1.0 - self.eps == 1.0
        return self.xp.maximum(log_q, math.log(self.eps)) if tiny else log_q

    def cross_entropy(self, target: Array, pos_weight: float = 1.0) -> Array:
        """-(pos_weight y log p + (1 - y) log q), with 0 log 0 = 0."""
        event = _share_of(self.xp, pos_weight * target, self.log_p)
        return 0.0 - (event + _share_of(self.xp, 1.0 - target, self.log_q))

    def smoothed(self, label_smoothing: float | None) -> Array:
        """The target y smoothed towards one half: y (1 - e) + e / 2."""
        return (
            self.target if not label_smoothing else self.target * (1 - label_smoothing) + label_smoothing / 2
        )


def _share_of(xp: Namespace, share: Array, log: Array) -> Array:
    """The product of a share and a logarithm, with 0 log 0 = 0."""
    product = share * log
    return product if bool(xp.isfinite(log).all()) else xp.where(share == 0, 0.0, product)


class Binary(Bernoulli, frozen=True):
    """Probabilities (n,) and targets (n,) in [0, 1]: 0 or 1, or a fraction for soft labels."""

    task: ClassVar[str] = "binary"
    axis: ClassVar[str] = "probability"

    @property
    def place(self) -> Array:
        """The probability of the true class; for soft labels its expectation."""
        return self.target * self.probability + (1.0 - self.target) * self.complement


class BinaryScore(Batch, frozen=True):
    """Decision scores (n,), any number, and signs (n,): +1 for the positive class, -1 for the other."""

    task: ClassVar[str] = "binary"
    axis: ClassVar[str] = "margin"
    score: Array
    sign: Array

    @property
    def place(self) -> Array:
        """The margin."""
        return self.margin

    @cached_property
    def margin(self) -> Array:
        """Sign times score: positive if the score is on the correct side."""
        return self.sign * self.score


class BinarySoftScore(Batch, frozen=True):
    """Decision scores (n,), any number, and targets (n,) in [0, 1]: 0 or 1, or a fraction for soft labels."""

    task: ClassVar[str] = "binary"
    axis: ClassVar[str] = "margin"
    score: Array
    target: Array

    @property
    def place(self) -> Array:
        """The margin of the score; for soft labels its expectation."""
        return (2.0 * self.target - 1.0) * self.score


class BinaryLabel(Labelled, frozen=True):
    """Targets (n,), 0 or 1, and probabilities or predicted labels (n,), to compare with a threshold."""

    task: ClassVar[str] = "binary"
    axis: ClassVar[str] = "probability"
    labelled_by: ClassVar[tuple[str, ...]] = ("threshold", "inclusive")
    target: Array
    probability: Array

    @property
    def place(self) -> Array:
        """The probability of the true class."""
        return self.xp.where(self.target == 1, self.probability, 1.0 - self.probability)

    def labels(self, params: Mapping[str, Any]) -> tuple[Array, Array]:
        """The true label of each row (n,), and the predicted one at the threshold of a loss."""
        guess = self.predicted(params.get("threshold", 0.5), bool(params.get("inclusive")))
        return self.target.astype(np.int64), guess.astype(np.int64)

    @classmethod
    def of_labels(cls, xp: Namespace, actual: Array, predicted: Array, classes: int) -> tuple[Self, ...]:
        """The batch of rows with these labels (m,), or one for each class: 0 and 1 are on the right side."""
        return cls.made(xp, actual.astype(float), predicted.astype(float))

    @classmethod
    def made(cls, xp: Namespace, target: Array, probability: Array) -> tuple[Self, ...]:
        """The batch, or one for each class."""
        return (cls(xp, target, probability),)

    def predicted(self, threshold: float, inclusive: bool = False) -> Array:
        """1 if the probability is above the threshold, else 0 (n,); equality gives 0, or 1 if inclusive."""
        p = self.probability
        return (p >= threshold if inclusive else p > threshold).astype(float)


class BinaryOutcome(BinaryLabel, frozen=True):
    """As BinaryLabel, for one of the two classes: `own` is 1 for the positive class, 0 for the negative."""

    of_cells: ClassVar[Literal["rows", "each", "none"]] = "each"
    axis: ClassVar[str] = ""
    own: int = 1

    @classmethod
    def made(cls, xp: Namespace, target: Array, probability: Array) -> tuple[Self, ...]:
        """One batch for each class."""
        return tuple(cls(xp, target, probability, own) for own in (0, 1))

    def outcomes(self, threshold: float, inclusive: bool) -> Outcomes:
        """The outcome of each row for the class."""
        guess, y = self.predicted(threshold, inclusive), self.target
        return outcomes(y, guess) if self.own else outcomes(1.0 - y, 1.0 - guess)


class BinaryAgreement(BinaryLabel, frozen=True):
    """As BinaryLabel, for losses of both classes together, which have no value for one of them."""

    of_cells: ClassVar[Literal["rows", "each", "none"]] = "none"
    axis: ClassVar[str] = ""


class Outcomes(NamedTuple):
    """Whether each row (n,) is a true or false positive or negative of a class: 1, else 0."""

    true_positive: Array
    false_positive: Array
    false_negative: Array
    true_negative: Array

    @property
    def of_positives(self) -> tuple[Array, ...]:
        """TP, FP and FN."""
        return self.true_positive, self.false_positive, self.false_negative

    @property
    def of_negatives(self) -> tuple[Array, ...]:
        """TN, FP and FN."""
        return self.true_negative, self.false_positive, self.false_negative


def outcomes(actual: Array, predicted: Array) -> Outcomes:
    """The outcomes for a class from the actual and predicted membership of each row: 1, else 0 (n,)."""
    others, rejected = 1.0 - actual, 1.0 - predicted
    return Outcomes(predicted * actual, predicted * others, rejected * actual, rejected * others)


def read(block: Block, xp: Namespace, wanted: frozenset[type[Batch]], pilot: None) -> Rows:
    """The wanted batches; the class of a row is its target if that is 0 or 1."""
    roles = block.roles
    labels = [kind for kind in wanted if issubclass(kind, BinaryLabel)]
    target = read_target(block)
    if roles.link == "label":
        prediction = read_labels(block, roles.predictions[0])
    else:
        prediction = block.numbers(roles.predictions)[:, 0]
    if roles.link == "probability" and (labels or wanted & {Binary, BinaryVariables}):
        prediction = probabilities(block, roles.predictions)[:, 0]
    elif roles.link in ("logit", "probability") and not block.are_finite(roles.predictions):
        block.flag(np.isinf(prediction), Code.NOT_FINITE, roles.predictions[0])
    if labels or BinaryScore in wanted:
        soft = (target > 0) & (target < 1)
        block.flag(soft, Code.SOFT_LABEL, roles.targets[0], lambda i: f"{target[i]:g}", needed="0 or 1")
    target, prediction = block.drop_marked(target, prediction)
    if Binary in wanted and roles.notes_clips:
        note_clipped(block, target, prediction, roles.eps)
    y, value = xp.asarray(target), xp.asarray(prediction)
    link = "probability" if roles.link == "label" else roles.link
    held = roles.held[0] if link == "probability" else "float64"
    bernoulli = Binary(xp, y, value, link, roles.eps, held)
    batches: dict[type[Batch], tuple[Batch, ...]] = {Binary: (bernoulli,)}
    if BinaryScore in wanted:
        batches[BinaryScore] = (BinaryScore(xp, value, 2.0 * y - 1.0),)
    if BinarySoftScore in wanted:
        batches[BinarySoftScore] = (BinarySoftScore(xp, value, y),)
    batches |= {kind: kind.made(xp, y, bernoulli.probability) for kind in labels}
    codes = (y == 1).astype(xp.int64) - ((y > 0) & (y < 1))
    factor = None
    if roles.row_factors is not None:
        factor = y * roles.row_factors[1] + (1.0 - y) * roles.row_factors[0]
    if BinaryVariables in wanted:
        weight = (
            factor if block.weight is None else xp.asarray(block.weight) * (1.0 if factor is None else factor)
        )
        batches[BinaryVariables] = (BinaryVariables(xp, bernoulli.probability, y, weight),)
    return Rows(batches, codes, factor)


def read_target(block: Block) -> Array:
    """The target as 0, 1 or a fraction (n,).  Flags labels that are neither class."""
    roles = block.roles
    column = roles.targets[0]
    if roles.target_form == "label":
        return read_labels(block, column)
    target = block.numbers(roles.targets)[:, 0]
    if block.within(roles.targets, 0, 1):
        return target
    minus = target == -1
    if minus.any():
        block.flag(minus, Code.NEGATIVE_LABEL, column)
        target = np.where(minus, 0.0, target)
    slack = tolerance(block, roles.targets)
    neither = (target < -slack) | (target > 1 + slack)
    block.flag(
        neither,
        Code.NOT_BINARY_LABEL,
        column,
        lambda i: repr(float(target[i])).removesuffix(".0"),
        remedy="--positive names one of two labels; --task multiclass takes more",
        negative=0,
        positive=1,
    )
    note_rounded(block, target[:, None], slack)
    return np.clip(target, 0.0, 1.0)


def read_labels(block: Block, column: str) -> Array:
    """Labels as 0 and 1 (n,).  Flags labels that are neither class."""
    codes = block.codes(column)
    series, (negative, positive) = block.frame[column], block.roles.names
    block.flag(
        codes < 0,
        Code.NOT_BINARY_LABEL,
        column,
        lambda i: shortened(repr(series[i])),
        negative=negative,
        positive=positive,
    )
    return (codes == 1).astype(float)


TASK = Task(
    "binary",
    read,
    usual=("binary_cross_entropy", "brier", "zero_one"),
    usual_labels=("zero_one", "balanced_error", "f1_error"),
    cell="class",
)
