"""Tasks whose batches name the columns that they read.

To add a task of this kind, write a module in this folder with

* a batch for each set of columns that some loss needs: a dataclass that inherits Named, whose fields are
  arrays, each annotated with a Column that says where it is found and which numbers it may hold;
* `TASK`, a Task with the losses that are usual, and the batches that columns alone can show.

Add TASK to tasks/catalog.py, and a module of losses to catalog/families.py.  That is all: which columns are
read, in which order, how they are checked, and what -p and -y mean follow from the fields.

    class Normal(Named):
        task: ClassVar[str] = "distribution"
        mu: Annotated[Array, Column()]                          # the prediction column mu (n,)
        sigma: Annotated[Array, Column(POSITIVE)]               # values that are not > 0 are an error
        target: Annotated[Array, Column(role="target")]         # the target, by the rules of every task
"""

from __future__ import annotations

import re
import typing
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Struct

from losscli.data.stream import Keys, Part
from losscli.errors import UsageError
from losscli.numeric.arrays import Array, Namespace, np, on_device
from losscli.numeric.ranges import Range
from losscli.report.findings import Code
from losscli.tasks.base import Batch, Rows
from losscli.tasks.block import Block

__all__ = [
    "COUNT",
    "FINITE",
    "POSITIVE",
    "PROBABILITY",
    "SIGN",
    "Column",
    "Keys",
    "Named",
    "Part",
    "Target",
    "columns_of",
    "described",
    "read",
]

FINITE = Range()
POSITIVE = Range(0, open="low")
PROBABILITY = Range(0, 1)
COUNT = Range(0, whole=True)
SIGN = Range(-1, 1, gap=(-1, 1))
"""-1 or 1."""


class Named(Batch, frozen=True):
    """A batch whose fields name the columns that it reads; `other_columns` describes any others."""

    other_columns: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def cells(cls, keys: Mapping[str, Keys], widths: Mapping[str, int]) -> tuple[str, ...]:
        """The names of the cells that the batch comes in, from the names of its columns.

        `keys` and `widths` tell of each field that is a matrix the numbers in the names of its columns
        (none where they say nothing) and how many numbers a row has.  Raises UsageError where columns do
        not go together.
        """
        return ()

    @classmethod
    def check(cls, block: Block, part: Part, values: Mapping[str, Array]) -> None:
        """Flag rows whose arrays (n, k), by field, do not go together."""

    @classmethod
    def made(cls, xp: Namespace, part: Part, values: Mapping[str, Array]) -> tuple[Batch, ...]:
        """The batch of checked arrays, or one for each cell of the part."""
        return (cls(xp, **values),)


class Column(Struct, frozen=True):
    """Where an array of a batch is found, and which numbers it may hold.

    Roles: `prediction` is the column of predictions named as the field (n,), and `target` the one target
    (n,), by the rules of every task; `also` are further names of either.  `family` are all
    columns whose whole name matches `pattern`, in the order of the numbers in its groups (n, k); or, where
    none does and `vector` allows it, one column of arrays or lists.  `shared` are the columns that both
    sides have under the same names (n, k), or one column of arrays on each.  A family with `side` "t" stands
    among the targets.  For messages, `like` shows the names of a family, and `words` tell the numbers it may
    hold where its range does not say it well.
    """

    range: Range = FINITE
    role: Literal["prediction", "target", "family", "shared"] = "prediction"
    pattern: str = ""
    vector: bool = True
    like: str = ""
    side: Literal["p", "t"] = "p"
    words: str = ""
    also: tuple[str, ...] = ()

    @property
    def by_name(self) -> bool:
        """Whether its own names tell its columns: all but the one target."""
        return self.role != "target"

    @property
    def is_matrix(self) -> bool:
        """Whether the array is (n, k)."""
        return self.role in ("family", "shared")

    def key(self, name: str) -> tuple[float | str, ...] | None:
        """What puts a column of the family in its place; None where the name is not of the family."""
        found = re.fullmatch(self.pattern, name)
        return None if found is None else tuple(map(_number, found.groups()))

    def order(self, name: str) -> tuple[tuple[bool, float | str], ...]:
        """What sorts the columns of a family: numbers by their value, before text."""
        return tuple((isinstance(part, str), part) for part in self.key(name) or ())


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


Target = Annotated[Array, Column(role="target")]
"""The target (n,): any finite number."""


