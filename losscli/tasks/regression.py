"""Regression: a number predicted for each row, of one or several outputs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from losscli.tasks.base import Batch, Block, Rows
from losscli.xp import Array, Namespace, np


@dataclass(frozen=True, eq=False)
class Regression(Batch):
    """One output: `prediction` and `target` (n,), finite, in the unit of the target.

    `centre` is a target near the mean of all targets, `error_centre` an error near the mean error: fixed
    for a run, so that losses which need variances can keep them without losing digits.
    """

    task: ClassVar[str] = "regression"
    prediction: Array
    target: Array
    centre: float = 0.0
    error_centre: float = 0.0

    @cached_property
    def error(self) -> Array:
        """Prediction - target."""
        return self.prediction - self.target

    @cached_property
    def abs_error(self) -> Array:
        """|prediction - target|."""
        return self.xp.abs(self.error)

    @cached_property
    def squared_error(self) -> Array:
        """(prediction - target)^2."""
        return self.error * self.error

    @cached_property
    def centred_target(self) -> Array:
        """Target - centre."""
        return self.target - self.centre

    @cached_property
    def centred_error(self) -> Array:
        """Error - error_centre."""
        return self.error - self.error_centre


Pilot = tuple[tuple[float, float], ...]
"""For each output a target near the mean, and an error near the mean error."""


def pilot(block: Block) -> Pilot:
    """The centres, from the first rows."""
    target, prediction = block.numbers(block.roles.targets), block.numbers(block.roles.predictions)
    with np.errstate(all="ignore"):
        centres = [_middle(target[:, i]) for i in range(target.shape[1])]
        return tuple((c, _middle(prediction[:, i] - target[:, i])) for i, c in enumerate(centres))


def _middle(values: Array) -> float:
    # A value of the data itself: where all are equal, what is centred is exactly zero.
    finite = values[np.isfinite(values)]
    if not len(finite) or not np.isfinite(np.mean(finite)):
        return 0.0
    return float(finite[np.argmin(np.abs(finite - np.mean(finite)))])


def read(block: Block, xp: Namespace, wanted: frozenset[type[Batch]], pilot: Pilot) -> Rows:
    """One Regression batch an output."""
    roles = block.roles
    prediction, target = block.numbers(roles.predictions), block.numbers(roles.targets)
    largest = np.finfo(float).max
    for columns in (roles.predictions, roles.targets):
        if not block.are_finite(columns):
            values = block.numbers(columns)
            block.check_range(
                values, -largest, largest, "infinite values", columns, "a number must be finite"
            )
    prediction, target = block.drop_marked(prediction, target)
    assert prediction is not None
    assert target is not None
    batches = tuple(
        Regression(xp, xp.asarray(prediction[:, i]), xp.asarray(target[:, i]), *centres)
        for i, centres in enumerate(pilot)
    )
    return Rows({Regression: batches})
