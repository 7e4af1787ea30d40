"""Survival: predicted log times until an event, and an interval that contains each true time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from losscli.data.stream import Part
from losscli.numeric.arrays import Array, Namespace
from losscli.numeric.cached import cached_property
from losscli.numeric.ranges import Range
from losscli.numeric.special import log_minus
from losscli.report.findings import Code
from losscli.tasks.base import Batch
from losscli.tasks.block import Block
from losscli.tasks.catalog import Task
from losscli.tasks.named import BINARY, Column, Named, read


class Lifetime(Named, frozen=True):
    """The predicted logarithm of a time, and an interval that contains the true time (n,).

    For an observed time, both ends are the time; for right-censored times the upper end is infinite, for
    left-censored times the lower end is 0.
    """

    task: ClassVar[str] = "survival"
    may_be_infinite: ClassVar[bool] = True
    reads: ClassVar[Mapping[str, Column]] = {
        "log_time": Column(),
        "lower": Column(Range(0), side="t", also=("label_lower_bound", "time", "duration")),
        "upper": Column(
            Range(0, open="low", infinite=True),
            side="t",
            also=("label_upper_bound",),
            words="a number > 0, or inf for a time censored on the right",
            optional=True,
        ),
        "event": Column(
            BINARY, side="t", also=("status", "observed"), words="0 or 1", optional=True, unless="upper"
        ),
    }
    log_time: Array
    lower: Array
    upper: Array

    @classmethod
    def check(cls, block: Block, part: Part, values: Mapping[str, Array]) -> None:
        """Flag intervals with swapped ends, and times of zero."""
        lower = values["lower"][:, 0]
        if "upper" not in values:
            block.flag(
                lower == 0, Code.OUT_OF_RANGE, part.arrays["lower"], lambda i: "0.0", range="a number > 0"
            )
            return
        upper = values["upper"][:, 0]
        block.flag(
            (lower > upper) & (upper > 0),
            Code.SWAPPED_BOUNDS,
            (*part.arrays["lower"], *part.arrays["upper"]),
            lambda i: f"{float(lower[i])!r} and {float(upper[i])!r}",
            remedy="are the columns swapped? -y LOWER,UPPER names them",
        )

    @classmethod
    def made(cls, xp: Namespace, part: Part, values: Mapping[str, Array]) -> tuple[Batch, ...]:
        """The batch; without upper ends, a time is right-censored unless it ended with an event."""
        lower, upper, event = values["lower"], values.get("upper"), values.get("event")
        if upper is None:
            upper = lower if event is None else xp.where(event > 0, lower, xp.inf)
        return (cls(xp, values["log_time"], lower, upper),)

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
