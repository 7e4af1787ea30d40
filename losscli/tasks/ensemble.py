"""Ensemble forecasts: one column per member (m0, ...), or per member and dimension (m0_d0, ...)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from losscli.data.stream import Part
from losscli.errors import UsageError
from losscli.numeric.arrays import Array, Namespace
from losscli.numeric.cached import cached_property
from losscli.numeric.ranges import Range
from losscli.report.findings import Code
from losscli.tasks.base import Batch
from losscli.tasks.block import Block
from losscli.tasks.catalog import Task
from losscli.tasks.named import Column, Keys, Named, Target, read

MEMBERS = Column(role="family", pattern=r"(?:m|member_?)(\d+)", like="m0, m1, ...")
WEIGHTS = Column(Range(0), role="family", pattern=r"(?:w|weight_?)(\d+)", like="w0, w1, ...")
CELLS = Column(role="family", pattern=r"(?:m|member_?)(\d+)_d(\d+)", vector=False, like="m0_d0, m0_d1, ...")
DIMENSIONS = Column(
    role="family", pattern=r"(?:y_true|target|y)_(\d+)", side="t", like="y_true_0, y_true_1, ..."
)


class Ensemble(Named, frozen=True):
    """The members (n, members), in any order, and the target (n,)."""

    task: ClassVar[str] = "ensemble"
    members: Annotated[Array, MEMBERS]
    target: Target

    @property
    def size(self) -> int:
        """The number of members."""
        return int(self.members.shape[1])

    @cached_property
    def ordered(self) -> Array:
        """The sorted members of each row (n, members)."""
        return self.xp.sort(self.members, axis=1)

    @cached_property
    def centred(self) -> Array:
        """The members minus the mean of their row (n, members)."""
        # Twice, since the first mean has a rounding error that scales with the members.
        once = self.members - self.xp.mean(self.members, axis=1, keepdims=True)
        return once - self.xp.mean(once, axis=1, keepdims=True)

    @cached_property
    def error(self) -> Array:
        """The mean of the members minus the target (n,)."""
        return self.xp.mean(self.members - self.target[:, None], axis=1)

    @cached_property
    def interquartile_range(self) -> Array:
        """The third quartile of the members minus the first (n,), by linear interpolation."""
        return self._quantile(0.75) - self._quantile(0.25)

    def _quantile(self, level: float) -> Array:
        place = level * (self.size - 1)
        below = int(place)
        low, high = self.ordered[:, below], self.ordered[:, min(below + 1, self.size - 1)]
        return low + (place - below) * (high - low)

    def deviation(self, bias: bool) -> Array:
        """The standard deviation of the members (n,), with divisor `size` if `bias`, else `size` - 1."""
        squares = self.xp.sum(self.centred * self.centred, axis=1)
        return self.xp.sqrt(squares / (self.size if bias else self.size - 1))


class WeightedEnsemble(Ensemble, frozen=True):
    """The weights of the members (n, members), which need not sum to one: columns w0, w1, ..."""

    weights: Annotated[Array, WEIGHTS]

    @classmethod
    def cells(cls, keys: Mapping[str, Keys], widths: Mapping[str, int]) -> tuple[str, ...]:
        """No cells.  Raises UsageError if a member has no weight."""
        if widths["members"] != widths["weights"] or (all(keys.values()) and len(set(keys.values())) > 1):
            raise UsageError("each member needs a weight", remedy="name them m0, w0, m1, w1")
        return ()

    @classmethod
    def check(cls, block: Block, part: Part, values: Mapping[str, Array]) -> None:
        """Flag rows in which all weights are zero."""
        block.flag(~(values["weights"].sum(axis=1) > 0), Code.NO_MEMBER_WEIGHT, part.arrays["weights"])


class MultivariateEnsemble(Named, frozen=True):
    """The members (n, members, dimensions), and the targets (n, dimensions)."""

    task: ClassVar[str] = "ensemble"
    members: Annotated[Array, CELLS]
    target: Annotated[Array, DIMENSIONS]

    @property
    def size(self) -> int:
        """The number of members."""
        return int(self.members.shape[1])

    @cached_property
    def centred(self) -> Array:
        """The members minus their mean (n, members, dimensions)."""
        # Twice, since the first mean has a rounding error that scales with the members.
        once = self.members - self.xp.mean(self.members, axis=1, keepdims=True)
        return once - self.xp.mean(once, axis=1, keepdims=True)

    @classmethod
    def cells(cls, keys: Mapping[str, Keys], widths: Mapping[str, int]) -> tuple[str, ...]:
        """No cells.  Raises UsageError if a dimension of a member is missing."""
        dimensions = [key[0] for key in keys["target"]] or [float(i) for i in range(widths["target"])]
        members = list(dict.fromkeys(key[0] for key in keys["members"]))
        if list(keys["members"]) != [(member, d) for member in members for d in dimensions]:
            raise UsageError(
                f"each member needs a column for each of the {len(dimensions)} dimensions of the target",
                remedy="name them m0_d0, m0_d1, m1_d0, m1_d1, and the targets y_true_0, y_true_1",
            )
        return ()

    @classmethod
    def made(cls, xp: Namespace, part: Part, values: Mapping[str, Array]) -> tuple[Batch, ...]:
        """One batch, with members (n, members, dimensions)."""
        members, target = values["members"], values["target"]
        shape = (members.shape[1] // target.shape[1], target.shape[1], len(target))
        # Rows stay next to each other in memory: sums over a few members or dimensions are ten times as fast.
        return (cls(xp, xp.ascontiguousarray(members.T).reshape(shape).transpose(2, 0, 1), target),)


TASK = Task(
    "ensemble",
    read,
    usual=(
        "crps_weighted_ensemble",
        "crps_ensemble",
        "dawid_sebastiani_ensemble",
        "energy_score",
        "variogram_score",
    ),
    batches=(MultivariateEnsemble, WeightedEnsemble, Ensemble),
    shown=(MultivariateEnsemble, Ensemble),
)
