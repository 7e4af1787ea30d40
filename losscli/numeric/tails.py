"""Densities that are symmetric about zero, and the probability in their tails, without underflow.

Positions a and distances w from them are at least zero; w may be infinite.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial
from typing import Protocol, Self

from msgspec import Struct
from msgspec.structs import replace

from losscli.numeric.arrays import Array, Namespace, by_case, np
from losscli.numeric.interpolation import Interpolant, interpolant
from losscli.numeric.quadrature import chunks, doubling, integral, panels
from losscli.numeric.softmax import expit
from losscli.numeric.special import gamma_half_step, log1pmx, log1psq, special

SQRT2 = math.sqrt(2.0)
HALF_LOG_2PI = math.log(2.0 * math.pi) / 2


class Falling(Protocol):
    """A density that falls from a position outward, roughly exponentially along a coordinate s.

    From any position, it falls by about e in the first unit of s, and to zero within the panels.
    """

    @property
    def xp(self) -> Namespace:
        """The namespace of its arrays."""

    @property
    def panels(self) -> tuple[float, ...]:
        """The sizes of the panels of an integral, in units."""

    def of_rows(self, rows: Array | slice) -> Self:
        """The density of some rows."""

    def unit(self, a: Array) -> Array:
        """The unit of s at a position (n,)."""

    def coordinate(self, a: Array, w: Array) -> Array:
        """The coordinate s (n,) of the position at distance w from a."""

    def along(self, a: Array, s: Array) -> tuple[Array, Array | float]:
        """The density relative to that at a, and dw / ds, at coordinates s (k, n) from positions a (n,)."""


class Tail(Falling, Protocol):
    """A density that is symmetric about zero, and falls outward from there."""

    @property
    def has_formulas(self) -> bool:
        """Whether `to_infinity` takes no integration."""

    def fall(self, a: Array, w: Array) -> Array:
        """The log density at a minus that at a + w (n,)."""

    def density(self, a: Array) -> Array:
        """The density (n,)."""

    def log_density(self, a: Array) -> Array:
        """The log density (n,)."""

    def mills(self, a: Array) -> Array:
        """The probability beyond a position, relative to the density there (n,)."""

    def to_infinity(self, a: Array) -> Mass:
        """The mass beyond a position."""


class Mass(Struct, frozen=True):
    """The probability along an interval (n,), relative to the density at its start.

    `total` is that of the whole interval, `first` the integral over all positions of the probability m
    between the position and one end of the interval, and `second` the integral of m^2.
    """

    total: Array
    first: Array
    second: Array


class NormalTail(Struct, frozen=True):
    """The standard normal density."""

    xp: Namespace
    panels: tuple[float, ...] = doubling(5)
    has_formulas: bool = True

    def of_rows(self, rows: Array | slice) -> Self:
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

    def along(self, a: Array, s: Array) -> tuple[Array, Array | float]:
        """The density relative to that at a, and one, at distances s (k, n) from positions a (n,)."""
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

    def to_infinity(self, a: Array) -> Mass:
        """The mass beyond a position."""
        first, second = _normal_moments()
        t, size = 1.0 - 2.0 * NORMAL_TURN / (a + NORMAL_TURN), 1.0 / (1.0 + a)
        return Mass(self.mills(a), first(t) * size * size, second(t) * size * size * size)


NORMAL_TURN, NORMAL_DEGREE = 3.0, 29
"""The position in the middle of the interpolation below, and its degree; a higher one changes no digit."""
NEGLIGIBLE = 1e-50
"""In the place of zero, to interpolate up to infinity."""


@cache
def _normal_moments() -> tuple[Interpolant, Interpolant]:
    """`first` and `second` of the mass beyond a, times (1 + a)^2 and (1 + a)^3, of (a - turn) / (a + turn).

    Their formulas, 1 - a R(a) and (2 - a R(a)) R(a) - sqrt(2) R(sqrt(2) a) with the Mills ratio R, cancel.
    """
    tail = NormalTail(np)

    def first(w: Array, a: Array) -> Array:
        return w * np.exp(-tail.fall(a, w))

    def second(w: Array, a: Array) -> Array:
        return (np.exp(-tail.fall(a, w)) * tail.mills(a + w)) ** 2

    def scaled(t: Array, f: Callable[[Array, Array], Array], power: int) -> Array:
        a = NORMAL_TURN * (1.0 + t) / np.maximum(1.0 - t, NEGLIGIBLE)
        values = integral(np, lambda w, rows: f(w, a[rows]), np.full_like(a, np.inf), tail.unit(a))
        return values * (1.0 + a) ** power

    return (
        interpolant(partial(scaled, f=first, power=2), NORMAL_DEGREE),
        interpolant(partial(scaled, f=second, power=3), NORMAL_DEGREE),
    )


class LogisticTail(Struct, frozen=True):
    """The standard logistic density."""

    xp: Namespace
    panels: tuple[float, ...] = doubling(5)
    has_formulas: bool = True

    def of_rows(self, rows: Array | slice) -> Self:
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

    def along(self, a: Array, s: Array) -> tuple[Array, Array | float]:
        """The density relative to that at a, and one, at distances s (k, n) from positions a (n,)."""
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

    def to_infinity(self, a: Array) -> Mass:
        """The mass beyond a position, from the probability p there, with the density p (1 - p).

        The integral of the tail is -log(1 - p), that of its square -log(1 - p) - p.
        """
        small = self.xp.exp(-a)
        total = 1.0 + small
        p = small / total
        square = _logistic_square()(4.0 * p - 1.0)
        return Mass(total, total * (1.0 + p * square), total * total * square)


@cache
def _logistic_square() -> Interpolant:
    """The function -(log(1 - p) + p) / p^2 of 4 p - 1, for p up to 1/2; a higher degree changes no digit."""

    def square(t: Array) -> Array:
        p = np.maximum((1.0 + t) / 4, NEGLIGIBLE)
        return -log1pmx(np, -p) / (p * p)

    return interpolant(square, 21)


FAR = 10.0
"""The position from which the series of the Mills ratio has all digits for any degrees of freedom."""
TERMS = 40
FEW_DF = 10.0
"""The degrees of freedom below which the incomplete beta function has all digits also far from the centre."""
STUDENT_PANELS = (*doubling(3), *[12.0] * 12, *[64.0] * 6)
"""Wider panels are too coarse near one degree of freedom, where the square of the tail falls slowly in s."""
MIN_FALL = 0.25
"""The fall in s that bounds an integral for fewer than 5/8 degrees of freedom, whose square is infinite."""
LARGEST = 700.0
"""The maximum exponent, below the overflow of exp."""


class StudentTail(Struct, frozen=True):
    """The density of Student's t distribution with df (n,) degrees of freedom; a = sqrt(df) sinh s."""

    xp: Namespace
    df: Array
    panels: tuple[float, ...] = STUDENT_PANELS
    has_formulas: bool = False

    def of_rows(self, rows: Array | slice) -> Self:
        """The tail of some rows."""
        return replace(self, df=self.df[rows])

    def fall(self, a: Array, w: Array) -> Array:
        """The log density at a minus that at a + w (n,)."""
        xp, df = self.xp, self.df
        size = xp.hypot(xp.sqrt(df), a)
        factor, other_factor = w / size, (2.0 * a + w) / size
        wide = factor > 1e100
        near = xp.log1p(xp.where(wide, 0.0, factor) * other_factor)
        far = xp.log(xp.where(wide, factor, 1.0)) + xp.log(xp.where(wide, other_factor, 1.0))
        return (df + 1.0) / 2 * xp.where(wide, far, near)

    def unit(self, a: Array) -> Array:
        """The step of s in which the density falls by about e (n,), at most 1: cosh has zeros at i pi / 2."""
        root = self.xp.sqrt(self.df)
        return 1.0 / self.xp.maximum(0.8 * root + self.df * (a / self.xp.hypot(root, a)), 1.0)

    def coordinate(self, a: Array, w: Array) -> Array:
        """asinh((a + w) / sqrt df) - asinh(a / sqrt df) (n,), without cancellation; at most to its end."""
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
        # Up to there the density falls by e^40, and so does the square of the tail, times dw / ds.
        last = 1.4 + 40.0 / xp.clip(2.0 * self.df - 1.0, MIN_FALL, self.df)
        return xp.minimum(xp.where(far, distant, xp.arcsinh(sine)), last)

    def along(self, a: Array, s: Array) -> tuple[Array, Array | float]:
        """The density relative to that at a, and dw / ds, at coordinates s (k, n) from positions a (n,)."""
        xp, root = self.xp, self.xp.sqrt(self.df)
        size = xp.hypot(root, a)
        # Where cosh would overflow, the density is zero.
        half = xp.sinh(xp.minimum(s, LARGEST - xp.arcsinh(a / root)) / 2)
        # cosh(s0 + s) / cosh(s0) - 1 = 2 sinh(s / 2)^2 + tanh(s0) sinh(s), with a = sqrt(df) sinh s0.
        growth = 2.0 * half * (half + a / size * xp.sqrt(1.0 + half * half))
        return xp.exp(-(self.df + 1.0) * xp.log1p(growth)), size * (1.0 + growth)

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
        near, far = a < self.xp.minimum(self.xp.sqrt(self.df), 1.0), a >= FAR
        few, between = self.df < FEW_DF, ~near & (a < FAR)
        cases = (
            (near, self._mills_at_centre),
            (between & few, self._mills_outside),
            (between & ~few, self._mills_by_integral),
            (far, self._mills_far_out),
        )
        return by_case(self.xp, cases, self.df, a)

    def _mills_at_centre(self, df: Array, a: Array) -> Array:
        square = a * a
        inside = special(self.xp).betainc(0.5, df / 2, square / (df + square))
        return (1.0 - inside) / 2 / StudentTail(self.xp, df).density(a)

    def _mills_outside(self, df: Array, a: Array) -> Array:
        outside = special(self.xp).betainc(df / 2, 0.5, df / (df + a * a))
        return outside / 2 / StudentTail(self.xp, df).density(a)

    def _mills_by_integral(self, df: Array, a: Array) -> Array:
        return _integral_of_density(StudentTail(self.xp, df), a, self.xp.full_like(a, self.xp.inf))

    def _mills_far_out(self, df: Array, a: Array) -> Array:
        """(1 / a + a / df) 2F1(1, 1/2; df / 2 + 1; -df / a^2): an asymptotic series if df is large."""
        # At infinity, where the density is zero, any finite number does.
        a = self.xp.where(a < self.xp.inf, a, 1e150)
        series, ratio = self.xp.ones_like(a), df / a / a
        for n in range(TERMS, 0, -1):
            series *= -(n - 0.5) / (df / 2 + n) * ratio
            series += 1.0
        return (1.0 / a + a / df) * series

    def to_infinity(self, a: Array) -> Mass:
        """The mass beyond a position, by integration: the formulas cancel."""
        return integral_to_end(self, a, self.xp.full_like(a, self.xp.inf))


