"""The result of `losscli explain` as data: losses, with parameters if known, and the rows of files."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, to_builtins
from msgspec.structs import replace

from losscli.catalog.loss import Choice, Loss
from losscli.numeric.arrays import Array
from losscli.report.findings import Note
from losscli.states.histogram import DIGITS, Histogram

WORST = 0.01
"""The share of the worst rows whose share of the loss is reported."""
COVERED = 0.9
"""The share of the rows before the tail with a parameter in `Facts.covers`."""
QUANTILES = (0.5, 0.9, 0.99)
"""The levels of the reported quantiles of |residual|."""
PRECISION = 2.0**-DIGITS
"""The relative error of a quantile."""


class Part(Struct, frozen=True):
    """The rows that `what` describes: their number, and their shares of the weight and of the loss."""

    what: str
    rows: int
    weight_share: float
    loss_share: float | None


class Facts(Struct, frozen=True):
    """Facts about the rows; a share of the loss is None if the loss is not a sum of positive terms.

    `value` is the mean of the row losses; `quantiles` are those of |residual| by level, for regression;
    `covers` is the value of a parameter with which nine in ten residuals lie before the tail.
    """

    rows: int
    weight: float
    value: float
    parts: tuple[Part, ...]
    worst_share: float | None
    quantiles: dict[float, float]
    covers: dict[str, float]
    notes: tuple[Note, ...]

    def to_dict(self) -> dict[str, Any]:
        """The facts as plain data; the levels of quantiles become text."""
        quantiles = {f"{share:g}": value for share, value in self.quantiles.items()}
        return {**to_builtins(replace(self, quantiles={})), "quantiles": quantiles}


class Profiled(Struct, frozen=True, eq=False):
    """A loss with its parameters, and the rows of files on its curve."""

    choice: Choice
    profile: Histogram
    facts: Facts

    @property
    def reach(self) -> float:
        """The end of an axis that covers nearly all rows."""
        return self.profile.sizes.quantile(QUANTILES[-1]) or 1.0

    def bars(self, edges: Array) -> list[float]:
        """The weight of the rows between consecutive edges on the axis."""
        weights: list[float] = self.profile.places(edges).tolist()
        return weights


class Page(Struct, frozen=True, eq=False):
    """One loss; `choice` is the loss with its parameters, or None if a required one is not given."""

    loss: Loss
    choice: Choice | None = None


class Content(Struct, frozen=True, eq=False):
    """The content of an explanation: the pages of losses, or if `is_list`, a list of the catalog.

    `profiled` is a single loss with the rows of files on its curve.
    """

    pages: tuple[Page, ...]
    is_list: bool = False
    profiled: Profiled | None = None
