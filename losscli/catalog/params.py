"""The parameters of losses: parsing from text, range checks and descriptions."""

from __future__ import annotations

import types
import typing
from typing import Annotated, Any

from msgspec import Struct

from losscli.errors import UsageError
from losscli.numeric.arrays import np
from losscli.numeric.ranges import Range
from losscli.text import either, not_one_of

Real = Annotated[float, Range()]
Extended = Annotated[float, Range(infinite=True)]
Positive = Annotated[float, Range(0, open="low")]
NonNegative = Annotated[float, Range(0)]
AtLeastOne = Annotated[float, Range(1)]
Unit = Annotated[float, Range(0, 1)]
OpenUnit = Annotated[float, Range(0, 1, open="low high")]
UnitBelowOne = Annotated[float, Range(0, 1, open="high")]
Count = Annotated[int, Range(1, whole=True)]
Index = Annotated[int, Range(0, whole=True)]
BetweenOneAndTwo = Annotated[float, Range(1, 2, open="low high")]
Share = Annotated[float, Range(0, 1, open="low")]
Percentile = Annotated[float, Range(0, 100, open="low")]
FromMinusOne = Annotated[float, Range(-1)]
OneOrTwo = Annotated[int, Range(1, 2, whole=True)]
Power = Annotated[float, Range(gap=(0, 1))]
"""The power of a Tweedie variance function; no distribution exists for powers between 0 and 1."""


class Dimensions(Struct, frozen=True):
    """The format of a parameter with one number per dimension of a vector, or per pair of dimensions.

    Numbers are separated by colons and rows of a matrix by slashes: 1:0.5 and 2:1/1:2.  A matrix is symmetric
    and positive definite.
    """

    axes: int
    range: Range = Range()

    def parse(self, value: Any) -> tuple[Any, ...]:
        """Parse text, nested sequences or an array.  Raises ValueError."""
        if isinstance(value, str):
            rows = [row.split(":") for row in value.strip().replace(",", ":").split("/")]
            value = rows if self.axes == 2 or len(rows) > 1 else rows[0]
        numbers = value.tolist() if hasattr(value, "tolist") else value
        if self.axes == 1:
            return tuple(float(self.range.parse(number)) for number in numbers)
        matrix = tuple(tuple(float(self.range.parse(number)) for number in row) for row in numbers)
        _require_definite(matrix)
        return matrix

    def __str__(self) -> str:
        if self.axes == 1:
            return f"{self.range} for each dimension, as in 1:2:0.5"
        return "a number for each pair of dimensions, as in 2:1/1:2, a symmetric and positive definite matrix"


def _require_definite(matrix: tuple[tuple[float, ...], ...]) -> None:
    """Raise ValueError for a matrix that is not symmetric and positive definite."""
    if (
        not matrix
        or any(len(row) != len(matrix) for row in matrix)
        or matrix != tuple(zip(*matrix, strict=True))
    ):
        raise ValueError("not symmetric")
    try:
        np.linalg.cholesky(np.array(matrix))
    except np.linalg.LinAlgError:
        raise ValueError("not positive definite") from None


PerDimension = Annotated[tuple[float, ...], Dimensions(1, Range(0, open="low"))]
"""A positive number for each dimension."""
Matrix = Annotated[tuple[tuple[float, ...], ...], Dimensions(2)]
"""A symmetric, positive definite matrix with a row for each dimension."""


class Param(Struct, frozen=True):
    """A parameter of a loss: its name, default and valid values.

    `kind` is float, int, bool or str, or tuple for `dimensions`; `range` limits numbers, `choices` lists
    words; `optional` says that None (switched off) is a value.
    """

    name: str
    default: Any
    kind: type
    range: Range | None = None
    choices: tuple[str, ...] = ()
    optional: bool = False
    dimensions: Dimensions | None = None

    @classmethod
    def of(cls, name: str, annotation: Any, default: Any) -> Param:
        """The parameter that an annotation of a loss's signature describes."""
        optional = False
        if typing.get_origin(annotation) in (types.UnionType, typing.Union):
            (annotation,) = (part for part in typing.get_args(annotation) if part is not type(None))
            optional = True
        if typing.get_origin(annotation) is Annotated:
            kind, bounds = typing.get_args(annotation)
            if isinstance(bounds, Dimensions):
                return cls(name, default, tuple, optional=optional, dimensions=bounds)
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
        """The value from text or a Python object.  Raises UsageError if it is out of range."""
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
        accepted = self.dimensions or self.range
        if accepted is None:
            raise self._error(value)
        try:
            return accepted.parse(value)
        except (ValueError, TypeError):
            raise self._error(value) from None

    def _error(self, value: object) -> UsageError:
        if self.choices:
            return UsageError(not_one_of(self.name, value, self._words()))
        return UsageError(f"{self.name} must be {self.describe()}, got {value}")

    def describe(self) -> str:
        """The valid values in words: 'a number > 0'."""
        if self.choices:
            return either(self._words())
        words = "true or false" if self.kind is bool else str(self.dimensions or self.range)
        return f"{words}, or none" if self.optional else words

    def _words(self) -> list[str]:
        return [*self.choices, "none"] if self.optional else [*self.choices]
