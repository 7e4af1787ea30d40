"""Proportional hazards: logarithms of relative hazards, and times, observed or censored."""

from __future__ import annotations

from functools import partial
from typing import Annotated, ClassVar

from losscli.numeric.arrays import Array, Namespace, to_numpy
from losscli.numeric.cached import cached_property
from losscli.numeric.ranges import Range
from losscli.numeric.segments import Runs
from losscli.tasks.catalog import Task
from losscli.tasks.groups import Grouped, read_groups
from losscli.tasks.named import BINARY, Column


class Cohort(Grouped, frozen=True):
    """Log hazards, times, and whether each time ended with an event: 1, or 0 if it was censored (n,).

    Groups are strata: only items of one group are at risk together.  Arrays by time hold group after group,
    the longest times first.
    """

    task: ClassVar[str] = "hazard"
    is_one_group_by_default: ClassVar[bool] = True
    log_hazard: Annotated[Array, Column()]
    time: Annotated[Array, Column(Range(0), side="t", also=("duration", "survival_time"))]
    event: Annotated[Array, Column(BINARY, side="t", also=("status", "observed"), words="0 or 1")]

    @property
    def items(self) -> int:
        """The number of items of all groups."""
        return len(self.time)

    @cached_property
    def by_time(self) -> Array:
        """The items in order of time (n,): group after group, the longest time first."""
        # Two stable sorts, by time and then by group, keep the order by time within groups.
        order = self.xp.argsort(-self.time, kind="stable")
        return order[self.xp.argsort(self.group[order], kind="stable")]

    @cached_property
    def ties(self) -> Runs:
        """The runs of equal times."""
        xp, time = self.xp, self.time[self.by_time]
        changed = xp.ones(len(time), dtype=bool)
        changed[1:] = time[1:] != time[:-1]
        changed[self.starts] = True
        return Runs(xp, to_numpy(xp.flatnonzero(changed)), len(time))

    @cached_property
    def events(self) -> Array:
        """1 for each event, 0 for each censored time, by time (n,)."""
        return self.event[self.by_time]

    @cached_property
    def risk(self) -> tuple[Array, Array]:
        """The sum of hazards in the risk set of each item, by time (n,), as two numbers.

        These are the largest log hazard, and the sum of the other hazards relative to the largest: the
        logarithm of the sum is the first plus log1p of the second, without cancellation.
        """
        xp, log_hazard = self.xp, self.log_hazard[self.by_time]
        total = self.running(partial(_add_hazards, xp), xp.stack([log_hazard, xp.zeros(len(log_hazard))]))
        # Items with the same time are at risk together.
        last = (xp.append(self.ties.first[1:], len(log_hazard)) - 1)[self.ties.of_rows]
        return total[0, last], total[1, last]


def _add_hazards(xp: Namespace, a: Array, b: Array) -> Array:
    """Add two sums of hazards (2, n), each the largest logarithm and the rest relative to it."""
    first = a[0] >= b[0]
    top, low = xp.where(first, a, b), xp.where(first, b, a)
    return xp.stack([top[0], top[1] + (1.0 + low[1]) * xp.exp(low[0] - top[0])])


TASK = Task(
    "hazard",
    read_groups,
    usual=("cox_partial_likelihood",),
    unit="groups",
    batches=(Cohort,),
    shown=(Cohort,),
)