LONG = 4.0
"""The coordinate, in units, above which masses are differences of those to infinity, which cancel at shorter
lengths."""


def mass_to_end(tail: Tail, a: Array, length: Array) -> Mass:
    """The probability between positions and the end, from a (n,) over a length (n,) that may be infinite."""
    return _by_length(tail, a, length, _difference_to_end, integral_to_end)


def mass_from_start(tail: Tail, a: Array, length: Array) -> Mass:
    """The probability between the start and positions, from a (n,) over a finite length (n,)."""
    return _by_length(tail, a, length, _difference_from_start, integral_from_start)


def probability(tail: Tail, a: Array, length: Array) -> Array:
    """The probability (n,) from a (n,) over a length (n,) that may be infinite: the `total` of its mass."""
    total, is_long = tail.xp.zeros_like(a), tail.coordinate(a, length) > LONG * tail.unit(a)
    for formula, chosen in ((_probability_by_difference, is_long), (_integral_of_density, ~is_long)):
        rows = tail.xp.flatnonzero(chosen)
        total[rows] = formula(tail.of_rows(rows), a[rows], length[rows])
    return total


def _probability_by_difference(tail: Tail, a: Array, length: Array) -> Array:
    xp, near, decay = tail.xp, tail.mills(a), tail.xp.exp(-tail.fall(a, length))
    outside = xp.where(decay > 0, decay * tail.mills(a + length), 0.0)
    total = near - outside
    # Few degrees of freedom leave nearly all of the probability outside.
    rows = xp.flatnonzero(outside > near / 2)
    total[rows] = _integral_of_density(tail.of_rows(rows), a[rows], length[rows])
    return total


