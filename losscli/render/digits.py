"""Numbers for people: as many digits as the standard error warrants, with decimal points aligned."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from msgspec import Struct
from msgspec.structs import replace

DIGITS = 6
"""Significant digits of a value without a standard error."""
ERROR_DIGITS = 2
"""Significant digits of a standard error, which is itself an estimate: more digits would be noise."""
MOST_DIGITS = 12
"""The most significant digits that a standard error can give its value; a smaller error is rounding."""
DASH = "-"
"""Replaces an undefined value."""
SEPARATORS = re.compile("( ± | to )")
"""What separates the numbers of one cell."""


def decimal(value: float | None, digits: int = DIGITS) -> str:
    """A number rounded to this many significant digits, or exactly if it has fewer.

    So `0.5` is exactly one half, and `0.500000` is rounded.
    """
    if value is None or math.isnan(value):
        return DASH
    rounded = f"{value:.{digits - 1}e}"
    if _is_readable(exponent := _exponent_in(rounded)):
        rounded = f"{value:.{max(0, digits - 1 - exponent)}f}"
    exact = repr(float(value) + 0.0).removesuffix(".0")
    is_integer = float(value).is_integer() and "e" not in rounded
    return exact if is_integer or len(exact) < len(rounded) else rounded


class Precision(Struct, frozen=True):
    """How the numbers of one estimate, such as `12.3 ± 4.5`, are rounded.

    `place` is the power of ten of the last digit shown; None for six significant digits.
    """

    place: int | None = None
    scientific: bool = False

    @classmethod
    def of(cls, value: float | None, se: float | None) -> Precision:
        """The precision of a value: to the second significant digit of its standard error."""
        if value is None or se is None or not (math.isfinite(value) and 0 < se < math.inf):
            return cls()
        place = _exponent(se, ERROR_DIGITS) - ERROR_DIGITS + 1
        exponent = _exponent(max(abs(value), se), DIGITS)
        return cls() if exponent - place >= MOST_DIGITS else cls(place, not _is_readable(exponent))

    def finer(self, digits: int) -> Precision:
        """The precision with this many additional digits."""
        return self if self.place is None else replace(self, place=self.place - digits)

    def text(self, value: float | None) -> str:
        """A number rounded to the last digit shown."""
        if value is None or self.place is None or not math.isfinite(value):
            return decimal(value)
        if self.scientific:
            return "0" if value == 0 else f"{value:.{max(0, _exponent(value, DIGITS) - self.place)}e}"
        return f"{round(value, -self.place) + 0.0:.{max(0, -self.place)}f}"

    def error(self, se: float | None) -> str:
        """The standard error; empty if it is not defined."""
        if se is None or math.isnan(se):
            return ""
        return decimal(se, ERROR_DIGITS) if self.place is None else self.text(se)

    def estimate(self, value: float | None, se: float | None) -> str:
        """A value with its standard error: '46.1 ± 1.6'; the value alone without one."""
        error = self.error(se)
        return f"{self.text(value)} ± {error}" if value is not None and error else self.text(value)


def estimate(value: float | None, se: float | None) -> str:
    """A value with its standard error, to the precision that this warrants."""
    return Precision.of(value, se).estimate(value, se)


def span(low: float | None, high: float | None, precision: Precision) -> str:
    """An interval with the precision of its estimate: '43.0 to 49.3'."""
    if low is None or high is None:
        return DASH
    return f"{precision.text(low)} to {precision.text(high)}"


def _is_readable(exponent: int) -> bool:
    """Whether a number whose first digit has this power of ten needs no exponent."""
    return -5 < exponent < 9


def _exponent(value: float, digits: int) -> int:
    """The power of ten of the first digit, after rounding to this many digits."""
    return _exponent_in(f"{value:.{digits - 1}e}")


def _exponent_in(scientific: str) -> int:
    """The exponent of a number in scientific notation, beyond all others for infinity."""
    return int(scientific.partition("e")[2] or 999)


def distinct(value: float | None, limit: float | None) -> tuple[str, str]:
    """Two numbers, with enough digits that different numbers read differently."""
    for digits in range(DIGITS, 18):
        texts = decimal(value, digits), decimal(limit, digits)
        if value is None or limit is None or value == limit or float(texts[0]) != float(texts[1]):
            break
    return texts


def signed(margin: float | None) -> str:
    """A margin to three digits with its sign: '+2.31'."""
    if margin is None:
        return ""
    return ("+" if margin >= 0 else "") + decimal(margin, 3)


def percent(share: float | None) -> str:
    """A share in percent to one decimal; a small but positive one is '<0.1', not '0.0'."""
    if share is None:
        return DASH
    return "<0.1" if 0 < share < 0.0005 else f"{100 * share:.1f}"


def aligned(cells: Iterable[str]) -> list[str]:
    """The cells of a column padded to one width, with decimal points aligned."""
    parts = zip_longest(*map(SEPARATORS.split, cells), fillvalue="")
    return list(map("".join, zip(*map(_in_line, parts), strict=True)))


def _in_line(numbers: Sequence[str]) -> list[str]:
    halves = [_halves(number) for number in numbers]
    left = max(len(integer) for integer, _ in halves)
    right = max(len(fraction) for _, fraction in halves)
    return [integer.rjust(left) + fraction.ljust(right) for integer, fraction in halves]


def _halves(number: str) -> tuple[str, str]:
    """The text before the decimal point, or else before the exponent, and the rest."""
    position = number.find(".")
    if position < 0:
        position = number.find("e")
    return (number, "") if position < 0 else (number[:position], number[position:])
