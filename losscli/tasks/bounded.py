"""Forecasts of distributions between two bounds, which may be infinite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from msgspec.structs import replace

from losscli.data.stream import Part
from losscli.numeric.arrays import Array
from losscli.numeric.cached import cached_property
from losscli.numeric.tails import LogisticTail, NormalTail, StudentTail, Tail
from losscli.tasks.block import Block
from losscli.tasks.parameters import Bound, LocationScale, Positive, Probability, flag_empty_range

NEGLIGIBLE = 1e-100
"""A fraction too small to change a result, whose inverse can still be squared."""


class Bounded(LocationScale, frozen=True):
    """A location-scale distribution restricted to the range from lower to upper.

    Distances are measured from the centre, where the density between the bounds has its maximum.
    """

    lower: Bound
    upper: Bound

    @classmethod
    def check(cls, block: Block, part: Part, values: Mapping[str, Array]) -> None:
        """Flag bounds in the wrong order."""
        flag_empty_range(block, part, values, "lower", "upper")

    @cached_property
    def tail(self) -> Tail:
        """The tail of the density, symmetric about the location, in units of the scale."""
        return NormalTail(self.xp)

    @cached_property
    def inside(self) -> Array:
        """Whether the target is between the bounds or at one (n,)."""
        return (self.target >= self.lower) & (self.target <= self.upper)

    @cached_property
    def nearest(self) -> Array:
        """The number between the bounds that is nearest to the target (n,)."""
        return self.xp.minimum(self.xp.maximum(self.target, self.lower), self.upper)

    @cached_property
    def centre(self) -> Array:
        """The number between the bounds that is nearest to the location (n,)."""
        return self.xp.minimum(self.xp.maximum(self.location, self.lower), self.upper)

    @property
    def widened(self) -> Self:
        """The same with a scale that is not negligible compared with the distances from the centre."""
        xp = self.xp
        longest = xp.maximum(xp.abs(self.centre - self.location), xp.abs(self.nearest - self.centre))
        return replace(self, scale=xp.maximum(self.scale, NEGLIGIBLE * longest))

    @cached_property
    def start(self) -> Array:
        """From the location to the centre (n,), in units of the scale."""
        return self.xp.abs(self.centre - self.location) / self.scale

    @cached_property
    def distance(self) -> Array:
        """From the centre to `nearest` (n,), in units of the scale."""
        return self.xp.abs(self.nearest - self.centre) / self.scale

    @cached_property
    def is_right(self) -> Array:
        """Whether `nearest` is at the centre or right of it (n,)."""
        return self.nearest >= self.centre

    @cached_property
    def reaches(self) -> tuple[Array, Array]:
        """From the centre to the lower and to the upper bound (n,), in units of the scale."""
        return (self.centre - self.lower) / self.scale, (self.upper - self.centre) / self.scale

    @cached_property
    def bounds(self) -> tuple[Array, Array]:
        """From the lower bound to the location, and from the location to the upper bound (n,), in scales."""
        return (self.location - self.lower) / self.scale, (self.upper - self.location) / self.scale

    @cached_property
    def rest(self) -> Array:
        """From `nearest` to the bound on its side (n,), in units of the scale."""
        near, _ = self.on_sides(self.nearest - self.lower, self.upper - self.nearest)
        return near / self.scale

    def on_sides(self, left: Array, right: Array) -> tuple[Array, Array]:
        """The values left and right of the centre (n,), reordered: the target's side first."""
        return self.xp.where(self.is_right, right, left), self.xp.where(self.is_right, left, right)


class BoundedNormal(Bounded, frozen=True):
    """A normal distribution with lower and upper bounds."""


class BoundedLogistic(Bounded, frozen=True):
    """A logistic distribution with lower and upper bounds."""

    @cached_property
    def tail(self) -> Tail:
        """The tail of the logistic density."""
        return LogisticTail(self.xp)


class BoundedStudentT(Bounded, frozen=True):
    """Student's t distribution with df degrees of freedom and lower and upper bounds."""

    df: Positive

    @cached_property
    def tail(self) -> Tail:
        """The tail of Student's t density."""
        return StudentTail(self.xp, self.df)


class BoundedNormalWithMass(BoundedNormal, frozen=True):
    """The density of a normal distribution between bounds that have the probabilities lmass and umass."""

    lmass: Probability
    umass: Probability


class BoundedLogisticWithMass(BoundedLogistic, frozen=True):
    """The density of a logistic distribution between bounds that have the probabilities lmass and umass."""

    lmass: Probability
    umass: Probability


class BoundedStudentTWithMass(BoundedStudentT, frozen=True):
    """The density of Student's t distribution between bounds that have the probabilities lmass and umass."""

    lmass: Probability
    umass: Probability