def _integral_of_density(tail: Falling, a: Array, length: Array) -> Array:
    def values(s: Array, rows: Array) -> Array:
        density, stretch = tail.of_rows(rows).along(a[rows], s)
        return density * stretch

    return integral(tail.xp, values, tail.coordinate(a, length), tail.unit(a), tail.panels)


Formula = Callable[[Tail, Array, Array], Mass]


def _by_length(tail: Tail, a: Array, length: Array, of_long: Formula, of_short: Formula) -> Mass:
    """The mass by the formula for the length; if the first takes an integral too, by the second for all."""
    xp = tail.xp
    is_long = xp.zeros(len(a), dtype=bool)
    if tail.has_formulas:
        is_long = tail.coordinate(a, length) > LONG * tail.unit(a)
    total, first, second = (xp.zeros_like(a) for _ in range(3))
    for formula, chosen in ((of_long, is_long), (of_short, ~is_long & (length != 0))):
        for rows in chunks(xp, xp.flatnonzero(chosen)):
            part = formula(tail.of_rows(rows), a[rows], length[rows])
            total[rows], first[rows], second[rows] = part.total, part.first, part.second
    return Mass(total, first, second)


def _difference_to_end(tail: Tail, a: Array, length: Array) -> Mass:
    """The mass from a to infinity minus that from a + length on, which is `outside` in total."""
    xp, near, far = tail.xp, tail.to_infinity(a), _beyond(tail, a, length)
    # Nothing is outside an infinite length.
    outside, length = far.total, xp.where(length < xp.inf, length, 0.0)
    first, second = near.first - far.first, near.second - far.second
    return Mass(
        near.total - outside,
        first - outside * length,
        second - outside * (2.0 * first - outside * length),
    )