_known: dict[type[Batch], Mapping[str, Column]] = {}


def columns_of(batch: type[Batch]) -> Mapping[str, Column]:
    """The arrays of a batch by field, each with its Column; other fields are not read from files."""
    if batch not in _known:
        hints = typing.get_type_hints(batch, include_extras=True)
        found = {name: typing.get_args(hints[name]) for name in batch.__struct_fields__}
        _known[batch] = {
            name: args[1] for name, args in found.items() if len(args) > 1 and isinstance(args[1], Column)
        }
    return _known[batch]


def described(batch: type[Batch]) -> str:
    """The columns that a batch reads, in words: 'mu, sigma (a number > 0), and the target'."""
    words = [*batch.other_columns] if issubclass(batch, Named) else []
    for name, column in columns_of(batch).items():
        shown = column.like or (
            "columns of the same names on both sides" if column.role == "shared" else name
        )
        bounds = "" if column.range == FINITE else f" ({column.words or column.range})"
        words.append(f"{'the target' if column.role == 'target' else shown}{bounds}")
    words.sort(key=lambda text: text.startswith("the target"))
    return ", ".join(dict.fromkeys(words))


def read(block: Block, xp: Namespace, wanted: frozenset[type[Batch]], pilot: Any) -> Rows:
    """The batches that are wanted, their numbers checked; each array is read once."""
    parts = [part for part in block.roles.parts if part.batch in wanted]
    values: dict[tuple[str, ...], Array] = {}
    for part in parts:
        for name, column in columns_of(part.batch).items():
            own = part.arrays[name]
            if own not in values:
                values[own] = block.as_held(own)
            _check(block, own, column, values[own])
        part.batch.check(block, part, {name: values[own] for name, own in part.arrays.items()})
    kept = dict(zip(values, block.drop_marked(*values.values()), strict=True))
    arrays = {own: on_device(xp, value) for own, value in kept.items()}
    return Rows({part.batch: _made(xp, part, arrays) for part in parts})


def _made(xp: Namespace, part: Part, arrays: Mapping[tuple[str, ...], Array]) -> tuple[Batch, ...]:
    shapes = columns_of(part.batch)
    own = {
        name: arrays[columns] if shapes[name].is_matrix else arrays[columns][:, 0]
        for name, columns in part.arrays.items()
    }
    made: tuple[Batch, ...] = part.batch.made(xp, part, own)
    return made


def _check(block: Block, columns: tuple[str, ...], column: Column, values: Array) -> None:
    """Flag values (n, k) that the column may not hold."""
    if column.range == FINITE and block.are_finite(columns):
        return
    outside = ~_inside(column.range, values)
    if not outside.any():
        return
    words = column.words or str(column.range)
    code = Code.NOT_FINITE if column.range == FINITE else Code.OUT_OF_RANGE
    for i in np.flatnonzero(outside.any(axis=0)).tolist():
        name = columns[i] if len(columns) > 1 else columns[0]
        block.flag(outside[:, i], code, name, partial(_shown, values[:, i]), range=words)


def _shown(values: Array, row: int) -> str:
    return repr(float(values[row]))


def _inside(bounds: Range, values: Array) -> Array:
    """Where values are in a range, element by element."""
    inside = np.isfinite(values)
    if bounds.low > -np.inf:
        inside &= values > bounds.low if "low" in bounds.open else values >= bounds.low
    if bounds.high < np.inf:
        inside &= values < bounds.high if "high" in bounds.open else values <= bounds.high
    if bounds.gap is not None:
        inside &= ~((values > bounds.gap[0]) & (values < bounds.gap[1]))
    if bounds.whole:
        inside &= values == np.floor(values)
    return inside


class Vectors(Named, frozen=True):
    """A batch whose matrices (n, dimensions) have the same dimensions."""

    @classmethod
    def cells(cls, keys: Mapping[str, Keys], widths: Mapping[str, int]) -> tuple[str, ...]:
        """No cells.  Raises UsageError where the matrices differ in their dimensions."""
        if len(set(widths.values())) > 1 or len({own for own in keys.values() if own}) > 1:
            shown = ", ".join(f"{name} {width}" for name, width in widths.items())
            raise UsageError(
                f"vectors of different dimensions: {shown}", remedy="name the columns with -p and -y"
            )
        return ()
