"""Regression: one predicted number per row and output."""

from __future__ import annotations

import math
from typing import ClassVar, NamedTuple

from losscli.numeric.arrays import Array, Namespace, np
from losscli.numeric.cached import cached_property
from losscli.numeric.two_float import unit_of
from losscli.report.findings import Code
from losscli.tasks.base import Batch, Rows
from losscli.tasks.block import LARGEST, Block
from losscli.tasks.catalog import Task
from losscli.tasks.scales import SCALES, check_scales, scales
from losscli.tasks.variables import RegressionVariables

_CENTRAL_ROWS = 1 << 14
"""The rows of which a central value is looked for: more would not place it better."""


class Pilot(NamedTuple):
    """Constants of a run, from the first rows of an output, that keep sums of squares accurate.

    `centre` is a target near the mean target, `error_centre` an error near the mean error.  `target_size` and
    `error_size` are powers of two near the largest centred target and the largest error.
    """

    centre: float = 0.0
    error_centre: float = 0.0
    target_size: float = 1.0
    error_size: float = 1.0

    @property
    def target_unit(self) -> float:
        """The power of two in which targets are squared: one, unless their squares are extreme."""
        return unit_of(self.target_size)

    @property
    def error_unit(self) -> float:
        """The power of two in which errors are squared: one, unless their squares are extreme."""
        return unit_of(self.error_size)

    @property
    def joint_unit(self) -> float:
        """The unit for squares of targets and errors together."""
        return unit_of(max(self.target_size, self.error_size))


NO_PILOT = Pilot()
"""The constants for data near zero and of ordinary magnitude."""


class Regression(Batch, frozen=True):
    """One output: `prediction` and `target` (n,), finite, in the unit of the target.

    `pilot` is fixed for a run.  Errors and targets "in units" are divided by a power of two, which is 1
    except for extreme data, so that their squares neither overflow nor underflow; the reduction undoes this.
    """

    task: ClassVar[str] = "regression"
    axis: ClassVar[str] = "residual"
    prediction: Array
    target: Array
    pilot: Pilot = NO_PILOT

    @cached_property
    def error(self) -> Array:
        """Prediction - target."""
        return self.prediction - self.target

    @property
    def place(self) -> Array:
        """The error."""
        return self.error

    @cached_property
    def abs_error(self) -> Array:
        """|prediction - target|."""
        return self.xp.abs(self.error)

    @cached_property
    def abs_target(self) -> Array:
        """|target|."""
        return self.xp.abs(self.target)

    @cached_property
    def squared_error(self) -> Array:
        """(prediction - target)^2."""
        return self.error * self.error

    @cached_property
    def squared_error_in_units(self) -> Array:
        """((prediction - target) / error_unit)^2."""
        unit = self.pilot.error_unit
        return self.squared_error if unit == 1.0 else (self.error / unit) ** 2

    @cached_property
    def error_in_units(self) -> Array:
        """(prediction - target - error_centre) / error_unit."""
        return _divided(self.error - self.pilot.error_centre, self.pilot.error_unit)

    @cached_property
    def target_in_units(self) -> Array:
        """(target - centre) / target_unit."""
        return _divided(self.target - self.pilot.centre, self.pilot.target_unit)


class Scaled(Regression, frozen=True):
    """As Regression, with the scale of each row and the errors of a naive forecast, by default 1 (n,)."""

    axis: ClassVar[str] = ""
    needs: ClassVar[tuple[str, ...]] = SCALES
    scale: Array = None
    naive_error: Array = None


class Benchmarked(Scaled, frozen=True):
    """As Scaled, with the errors of a naive forecast."""

    needs: ClassVar[tuple[str, ...]] = ("naive",)


def _divided(values: Array, unit: float) -> Array:
    return values if unit == 1.0 else values / unit


def pilot(block: Block) -> tuple[Pilot, ...]:
    """The constants from the first rows, for each output."""
    target, prediction = block.numbers(block.roles.targets), block.numbers(block.roles.predictions)
    with np.errstate(all="ignore"):
        return tuple(_pilot(target[:, i], prediction[:, i] - target[:, i]) for i in range(target.shape[1]))


def _pilot(target: Array, error: Array) -> Pilot:
    target, target_ends = _finite(target)
    error, error_ends = _finite(error)
    centre = _central_value(target)
    return Pilot(
        centre, _central_value(error), _power_of_two(target_ends, centre), _power_of_two(error_ends, 0.0)
    )


def _finite(values: Array) -> tuple[Array, tuple[float, float]]:
    """The finite values with their minimum and maximum: inf and -inf if there are none."""
    ends = float(values.min(initial=math.inf)), float(values.max(initial=-math.inf))
    if all(map(math.isfinite, ends)) or not len(values):
        return values, ends
    return _finite(values[np.isfinite(values)])


def _power_of_two(ends: tuple[float, float], centre: float) -> float:
    """The largest power of two <= max |value - centre| of values between ends; 1 if all equal the centre."""
    largest = max(abs(end - centre) for end in ends)
    return math.ldexp(1.0, math.frexp(largest)[1] - 1) if 0 < largest < math.inf else 1.0


def _central_value(values: Array) -> float:
    # The centre is a value of the data, so that centred values are exactly zero if all are equal.
    values = values[:_CENTRAL_ROWS]
    mean = float(values.mean()) if len(values) else math.nan
    if not math.isfinite(mean):
        return 0.0
    deviations = values - mean
    return float(values[np.argmin(np.abs(deviations, out=deviations))])


def read(block: Block, xp: Namespace, wanted: frozenset[type[Batch]], pilot: tuple[Pilot, ...]) -> Rows:
    """One batch per output for each wanted type."""
    roles = block.roles
    prediction, target = block.numbers(roles.predictions), block.numbers(roles.targets)
    for columns in (roles.predictions, roles.targets):
        block.check_range(columns, -LARGEST, LARGEST, Code.NOT_FINITE)
    check_scales(block)
    prediction, target = block.drop_marked(prediction, target)
    assert prediction is not None
    assert target is not None
    batches = tuple(
        Regression(xp, xp.asarray(prediction[:, i]), xp.asarray(target[:, i]), fixed)
        for i, fixed in enumerate(pilot)
    )
    parts: dict[type[Batch], tuple[Batch, ...]] = {Regression: batches}
    for kind in (Scaled, Benchmarked):
        if kind in wanted:
            (output,) = batches
            scale = scales(block, xp, output.target, output.pilot.error_unit)
            parts[kind] = (kind(xp, output.prediction, output.target, output.pilot, *scale),)
    if RegressionVariables in wanted:
        weight = None if block.weight is None else xp.asarray(block.weight)
        parts[RegressionVariables] = tuple(
            RegressionVariables(xp, batch.prediction, batch.target, weight) for batch in batches
        )
    return Rows(parts, pilots=pilot)


TASK = Task(
    "regression",
    read,
    usual=("root_mean_squared_error", "mean_absolute_error", "huber", "r2"),
    pilot=pilot,
    cell="output",
)
