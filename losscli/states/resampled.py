"""Intervals by the Poisson bootstrap, from the values of a loss in replicates of the rows.

A replicate counts each unit, a row or a cluster, a Poisson distributed number of times.  The standard error
is the standard deviation of the values in B replicates, and the ends of the interval are two of their
quantiles: those of BCa, whose bias correction z0 comes from the share of values below the estimate, and whose
acceleration is a sixth of its skewness.  Efron (1987), Better bootstrap confidence intervals,
doi:10.1080/01621459.1987.10478410

Replicates vary as if the n units were the population, less by the factor sqrt((n - 1) / n), and their
quantiles are normal where an estimated variance requires Student's t: the deviates are widened for both.
Hesterberg (2015), What teachers should know about the bootstrap, doi:10.1080/00031305.2015.1089789
"""

from __future__ import annotations

import math

from msgspec.structs import replace

from losscli.numeric.arrays import Array, np
from losscli.numeric.special import special
from losscli.numeric.student import quantile
from losscli.report.findings import Code, Note, note
from losscli.states.base import Estimate
from losscli.states.noise import Noise, Value
from losscli.states.sums import Sums

_TIE = 1e-9
"""The distance in standard errors within which a replicate equals the estimate but for rounding."""
_ROUNDING = 1e-11
"""The relative size, to the mean of all rows, below which a mean is the rounding error of a zero."""
FEW = 15
"""Number of rows or clusters below which replicates that draw a single one occur, about 1 in 100,000."""
_FEW_UNDEFINED = 0.01
"""The share of replicates without a value above which there is a note."""


class Replicates:
    """The values of a loss in the replicates of each cell, as intervals at one level."""

    def __init__(self, f: Value, sums: Sums, noise: Noise, units: Array, level: float) -> None:
        assert sums.draws is not None
        self.count, self.level = int(sums.draws.shape[2]), level
        self.skew, self.units = noise.skew, units
        with np.errstate(all="ignore"):
            centre = sums.mean[:, :, None]
            means = centre + sums.draws[:, 1:] / sums.draws[:, :1]
            means[np.abs(means) <= _ROUNDING * np.abs(centre)] = 0.0
            self.values = f(means.transpose(0, 2, 1)) if self.count else None

    def estimate(self, place: int, analytic: Estimate, bounds: tuple[float, float], unit: str) -> Estimate:
        """The estimate of a cell, its analytic interval replaced by that of the replicates.

        The interval stays within `bounds`.  An estimate without an interval or noise is returned unchanged.
        """
        if analytic.value is None or not analytic.se:
            return analytic
        if self.units[place] < FEW:
            return replace(analytic, notes=(*analytic.notes, note(Code.FEW_TO_RESAMPLE, few=FEW, unit=unit)))
        if self.values is None:
            return Estimate(analytic.value, notes=(note(Code.NOT_RESAMPLED),))
        values = np.sort(self.values[place][np.isfinite(self.values[place])])
        undefined = self.count - len(values)
        counted = {"count": f"{undefined:,}", "all": f"{self.count:,}"}
        if undefined > self.count / 2:
            return Estimate(analytic.value, notes=(note(Code.MOSTLY_UNDEFINED, **counted),))
        if values[0] == values[-1]:
            return replace(analytic, notes=(*analytic.notes, note(Code.ALIKE_REPLICATES, unit=unit)))
        distribution = _Distribution(
            values, analytic.value, float(self.skew[place]), float(self.units[place]), analytic.df
        )
        low, high, beyond = distribution.interval(self.level)
        notes = list[Note](analytic.notes)
        if undefined > _FEW_UNDEFINED * self.count:
            notes.append(note(Code.UNDEFINED_REPLICATES, **counted))
        if beyond:
            notes.append(note(Code.BEYOND_REPLICATES, all=f"{self.count:,}"))
        return replace(
            analytic,
            se=distribution.se,
            ci_low=min(analytic.value, max(low, bounds[0])),
            ci_high=max(analytic.value, min(high, bounds[1])),
            p_value=None if analytic.p_value is None else distribution.p_value(),
            notes=tuple(notes),
        )


class _Distribution:
    """The quantiles, by normal deviate, of the sorted values of a cell in its replicates.

    Quantiles are interpolated linearly; beyond the outermost values they continue as those of a normal
    distribution with the standard error of the values.
    """

    def __init__(self, values: Array, value: float, skew: float, units: float, df: float | None) -> None:
        self.values, self.value, self.df = values, value, df or math.inf
        self.spread = float(np.std(values, ddof=1))
        self.wider = math.sqrt(units / (units - 1)) if units > 1 else 1.0
        count = len(values)
        self.deviates: Array = special(np).ndtri(np.arange(1, count + 1) / (count + 1))
        near = _TIE * self.spread
        below, up_to = np.searchsorted(values, [value - near, value + near])
        share = min(max(float(below + up_to) / 2, 0.5), count - 0.5) / count
        self.bias, self.acceleration = float(special(np).ndtri(share)), skew / 6

    @property
    def se(self) -> float:
        """The standard error of the value."""
        return self.spread * self.wider

    def interval(self, level: float) -> tuple[float, float, bool]:
        """The ends, and whether the replicates are too few to reach them."""
        deviate = quantile(level, self.df) * self.wider
        low, high = (self._quantile(self._corrected(sign * deviate)) for sign in (-1, 1))
        return low, high, deviate > float(self.deviates[-1])

    def p_value(self) -> float:
        """The p-value of the two-sided test of zero: 1 - level of the interval that ends at zero."""
        if self.value == 0:
            return 1.0
        at = self._deviate_of_zero() - self.bias
        deviate = (
            self.bias - at / (1 + self.acceleration * at) if 1 + self.acceleration * at > 0 else math.inf
        )
        deviate = deviate if self.value > 0 else -deviate
        return min(1.0, 2 * float(special(np).stdtr(self.df, -deviate / self.wider)))

    def _corrected(self, deviate: float) -> float:
        """The corrected deviate of the quantile at which an interval of this deviate ends."""
        moved = self.bias + deviate
        factor = 1 - self.acceleration * moved
        return self.bias + moved / factor if factor > 0 else math.copysign(math.inf, moved)

    def _quantile(self, deviate: float) -> float:
        first, last = float(self.deviates[0]), float(self.deviates[-1])
        beyond = min(deviate - first, 0.0) + max(deviate - last, 0.0)
        return float(np.interp(deviate, self.deviates, self.values)) + beyond * self.spread

    def _deviate_of_zero(self) -> float:
        """The deviate of the quantile that is zero; if there are several, the nearest to the value."""
        count, values, deviates = len(self.values), self.values, self.deviates
        above = int(np.searchsorted(values, 0.0, side="right" if self.value > 0 else "left"))
        if above in (0, count):
            end = min(above, count - 1)
            return float(deviates[end] - values[end] / self.spread)
        below = above - 1
        part = -values[below] / (values[above] - values[below])
        return float(deviates[below] + part * (deviates[above] - deviates[below]))
