"""Densities that are symmetric about zero, and the probability in their tails, without underflow.

Positions a and distances w from them are at least zero; w may be infinite.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from losscli.numeric.arrays import Array, Namespace, on_host
from losscli.numeric.quadrature import panels
from losscli.numeric.softmax import expit
from losscli.numeric.special import gamma_half_step, log1psq, special

SQRT2 = math.sqrt(2.0)
HALF_LOG_2PI = math.log(2.0 * math.pi) / 2


class Tail(Protocol):
    """A density that falls from zero outward, roughly exponentially along a coordinate s.

    From any position, it falls by about e in the first unit of s, and to zero within 2^panels units.
    """

    @property
    def xp(self) -> Namespace:
        """The namespace of its arrays."""

    @property
    def panels(self) -> int:
        """The number of panels of an integral."""

    def of_rows(self, rows: slice) -> Tail:
        """The tail of some rows."""

    def fall(self, a: Array, w: Array) -> Array:
        """The log density at a minus that at a + w (n,)."""

    def unit(self, a: Array) -> Array:
        """The unit of s at a position (n,)."""

    def coordinate(self, a: Array, w: Array) -> Array:
        """The coordinate s (n,) of the position at distance w from a."""

    def along(self, a: Array, s: Array) -> tuple[Array, Array]:
        """The density relative to that at a, and dw / ds, at coordinates s (n, k) from positions a (n, 1)."""

    def density(self, a: Array) -> Array:
        """The density (n,)."""

    def log_density(self, a: Array) -> Array:
        """The log density (n,)."""

    def mills(self, a: Array) -> Array:
        """The probability beyond a position, relative to the density there (n,)."""


class NormalTail(Struct, frozen=True):
    """The standard normal density."""

    xp: Namespace
    panels: int = 6

    def of_rows(self, rows: slice) -> Tail:
        """The tail of some rows."""
        return self

    def fall(self, a: Array, w: Array) -> Array:
        """The log density at a minus that at a + w (n,)."""
        return w * (a + w / 2)

    def unit(self, a: Array) -> Array:
        """The distance in which the density falls by about e (n,)."""
        return 1.0 / (0.8 + a)

    def coordinate(self, a: Array, w: Array) -> Array:
        """The distance itself (n,)."""
        return w

    def along(self, a: Array, s: Array) -> tuple[Array, Array]:
        """The density relative to that at a, and one, at distances s (n, k) from positions a (n, 1)."""
        return self.xp.exp(-self.fall(a, s)), 1.0

    def density(self, a: Array) -> Array:
        """The density (n,)."""
        return self.xp.exp(-a * a / 2) / math.sqrt(2.0 * math.pi)

    def log_density(self, a: Array) -> Array:
        """The log density (n,)."""
        return -a * a / 2 - HALF_LOG_2PI

    def mills(self, a: Array) -> Array:
        """The probability beyond a position, relative to the density there (n,)."""
        return math.sqrt(math.pi / 2.0) * special(self.xp).erfcx(a / SQRT2)


class LogisticTail(Struct, frozen=True):
    """The standard logistic density."""

    xp: Namespace
    panels: int = 6

    def of_rows(self, rows: slice) -> Tail:
        """The tail of some rows."""
        return self

    def fall(self, a: Array, w: Array) -> Array:
        """The log density at a minus that at a + w (n,)."""
        xp = self.xp
        return w + 2.0 * xp.log1p(xp.expm1(-w) * expit(xp, -a))

    def unit(self, a: Array) -> Array:
        """The distance in which the density falls by about e (n,)."""
        return self.xp.ones_like(a)

    def coordinate(self, a: Array, w: Array) -> Array:
        """The distance itself (n,)."""
        return w

    def along(self, a: Array, s: Array) -> tuple[Array, Array]:
        """The density relative to that at a, and one, at distances s (n, k) from positions a (n, 1)."""
        xp = self.xp
        ratio = (1.0 + xp.exp(-a)) / (1.0 + xp.exp(-a - s))
        return xp.exp(-s) * ratio * ratio, 1.0

    def density(self, a: Array) -> Array:
        """The density (n,)."""
        return expit(self.xp, a) * expit(self.xp, -a)

    def log_density(self, a: Array) -> Array:
        """The log density (n,)."""
        return -a - 2.0 * self.xp.log1p(self.xp.exp(-a))

    def mills(self, a: Array) -> Array:
        """The probability beyond a position, relative to the density there (n,)."""
        return 1.0 + self.xp.exp(-a)


FAR = 10.0
"""The position from which the series of the Mills ratio has all digits for any degrees of freedom."""
TERMS = 40
LARGEST = 700.0
"""The maximum exponent, below the overflow of exp."""


class StudentTail(Struct, frozen=True):
    """The density of Student's t distribution with df (n,) degrees of freedom; a = sqrt(df) sinh s."""

    xp: Namespace
    df: Array
    panels: int = 7

    def of_rows(self, rows: slice) -> Tail:
        """The tail of some rows."""
        return StudentTail(self.xp, self.df[rows])

    def fall(self, a: Array, w: Array) -> Array:
        """The log density at a minus that at a + w (n,)."""
        return self._fall(self.df, a, w)

    def _fall(self, df: Array, a: Array, w: Array) -> Array:
        xp = self.xp
        size = xp.hypot(xp.sqrt(df), a)
        factor, other_factor = w / size, (2.0 * a + w) / size
        wide = factor > 1e100
        near = xp.log1p(xp.where(wide, 0.0, factor) * other_factor)
        far = xp.log(xp.where(wide, factor, 1.0)) + xp.log(xp.where(wide, other_factor, 1.0))
        return (df + 1.0) / 2 * xp.where(wide, far, near)

    def unit(self, a: Array) -> Array:
        """The step of s in which the density falls by about e (n,)."""
        root = self.xp.sqrt(self.df)
        return 1.0 / (0.8 * root + self.df * (a / self.xp.hypot(root, a)))

    def coordinate(self, a: Array, w: Array) -> Array:
        """asinh((a + w) / sqrt df) - asinh(a / sqrt df) (n,), without cancellation."""
        xp, root = self.xp, self.xp.sqrt(self.df)
        far = (a > 1e8 * root) | (w > 1e8 * root)
        near, end = xp.where(far, 0.0, a / root), xp.where(far, 0.0, (a + w) / root)
        start_cosh, end_cosh = xp.hypot(1.0, near), xp.hypot(1.0, end)
        step = xp.where(far, 0.0, w / root)
        sine = (
            step
            * (1.0 + (1.0 + near * near + end * end) / (start_cosh * end_cosh + near * end))
            / (start_cosh + end_cosh)
        )
        # Far out asinh x is log 2 x.
        start = a / root + xp.hypot(1.0, a / root)
        distant = xp.log1p(2.0 * (w / root) / start)
        return xp.where(far, distant, xp.arcsinh(sine))

    def along(self, a: Array, s: Array) -> tuple[Array, Array]:
        """The density relative to that at a, and dw / ds, at coordinates s (n, k) from positions a (n, 1)."""
        xp, df = self.xp, self.df[:, None]
        root = xp.sqrt(df)
        # Where cosh would overflow, the density is zero.
        start = xp.arcsinh(a / root)
        s = xp.minimum(s, LARGEST - start)
        distance = 2.0 * root * xp.sinh(s / 2) * xp.cosh(start + s / 2)
        return xp.exp(-self._fall(df, a, distance)), root * xp.cosh(start + s)

    def density(self, a: Array) -> Array:
        """The density (n,)."""
        xp, df = self.xp, self.df
        square = xp.minimum(a, 1e150) ** 2
        power = (df + 1.0) / 2
        near = xp.exp(-power * xp.log1p(xp.minimum(square / df, 1.0)))
        shape = xp.where(square < df, near, xp.power(df / (df + square), power))
        return gamma_half_step(xp, df / 2) * shape / math.sqrt(2.0 * math.pi)

    def log_density(self, a: Array) -> Array:
        """The log density (n,)."""
        xp, df = self.xp, self.df
        falls = (df + 1.0) / 2 * log1psq(xp, a / xp.sqrt(df))
        return xp.log(gamma_half_step(xp, df / 2)) - HALF_LOG_2PI - falls

    def mills(self, a: Array) -> Array:
        """The probability beyond a position, relative to the density there (n,)."""
        xp, betainc, df = self.xp, special(self.xp).betainc, self.df
        near, far = xp.minimum(a, FAR), xp.minimum(xp.maximum(a, FAR), 1e150)
        square = near * near
        # Whichever of the two shares is accurate.
        central = (1.0 - betainc(0.5, df / 2, square / (df + square))) / 2
        beyond = xp.where(a < 1.0, central, betainc(df / 2, 0.5, df / (df + square)) / 2)
        # 2F1(1, 1/2; df / 2 + 1; -df / a^2) times a factor: an asymptotic series if df is large.
        series = 1.0
        for n in range(TERMS, 0, -1):
            series = 1.0 - (n - 0.5) / (df / 2 + n) * (df / far / far) * series
        return xp.where(a < FAR, beyond / self.density(near), (1.0 / far + far / df) * series)


