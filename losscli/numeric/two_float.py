"""Sums, products and logarithms in double-double precision: numbers as unevaluated sums of two floats."""

from __future__ import annotations

import math
from decimal import Decimal
from functools import cache

from losscli.numeric.arrays import Array, Namespace, np, on_host
from losscli.numeric.special import log1pmx

_MANY_COLUMNS = 64
"""From more columns than this on, `exact_sum` adds halves of the columns on a CPU too."""


def sum_of_three(xp: Namespace, a: Array, b: Array, c: Array | float) -> Array:
    """The sum a + b + c with a single rounding, even under cancellation; infinite if a term is."""
    first, error = two_sum(a, b)
    total, second_error = two_sum(first, c)
    total_error = error + second_error
    return total + xp.where(xp.isfinite(total_error), total_error, 0.0)


def exact_sum(xp: Namespace, columns: Array, start: float = 0.0) -> tuple[Array, Array]:
    """The sum of `start` and each row of (n, k), and its rounding error (n,): twice the precision.

    Ogita, Rump, Oishi (2005), Accurate sum and dot product, doi:10.1137/030601818
    """
    total, error = xp.full(len(columns), start), xp.zeros(len(columns))
    if not on_host(xp) or columns.shape[1] > _MANY_COLUMNS:
        columns, error = _halved(xp, columns)
    for column in columns.T:
        total, step_error = two_sum(total, column)
        error += step_error
    return total, error


def _halved(xp: Namespace, columns: Array) -> tuple[Array, Array]:
    """Columns (n, k) added pairwise to one (n, 1), and the rounding error (n,).

    Few additions of long arrays are faster than many of short ones, above all on a GPU.
    """
    error = xp.zeros(len(columns))
    while columns.shape[1] > 1:
        half = columns.shape[1] // 2
        total, step_error = two_sum(columns[:, :half], columns[:, half : 2 * half])
        error += xp.sum(step_error, axis=1)
        columns = xp.concatenate([total, columns[:, 2 * half :]], axis=1)
    return columns, error


_BITS, _SPARE = 8, 54
"""`exp_pair` cuts a factor of two into 2^8 parts, and multiplies by 2^54, so that no power underflows."""
_ZERO = -746.0
"""Where exp is zero."""


@cache
def _powers() -> tuple[float, float, Array, Array]:
    """The number log 2 / 256 as two floats, and 2^(j / 256 - 54) for j from 0 to 255 as two arrays of NumPy.

    The first float has so few bits that its product with 19 bits is exact.
    """
    step = Decimal(2).ln() / (1 << _BITS)
    coarse = math.floor(math.ldexp(float(step), 42)) / (1 << 42)
    exact = [(step * j).exp() for j in range(1 << _BITS)]
    values = [float(number) for number in exact]
    rests = [float(number - Decimal(value)) for number, value in zip(exact, values, strict=True)]
    unit = math.ldexp(1.0, -_SPARE)
    return coarse, float(step - Decimal(coarse)), np.asarray(values) * unit, np.asarray(rests) * unit


def exp_pair(xp: Namespace, x: Array, rest: Array | float = 0.0) -> tuple[Array, Array]:
    """exp(x + rest) for x <= 0 and a much smaller rest, as a float and its error, with ten more digits.

    x = n log 2 / 256 + t with |t| < 0.0014, so that the series of exp t - 1 needs few terms, and only float
    precision.  Mostly in place, for speed.  Tang (1989), doi:10.1145/63522.214389
    """
    coarse, fine, powers, rests = _powers()
    x = xp.maximum(x, _ZERO)
    n = xp.rint(x * (1.0 / (coarse + fine)))
    t = n * -coarse
    t += x  # without rounding
    t += rest - n * fine
    series = t / 120.0
    for factorial in (24.0, 6.0, 2.0, 1.0):
        series += 1.0 / factorial
        series *= t
    n = n.astype(xp.int64)
    place = n & (1 << _BITS) - 1
    power = xp.asarray(powers)[place]
    series *= power
    series += xp.asarray(rests)[place]
    value = power + series
    power -= value
    series += power
    # 2^(n / 256 + 54) by the bits of its exponent, which are those of zero where exp is zero.
    n >>= _BITS
    n += 1023 + _SPARE
    n <<= 52
    scale = n.view(float)
    value *= scale
    series *= scale
    return value, series


