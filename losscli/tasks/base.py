"""Shared types of all tasks: the batches that losses receive, and the rows that a task reads."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Literal, Self

from msgspec import Struct, defstruct, field

from losscli.numeric.arrays import Array, Namespace, on_host, read_only


class Batch(Struct, frozen=True, eq=False, dict=True):
    """A block of checked rows in the form that one kind of loss receives; `xp` is its array namespace."""

    task: ClassVar[str]
    axis: ClassVar[str] = ""
    """The horizontal axis of the curves of its losses: residual, probability or margin; empty if none."""
    may_be_infinite: ClassVar[bool] = False
    """Whether the loss of a row may be infinite, for an event with a predicted probability of zero."""
    of_cells: ClassVar[Literal["rows", "each", "none"]] = "rows"
    """How a class or label gets its value: from its own rows or columns; from a batch that the loss receives
    for each class or label (the overall value then comes from all of these batches); or not at all."""
    needs: ClassVar[tuple[str, ...]] = ()
    """Options that name a column; a loss needs one of them."""
    xp: Namespace

    @property
    def place(self) -> Array | None:
        """The position of each row on the axis (n,); None if there is no axis."""
        return None


class Labelled(Batch, frozen=True):
    """A batch of labels, of which losses take only the true and the predicted class of each row."""

    labelled_by: ClassVar[tuple[str, ...]] = ()
    """The parameters of a loss on which the predicted classes depend."""

    def labels(self, params: Mapping[str, Any]) -> tuple[Array, Array]:
        """The true and the predicted class of each row (n,) for a loss with these parameters."""
        raise NotImplementedError  # each kind of labels has its own

    @classmethod
    def of_labels(cls, xp: Namespace, actual: Array, predicted: Array, classes: int) -> tuple[Self, ...]:
        """The batch of rows with these classes (m,), or one for each class."""
        raise NotImplementedError

    @classmethod
    def of_all(cls, xp: Namespace, actual: Array, predicted: Array, classes: int) -> Self:
        """As `of_labels`, but one batch whose losses have columns of classes (`Indicators`)."""
        (batch,) = cls.of_labels(xp, actual, predicted, classes)
        return batch


def sealed(batch: Batch) -> Batch:
    """A read-only copy of a batch for custom code.

    Its properties compute arrays of their own, also read-only, so that no loss can change the input of
    another one.
    """
    values = {name: getattr(batch, name) for name in batch.__struct_fields__}
    copy: Batch = _sealed_type(type(batch))(
        **{name: _protected(batch.xp, value) for name, value in values.items()}
    )
    return copy


@cache
def _sealed_type(kind: type[Batch]) -> Any:
    def read(self: Any, name: str) -> Any:
        value = object.__getattribute__(self, name)
        return value if name.startswith("_") else _protected(object.__getattribute__(self, "xp"), value)

    return defstruct(
        kind.__name__,
        [],
        bases=(kind,),
        namespace={"__getattribute__": read},
        frozen=True,
        module=kind.__module__,
    )


def _protected(xp: Namespace, value: Any) -> Any:
    """The value with its array, or the arrays of a tuple, read-only; any other value unchanged."""
    if isinstance(value, xp.ndarray):
        return value if on_host(xp) and not value.flags.writeable else read_only(xp, value)
    return tuple(_protected(xp, item) for item in value) if type(value) is tuple else value


class Rows(Struct, frozen=True, eq=False):
    """The rows that a task read from a block.

    For each type of batch, `parts` has one batch, or one per output or class, and `by_label` one per label.
    `codes` (n,) is the true class of each row, -1 for soft targets; `factor` (n,) multiplies the weight of
    the row.  `pilots` are the constants from the first rows that reductions need, for each output; their
    `error_unit` is the unit of its sums.  `starts` (groups,) are the first rows of the groups, in tasks that
    evaluate groups of rows: row columns then have one number per group.
    """

    parts: Mapping[type[Batch], tuple[Batch, ...]]
    codes: Array | None = None
    factor: Array | None = None
    by_label: Mapping[type[Batch], tuple[Batch, ...]] = field(default_factory=dict)
    pilots: tuple[Any, ...] = ()
    starts: Array | None = None
