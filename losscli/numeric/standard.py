"""Standard distributions of log times: log densities, and log probability masses of intervals.

A mass is computed from both ends a < b and the width b - a, which callers know without cancellation; a may be
minus infinity, and b infinity.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial

from msgspec import Struct

from losscli.numeric.arrays import Array, Namespace, by_case
from losscli.numeric.special import log1mexp, softplus, special

HALF_LOG_2PI = math.log(2.0 * math.pi) / 2
SQRT2 = math.sqrt(2.0)


class Standard(Struct, frozen=True):
    """A distribution: `log_density(xp, z)`, and `log_mass(xp, a, b, width)` of intervals [a, b]."""

    log_density: Callable[[Namespace, Array], Array]
    log_mass: Callable[[Namespace, Array, Array, Array], Array]


def _normal_density(xp: Namespace, z: Array) -> Array:
    return -z * z / 2 - HALF_LOG_2PI


def _normal_mass(xp: Namespace, a: Array, b: Array, width: Array) -> Array:
    """The log mass: by quadrature if narrow, by tails on one side of 0, or else by the complement."""
    above = a + b > 0
    # Mirror the interval so that its larger part is below 0.
    a, b = xp.where(above, -b, a), xp.where(above, -a, b)
    narrow = width * (1.0 + xp.abs(b)) < 1.0
    cases = ((narrow, _narrow), (~narrow & (b <= 0), _one_side), (~narrow & (b > 0), _both_sides))
    formulas = ((chosen, partial(formula, xp)) for chosen, formula in cases)
    return by_case(xp, formulas, a, b, width)


def _narrow(xp: Namespace, a: Array, b: Array, width: Array) -> Array:
    """The logarithm of the normal mass of narrow intervals."""
    centre = (a + b) / 2
    return _normal_density(xp, centre) + xp.log(width * _mean_of(xp, centre, width / 2))


def _mean_of(xp: Namespace, centre: Array, half: Array) -> Array:
    """The mean normal density in [centre - half, centre + half], relative to that at the centre."""
    total = xp.zeros_like(centre)
    for node, weight in _GAUSS_LEGENDRE:
        t = node * half
        total += weight * xp.cosh(centre * t) * xp.exp(-t * t / 2)
    return total


def _one_side(xp: Namespace, a: Array, b: Array, width: Array) -> Array:
    """The logarithm of the normal mass of wide intervals below 0: one tail minus another."""
    scaled = special(xp).erfcx
    # exp((b^2 - a^2) / 2), from the width.
    share = xp.exp(xp.where(xp.isfinite(a), width * (a + b) / 2, -xp.inf))
    return xp.log((scaled(-b / SQRT2) - share * scaled(-a / SQRT2)) / 2) - b * b / 2


def _both_sides(xp: Namespace, a: Array, b: Array, width: Array) -> Array:
    """The logarithm of the normal mass of wide intervals around 0."""
    erf, outside = special(xp).erf, _tail(xp, -a) + _tail(xp, b)
    inside = (erf(b / SQRT2) - erf(a / SQRT2)) / 2
    return xp.where(outside < 0.5, xp.log1p(-xp.minimum(outside, 0.5)), xp.log(xp.maximum(inside, 0.25)))


def _tail(xp: Namespace, z: Array) -> Array:
    """The normal mass above z; 0 <= z."""
    z = xp.clip(z, 0.0, 40.0)
    # exp(-z^2 / 2) in two factors: the square of the first is exact.
    near = xp.rint(z * 16.0) / 16.0
    density = xp.exp(-near * near / 2) * xp.exp(-(z - near) * (z + near) / 2)
    return special(xp).erfcx(z / SQRT2) * density / 2


_GAUSS_LEGENDRE = (
    (0.0765265211334973338, 0.152753387130725850698),
    (0.227785851141645078080, 0.149172986472603746788),
    (0.373706088715419560673, 0.142096109318382051329),
    (0.510867001950827098004, 0.131688638449176626898),
    (0.636053680726515025453, 0.118194531961518417312),
    (0.746331906460150792614, 0.101930119817240435037),
    (0.839116971822218823395, 0.083276741576704748725),
    (0.912234428251325905868, 0.062672048334109063570),
    (0.963971927277913791268, 0.040601429800386941331),
    (0.993128599185094924786, 0.017614007139152118312),
)
"""The positive nodes of the 20-point rule on [-1, 1], and their weights, which sum to one."""


def _logistic_density(xp: Namespace, z: Array) -> Array:
    size = xp.abs(z)
    return -size - 2.0 * xp.log1p(xp.exp(-size))


def _logistic_mass(xp: Namespace, a: Array, b: Array, width: Array) -> Array:
    return log1mexp(xp, width) - softplus(xp, -b) - softplus(xp, a)


def _extreme_density(xp: Namespace, z: Array) -> Array:
    # Far out only exp z matters; z is dropped, as inf - inf is NaN.
    return xp.where(z > 100.0, 0.0, z) - xp.exp(z)


def _extreme_mass(xp: Namespace, a: Array, b: Array, width: Array) -> Array:
    """log(exp(-A) - exp(-B)) with cumulative hazards A = exp a and B = exp b; B may underflow."""
    hazard = xp.exp(b) * -xp.expm1(-width)
    small = (b < 0) & (hazard < 0.5)
    tiny = xp.where(small & (hazard > 0), hazard, 1e-300)
    of_small = b + log1mexp(xp, width) + xp.log(-xp.expm1(-tiny) / tiny)
    return xp.where(small, of_small, log1mexp(xp, xp.where(small, 1.0, hazard))) - xp.exp(a)


STANDARD: Mapping[str, Standard] = {
    "normal": Standard(_normal_density, _normal_mass),
    "logistic": Standard(_logistic_density, _logistic_mass),
    "extreme": Standard(_extreme_density, _extreme_mass),
}
"""The distributions by name; `extreme` is that of minima: its exponential has a Weibull distribution."""