class Mass(Struct, frozen=True):
    """The probability along an interval (n,), relative to the density at its start.

    `total` is that of the whole interval, `first` the integral over all positions of the probability m
    between the position and one end of the interval, and `second` the integral of m^2.
    """

    total: Array
    first: Array
    second: Array


CHUNK = 2048
"""Rows integrated at once on the CPU: intermediate results stay in the cache, which halves the time."""


def mass_to_end(tail: Tail, a: Array, length: Array) -> Mass:
    """The probability between positions and the end, from a (n,) over a length (n,) that may be infinite."""
    return _in_chunks(_to_end, tail, a, length)


def mass_from_start(tail: Tail, a: Array, length: Array) -> Mass:
    """The probability between the start and positions, from a (n,) over a finite length (n,)."""
    return _in_chunks(_from_start, tail, a, length)


def _in_chunks(mass: Callable[[Tail, Array, Array], Mass], tail: Tail, a: Array, length: Array) -> Mass:
    if not on_host(tail.xp) or len(a) <= CHUNK:
        return mass(tail, a, length)
    cuts = (slice(i, i + CHUNK) for i in range(0, len(a), CHUNK))
    parts = [mass(tail.of_rows(rows), a[rows], length[rows]) for rows in cuts]
    columns = zip(*((part.total, part.first, part.second) for part in parts), strict=True)
    return Mass(*map(tail.xp.concatenate, columns))


