"""State: the mergeable summary of the rows of each cell, from which a loss is computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, Self

from msgspec import Struct
from msgspec.structs import replace

from losscli.numeric.arrays import Array, np
from losscli.report.findings import Note

if TYPE_CHECKING:
    from losscli.states.cells import Cells
    from losscli.states.reductions import BoundReduction


class Estimate(Struct, frozen=True, gc=False):
    """A value with its standard error and interval; None if undefined, with the reason in `notes`.

    `p_value` belongs to a difference: it is that of the two-sided test of no difference.  `max_error` bounds
    the distance of an approximate value from the exact one; None if the value is not approximate.
    """

    value: float | None
    se: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    notes: tuple[Note, ...] = ()
    df: float | None = None
    p_value: float | None = None
    max_error: float | None = None


_NUMBERS = ("value", "se", "ci_low", "ci_high", "df", "p_value", "max_error")
"""The numbers of an estimate, in the order of the rows of `Estimates`."""


class Estimates(Struct, frozen=True, eq=False):
    """The estimates of many cells as arrays: `numbers` (7, c), NaN for None.

    The notes of a cell are those at its index `noted` (c,) in `notes`.
    """

    numbers: Array
    noted: Array
    notes: tuple[tuple[Note, ...], ...]

    @classmethod
    def of(cls, estimates: Sequence[Estimate]) -> Estimates:
        """The estimates of single cells as arrays."""
        rows = [[getattr(estimate, name) for name in _NUMBERS] for estimate in estimates]
        numbers = np.array(rows, dtype=float).reshape(-1, len(_NUMBERS)).T
        return cls(numbers, np.arange(len(rows)), tuple(estimate.notes for estimate in estimates))

    @classmethod
    def of_arrays(
        cls,
        values: Array,
        notes: Sequence[tuple[Note, ...]],
        noted: Array | None = None,
        **numbers: Array,
    ) -> Estimates:
        """The estimates from values (c,) and other numbers (c,); all have the first notes without `noted`."""
        rows = np.full((len(_NUMBERS), len(values)), np.nan)
        for name, array in ({"value": values} | numbers).items():
            rows[_NUMBERS.index(name)] = array
        return cls(rows, np.zeros(len(values), dtype=np.int64) if noted is None else noted, tuple(notes))

    @classmethod
    def joined(cls, parts: Sequence[tuple[Array, Estimates]]) -> Estimates:
        """The estimates of all cells from disjoint parts, each with the indices of its cells."""
        if len(parts) < 2:
            return parts[0][1] if parts else cls.of([])
        order = np.argsort(np.concatenate([places for places, _ in parts]))
        numbers = np.concatenate([part.numbers for _, part in parts], axis=1)
        noted, notes = list[Array](), tuple[tuple[Note, ...], ...]()
        for _, part in parts:
            noted.append(part.noted + len(notes))
            notes += part.notes
        return cls(numbers[:, order], np.concatenate(noted)[order], notes)

    @property
    def value(self) -> Array:
        """The values (c,), NaN if undefined."""
        values: Array = self.numbers[0]
        return values

    @property
    def by_name(self) -> dict[str, Array]:
        """The numbers (c,) by their names in `Estimate`."""
        return dict(zip(_NUMBERS, self.numbers, strict=True))

    def replaced(self, mask: Array, estimate: Estimate) -> Estimates:
        """The estimates with the given one in the cells of a mask (c,)."""
        numbers = np.where(mask, Estimates.of([estimate]).numbers, self.numbers)
        return Estimates(numbers, np.where(mask, len(self.notes), self.noted), (*self.notes, estimate.notes))

    def with_max_error(self, errors: Array) -> Estimates:
        """The estimates with the errors (c,) of approximate values."""
        return replace(self, numbers=np.concatenate([self.numbers[:-1], errors[None]]))

    def with_notes(self, mask: Array, notes: tuple[Note, ...]) -> Estimates:
        """The estimates with additional notes, before the others, in the cells of a mask (c,)."""
        noted = np.where(mask, self.noted + len(self.notes), self.noted)
        return replace(self, noted=noted, notes=(*self.notes, *((*notes, *others) for others in self.notes)))

    def __len__(self) -> int:
        return len(self.noted)

    def __getitem__(self, cell: int) -> Estimate:
        return self._estimate(self.numbers[:, cell].tolist(), int(self.noted[cell]))

    def __iter__(self) -> Iterator[Estimate]:
        return map(self._estimate, self.numbers.T.tolist(), self.noted.tolist())

    def _estimate(self, numbers: list[float], noted: int) -> Estimate:
        value, se, low, high, df, p, error = (None if x != x else x for x in numbers)
        return Estimate(value, se, low, high, self.notes[noted], df, p, error)


class Summary(Protocol):
    """A summary of rows for any purpose, merged in the order of the rows and written as arrays.

    States of a loss are summaries by cell; those of charts have no cells.  They hold NumPy arrays whatever
    device computed them.
    """

    def merge(self, later: Self) -> Self:
        """The summary of the rows of both."""

    def to_arrays(self) -> dict[str, Array]:
        """The summary as plain arrays by name; `from_arrays` restores it to the last bit."""

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """The summary that `to_arrays` wrote."""


class State(Summary, Protocol):
    """The summary of the rows of each cell: overall, or of each class, label or slice.

    The states of one loss form a monoid: any merge tree over the same rows in the same order gives the same
    state, and a state of no rows is neutral.  States are immutable, and hold NumPy arrays whatever
    device computed them.
    """

    @classmethod
    def of(cls, cells: Cells, columns: Sequence[Array], interval: bool = True) -> Self:
        """The state of a block from the row columns (n,) of a loss.

        Without `interval`, a state may omit whatever only standard errors need.
        """

    @classmethod
    def stack(cls, parts: Sequence[Self]) -> Self:
        """The cells of all parts, one part after the other."""

    @property
    def n(self) -> Array:
        """The number of rows of positive weight in each cell (c,)."""

    @property
    def weights(self) -> Array:
        """The sum of the weights in each cell (c,)."""

    def merge(self, later: Self, places: Array | None = None) -> Self:
        """The state of the rows of both.

        Cell i of `later` is cell places[i] of the result, by default cell i; places beyond the cells of this
        state are new cells.
        """

    def select(self, cells: slice | Array) -> Self:
        """The state of some cells, in that order."""

    def output(self, index: int, outputs: int) -> Self:
        """The state of one of several outputs, whose row columns follow one another."""

    def estimates(self, bound: BoundReduction, level: float | None) -> Estimates:
        """The value of the loss in each cell, with an interval at this level; None for no intervals."""
