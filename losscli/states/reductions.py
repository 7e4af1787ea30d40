"""From the weighted means of a loss's row columns to its value.

A reduction sees the means `m` of shape (..., k): leading axes are independent evaluations, as the
numerical gradient asks for them all at once.  It is called as `function(xp, m, **known)` with what its
signature names of the loss's parameters and of these:

    weight      the sum of the weights
    low, high   the least and the greatest value (k,) of each column; an interval takes them as known
    pilot       what the task fixed from the first rows
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from losscli.numeric.arrays import Array, Namespace


class Reduction(Struct, frozen=True, dict=True):
    """How means become a value.

    `additive` says that the value is the mean of one column, or its root: then classes and slices have
    a share of it.  `extreme` says that the value is the greatest row, which has no interval.  `joint` says
    that the function sees all outputs at once, as means (..., outputs, k) and `pilots`, instead of one after
    the other for the mean of their values.  `undefined` is the reason that is shown where the result is not
    a number.
    """

    function: Callable[..., Array]
    additive: bool = False
    extreme: bool = False
    joint: bool = False
    undefined: str = "not defined on these rows"

    @cached_property
    def names(self) -> frozenset[str]:
        """The arguments of the function other than the means."""
        return frozenset(list(inspect.signature(self.function).parameters)[2:])

    def __call__(self, xp: Namespace, means: Array, known: Mapping[str, Any]) -> Array:
        """The value of each row of means; shape (..., k) -> (...)."""
        return self.function(xp, means, **{name: known[name] for name in self.names})


class BoundReduction(Struct, frozen=True):
    """A reduction with the parameters of the loss; `domain` says in words where the loss is defined.

    `pilots` hold for each output what the task fixed for the run, None for tasks that fix nothing.
    """

    reduction: Reduction
    params: Mapping[str, Any]
    domain: str = ""
    pilots: Sequence[Any] = (None,)

    def with_pilots(self, pilots: Sequence[Any]) -> BoundReduction:
        """The same reduction for outputs with these pilots."""
        return replace(self, pilots=pilots)


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
"""The greatest row of the column."""
