"""Survival: predicted logarithms of times until an event, and the interval in which each event was."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, ClassVar

from losscli.data.stream import Part
from losscli.numeric.arrays import Array
from losscli.numeric.ranges import Range
from losscli.numeric.special import log_minus
from losscli.report.findings import Code
from losscli.tasks.block import Block
from losscli.tasks.catalog import Task
from losscli.tasks.named import Column, Named, read


class Lifetime(Named, frozen=True):
    """The predicted logarithm of a time, and an interval that holds the true time (n,).

    An observed time is both ends of its interval; of a time censored on the right the upper end is infinite,
    of one censored on the left the lower end is 0.
    """

    task: ClassVar[str] = "survival"
    may_be_infinite: ClassVar[bool] = True
    log_time: Annotated[Array, Column()]
    lower: Annotated[Array, Column(Range(0), side="t", also=("label_lower_bound",))]
    upper: Annotated[
        Array,
        Column(
            Range(0, open="low", infinite=True),
            side="t",
            also=("label_upper_bound",),
            words="a number > 0, or inf for a time censored on the right",
        ),
    ]

    @classmethod
    def check(cls, block: Block, part: Part, values: Mapping[str, Array]) -> None:
        """Flag intervals with swapped ends."""
        lower, upper = values["lower"][:, 0], values["upper"][:, 0]
        block.flag(
            (lower > upper) & (upper > 0),
            Code.SWAPPED_BOUNDS,
            (*part.arrays["lower"], *part.arrays["upper"]),
            lambda i: f"{float(lower[i])!r} and {float(upper[i])!r}",
            remedy="are the columns swapped? -y LOWER,UPPER names them",
        )

    @cached_property
    def is_observed(self) -> Array:
        """Whether the time itself is known (n,)."""
        return self.lower == self.upper

    @cached_property
    def ends(self) -> tuple[Array, Array]:
        """The logarithms of lower / time and upper / time, for the predicted time (n,)."""
        return log_minus(self.xp, self.lower, self.log_time), log_minus(self.xp, self.upper, self.log_time)

    @cached_property
    def log_width(self) -> Array:
        """The logarithm of upper / lower (n,), accurate also for narrow intervals."""
        xp, near = self.xp, self.upper < 2.0 * self.lower
        lower, upper = (xp.where(near, end, 1.0) for end in (self.lower, self.upper))
        return xp.where(near, xp.log1p((upper - lower) / lower), self.ends[1] - self.ends[0])


TASK = Task(
    "survival", read, usual=("aft_nll", "aft_interval_distance"), batches=(Lifetime,), shown=(Lifetime,)
)