def _difference_from_start(tail: Tail, a: Array, length: Array) -> Mass:
    """As above, for the probability up to a position: that to infinity minus that beyond the position."""
    near, far = tail.to_infinity(a), _beyond(tail, a, length)
    first, second = near.first - far.first, near.second - far.second
    return Mass(
        near.total - far.total,
        near.total * length - first,
        near.total * (near.total * length - 2.0 * first) + second,
    )


def _beyond(tail: Tail, a: Array, length: Array) -> Mass:
    """The mass from a + length to infinity, relative to the density at a."""
    far, density = tail.to_infinity(a + length), tail.xp.exp(-tail.fall(a, length))
    return Mass(density * far.total, density * far.first, density * density * far.second)


def integral_to_end(tail: Falling, a: Array, length: Array) -> Mass:
    """`mass_to_end` by integration at all lengths."""
    xp = tail.xp
    total, first, second = (xp.zeros_like(a) for _ in range(3))
    cuts = [*panels(xp, tail.coordinate(a, length), tail.unit(a), tail.panels)]
    for rows, panel in reversed(cuts):
        density, stretch = tail.of_rows(rows).along(a[rows], panel.places)
        values = density * stretch
        covered = total[rows] + panel.integral(values)
        m = covered - panel.running(values)
        m_stretch = m * stretch
        first[rows] += panel.integral(m_stretch)
        second[rows] += panel.integral(m * m_stretch)
        total[rows] = covered
    return Mass(total, first, second)


def integral_from_start(tail: Falling, a: Array, length: Array) -> Mass:
    """`mass_from_start` by integration at all lengths."""
    xp = tail.xp
    total, first, second, covered = (xp.zeros_like(a) for _ in range(4))
    for rows, panel in panels(xp, tail.coordinate(a, length), tail.unit(a), tail.panels):
        density, stretch = tail.of_rows(rows).along(a[rows], panel.places)
        values = density * stretch
        m = total[rows] + panel.running(values)
        m_stretch = m * stretch
        first[rows] += panel.integral(m_stretch)
        second[rows] += panel.integral(m * m_stretch)
        total[rows] += panel.integral(values)
        covered[rows] += panel.integral(0.0 * m + stretch)
    # The density beyond the panels is zero.
    left = xp.maximum(length - covered, 0.0)
    return Mass(total, first + total * left, second + total * total * left)
