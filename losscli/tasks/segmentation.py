"""Segmentation: one row per image and one column per pixel, with the same names on both sides."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Annotated, ClassVar

from msgspec import Struct

from losscli.data.labels import label_text
from losscli.data.stream import Keys, Part
from losscli.errors import UsageError
from losscli.numeric import softmax as softmaxes
from losscli.numeric.arrays import Array, Namespace
from losscli.numeric.cached import cached_property
from losscli.tasks.base import Batch
from losscli.tasks.catalog import Task
from losscli.tasks.named import COUNT, PROBABILITY, Column, Named, Vectors, read

Pixels = Column(PROBABILITY, role="shared")
TruePixels = Column(PROBABILITY, role="shared", side="t")
PIXEL_AND_CLASS, NAMES = r"(?:px|pixel_?)(\d+)_(.+)", "px0_cat, px0_dog, px1_cat, ..."
Scores = Column(role="family", pattern=PIXEL_AND_CLASS, vector=False, like=NAMES)
TrueClasses = Column(PROBABILITY, role="family", side="t", pattern=PIXEL_AND_CLASS, vector=False, like=NAMES)


class Overlap(Struct, frozen=True, eq=False):
    """The sizes of the intersection of predicted and true masks, and of their differences (n, ...)."""

    hits: Array
    false_alarms: Array
    misses: Array


class Mask(Vectors, frozen=True):
    """The probability of the object in each pixel, and its presence (n, pixels), in [0, 1]."""

    task: ClassVar[str] = "segmentation"
    prediction: Annotated[Array, Pixels]
    target: Annotated[Array, TruePixels]

    @cached_property
    def hits(self) -> Array:
        """True positives (n,): sum y p."""
        return self.xp.sum(self.target * self.prediction, axis=1)

    @cached_property
    def is_empty(self) -> Array:
        """Whether an image has no true pixel (n,)."""
        return self.xp.sum(self.target, axis=1) == 0

    @cached_property
    def false_alarms(self) -> Array:
        """False positives (n,): sum (1 - y) p."""
        return self.xp.sum((1.0 - self.target) * self.prediction, axis=1)

    @cached_property
    def misses(self) -> Array:
        """False negatives (n,): sum y (1 - p)."""
        return self.xp.sum(self.target * (1.0 - self.prediction), axis=1)


class ClassMask(Vectors, frozen=True):
    """The predicted and the true class of each pixel (n, pixels), as numbers from 0."""

    task: ClassVar[str] = "segmentation"
    prediction: Annotated[Array, Column(COUNT, role="shared")]
    target: Annotated[Array, Column(COUNT, role="shared", side="t")]


class ClassScores(Named, frozen=True):
    """The score of each class in each pixel, and the true class as probabilities (n, pixels, classes)."""

    task: ClassVar[str] = "segmentation"
    prediction: Annotated[Array, Scores]
    target: Annotated[Array, TrueClasses]

    @classmethod
    def cells(cls, keys: Mapping[str, Keys], widths: Mapping[str, int]) -> tuple[str, ...]:
        """No cells.  Raises UsageError if a class of a pixel is missing, or the two sides differ."""
        predicted = keys["prediction"]
        pixels = dict.fromkeys(pixel for pixel, _ in predicted)
        classes = dict.fromkeys(label for _, label in predicted)
        if list(predicted) != [*product(pixels, classes)] or keys["target"] != predicted:
            raise UsageError(
                "each pixel needs a column for each class, the same among the predictions and the targets",
                remedy="name them px0_cat, px0_dog, px1_cat, px1_dog, ...",
            )
        return ()

    @classmethod
    def made(cls, xp: Namespace, part: Part, values: Mapping[str, Array]) -> tuple[Batch, ...]:
        """One batch, with matrices (n, pixels, classes)."""
        shape = (len(values["target"]), -1, len({label for _, label in part.keys["target"]}))
        cubes = {name: xp.ascontiguousarray(values[name]).reshape(shape) for name in ("prediction", "target")}
        return (cls(xp, **{**values, **cubes}),)

    @cached_property
    def _softmax(self) -> tuple[Array, Array]:
        """The probability of each class, and its complement."""
        flat = self.prediction.reshape(-1, self.prediction.shape[2])
        probability, complement = softmaxes.softmax(self.xp, flat)
        return probability.reshape(self.prediction.shape), complement.reshape(self.prediction.shape)

    def overlap(self, softmax: bool) -> Overlap:
        """The overlap of the masks of each class (n, classes), of logits or of probabilities.

        The result is NaN where a probability is outside [0, 1].
        """
        xp, y = self.xp, self.target
        if softmax:
            p, rest = self._softmax
        else:
            p = xp.where((self.prediction < 0) | (self.prediction > 1), xp.nan, self.prediction)
            rest = 1.0 - p
        return Overlap(*(xp.sum(part, axis=1) for part in (y * p, (1.0 - y) * p, y * rest)))


class WeightedClassScores(ClassScores, frozen=True):
    """As ClassScores, with the weights of the classes (classes,), None for ones."""

    class_weight: Array | None = None

    @classmethod
    def classes(cls, keys: Mapping[str, Keys]) -> tuple[str, ...]:
        """The classes in the names of the columns."""
        return tuple(dict.fromkeys(label_text(label) for _, label in keys["target"]))

    @classmethod
    def made(cls, xp: Namespace, part: Part, values: Mapping[str, Array]) -> tuple[Batch, ...]:
        """One batch, as for ClassScores."""
        if part.class_weight is None:
            return super().made(xp, part, values)
        return super().made(xp, part, {**values, "class_weight": xp.asarray(part.class_weight)})


TASK = Task("segmentation", read, usual=("dice", "dice_smooth"), batches=(Mask,))
