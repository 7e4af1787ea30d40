"""Batches of multiclass losses: distributions over classes, scores, and labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self, cast

from losscli.numeric.arrays import Array, Namespace
from losscli.numeric.cached import cached_property
from losscli.numeric.indicators import Indicators
from losscli.numeric.softmax import (
    log_softmax,
    log_softmax_at,
    logsumexp_running,
    pick,
    put,
    softmax,
)
from losscli.numeric.two_float import exact_sum
from losscli.tasks.base import Batch, Labelled
from losscli.tasks.binary import Bernoulli, Outcomes, outcomes


class Multiclass(Batch, frozen=True):
    """Probabilities (n, classes) with their logarithms, exact from probabilities, logits or logs.

    Logits may be float32, as in the file; all results are float64.  `code` (n,) is the true class, or None if
    `soft` (n, classes) holds a distribution.  `class_weight` (classes,) is only for terms of other classes,
    since the weight of the row includes that of its true class.  `held` is the type of the probabilities in
    the file.
    """

    task: ClassVar[str] = "multiclass"
    axis: ClassVar[str] = "probability"
    may_be_infinite: ClassVar[bool] = True
    prediction: Array
    link: str
    eps: float
    code: Array | None
    soft: Array | None
    class_weight: Array | None = None
    held: str = "float64"

    @property
    def place(self) -> Array:
        """The probability of the true class; for soft targets its expectation."""
        if self.code is not None:
            return self.probability_true
        return self.xp.sum(self.target * self.probability, axis=1)

    @property
    def classes(self) -> int:
        """The number of classes."""
        return int(self.prediction.shape[1])

    @cached_property
    def probability(self) -> Array:
        """Probability of each class (n, classes)."""
        if self.link == "logit":
            return self._softmax[0]
        return self.prediction if self.link == "probability" else self.xp.exp(self.prediction)

    @cached_property
    def complement(self) -> Array:
        """1 - probability (n, classes), without loss of digits for logits and log-probabilities."""
        if self.link == "logit":
            return self._softmax[1] if self.code is None else softmax(self.xp, self.prediction)[1]
        return 1.0 - self.prediction if self.link == "probability" else -self.xp.expm1(self.prediction)

    @cached_property
    def probability_true(self) -> Array:
        """Probability of the true class (n,); targets must be labels."""
        return self.pick(self.probability)

    @cached_property
    def complement_true(self) -> Array:
        """1 - probability of the true class (n,); targets must be labels."""
        if self.link == "logit":
            return self._softmax[1]
        return 1.0 - self.probability_true if self.link == "probability" else self.pick(self.complement)

    @cached_property
    def gap(self) -> Array:
        """The distance of each probability from the target (n, classes), with either sign.

        For the true class the complement has the digits that p - 1 loses.
        """
        if self.code is None:
            return self.xp.where(self.target == 1, self.complement, self.probability - self.target)
        gap = self.probability.copy(order="K")
        put(self.xp, gap, self.code, self.complement_true)
        return gap

    @cached_property
    def _softmax(self) -> tuple[Array, Array]:
        """Probabilities, and their complements: if targets are labels, only those of the true classes."""
        return softmax(self.xp, self.prediction, self.code)

    @cached_property
    def clipped(self) -> Array:
        """Probabilities (n, classes), clipped below at `eps`."""
        return self.xp.maximum(self.probability, self.eps)

    @cached_property
    def excess(self) -> Array:
        """Sum of the target distribution minus the sum of `clipped` (n,), exact near 0."""
        if self.link == "logit":
            total, rest = exact_sum(self.xp, self.target, start=-1.0)
        else:
            total, rest = exact_sum(self.xp, self.target - self.clipped)
        return total + rest

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
            return self.xp.log(self.xp.maximum(self.probability_true, self.eps))
        if self.code is not None and self.link == "logit" and "log_prob" not in vars(self):
            return log_softmax_at(self.xp, self.prediction, self.code)
        return self.expect(self.log_prob)

    @cached_property
    def target(self) -> Array:
        """The target distribution (n, classes)."""
        if self.soft is not None:
            return self.soft
        assert self.code is not None
        return one_hot(self.xp, self.code, self.classes).astype(float)

    @cached_property
    def target_below(self) -> Array:
        """Cumulative target probability up to each class but the last (n, classes - 1)."""
        return self.xp.cumsum(self.target, axis=1)[:, :-1]

    @cached_property
    def below(self) -> Array:
        """Cumulative probability up to each class but the last (n, classes - 1)."""
        return self.xp.cumsum(self.probability, axis=1)[:, :-1]

    @cached_property
    def above(self) -> Array:
        """Probability of all classes after each but the last (n, classes - 1)."""
        return self.xp.cumsum(self.probability[:, ::-1], axis=1)[:, -2::-1]

    @cached_property
    def log_below(self) -> Array:
        """Log of the cumulative probability up to each class but the last (n, classes - 1)."""
        return self._log_sum(self.below, self.above, slice(None))

    @cached_property
    def log_above(self) -> Array:
        """Log-probability of all classes after each but the last (n, classes - 1)."""
        return self._log_sum(self.above, self.below, slice(None, None, -1))

    def _log_sum(self, sums: Array, complements: Array, order: slice) -> Array:
        """The logarithm of `sums`, given their `complements`; `order` is the order of summation."""
        xp = self.xp
        mostly = complements < 0.5
        logs = xp.where(
            mostly, xp.log1p(-xp.where(mostly, complements, 0.0)), xp.log(xp.maximum(sums, self.eps))
        )
        underflows = sums < 1e-290
        if self.link == "probability" or not bool(underflows.any()):
            return logs
        return xp.where(underflows, logsumexp_running(xp, self.log_prob[:, order])[:, :-1][:, order], logs)

    def pick(self, values: Array) -> Array:
        """The values (n,) of the true class among values (n, classes); targets must be labels."""
        assert self.code is not None
        return pick(self.xp, values, self.code)

    def terms(self, every: bool = False) -> tuple[Array, Array]:
        """Log-probabilities and complements of each class (n, classes), for `expect` or `smoothed`.

        If targets are labels, those of the true class alone (n,), unless `every` class counts.
        """
        if self.code is None or every:
            return self.log_prob, self.complement
        return self.log_prob_true, self.complement_true

    def expect(self, values: Array) -> Array:
        """The mean of values (n, classes) under the target distribution (n,), with 0 times infinity = 0.

        Values (n,) of the true class are their own mean.  With soft targets the term of each class has its
        class weight, relative to that of the row.
        """
        if self.code is not None:
            return values if values.ndim == 1 else self.pick(values)
        assert self.soft is not None
        parts = self.soft * self.share_weight if self.class_weight is not None else self.soft
        return self.xp.sum(self.xp.where(parts == 0, 0.0, parts * values), axis=1)

    @cached_property
    def share_weight(self) -> Array:
        """The weight of each class relative to the weight of the row (n, classes)."""
        if self.class_weight is None:
            return self.xp.ones((1, 1))
        row_weight = self.own_weight
        return self.class_weight[None, :] / self.xp.where(row_weight == 0, 1.0, row_weight)[:, None]

    @cached_property
    def own_weight(self) -> Array:
        """The class weight of each row (n,); for soft targets its expectation."""
        assert self.class_weight is not None
        if self.code is not None:
            return self.class_weight[self.code]
        assert self.soft is not None
        return self.xp.sum(self.soft * self.class_weight, axis=1)

    @cached_property
    def counted(self) -> Array:
        """1 for each row whose class has a weight above zero, else 0 (n,)."""
        return (self.own_weight != 0).astype(float)

    def smoothed(self, values: Array, label_smoothing: float | None) -> Array:
        """The mean of values (n, classes) under the target smoothed to t (1 - e) + e / K."""
        expected = self.expect(values)
        if not label_smoothing:
            return expected
        if self.class_weight is not None:
            expected = self.xp.where(self.counted == 0, 0.0, expected)
        uniform = self.xp.sum(self.share_weight * values, axis=1) / self.classes
        return (1 - label_smoothing) * expected + label_smoothing * uniform


class MulticlassAmount(Multiclass, frozen=True):
    """As `Multiclass`, but with any amounts >= 0: rows need not sum to one, and there is no clipping."""

    axis: ClassVar[str] = ""


class OneVsAll(Bernoulli, frozen=True):
    """An independent probability for each class (n, classes); `target` is one-hot."""

    task: ClassVar[str] = "multiclass"


class MulticlassScore(Batch, frozen=True):
    """Scores (n, classes), any number, and the true class `code` (n,)."""

    task: ClassVar[str] = "multiclass"
    axis: ClassVar[str] = "margin"
    may_be_infinite: ClassVar[bool] = True
    score: Array
    code: Array
    class_weight: Array | None = None

    @property
    def place(self) -> Array:
        """The score of the true class minus the best other score."""
        return self.true_score - self.best_other

    @cached_property
    def unit_weight(self) -> Array:
        """The inverse class weight of each row (n,), which cancels the one in the weight of the row."""
        if self.class_weight is None:
            return self.xp.ones(len(self.code))
        weight = self.class_weight[self.code]
        return 1.0 / self.xp.where(weight == 0, 1.0, weight)

    def weighted(self, cost: Array) -> Array:
        """The cost (n,), zero where the class of the row has weight zero."""
        if self.class_weight is None:
            return cost
        return self.xp.where(self.class_weight[self.code] == 0, 0.0, cost)

    @cached_property
    def true_score(self) -> Array:
        """The score of the true class (n,)."""
        return pick(self.xp, self.score, self.code)

    @cached_property
    def is_true(self) -> Array:
        """One-hot mask of the true class (n, classes)."""
        return one_hot(self.xp, self.code, self.score.shape[1])

    @cached_property
    def best_other(self) -> Array:
        """The largest score of another class (n,)."""
        return self.xp.max(self.xp.where(self.is_true, -self.xp.inf, self.score), axis=1)


class MulticlassLabel(Labelled, frozen=True):
    """The predicted class (n,) and the true class (n,) of `classes`; ties go to the first class."""

    task: ClassVar[str] = "multiclass"
    predicted: Array
    code: Array
    classes: int

    @classmethod
    def made(cls, xp: Namespace, predicted: Array, code: Array, classes: int) -> tuple[Self, ...]:
        """The batch, or one for each class."""
        return (cls(xp, predicted, code, classes),)

    def labels(self, params: Mapping[str, Any]) -> tuple[Array, Array]:
        """The true and the predicted class of each row (n,)."""
        return self.code, self.predicted

    @classmethod
    def of_labels(cls, xp: Namespace, actual: Array, predicted: Array, classes: int) -> tuple[Self, ...]:
        """The batch of rows with these classes (m,), or one for each class."""
        return cls.made(xp, predicted, actual, classes)


class MulticlassOutcome(MulticlassLabel, frozen=True):
    """As MulticlassLabel, for the class `own` against all others."""

    of_cells: ClassVar[Literal["rows", "each", "none"]] = "each"
    own: int = 0

    @classmethod
    def made(cls, xp: Namespace, predicted: Array, code: Array, classes: int) -> tuple[Self, ...]:
        """One batch for each class."""
        return tuple(cls(xp, predicted, code, classes, own) for own in range(classes))

    def outcomes(self) -> Outcomes:
        """The outcome of each row for the class."""
        actual, predicted = ((codes == self.own).astype(float) for codes in (self.code, self.predicted))
        return outcomes(actual, predicted)

    @classmethod
    def of_all(cls, xp: Namespace, actual: Array, predicted: Array, classes: int) -> Self:
        """As `of_labels`, but one batch whose losses have columns of classes (`Indicators`)."""
        return cast(Self, _AllOutcomes(xp, predicted, actual, classes))


class _AllOutcomes(MulticlassOutcome, frozen=True):
    """As MulticlassOutcome, for every class at once."""

    def outcomes(self) -> Outcomes:
        """The outcome of each row for each class, as `Indicators`."""
        right = (self.code == self.predicted).astype(float)
        wrong, count = 1.0 - right, self.classes
        return Outcomes(
            true_positive=Indicators(count, ((self.code, right),)),
            false_positive=Indicators(count, ((self.predicted, wrong),)),
            false_negative=Indicators(count, ((self.code, wrong),)),
            true_negative=Indicators(
                count, ((self.code, -self.xp.ones_like(right)), (self.predicted, -wrong)), base=1.0
            ),
        )


class MulticlassAgreement(MulticlassLabel, frozen=True):
    """As MulticlassLabel, for losses of all classes together, which have no value for one of them."""

    of_cells: ClassVar[Literal["rows", "each", "none"]] = "none"


def one_hot(xp: Namespace, code: Array, classes: int) -> Array:
    """One-hot mask of the class of each row (n, classes), column-major in memory like scores."""
    return (xp.arange(classes)[:, None] == code).T
