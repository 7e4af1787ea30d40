"""Shared types of all tasks: the batches that losses receive, and the rows that a task reads."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Literal

from msgspec import Struct, defstruct, field

from losscli.numeric.arrays import Array, Namespace, on_host, read_only


class Batch(Struct, frozen=True, eq=False, dict=True):
    """A block of checked rows as one kind of loss receives it; `xp` is the namespace of its arrays."""

    task: ClassVar[str]
    axis: ClassVar[str] = ""
    """The horizontal axis of the curves of its losses: residual, probability or margin; empty if none."""
    may_be_infinite: ClassVar[bool] = False
    """Whether the loss of a row may be infinite: an event happened that was impossible."""
    of_cells: ClassVar[Literal["rows", "each", "none"]] = "rows"
    """What the value of a class or label comes from: its own rows or columns, the batch that a loss receives
    for each class or label (and from all of which the overall value comes), or nothing: there is none."""
    needs: ClassVar[tuple[str, ...]] = ()
    """The options of which a loss needs one: they name a column."""
    xp: Namespace

    @property
    def place(self) -> Array | None:
        """The position of each row on the axis (n,); None if there is no axis."""
        return None


def sealed(batch: Batch) -> Batch:
    """The same rows for code of users: a batch of its own, whose arrays cannot be written.

    What its properties compute is neither that of the batch nor writable, so that no loss can change what
    another one reads.
    """
    values = {name: getattr(batch, name) for name in batch.__struct_fields__}
    found: Batch = _sealed_type(type(batch))(
        **{name: _unwritable(batch.xp, value) for name, value in values.items()}
    )
    return found


@cache
def _sealed_type(kind: type[Batch]) -> Any:
    def read(self: Any, name: str) -> Any:
        value = object.__getattribute__(self, name)
        return value if name.startswith("_") else _unwritable(object.__getattribute__(self, "xp"), value)

    return defstruct(
        kind.__name__,
        [],
        bases=(kind,),
        namespace={"__getattribute__": read},
        frozen=True,
        module=kind.__module__,
    )


def _unwritable(xp: Namespace, value: Any) -> Any:
    """A value whose array, or arrays in a tuple, cannot be written; any other value as it is."""
    if isinstance(value, xp.ndarray):
        return value if on_host(xp) and not value.flags.writeable else read_only(xp, value)
    return tuple(_unwritable(xp, each) for each in value) if type(value) is tuple else value


class Rows(Struct, frozen=True, eq=False):
    """The rows that a task read from a block.

    `parts` has one batch, or one per output or class, for each type of batch; `by_label` one per label.
    `codes` (n,) is the true class of each row, -1 if it has no single one; `factor` (n,) multiplies the
    weight of the row.
    `pilots` hold, for each output, the constants from the first rows that reductions need; `error_unit` of
    each is the unit of its sums.  `starts` (groups,) are the first rows of the groups, in tasks that evaluate
    groups of rows: row columns then have one number per group.
    """

    parts: Mapping[type[Batch], tuple[Batch, ...]]
    codes: Array | None = None
    factor: Array | None = None
    by_label: Mapping[type[Batch], tuple[Batch, ...]] = field(default_factory=dict)
    pilots: tuple[Any, ...] = ()
    starts: Array | None = None
