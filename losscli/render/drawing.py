"""Intervals drawn in a cell of a table: '├──●──┤'."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

WIDTH = 19
"""The width of a drawing."""
Ends = tuple[float, float, float]
"""The lower end of an interval, the value, and the upper end."""


class Axis(Struct, frozen=True):
    """What a drawing shows, from its first character to its last; `mark` is the value of a line across it."""

    low: float
    high: float
    mark: float | None = None

    @classmethod
    def of(cls, intervals: Sequence[Ends], mark: float | None = None) -> Axis:
        """The axis that holds these intervals."""
        return cls(min(low for low, _, _ in intervals), max(high for _, _, high in intervals), mark)

    def place(self, value: float) -> int:
        """The character of a value."""
        # From the middle, so that equal distances from it look equal.
        middle = self.low + (self.high - self.low) / 2
        return WIDTH // 2 + (
            round((value - middle) / (self.high - middle) * (WIDTH // 2)) if self.high > middle else 0
        )

    def share(self, value: float) -> float:
        """Where a value is on the axis, from 0 to 1."""
        # In halves, as the width may be beyond all floats.
        width = self.high / 2 - self.low / 2
        return min(max((value / 2 - self.low / 2) / width, 0.0), 1.0) if width > 0 else 0.5

    def draw(self, interval: Ends) -> str:
        """An interval on the axis; an end that is the value is hidden by it."""
        low, middle, high = map(self.place, interval)
        cells = [" "] * WIDTH
        cells[low : high + 1] = "─" * (high + 1 - low)
        if self.mark is not None:
            line = self.place(self.mark)
            cells[line] = "┼" if low <= line <= high else "│"
        cells[low], cells[high] = "├", "┤"
        cells[middle] = "●"
        return "".join(cells)


class Drawing(Struct, frozen=True):
    """An interval on its axis."""

    axis: Axis
    ends: Ends

    def __str__(self) -> str:
        return self.axis.draw(self.ends)
