"""Common parts of the batches of distributions: columns of parameters, and location-scale families."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from losscli.data.stream import Part
from losscli.numeric.arrays import Array
from losscli.numeric.cached import cached_property
from losscli.numeric.ranges import Range
from losscli.report.findings import Code
from losscli.tasks.block import Block
from losscli.tasks.named import COUNT, POSITIVE, PROBABILITY, Column, Named, Target, columns_of

Real = Annotated[Array, Column()]
Bound = Annotated[Array, Column(Range(infinite=True), words="inf and -inf too")]
Positive = Annotated[Array, Column(POSITIVE)]
Deviation = Annotated[Array, Column(POSITIVE, variance="root")]
Scale = Annotated[Array, Column(POSITIVE, variance="refused")]
NonNegative = Annotated[Array, Column(Range(0))]
Probability = Annotated[Array, Column(PROBABILITY)]
PositiveProbability = Annotated[Array, Column(Range(0, 1, open="low"))]
Count = Annotated[Array, Column(COUNT)]


class Distribution(Named, frozen=True):
    """The parameters of one distribution (n,), by the names of the columns, and the target (n,)."""

    task: ClassVar[str] = "distribution"
    may_be_infinite: ClassVar[bool] = True
    target: Target


class LocationScale(Distribution, frozen=True):
    """A location-scale family."""

    location: Real
    scale: Scale

    @cached_property
    def error(self) -> Array:
        """Target - location."""
        return self.target - self.location

    @cached_property
    def z(self) -> Array:
        """The error in units of the scale."""
        return self.error / self.scale


def flag_empty_range(block: Block, part: Part, values: Mapping[str, Array], low: str, high: str) -> None:
    """Flag the rows in which the field `low` is not below the field `high`."""
    lower, upper = values[low][:, 0], values[high][:, 0]
    block.flag(
        lower >= upper,
        Code.EMPTY_RANGE,
        (*part.arrays[low], *part.arrays[high]),
        lambda i: f"{float(lower[i])!r} and {float(upper[i])!r}",
        low=low,
        high=high,
        order=",".join(name.upper() for name, column in columns_of(part.batch).items() if column.by_name),
    )
