"""How numbers are written for people: six significant digits, decimal points in line."""

from __future__ import annotations

import math
from collections.abc import Iterable

DIGITS = 6
ERROR_DIGITS = 3
"""Of a standard error; it is itself an estimate, and more digits would be noise."""
DASH = "-"
"""Stands for what is not defined."""


def decimal(value: float | None, digits: int = DIGITS) -> str:
    """A number to so many significant digits, or all of its digits where they are fewer.

    So `0.5` is a half to the last bit, and `0.500000` is rounded.
    """
    if value is None or math.isnan(value):
        return DASH
    scientific = f"{value:.{digits - 1}e}"
    rounded = _positional(value, digits) if -5 < _exponent(scientific) < 9 or value == 0 else scientific
    exact = repr(float(value) + 0.0).removesuffix(".0")
    whole = float(value).is_integer() and "e" not in rounded
    return exact if whole or len(exact) < len(rounded) else rounded


def error(se: float | None, value: float | None) -> str:
    """A standard error in the notation of its value, or nothing where there is none."""
    if se is None or value is None:
        return ""
    if "e" in decimal(value):
        return f"{se:.{ERROR_DIGITS - 1}e}"
    return _positional(se, ERROR_DIGITS) if 1e-9 < se < 1e-4 else decimal(se, ERROR_DIGITS)


def _positional(value: float, digits: int) -> str:
    return f"{value:.{max(0, digits - 1 - _exponent(f'{value:.{digits - 1}e}'))}f}"


def _exponent(scientific: str) -> int:
    return int(scientific.partition("e")[2])


def apart(value: float | None, limit: float | None) -> tuple[str, str]:
    """Two numbers, with as many digits as it takes that different numbers read differently."""
    for digits in range(DIGITS, 18):
        texts = decimal(value, digits), decimal(limit, digits)
        if value is None or limit is None or value == limit or float(texts[0]) != float(texts[1]):
            break
    return texts


def signed(margin: float | None) -> str:
    """A margin to three digits with its sign: '+2.31'."""
    if margin is None:
        return ""
    return ("+" if margin >= 0 else "") + decimal(margin, ERROR_DIGITS)


def percent(share: float | None) -> str:
    """A share in per cent to one decimal; what is there but too small for it is not written as none."""
    if share is None:
        return DASH
    return "<0.1" if 0 < share < 0.0005 else f"{100 * share:.1f}"


def aligned(texts: Iterable[str]) -> list[str]:
    """The texts padded to one width with their decimal points in line."""
    parts = [_split(text) for text in texts]
    left = max((len(whole) for whole, _ in parts), default=0)
    right = max((len(rest) for _, rest in parts), default=0)
    return [whole.rjust(left) + rest.ljust(right) for whole, rest in parts]


def _split(text: str) -> tuple[str, str]:
    places = [place for place in (text.find("."), text.find("e")) if place >= 0]
    place = min(places, default=len(text))
    return text[:place], text[place:]
