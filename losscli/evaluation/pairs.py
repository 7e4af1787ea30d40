"""Several models on the same rows: the states of each model, and of pairs of models.

A pair of models a and b is one more loss, with twice the row columns: those of a, and b - a.  Its means are
m_a and m_b - m_a, so the difference of any reduction is a reduction of them, without the noise that both
share; if b equals a, the difference is exactly zero.  For a mean, b - a alone is enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial, reduce
from operator import add
from typing import Any

import numpy as np
import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from losscli.catalog.loss import Choice
from losscli.data.stream import PREDICTION_ROW
from losscli.errors import DeviceError
from losscli.evaluation import block as block_reading
from losscli.evaluation import counted
from losscli.evaluation import partial as partials
from losscli.evaluation import rows as row_losses
from losscli.evaluation.block import Cached, Fixed, Taken
from losscli.evaluation.counted import Pairs
from losscli.evaluation.partial import Partial
from losscli.evaluation.rows import WIDE
from losscli.numeric.arrays import Array, Namespace, to_numpy
from losscli.plan.plan import Plan
from losscli.report.findings import Finding, Tally
from losscli.states.cells import Cells
from losscli.states.top import Top

INDEX = "#"
"""The column of a block that holds the index of each of its rows."""


class Scores(Struct, frozen=True, eq=False):
    """The partial results for some rows: one per model, and one per pair.

    `counts` (pairs, losses, 2) are the numbers of rows on which the loss of b is below and above that of a;
    `changed` holds for each pair the rows on which the first loss differs most, if requested.  `found` are
    the findings of all models and of their alignment, once all rows are there.
    """

    models: tuple[Partial, ...]
    pairs: tuple[Partial, ...]
    counts: Array
    rows: int
    changed: tuple[Top, ...] = ()
    found: dict[Finding, Tally] | None = None

    @property
    def first(self) -> Partial:
        """The partial result of the first model."""
        return self.models[0]

    @property
    def rows_of(self) -> None:
        """The losses of single rows, which are those of one model."""

    @property
    def tallies(self) -> dict[Finding, Tally]:
        """The findings of all models, each once: a problem with a target is found by every model."""
        if self.found is not None:
            return self.found
        found: dict[Finding, Tally] = {}
        for part in self.models:
            found = part.tallies | found
        return found

    def finished(self, plan: Plan) -> Scores:
        """The same with losses of order settled, and the spread between clusters if there are any."""
        models = tuple(partials.finished(plan, part) for part in self.models)
        pairs = tuple(partials.finished(plan, part, paired=True) for part in self.pairs)
        return replace(self, models=models, pairs=pairs)


class ComparisonJob(Struct, frozen=True):
    """The job of evaluating several models and pairs of them; `pairs` are indices of models (a, b).

    `names` are those of the models, `changed` is the number of most changed rows to keep per pair; `kept` and
    `fixed` as in EvaluationJob.
    """

    plans: tuple[Plan, ...]
    pairs: tuple[tuple[int, int], ...]
    names: tuple[str, ...] = ()
    changed: int = 0
    kept: bool = True
    fixed: Fixed | None = None

    @property
    def block_rows(self) -> int:
        """The number of rows of a block, which falls with the number of models."""
        least = min(map(counted.block_rows, self.plans))
        return max(256, least >> max(0, (len(self.plans) - 1).bit_length() - 1))

    @property
    def group(self) -> str | None:
        """The column of groups, which no block may cut."""
        return self.plans[0].roles.group

    @property
    def device(self) -> str:
        """Where to compute."""
        return self.plans[0].device

    @property
    def codec(self) -> str:
        """The module that writes the job for other processes."""
        return "losscli.evaluation.remote"

    def run_length(self, frame: pl.DataFrame) -> int:
        """The number of blocks to fold as one: several if the first one has many slices or clusters."""
        return partials.run_length(self.plans[0], self._of(frame, 0))

    def begin(self, frame: pl.DataFrame) -> Any:
        """The pilots that the first block fixes, the same for all models so that their units agree."""
        return self.fixed or block_reading.fixed_by(self.plans[0], self._of(frame, 0))

    def fold(self, xp: Namespace, frame: pl.DataFrame, first_row: int, fixed: Any) -> Scores:
        """Read and check one block of every model, and take the moments of models and pairs."""
        taken, tallies = self._taken(xp, frame, first_row, fixed)
        fingerprint = block_reading.fingerprint_of(taken[0]) if self.kept else None
        # All models have the same rows, in the same cells, and drawn equally often.
        assignment = taken[0].assignment()
        assignments = [assignment.of_model(each.block) for each in taken]
        models = tuple(
            replace(
                partials.states_of(each, own_assignment, Pairs([each], own_assignment)),
                tallies=each.block.tallies | own,
                rows=frame.height,
                fingerprint=fingerprint,
                extras=partials.extras_of(each),
            )
            for each, own_assignment, own in zip(taken, assignments, tallies, strict=True)
        )
        pairs = [_Pair.of(taken[a], taken[b]) for a, b in self.pairs]
        counts = np.array([[pair.counts(choice) for choice in pair.plan.choices] for pair in pairs])
        changed = tuple(self._changed(taken, *pair) for pair in self.pairs) if self.changed else ()
        of_pairs = tuple(
            partials.states_in(pair, assignments[a], Pairs([pair.a, pair.b], assignments[a]))
            for pair, (a, _) in zip(pairs, self.pairs, strict=True)
        )
        return Scores(models, of_pairs, counts, frame.height, changed)

    def merge(self, a: Scores, b: Scores) -> Scores:
        """The result for the rows of both; `a` holds the earlier rows."""
        models = tuple(
            partials.merge(*partials.alike(plan, first, later))
            for plan, first, later in zip(self.plans, a.models, b.models, strict=True)
        )
        pairs = tuple(
            partials.merge(*partials.alike(self.plans[0], first, later, paired=True))
            for first, later in zip(a.pairs, b.pairs, strict=True)
        )
        both = zip(a.changed, b.changed, strict=True)
        changed = tuple(first.merge(later) for first, later in both)
        found = None if a.found is None or b.found is None else partials.merged_tallies(a.found, b.found)
        return Scores(models, pairs, a.counts + b.counts, a.rows + b.rows, changed, found)

    def instead(self, error: DeviceError) -> ComparisonJob:
        """The same job on the CPU, from the first row.  Raises the error if the user chose the device."""
        return replace(self, plans=tuple(plan.instead(error) for plan in self.plans))

    def _changed(self, taken: Sequence[Cached], a: int, b: int) -> Top:
        """The rows of a block with the largest difference in the first loss of two models."""
        choice, plan = self.plans[a].choices[0], self.plans[a]
        frame = row_losses.described(taken[0], plan.roles.targets if len(plan.roles.targets) <= WIDE else ())
        losses = [row_losses.values(taken[place], choice) for place in (a, b)]
        for place, loss in zip((a, b), losses, strict=True):
            own, name = taken[place], self.names[place]
            predictions = own.plan.roles.predictions
            if len(predictions) <= WIDE and own.rows.starts is None:
                shown = own.block.frame.select(pl.col(p).alias(f"{p[2:]} of {name}") for p in predictions)
                frame = frame.hstack(shown)
            frame = frame.with_columns(pl.Series(f"loss of {name}", loss))
        apart = losses[1] - losses[0]
        frame = frame.with_columns(pl.Series("difference", apart))
        weight = taken[0].weight
        if weight is not None:
            counted = to_numpy(weight > 0)
            frame, apart = frame.filter(pl.Series(counted)), apart[counted]
        cells = Cells(np, len(apart), None, 0)
        return Top.of(cells, (np.abs(apart),), frame=frame, most=self.changed)

    def _of(self, frame: pl.DataFrame, model: int) -> pl.DataFrame:
        """The block as read for one model alone; columns that describe rows are the first model's."""
        columns = {name: name for name in frame.columns if not name[0].isdigit()}
        if model > 0:
            of_model = (f"{model}p:", f"{model}{PREDICTION_ROW}")
            columns |= {n[len(str(model)) :]: n for n in frame.columns if n.startswith(of_model)}
        # Without a query, which would wait for the threads of Polars that read ahead.
        return pl.DataFrame([frame.get_column(name).alias(own) for own, name in columns.items()])

    def _taken(
        self, xp: Namespace, frame: pl.DataFrame, first_row: int, fixed: Any
    ) -> tuple[list[Cached], list[dict[Finding, Tally]]]:
        """The rows that every model keeps, and the findings of each model."""
        taken = self._each(xp, frame, first_row, fixed)
        tallies = [each.block.tallies for each in taken]
        if all(each.block.height == frame.height for each in taken):
            return taken, tallies
        if PREDICTION_ROW not in frame.columns:
            frame = frame.with_row_index(PREDICTION_ROW, first_row)
        frame = frame.with_row_index(INDEX)
        kept = [each.block.frame[INDEX].to_numpy() for each in self._each(xp, frame, first_row, fixed)]
        common = reduce(partial(np.intersect1d, assume_unique=True), kept)
        return self._each(xp, frame[common], first_row, fixed), tallies

    def _each(self, xp: Namespace, frame: pl.DataFrame, first_row: int, fixed: Any) -> list[Cached]:
        views = (self._of(frame, model) for model in range(len(self.plans)))
        read = (
            block_reading.take(p, xp, view, first_row, fixed)
            for p, view in zip(self.plans, views, strict=True)
        )
        return [Cached.of(each) for each in read]


