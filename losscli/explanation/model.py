"""What `losscli explain` found, as data: losses, with parameters if known, and the rows of files."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, to_builtins
from msgspec.structs import replace

from losscli.catalog.loss import Choice, Loss
from losscli.numeric.arrays import Array
from losscli.report.findings import Note
from losscli.states.histogram import DIGITS, Histogram

WORST = 0.01
"""The share of the rows, the worst ones, whose share of the loss is reported."""
COVERED = 0.9
"""The share of the rows that a parameter in `Facts.covers` leaves before the tail."""
QUANTILES = (0.5, 0.9, 0.99)
"""The shares of the rows whose largest |residual| is reported."""
PRECISION = 2.0**-DIGITS
"""The relative error of a quantile."""


class Part(Struct, frozen=True):
    """The rows that `what` describes: their number, their share of the weight and of the loss."""

    what: str
    rows: int
    weight_share: float
    loss_share: float | None


class Facts(Struct, frozen=True):
    """The rows of a loss; a share of the loss is None if the loss is not a sum of positive parts.

    `value` is the mean of the row losses; `quantiles` are those of |residual|, or of the probability or
    margin from below; `covers` is the parameter that would leave nine in ten residuals before the tail.
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
        """As plain data; quantiles by their share of the rows in text."""
        quantiles = {f"{share:g}": value for share, value in self.quantiles.items()}
        return {**to_builtins(replace(self, quantiles={})), "quantiles": quantiles}


class Profiled(Struct, frozen=True, eq=False):
    """A loss with its parameters, and the rows of files on its curve."""

    choice: Choice
    profile: Histogram
    facts: Facts

    @property
    def reach(self) -> float:
        """The end of the axis, so that it covers nearly all rows."""
        return self.profile.sizes.quantile(QUANTILES[-1]) or 1.0

    def bars(self, edges: Array) -> list[float]:
        """The weight of the rows between consecutive edges on the axis."""
        found: list[float] = self.profile.places(edges).tolist()
        return found


class Page(Struct, frozen=True, eq=False):
    """One loss; `choice` is the loss with its parameters, or None if a required one is not given."""

    loss: Loss
    choice: Choice | None = None


class Content(Struct, frozen=True, eq=False):
    """What is explained: the page of each loss, or if they are a list of the catalog, only their names.

    `profiled` is the one loss with the rows of files on its curve.
    """

    pages: tuple[Page, ...]
    is_list: bool = False
    profiled: Profiled | None = None
