"""The noise of the difference of two estimates, from their standard errors and the ends of their intervals.

The estimates are independent, or else the noise is the maximum for any correlation.
"""

from __future__ import annotations

import math

from msgspec import Struct


class Error(Struct, frozen=True):
    """The noise of an estimate: its standard error with degrees of freedom, and those of each side.

    `below` and `above` are the standard errors implied by the ends of its interval, which differ if it is
    skewed.
    """

    se: float
    df: float
    below: float
    above: float

    @classmethod
    def of(cls, value: float, se: float, ends: tuple[float, float], deviate: float, df: float) -> Error:
        """The noise of a value whose interval at a level with this two-sided quantile has these ends."""
        return cls(se, df, (value - ends[0]) / deviate, (ends[1] - value) / deviate)

    def times(self, factor: float) -> Error:
        """The noise of a multiple of the estimate."""
        below, above = (self.above, self.below) if factor < 0 else (self.below, self.above)
        size = abs(factor)
        return Error(size * self.se, self.df, size * below, size * above)

    def minus(self, other: Error) -> Error:
        """The noise of the difference from another, independent estimate.

        Each end of the interval of the difference combines the variances implied by the ends of both
        intervals: Zou and Donner (2008), Construction of confidence limits about effect measures,
        doi:10.1002/sim.3095.  Degrees of freedom by Welch (1947), doi:10.1093/biomet/34.1-2.28.
        """
        se = math.hypot(self.se, other.se)
        parts = 0.0 if se == 0 else (self.se / se) ** 4 / self.df + (other.se / se) ** 4 / other.df
        df = max(1.0, 1 / parts) if parts > 0 else math.inf
        return Error(se, df, math.hypot(self.below, other.above), math.hypot(self.above, other.below))

    def minus_correlated(self, other: Error) -> Error:
        """The maximum noise of the difference from another estimate, whatever their correlation.

        A covariance is no larger than the product of both standard errors.
        """
        df = min(self.df, other.df)
        return Error(self.se + other.se, df, self.below + other.above, self.above + other.below)
