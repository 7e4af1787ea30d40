"""The ranges of loss parameters: how each is parsed from text, checked and described."""

from __future__ import annotations

import csv
import math
import types
import typing
from collections.abc import Iterable
from typing import Annotated, Any

from losscli.errors import UsageError
from losscli.records import frozen


@frozen(eq=True)
class Range:
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


def listed(text: str) -> list[str]:
    """The names in a list with commas; a name that holds a comma is quoted, as in a CSV file."""
    return [name for row in csv.reader([text], skipinitialspace=True) for name in row if name]


def joined(names: Iterable[str]) -> str:
    """Names as a list with commas that `listed` reads."""
    return ",".join(
        '"' + name.replace('"', '""') + '"' if set(name) & set('",') or name != name.strip() else name
        for name in names
    )


def text(value: object) -> str:
    """The value of a parameter as it is written in line."""
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)


Real = Annotated[float, Range()]
Extended = Annotated[float, Range(infinite=True)]
Positive = Annotated[float, Range(0, open="low")]
NonNegative = Annotated[float, Range(0)]
AtLeastOne = Annotated[float, Range(1)]
Unit = Annotated[float, Range(0, 1)]
OpenUnit = Annotated[float, Range(0, 1, open="low high")]
UnitBelowOne = Annotated[float, Range(0, 1, open="high")]
Count = Annotated[int, Range(1, whole=True)]
BetweenOneAndTwo = Annotated[float, Range(1, 2, open="low high")]
Share = Annotated[float, Range(0, 1, open="low")]
FromMinusOne = Annotated[float, Range(-1)]
OneOrTwo = Annotated[int, Range(1, 2, whole=True)]
Power = Annotated[float, Range(gap=(0, 1))]
"""The power of a Tweedie variance function: no distribution has one between 0 and 1."""


@frozen(eq=True)
class Param:
    """One parameter of a loss: its name, default, and the values it takes.

    `kind` is float, int, bool or str; `range` bounds numbers, `choices` lists words; `optional` says
    that None (switched off) is a value.
    """

    name: str
    default: Any
    kind: type
    range: Range | None = None
    choices: tuple[str, ...] = ()
    optional: bool = False

    @classmethod
    def of(cls, name: str, annotation: Any, default: Any) -> Param:
        """The parameter that an annotation of a loss's signature describes."""
        optional = False
        if typing.get_origin(annotation) in (types.UnionType, typing.Union):
            (annotation,) = (part for part in typing.get_args(annotation) if part is not type(None))
            optional = True
        if typing.get_origin(annotation) is Annotated:
            kind, bounds = typing.get_args(annotation)
            return cls(name, default, kind, range=bounds, optional=optional)
        if typing.get_origin(annotation) is typing.Literal:
            return cls(name, default, str, choices=typing.get_args(annotation), optional=optional)
        if annotation is bool:
            return cls(name, default, bool, optional=optional)
        raise TypeError(f"parameter {name} has an annotation without a range: {annotation!r}")

    @property
    def required(self) -> bool:
        """Whether the loss has no default for it."""
        return self.default is ...

    def parse(self, value: object) -> Any:
        """The value from text or a Python object.  Raises UsageError where it is out of range."""
        if value is None or (isinstance(value, str) and value.lower() == "none"):
            if self.optional:
                return None
            raise self._error(value)
        if self.kind is bool:
            if isinstance(value, bool):
                return value
            if str(value).lower() in ("true", "false"):
                return str(value).lower() == "true"
            raise self._error(value)
        if self.choices:
            if value in self.choices:
                return value
            raise self._error(value)
        try:
            number = float(value)  # type: ignore[arg-type]  # what float() refuses is caught here
        except (TypeError, ValueError):
            raise self._error(value) from None
        if isinstance(value, bool) or self.range is None or number not in self.range:
            raise self._error(value)
        return int(number) if self.kind is int else number

    def _error(self, value: object) -> UsageError:
        return UsageError(f"{self.name} must be {self.describe()}, got {value}")

    def describe(self) -> str:
        """The values that it takes, in words: 'a number > 0'."""
        if self.kind is bool:
            words = "true or false"
        else:
            words = " or ".join(self.choices) if self.choices else str(self.range)
        return f"{words}, or none" if self.optional else words
