"""Tasks whose batches name the columns that they read.

To add a task of this kind, write a module in this folder with

** a batch for each set of columns that some loss needs: a subclass of Named, whose fields are arrays, each
  annotated with a Column that specifies its source and valid range;
* `TASK`, a Task with its default losses, and the batches that column names alone identify.

A batch computed from its columns, such as counts of edits from two texts, lists the columns in `reads`; its
fields are the results of `made`.  A batch whose rows are evaluated in groups is a subclass of groups.Grouped.

Add TASK to tasks/catalog.py, and a module of losses to catalog/families.py.  Nothing else is needed: which
columns are read, their order, their checks, and the meaning of -p and -y follow from the fields.

    class Normal(Named):
        task: ClassVar[str] = "distribution"
        mu: Annotated[Array, Column()]                          # the prediction column mu (n,)
        sigma: Annotated[Array, Column(POSITIVE)]               # other values are an error
        target: Annotated[Array, Column(role="target")]         # the target, by the rules of every task
"""

from __future__ import annotations

import re
import typing
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Struct
from msgspec.structs import replace

from losscli.data.stream import Keys, Part
from losscli.errors import UsageError
from losscli.numeric.arrays import Array, Namespace, np, on_device
from losscli.numeric.ranges import Range
from losscli.report.findings import Code
from losscli.tasks.base import Batch, Rows
from losscli.tasks.block import Block

__all__ = [
    "BINARY",
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
    "check",
    "columns_of",
    "described",
    "read",
    "says_deviation",
    "says_variance",
]

FINITE = Range()
POSITIVE = Range(0, open="low")
PROBABILITY = Range(0, 1)
COUNT = Range(0, whole=True)
BINARY = Range(0, 1, whole=True)
SIGN = Range(-1, 1, gap=(-1, 1))
"""-1 or 1."""


class Named(Batch, frozen=True):
    """A batch whose fields name the columns that it reads; `other_columns` describes any others.

    A batch computed from columns that are not its fields lists them in `reads`.
    """

    other_columns: ClassVar[tuple[str, ...]] = ()
    reads: ClassVar[Mapping[str, Column]] = {}

    @classmethod
    def cells(cls, keys: Mapping[str, Keys], widths: Mapping[str, int]) -> tuple[str, ...]:
        """The names of the cells of the batch, from the names of its columns.

        For each matrix field, `keys` holds the numbers in the names of its columns, if any, and `widths` the
        count of numbers per row.  Raises UsageError if the columns are inconsistent.
        """
        return ()

    @classmethod
    def classes(cls, keys: Mapping[str, Keys]) -> tuple[str, ...]:
        """The classes that its losses weight, from the keys in the names of its columns."""
        return ()

    @classmethod
    def check(cls, block: Block, part: Part, values: Mapping[str, Array]) -> None:
        """Flag rows whose arrays (n, k), by field, are inconsistent."""

    @classmethod
    def made(cls, xp: Namespace, part: Part, values: Mapping[str, Array]) -> tuple[Batch, ...]:
        """The batch of checked arrays, or one for each cell of the part."""
        return (cls(xp, **values),)


class Column(Struct, frozen=True):
    """The source of an array of a batch, and its valid range.

    Roles: `prediction` is the prediction column with the name of the field (n,), and `target` the only target
    (n,), by the rules of every task; `also` lists alternative names of either.  `family` is all columns whose
    full name matches `pattern`, sorted by the numbers in its groups (n, k); if none matches and `vector` is
    true, one column of arrays or lists.  `shared` is the columns that both sides have under the same names
    (n, k), or one column of arrays on each side.  A family with `side` "t" is among the targets.

    In messages, `like` shows the names of a family, and `words` replaces the description of the range.  A
    column with `text` becomes an array of Python strings; elements of lists are joined with spaces.  An
    `optional` column may be missing, and is not read if the column of the field `unless` exists.  `variance`
    says whether a column named as a variance is converted to its square root, or refused.
    """

    range: Range = FINITE
    role: Literal["prediction", "target", "family", "shared"] = "prediction"
    pattern: str = ""
    vector: bool = True
    like: str = ""
    side: Literal["p", "t"] = "p"
    words: str = ""
    also: tuple[str, ...] = ()
    variance: Literal["", "root", "refused"] = ""
    text: bool = False
    optional: bool = False
    unless: str = ""

    @property
    def by_name(self) -> bool:
        """Whether names determine its columns: for all roles except the target."""
        return self.role != "target"

    @property
    def is_matrix(self) -> bool:
        """Whether the array is (n, k)."""
        return self.role in ("family", "shared")

    def key(self, name: str) -> tuple[float | str, ...] | None:
        """The sort key of a column of the family; None if the name is not in the family."""
        match = re.fullmatch(self.pattern, name)
        return None if match is None else tuple(map(_number, match.groups()))

    def order(self, name: str) -> tuple[tuple[bool, float | str], ...]:
        """A sort key for the columns of a family: numbers by value, before text."""
        return tuple((isinstance(part, str), part) for part in self.key(name) or ())