def _quotient(a: Array | float, a_rest: Array | float, b: Array, b_rest: Array) -> Array:
    """(a + a_rest) / (b + b_rest), with the rounding errors of a and b."""
    share = a / b
    return share + (a_rest - share * b_rest) * (1.0 / b)


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """The sum and its rounding error.  Knuth (1969), The Art of Computer Programming 2, 4.2.2."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def two_product(a: Array, b: Array) -> tuple[Array, Array]:
    """The product and its rounding error.  Dekker (1971), doi:10.1007/BF01397083."""
    product = a * b
    a_high, b_high = _upper_half(a), _upper_half(b)
    a_low, b_low = a - a_high, b - b_high
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def _upper_half(a: Array) -> Array:
    shifted = 134217729.0 * a  # 2^27 + 1
    return shifted - (shifted - a)


def sum_with_product(xp: Namespace, a: Array, b: Array, c: Array) -> Array:
    """The sum a + b c with one or two roundings, even under cancellation."""
    product, product_error = two_product(b, c)
    total, error = two_sum(a, product)
    error = error + product_error
    # If a step overflows, the rounding error of the plain sum is negligible.
    return total + xp.where(xp.isfinite(error), error, 0.0)


_STEPS = 128


@cache
def _log_table() -> tuple[list[float], list[float]]:
    """log(i / 128) for i = 0..192 as two floats; entries below 90 are not used."""
    from decimal import Decimal, localcontext  # most runs do not need it

    with localcontext() as context:
        context.prec = 50
        logs = [(Decimal(max(i, 1)) / _STEPS).ln() for i in range(193)]
        high = [float(log) for log in logs]
        return high, [float(log - Decimal(h)) for log, h in zip(logs, high, strict=True)]


def two_float_log(xp: Namespace, x: Array) -> tuple[Array, Array]:
    """The logarithm of x > 0 as two floats, accurate to about 1e-20 and one part in 1e16 of the second.

    With x = 2^k c (1 + f) for a nearby c = i / 128, k log 2 and log c are known to more digits, f has a
    remainder, and log(1 + f) - f is so small that its rounding is negligible.
    Tang (1990), doi:10.1145/98267.98294
    """
    fraction, exponent = xp.frexp(x)
    low = fraction < 0.7071067811865476  # so that near 1, where log x is small, k and log c are zero
    fraction, exponent = xp.where(low, 2.0 * fraction, fraction), exponent - low
    step = xp.rint(fraction * _STEPS)
    near = step / _STEPS
    high_table, low_table = (xp.asarray(column) for column in _log_table())
    index = step.astype(int)
    f = (fraction - near) / near
    product, product_error = two_product(f, near)
    remainder = ((fraction - near - product) - product_error) / near
    # The upper part of log 2 has so few bits that its product with an exponent is exact.
    upper, lower = 0.693147180369123816490, 1.90821492927058770002e-10
    total, error = two_sum(exponent * upper, high_table[index])
    total, second_error = two_sum(total, exponent * lower)
    total, third_error = two_sum(total, f)
    return two_sum(
        total, error + second_error + third_error + low_table[index] + (remainder + log1pmx(xp, f))
    )


def unit_of(size: float) -> float:
    """The power of two by which numbers up to `size` are divided: one, unless their squares are extreme.

    Squares up to 2^400 leave room for their squares, which intervals need, and for larger numbers that
    follow.
    """
    exponent = math.frexp(size)[1] - 1
    return math.ldexp(1.0, exponent - min(max(exponent, -200), 200))
