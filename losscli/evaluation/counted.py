"""Losses of labels from the counts of pairs: how many rows have each true and predicted class.

These losses depend only on the true and the predicted class, a pair with the number actual * classes +
predicted.  Blocks count pairs; the row columns are computed once per distinct pair, after the last block.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import chain
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from losscli.catalog.loss import Choice
from losscli.engines.devices import CPU
from losscli.evaluation.block import Taken
from losscli.evaluation.cells import Assignment
from losscli.numeric.arrays import Array
from losscli.numeric.indicators import width
from losscli.plan.plan import Plan
from losscli.states.contingency import Columns, Contingency
from losscli.states.moments import Moments, moments_of
from losscli.states.sums import MAX_SKEW
from losscli.tasks.base import Labelled

_NUMBERS = 1 << 22
"""The numbers in the columns of entries that are made at once."""
_MOST_CLASSES = 100
"""The classes up to which a loss of a user, whose columns are not those of `Indicators`, is counted."""


def is_counted(plan: Plan, choice: Choice) -> bool:
    """Whether the rows of a loss are counted: those of labels, without clusters and draws."""
    roles, loss = plan.roles, choice.loss
    if not issubclass(loss.batch, Labelled) or plan.state(choice) is not Moments:
        return False
    if plan.device != CPU or plan.resampling is not None or (roles.group, roles.cluster) != (None, None):
        return False
    if choice.by_rows or choice.keeps_zero_class:
        return False  # its rows have other weights
    if not loss.request:
        return True
    # A loss of a user may take the probability itself, be undefined for a pair, or look for its row.
    takes_labels = (roles.task != "binary" or roles.link == "label") and not is_weighted(plan)
    extreme = loss.reduction.extreme or loss.replaces is not None
    return takes_labels and not extreme and len(roles.names) <= _MOST_CLASSES


def block_rows(plan: Plan) -> int:
    """The block length, which is larger if all losses are computed from counts of pairs."""
    if not plan.request.charts and all(is_counted(plan, choice) for choice in plan.choices):
        return plan.rows_of_width(len(plan.roles.predictions))
    return plan.block_rows


class Pairs:
    """The counts of the pairs of a block: one for all losses that take the same labels.

    Of several models, a pair is the true class with the predicted one of each.
    """

    def __init__(self, models: Sequence[Taken], assignment: Assignment) -> None:
        self._models, self._assignment = models, assignment
        self._known = dict[Any, tuple[Contingency, ...]]()

    def has(self, choice: Choice) -> bool:
        """Whether the rows of a loss are counted."""
        return all(is_counted(model.plan, choice) for model in self._models)

    def of(self, choice: Choice) -> tuple[Contingency, ...]:
        """The counts for a loss: overall, and in the slices of each slicing."""
        kind = _kind(choice)
        key = tuple(choice.params.get(name) for name in kind.labelled_by)
        if key not in self._known:
            numbers, weight = self._numbers(choice, kind), self._models[0].weight
            codes = [codes for codes, _ in self._assignment.slices]
            if weight is not None and len(weight) and not float(weight.min()) > 0:
                kept = np.flatnonzero(weight > 0)
                weight, numbers, *codes = (each[kept] for each in (weight, numbers, *codes))
            counts = (len(keys) for _, keys in self._assignment.slices)
            slices = (Contingency.of_rows(numbers, weight, *each) for each in zip(codes, counts, strict=True))
            self._known[key] = (Contingency.of_rows(numbers, weight), *slices)
        return self._known[key]

    def _numbers(self, choice: Choice, kind: type[Labelled]) -> Array:
        """The number of the pair of each row (n,)."""
        numbers: Array | None = None
        for model in self._models:
            batch = model.rows.parts[kind][0]
            assert isinstance(batch, Labelled)
            actual, predicted = batch.labels(choice.params)
            numbers = actual.astype(np.int64) if numbers is None else numbers
            numbers = numbers * _classes(model.plan) + predicted
        return numbers


class Pairwise(Struct, frozen=True):
    """The row columns of a loss for pairs of classes; for pairs of two models those of a, then b - a."""

    plan: Plan
    choice: Choice
    models: int = 1

    def full(self, pairs: Array) -> tuple[Array, ...]:
        """The columns (m,) of pairs (m,), those of all outputs one after the other."""
        actual, *predicted = self._labels(pairs)
        by_model = [
            map(self.choice.columns, _kind(self.choice).of_labels(np, actual, own, _classes(self.plan)))
            for own in predicted
        ]
        return tuple(chain.from_iterable(map(self._joined, *by_model)))

    def compact(self, pairs: Array) -> Columns:
        """The columns (m,) of pairs (m,), those of classes in one."""
        actual, *predicted = self._labels(pairs)
        batches = [_kind(self.choice).of_all(np, actual, own, _classes(self.plan)) for own in predicted]
        return self._joined(*map(self.choice.compact_columns, batches))

    @property
    def are_many(self) -> bool:
        """Whether the loss has columns of many classes, whose covariances need not be kept."""
        if self.choice.loss.request or _classes(self.plan) < 3:
            return False
        return width(self.compact(np.empty(0, dtype=np.int64))) > MAX_SKEW

    def settled(self, state: Contingency) -> Contingency | Moments:
        """The state from which the loss follows in each cell."""
        if self.are_many:
            return replace(state, columns=self.compact)
        return state.moments(self.full(state.numbers), self.plan.level is not None)

    def by_class(self, overall: Contingency) -> Contingency | Moments | None:
        """The state of each class; None if it has none."""
        cells = _kind(self.choice).of_cells
        if cells == "rows":
            return self.settled(self.in_classes(overall))
        if cells == "none":
            return None
        if self.are_many:
            return overall.scattered(self.compact(overall.numbers), by_class=True).classes()
        whole, outputs = moments_of(self.settled(overall)), self.plan.outputs(self.choice)
        return Moments.stack([whole.output(place, outputs) for place in range(outputs)])

    def in_classes(self, overall: Contingency) -> Contingency:
        """The counts of all rows in cells of their true class."""
        actual, *_ = self._labels(overall.numbers)
        return overall.in_cells(actual, _classes(self.plan))

    def moments(self, state: Contingency) -> Moments:
        """The moments that rows would have left, some entries at a time."""
        columns = len(self.full(state.numbers[:0]))
        parts = (
            part.moments(self.full(part.numbers), self.plan.level is not None)
            for part in state.parts(max(1, _NUMBERS // max(columns, 1)))
        )
        return reduce(Moments.merge, parts)

    def _labels(self, pairs: Array) -> list[Array]:
        """The true class (m,), and the predicted one (m,) of each model."""
        labels = list[Array]()
        for _ in range(self.models):
            pairs, predicted = np.divmod(pairs, _classes(self.plan))
            labels.append(predicted)
        return [pairs, *reversed(labels)]

    def _joined(self, *by_model: Sequence[Any]) -> Sequence[Any]:
        return by_model[0] if self.models == 1 else self.choice.paired(*by_model)


def is_weighted(plan: Plan) -> bool:
    """Whether rows have weights."""
    return plan.roles.weight is not None or plan.roles.class_weight is not None


def pairs_of(plan: Plan, models: int) -> int:
    """The number of pairs of classes."""
    pairs: int = _classes(plan) ** (1 + models)
    return pairs


def _kind(choice: Choice) -> type[Labelled]:
    kind = choice.loss.batch
    assert issubclass(kind, Labelled)
    return kind


def _classes(plan: Plan) -> int:
    return len(plan.roles.names)
