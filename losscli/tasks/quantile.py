"""Quantile forecasts: one column per level (q0.1, q0.5, q0.9), or the bounds of an interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from msgspec.structs import replace

from losscli.data.stream import Part
from losscli.errors import UsageError
from losscli.numeric.arrays import Array, Namespace, np
from losscli.report.findings import Code
from losscli.tasks.base import Batch, Rows
from losscli.tasks.block import Block
from losscli.tasks.catalog import Task
from losscli.tasks.named import Column, Keys, Named, Target, read
from losscli.tasks.scales import SCALES, check_scales, scales

LEVELS = Column(role="family", pattern=r"(?:q|quantile)_?(0?\.\d+)", vector=False, like="q0.1, q0.5, ...")


class Quantile(Named, frozen=True):
    """The forecasts of one level (n,), and the target (n,); a run has one batch per level."""

    task: ClassVar[str] = "quantile"
    prediction: Annotated[Array, LEVELS]
    target: Target
    level: float = 0.5

    @property
    def error(self) -> Array:
        """Prediction - target."""
        return self.prediction - self.target

    @classmethod
    def cells(cls, keys: Mapping[str, Keys], widths: Mapping[str, int]) -> tuple[str, ...]:
        """The levels in the names of the columns.  Raises UsageError for missing or duplicate levels."""
        levels = [level for (level,) in keys["prediction"]]
        if len(levels) != widths["prediction"] or len(set(levels)) < len(levels):
            raise UsageError(
                "the names of quantile columns must hold their levels, each once",
                remedy="name them q0.1, q0.5, q0.9",
            )
        return tuple(map(str, levels))

    @classmethod
    def check(cls, block: Block, part: Part, values: Mapping[str, Array]) -> None:
        """Note rows whose quantiles cross; this is not an error, since the loss penalizes them."""
        crossing = (np.diff(values["prediction"], axis=1) < 0).any(axis=1)
        block.flag(crossing, Code.CROSSING_QUANTILES, leave_out=False)

    @classmethod
    def made(cls, xp: Namespace, part: Part, values: Mapping[str, Array]) -> tuple[Batch, ...]:
        """One batch per level."""
        prediction, target = values["prediction"], values["target"]
        return tuple(cls(xp, prediction[:, i], target, float(level)) for i, level in enumerate(part.cells))


class CentralQuantile(Quantile, frozen=True):
    """As Quantile, for the levels of central intervals and the median: 0.1, 0.5, 0.9."""

    @classmethod
    def cells(cls, keys: Mapping[str, Keys], widths: Mapping[str, int]) -> tuple[str, ...]:
        """The levels.  Raises UsageError if one has no partner, or the median is missing."""
        cells = super().cells(keys, widths)
        levels = [float(level) for level in cells]
        pairs = zip(levels, reversed(levels), strict=True)
        if 0.5 not in levels or any(abs(low + high - 1.0) > 1e-9 for low, high in pairs):
            raise UsageError(
                f"weighted_interval_score needs the median and pairs of levels such as 0.1 and 0.9, not "
                f"{', '.join(cells)}",
                remedy="quantile_crps takes any levels",
            )
        return cells


class Interval(Named, frozen=True):
    """The bounds of a central interval (n,), and the target (n,)."""

    task: ClassVar[str] = "quantile"
    lower: Annotated[Array, Column()]
    upper: Annotated[Array, Column()]
    target: Target

    @classmethod
    def check(cls, block: Block, part: Part, values: Mapping[str, Array]) -> None:
        """Flag intervals with swapped bounds."""
        lower, upper = values["lower"][:, 0], values["upper"][:, 0]
        block.flag(
            lower > upper,
            Code.SWAPPED_BOUNDS,
            (*part.arrays["lower"], *part.arrays["upper"]),
            lambda i: f"{float(lower[i])!r} and {float(upper[i])!r}",
        )


class ScaledInterval(Interval, frozen=True):
    """As Interval, with the scale of each row (n,), and the errors of a naive forecast (n,), by default 1."""

    needs: ClassVar[tuple[str, ...]] = SCALES
    scale: Array = None
    naive_error: Array = None


def read_scaled(block: Block, xp: Namespace, wanted: frozenset[type[Batch]], pilot: Any) -> Rows:
    """The wanted batches, with their scales and naive errors."""
    check_scales(block)
    rows = read(block, xp, wanted, pilot)
    if ScaledInterval not in wanted:
        return rows
    (interval,) = rows.parts[ScaledInterval]
    assert isinstance(interval, ScaledInterval)
    scale, naive_error = scales(block, xp, interval.target)
    scaled = replace(interval, scale=scale, naive_error=naive_error)
    return replace(rows, parts={**rows.parts, ScaledInterval: (scaled,)})


TASK = Task(
    "quantile",
    read_scaled,
    usual=("multi_quantile", "quantile_crps"),
    cell="quantile",
    batches=(Quantile,),
    shown=(Quantile,),
)
