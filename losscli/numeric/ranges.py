"""Ranges of numbers."""

from __future__ import annotations

import math
from typing import SupportsFloat

from msgspec import Struct


class Range(Struct, frozen=True):
    """The numbers a parameter may take; bounds in `open` are excluded, and infinity unless `infinite`."""

    low: float = -math.inf
    high: float = math.inf
    open: str = ""
    whole: bool = False
    gap: tuple[float, float] | None = None
    infinite: bool = False

    def __contains__(self, value: float) -> bool:
        above = value > self.low if "low" in self.open else value >= self.low
        below = value < self.high if "high" in self.open else value <= self.high
        outside_gap = self.gap is None or not self.gap[0] < value < self.gap[1]
        whole = not self.whole or float(value).is_integer()
        finite = math.isfinite(value) or (self.infinite and math.isinf(value))
        return finite and above and below and outside_gap and whole

    def parse(self, value: object) -> float:
        """The number given as text or as a Python number; an int if the range is of whole numbers.

        Raises ValueError for anything else, true and false included, and for numbers outside the range.
        """
        if isinstance(value, bool) or not isinstance(value, str | SupportsFloat):
            raise ValueError(f"{value!r} is not a number")
        try:
            number = float(value)
        except (TypeError, OverflowError) as error:
            raise ValueError(str(error)) from None
        if number not in self:
            raise ValueError(f"{value!r} is not {self}")
        return int(number) if self.whole else number

    def __str__(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        bounds = []
        if self.low > -math.inf:
            bounds.append(f"{'>' if 'low' in self.open else '>='} {self.low:g}")
        if self.high < math.inf:
            bounds.append(f"{'<' if 'high' in self.open else '<='} {self.high:g}")
        if self.gap is not None:
            bounds.append(f"not between {self.gap[0]:g} and {self.gap[1]:g}")
        bounds += ["inf and -inf too"] if self.infinite else []
        return " ".join([kind, ", ".join(bounds)]).strip()
