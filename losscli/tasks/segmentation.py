"""Segmentation: one row per image and one column per pixel, with the same names on both sides."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, ClassVar

from losscli.numeric.arrays import Array
from losscli.tasks.catalog import Task
from losscli.tasks.named import COUNT, PROBABILITY, Column, Vectors, read

Pixels = Column(PROBABILITY, role="shared")
TruePixels = Column(PROBABILITY, role="shared", side="t")


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


TASK = Task("segmentation", read, usual=("dice", "dice_smooth"), batches=(Mask,))
