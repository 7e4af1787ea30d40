"""Batches of the variables of expressions, for the tasks that support expressions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from losscli.numeric.arrays import Array
from losscli.numeric.cached import cached_property
from losscli.tasks.base import Batch

NAMES = ("y", "p", "e", "w")
"""The variables of an expression: target, prediction, error, weight."""


class Variables(Batch, frozen=True):
    """The prediction, target and weight of each row (n,); the weight is None if all are one."""

    prediction: Array
    target: Array
    weight: Array | None

    @cached_property
    def named(self) -> Mapping[str, Array]:
        """The variables (n,) by name."""
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
    """Unclipped probabilities of the positive class, and targets: 0, 1, or a fraction for soft labels."""

    task: ClassVar[str] = "binary"
    may_be_infinite: ClassVar[bool] = True