def _to_end(tail: Tail, a: Array, length: Array) -> Mass:
    xp, zero = tail.xp, tail.xp.zeros_like(a)
    total, first, second = zero, zero, zero
    cuts = [*panels(xp, tail.coordinate(a, length), tail.unit(a), tail.panels)]
    for panel in reversed(cuts):
        density, stretch = tail.along(a[:, None], panel.places)
        values = density * stretch
        panel_mass = panel.integral(values)
        m = (total + panel_mass)[:, None] - panel.running(values)
        first = first + panel.integral(m * stretch)
        second = second + panel.integral(m * m * stretch)
        total = total + panel_mass
    return Mass(total, first, second)


def _from_start(tail: Tail, a: Array, length: Array) -> Mass:
    xp, zero = tail.xp, tail.xp.zeros_like(a)
    total, first, second, covered = zero, zero, zero, zero
    for panel in panels(xp, tail.coordinate(a, length), tail.unit(a), tail.panels):
        density, stretch = tail.along(a[:, None], panel.places)
        values = density * stretch
        m = total[:, None] + panel.running(values)
        first = first + panel.integral(m * stretch)
        second = second + panel.integral(m * m * stretch)
        total, covered = total + panel.integral(values), covered + panel.integral(0.0 * m + stretch)
    # The density beyond the panels is zero.
    left = xp.maximum(length - covered, 0.0)
    return Mass(total, first + total * left, second + total * total * left)