class _Pair(Taken, frozen=True):
    """A block of two models, with the rows, cells and weights that they share."""

    a: Cached
    b: Cached

    @classmethod
    def of(cls, a: Cached, b: Cached) -> _Pair:
        return cls(a.plan, a.xp, a.block, a.rows, a.weight, a.weight_unit, a, b)

    def output_columns(self, choice: Choice) -> list[Sequence[Array]]:
        """For each output the row columns of a, then b - a; for a mean, b - a alone."""
        pairs = zip(self.a.output_columns(choice), self.b.output_columns(choice), strict=True)
        return [choice.paired(*pair) for pair in pairs]

    def label_columns(self, choice: Choice) -> list[Sequence[Array]]:
        """The same for each label."""
        pairs = zip(self.a.label_columns(choice), self.b.label_columns(choice), strict=True)
        return [choice.paired(*pair) for pair in pairs]

    def counts(self, choice: Choice) -> tuple[int, int]:
        """How many rows of positive weight have b below and above a; (0, 0) if rows have no values."""
        if not choice.loss.additive:
            return 0, 0
        columns = ([column for (column,) in each.output_columns(choice)] for each in (self.a, self.b))
        a, b = (reduce(add, own) for own in columns)
        less, more = b < a, b > a
        if self.weight is not None:
            less, more = less & (self.weight > 0), more & (self.weight > 0)
        return int(self.xp.count_nonzero(less)), int(self.xp.count_nonzero(more))
