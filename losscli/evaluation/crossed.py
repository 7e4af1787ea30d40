"""The slices by many pairs of columns, from tables by several columns.

Sorting rows into the cells of a table takes about as long as into those of a pair, and a table by four
columns holds the cells of six pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, combinations
from math import prod

import numpy as np
import polars as pl
from msgspec import Struct, field
from msgspec.structs import replace

from losscli.data.slicing import Column, Slicing, keys_of, known_codes
from losscli.evaluation.block import Cached, Taken
from losscli.evaluation.cells import Assignment
from losscli.evaluation.partial import EvaluationJob, Partial, Slices, states_of
from losscli.numeric.arrays import Array
from losscli.plan.plan import MIN_ROWS
from losscli.states.cells import Cells
from losscli.states.complement import pooled
from losscli.states.moments import Moments

KnownLabels = Mapping[Column, pl.Series]
"""All labels of each column in a stream."""
MOST_CODES = 1 << 23
"""The maximum number of codes in a block: one per row and slicing, or per row and column of tables."""
MOST_JOINT = 1 << 10
"""The maximum number of cells of a table by more than two columns: few, compared with the rows of a block."""
_TABLES = "tables"


class FirstPass(EvaluationJob, frozen=True):
    """A pass over the rows, of which segments are contrasted by moments."""

    @property
    def counts_pairs(self) -> bool:
        """Whether losses of labels leave behind the counts of pairs of classes: never."""
        return False


class Pass(FirstPass, frozen=True):
    """A pass after the first one; the more codes each row has, the shorter its blocks."""

    @property
    def codes(self) -> int:
        """The number of codes of each row."""
        return len(self.plan.roles.slicings)

    @property
    def block_rows(self) -> int:
        """The block length."""
        max_rows = max(MIN_ROWS, MOST_CODES // max(1, self.codes))
        return min(super().block_rows, 1 << max_rows.bit_length() - 1)

    def run_length(self, frame: pl.DataFrame) -> int:
        """The number of blocks that are folded as one: always 1, as their length limits memory."""
        return 1


class Table(Struct, frozen=True):
    """A slicing by several columns, and the pairs of its columns whose slices are taken from it."""

    slicing: Slicing
    pairs: tuple[Slicing, ...]

    def shape(self, labels: KnownLabels) -> tuple[int, ...]:
        """The number of labels of each column."""
        return tuple(len(labels[column]) for column in self.slicing.parts)

    def slices(self, labels: KnownLabels, state: Moments) -> Iterator[tuple[Slicing, Slices]]:
        """The slices by each pair, from the moments of the cells."""
        shape = self.shape(labels)
        every = np.arange(prod(shape)).reshape(shape)
        axes = [[self.slicing.parts.index(column) for column in pair.parts] for pair in self.pairs]
        # For each pair all cells, those of the same slice one after the other.
        cells = [np.moveaxis(every, own, (0, 1)).ravel() for own in axes]
        counts = [shape[first] * shape[second] for first, second in axes]
        groups = np.arange(sum(counts)).repeat(np.repeat([every.size // count for count in counts], counts))
        pairs, start = pooled(state.select(np.concatenate(cells)), groups), 0
        for pair, own, count in zip(self.pairs, axes, counts, strict=True):
            places = np.indices([shape[axis] for axis in own]).reshape(2, -1)
            keys = keys_of([labels[column][at] for column, at in zip(pair.parts, places, strict=True)])
            yield pair, Slices(keys, (pairs.select(slice(start, start + count)),))
            start += count


class CrossingPass(Pass, frozen=True):
    """The job of folding the only loss of a plan in the cells of tables, which are its slicings.

    Their cells are all combinations of `labels`, so that all blocks have the same ones.
    """

    tables: tuple[Table, ...] = ()
    labels: KnownLabels = field(default_factory=dict)

    @property
    def codes(self) -> int:
        """The number of codes of each row."""
        return len(self.labels)

    def complete(self, taken: Taken, height: int) -> Partial:
        """The partial result for a block, with the moments of the cells of all tables."""
        taken = Cached.of(taken)
        plan = replace(self.plan, roles=replace(self.plan.roles, slicings=()))
        assignment = Assignment(plan, taken.xp, taken.block, taken.rows)
        part = states_of(taken, assignment)
        with np.errstate(all="ignore"):
            return replace(part, rows=height, extras={_TABLES: self._moments(taken, assignment)})

    def _moments(self, taken: Taken, assignment: Assignment) -> Moments:
        """The moments of the cells of all tables, one table after the other."""
        (choice,), xp = self.plan.choices, taken.xp
        view = assignment.view(choice, taken.weight_of(choice))
        columns = view.counted(tuple(chain.from_iterable(taken.output_columns(choice))))
        frame = taken.block.frame
        codes = {column: known_codes(frame, *column, labels) for column, labels in self.labels.items()}
        parts = list[Moments]()
        for table in self.tables:
            shape = table.shape(self.labels)
            joint = xp.asarray(_joint([codes[column] for column in table.slicing.parts], shape))
            joint = joint if view.keep is None else joint[view.keep]
            cells = Cells(xp, len(joint), view.everyone.weight, 0, joint, prod(shape))
            parts.append(Moments.of(cells, columns))
        return Moments.stack(parts)

    def slices(self, part: Partial) -> Iterator[tuple[Slicing, Slices]]:
        """The slices by each pair of columns, from the result of the job."""
        state, start = part.extras[_TABLES], 0
        assert isinstance(state, Moments)
        for table in self.tables:
            end = start + prod(table.shape(self.labels))
            yield from table.slices(self.labels, state.select(slice(start, end)))
            start = end


def _joint(codes: Sequence[Array], shape: Sequence[int]) -> Array:
    """The cell of each row (n,) in a table with this shape, from its codes (n,) in each column."""
    # Small numbers are sorted several times faster.
    joint: Array = codes[0].astype(np.min_scalar_type(-prod(shape) - 1))
    for own, size in zip(codes[1:], shape[1:], strict=True):
        joint *= size
        joint += own
    return joint


def tables_of(pairs: Sequence[Slicing], sizes: Mapping[Column, int], most: int) -> Iterator[Table]:
    """Tables that hold all pairs of columns with these numbers of labels.

    To the first pair that is left come further columns, each the one that makes up the most such pairs with
    the others, up to `most` cells.
    """
    left = {frozenset(pair.parts): pair for pair in pairs}
    while left:
        columns = list(next(iter(left.values())).parts)
        while (more := _next_column(columns, left, sizes, most)) is not None:
            columns.append(more)
        held = [left.pop(pair) for pair in map(frozenset, combinations(columns, 2)) if pair in left]
        yield Table(Slicing.of_parts(columns), tuple(held))


def _next_column(
    columns: Sequence[Column],
    left: Mapping[frozenset[Column], Slicing],
    sizes: Mapping[Column, int],
    most: int,
) -> Column | None:
    """The column that makes up the most pairs that are left with those of a table, None if none does."""
    cells = prod(sizes[column] for column in columns)
    made_up = {
        column: sum(frozenset((column, own)) in left for own in columns)
        for column, size in sizes.items()
        if column not in columns and cells * size <= most
    }
    best = max(made_up, key=lambda column: made_up[column], default=None)
    return best if best is not None and made_up[best] else None
