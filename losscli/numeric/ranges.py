"""Ranges of numbers."""

from __future__ import annotations

import math

from msgspec import Struct


class Range(Struct, frozen=True):
    """The numbers a parameter may take; a bound in `open` is itself excluded, infinity unless `infinite`."""

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
