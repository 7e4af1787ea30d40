"""The columns that a loss by expression names, in the tasks that have them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar

from losscli.numeric.arrays import Array
from losscli.tasks.base import Batch

NAMES = ("y", "p", "e", "w")
"""What an expression may name: target, prediction, error, weight."""


class Variables(Batch, frozen=True):
    """A number for the prediction and the target of each row (n,), and its weight (n,), None for ones."""

    prediction: Array
    target: Array
    weight: Array | None

    @cached_property
    def named(self) -> Mapping[str, Array]:
        """Each name with its numbers (n,)."""
        weight = self.xp.ones_like(self.target) if self.weight is None else self.weight
        values = (self.target, self.prediction, self.prediction - self.target, weight)
        return dict(zip(NAMES, values, strict=True))


class RegressionVariables(Variables, frozen=True):
    """One output: values and targets."""

    task: ClassVar[str] = "regression"
    axis: ClassVar[str] = "residual"

    @property
    def place(self) -> Array:
        """The error."""
        return self.prediction - self.target


class BinaryVariables(Variables, frozen=True):
    """Probabilities of the positive class, as they are, and targets: 0, 1, or a fraction of soft labels."""

    task: ClassVar[str] = "binary"
    may_be_infinite: ClassVar[bool] = True
