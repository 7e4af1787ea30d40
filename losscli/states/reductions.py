"""Reductions, from the weighted means of the row columns of a loss to its value.

A reduction takes the means `m` of shape (..., k): leading axes are independent evaluations, which the
numerical gradient makes all at once.  It is called as `function(xp, m, **known)`, where `known` holds the
arguments that its signature names, among the parameters of the loss and:

    weight      the sum of the weights
    low, high   the minimum and maximum (k,) of each column, which intervals treat as constants
    pilot       what the task fixed from the first rows
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from losscli.numeric.arrays import Array, Namespace
from losscli.numeric.cached import cached_property

if TYPE_CHECKING:
    from losscli.states.order import Order


class Count(Struct, frozen=True):
    """How a number of rows is a sum of columns of 0 and 1: over all outputs, or the last one only.

    `span` returns the minimum and maximum that one row adds, from the number of outputs that are summed.
    """

    span: Callable[[int], tuple[int, int]]
    of_last: bool = False

    def places(self, outputs: int) -> list[int]:
        """The outputs that are summed."""
        return [outputs - 1] if self.of_last else [*range(outputs)]


class Reduction(Struct, frozen=True, dict=True):
    """A function from means to a value, and its properties.

    `additive`: the value is the mean of one column, or its root, so that classes and slices have a share of
    it.  `extreme`: the value is the maximum over rows, which has no interval.  `joint`: the function takes
    all outputs at once, as means (..., outputs, k) and `pilots`; otherwise the value is the mean over
    outputs.  `undefined` is the reason shown if the result is not a number.  `hits` and `misses` are columns
    of 0 and 1, if the value of one output is the share of the hits among the rows of both.  `count` says
    how the value is a sum if it is a number of rows.  `divides_zero` returns a mask (...), from the means and
    the parameters, of values where 0 / 0 counts as a number by the parameter zero_division.
    """

    function: Callable[..., Array]
    additive: bool = False
    extreme: bool = False
    joint: bool = False
    undefined: str = "not defined on these rows"
    hits: tuple[int, ...] = ()
    misses: tuple[int, ...] = ()
    count: Count | None = None
    divides_zero: Callable[[Namespace, Array, Mapping[str, Any]], Array] | None = None

    @cached_property
    def names(self) -> frozenset[str]:
        """The arguments of the function other than the means."""
        return frozenset(list(inspect.signature(self.function).parameters)[2:])

    @property
    def differs_by_cell(self) -> bool:
        """Whether the function takes arguments that differ from cell to cell."""
        return bool(self.names & {"weight", "low", "high"})

    def __call__(self, xp: Namespace, means: Array, known: Mapping[str, Any]) -> Array:
        """The value of each row of means; shape (..., k) -> (...)."""
        return self.function(xp, means, **{name: known[name] for name in self.names})


class BoundReduction(Struct, frozen=True):
    """A reduction with the parameters of the loss; `domain` describes where the loss is defined.

    `bounds` are the minimum and maximum possible value.  `pilots` hold what the task fixed for the run, one
    per output; None for tasks that fix nothing.  Weights are in units of `weight_unit`.  `order`
    settles a loss of order, before its columns are reduced.
    """

    reduction: Reduction
    params: Mapping[str, Any]
    domain: str = ""
    bounds: tuple[float, float] = (-math.inf, math.inf)
    pilots: Sequence[Any] = (None,)
    weight_unit: float = 1.0
    order: Order | None = None

    @property
    def undefined(self) -> str:
        """The reason shown if the value is not a number."""
        return self.reduction.undefined if self.order is None else self.order.undefined

    def share_columns(self, columns: int) -> tuple[list[int], list[int]] | None:
        """The indices of hits and misses among all columns, if the value is the share of one output."""
        outputs, reduction = len(self.pilots), self.reduction
        if not reduction.hits or (outputs > 1 and self.params.get("average") != "positive"):
            return None
        last = columns - columns // outputs
        return [last + place for place in reduction.hits], [last + place for place in reduction.misses]

    def with_pilots(self, pilots: Sequence[Any], weight_unit: float | None = None) -> BoundReduction:
        """The same reduction for outputs with these pilots, and weights in this unit."""
        unit = self.weight_unit if weight_unit is None else weight_unit
        return replace(self, pilots=pilots, weight_unit=unit)


def _mean(xp: Namespace, m: Array) -> Array:
    return m[..., 0]


def _root(xp: Namespace, m: Array) -> Array:
    return xp.sqrt(m[..., 0])


def _root_ratio(xp: Namespace, m: Array) -> Array:
    return xp.sqrt(m[..., 0] / m[..., 1])


def _ratio(xp: Namespace, m: Array) -> Array:
    return m[..., 0] / m[..., 1]


mean = Reduction(_mean, additive=True)
"""The weighted mean of the row column."""

root = Reduction(_root, additive=True)
"""The root of the weighted mean."""

ratio = Reduction(_ratio, undefined="its denominator is zero")
"""The weighted sum of the first column over that of the second."""

root_ratio = Reduction(_root_ratio, undefined="its denominator is zero")
"""The root of the ratio."""

largest = Reduction(_mean, extreme=True)
"""The maximum of the column over rows."""


def complement(reduction: Reduction) -> Reduction:
    """One minus the value of a reduction: a score from a loss."""

    def one_minus(xp: Namespace, m: Array) -> Array:
        return 1.0 - reduction.function(xp, m)

    return Reduction(one_minus, undefined=reduction.undefined)
