"""Intervals drawn in a cell of a table: '├──●──┤'."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

WIDTH = 19
"""The width of a drawing."""
Ends = tuple[float, float, float]
"""The lower end of an interval, the value, and the upper end."""


class Axis(Struct, frozen=True):
    """The range of values that a drawing covers; `mark` is the value of a reference line."""

    low: float
    high: float
    mark: float | None = None

    @classmethod
    def of(cls, intervals: Sequence[Ends], mark: float | None = None) -> Axis:
        """The smallest axis that covers all intervals."""
        return cls(min(low for low, _, _ in intervals), max(high for _, _, high in intervals), mark)

    def position(self, value: float) -> int:
        """The index of the character that shows a value."""
        # Relative to the middle, so that equal distances from it look equal.
        middle = self.low + (self.high - self.low) / 2
        return WIDTH // 2 + (
            round((value - middle) / (self.high - middle) * (WIDTH // 2)) if self.high > middle else 0
        )

    def fraction(self, value: float) -> float:
        """The position of a value on the axis, from 0 to 1."""
        # Halves, since the width itself may overflow.
        width = self.high / 2 - self.low / 2
        return min(max((value / 2 - self.low / 2) / width, 0.0), 1.0) if width > 0 else 0.5

    def draw(self, interval: Ends) -> str:
        """An interval on the axis; the value covers an end at the same position."""
        low, middle, high = map(self.position, interval)
        cells = [" "] * WIDTH
        cells[low : high + 1] = "─" * (high + 1 - low)
        if self.mark is not None:
            line = self.position(self.mark)
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