_VARIANCE = re.compile(r"(.*_)?(var|variance|sigma2|sigma_?sq(uared)?|sigma\^2|std2)", re.IGNORECASE)
_DEVIATION = re.compile(r"(.*_)?(sigma|std|sd|std_?dev|scale)", re.IGNORECASE)


def says_variance(name: str) -> bool:
    """Whether a column is named as a variance."""
    return _VARIANCE.fullmatch(name) is not None


def says_deviation(name: str) -> bool:
    """Whether a column is named as a standard deviation."""
    return _DEVIATION.fullmatch(name) is not None


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


Target = Annotated[Array, Column(role="target")]
"""The target (n,): any finite number."""


_columns_by_batch: dict[type[Batch], Mapping[str, Column]] = {}


def columns_of(batch: type[Batch]) -> Mapping[str, Column]:
    """The Column of each field of a batch that is read from files."""
    if batch not in _columns_by_batch and issubclass(batch, Named) and batch.reads:
        _columns_by_batch[batch] = batch.reads
    if batch not in _columns_by_batch:
        hints = typing.get_type_hints(batch, include_extras=True)
        annotations = {name: typing.get_args(hints[name]) for name in batch.__struct_fields__}
        _columns_by_batch[batch] = {
            name: args[1]
            for name, args in annotations.items()
            if len(args) > 1 and isinstance(args[1], Column)
        }
    return _columns_by_batch[batch]


def described(batch: type[Batch]) -> str:
    """The columns that a batch reads, in words: 'mu, sigma (a number > 0), and the target'."""
    words = [*batch.other_columns] if issubclass(batch, Named) else []
    for name, column in columns_of(batch).items():
        shown = column.like or (
            "columns of the same names on both sides" if column.role == "shared" else name
        )
        bounds = "" if column.range == FINITE else f" ({column.words or column.range})"
        bounds += " if there" if column.optional else ""
        words.append(f"{'the target' if column.role == 'target' else shown}{bounds}")
    words.sort(key=lambda text: text.startswith("the target"))
    return ", ".join(dict.fromkeys(words))


def read(block: Block, xp: Namespace, wanted: frozenset[type[Batch]], pilot: Any) -> Rows:
    """The wanted batches with checked numbers; each array is read once."""
    parts = [part for part in block.roles.parts if part.batch in wanted]
    values: dict[tuple[str, ...], Array] = {}
    for part in parts:
        for name, column in columns_of(part.batch).items():
            names = part.arrays.get(name, ())
            if not names:
                continue
            if column.text:
                values[names] = np.array(block.text(names[0]).to_list(), dtype=object)
                continue
            if names not in values:
                values[names] = block.as_held(names)
            if name in part.ranges:
                column = replace(column, range=part.ranges[name])
            check(block, names, column, values[names])
        part.batch.check(block, part, {name: values[names] for name, names in part.arrays.items()})
    remaining = dict(zip(values, block.drop_marked(*values.values()), strict=True))
    arrays = {
        names: value if names[0] in block.roles.texts else on_device(xp, value)
        for names, value in remaining.items()
    }
    return Rows({part.batch: _batches(xp, part, arrays) for part in parts})


def _batches(xp: Namespace, part: Part, arrays: Mapping[tuple[str, ...], Array]) -> tuple[Batch, ...]:
    columns = columns_of(part.batch)
    fields = {
        name: arrays[names] if columns[name].is_matrix or columns[name].text else arrays[names][:, 0]
        for name, names in part.arrays.items()
    }
    fields |= {name: xp.sqrt(fields[name]) for name in part.variances}
    batches: tuple[Batch, ...] = part.batch.made(xp, part, fields)
    return batches


def check(block: Block, columns: tuple[str, ...], column: Column, values: Array) -> None:
    """Flag values (n, k) outside the range of the column."""
    if column.range == FINITE and block.are_finite(columns):
        return
    outside = ~_inside(column.range, values)
    if not outside.any():
        return
    words = column.words or str(column.range)
    code = Code.NOT_FINITE if column.range == FINITE else Code.OUT_OF_RANGE
    remedy = f"write {words}" if column.range.infinite else None
    for i in np.flatnonzero(outside.any(axis=0)).tolist():
        name = columns[i] if len(columns) > 1 else columns[0]
        block.flag(outside[:, i], code, name, partial(_show_number, values[:, i]), remedy=remedy, range=words)


def _show_number(values: Array, row: int) -> str:
    return repr(float(values[row]))


def _inside(bounds: Range, values: Array) -> Array:
    """Whether each value is in a range (n, k)."""
    inside = ~np.isnan(values) if bounds.infinite else np.isfinite(values)
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
        """No cells.  Raises UsageError if the dimensions of the matrices differ."""
        if len(set(widths.values())) > 1 or len({numbers for numbers in keys.values() if numbers}) > 1:
            shown = ", ".join(f"{name} {width}" for name, width in widths.items())
            raise UsageError(
                f"vectors of different dimensions: {shown}", remedy="name the columns with -p and -y"
            )
        return ()
