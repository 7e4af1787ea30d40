"""Order statistics of weighted values: groups of ties, quantiles, and concordant pairs."""

from __future__ import annotations

from msgspec import Struct

from losscli.numeric.arrays import Array, np
from losscli.numeric.cached import cached_property

ROUNDING = 1e-13
"""The difference of cumulative weights, relative to their total, below which it is rounding error."""


class Ties(Struct, frozen=True, dict=True):
    """Values grouped by equality: the distinct `values` (g,), ascending, and the `group` of each value (n,).

    `weight` (n,) is the weight of each value.
    """

    values: Array
    group: Array
    weight: Array

    @classmethod
    def of(cls, values: Array, weight: Array) -> Ties:
        """The ties among values (n,) with these weights (n,)."""
        order = np.argsort(values)
        ordered = values[order]
        new = np.ones(len(values), dtype=bool)
        np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
        distinct = ordered[new]
        del ordered
        group = np.empty(len(values), dtype=np.int32 if len(values) < 1 << 31 else np.int64)
        group[order] = np.cumsum(new, dtype=group.dtype) - 1
        return cls(distinct, group, weight)

    def sums(self, values: Array) -> Array:
        """The weighted sums (g,) of values (n,) by group."""
        return np.bincount(self.group, self.weight * values, minlength=len(self.values))

    @cached_property
    def weights(self) -> Array:
        """The weight of each group (g,)."""
        return np.bincount(self.group, self.weight, minlength=len(self.values))

    @cached_property
    def up_to(self) -> Array:
        """The cumulative weight up to each group (g,), inclusive."""
        return np.cumsum(self.weights)

    @cached_property
    def below(self) -> Array:
        """For each value (n,), the weight of the smaller values."""
        return before(self.weights)[self.group]

    @cached_property
    def equal(self) -> Array:
        """For each value (n,), the weight of the equal values, itself included."""
        return self.weights[self.group]

    def place(self, position: float) -> int:
        """The group at this position, from 0 to the total weight, of the sorted values laid end to end."""
        at = int(np.searchsorted(self.up_to, position * (1 - ROUNDING), "left"))
        return min(at, len(self.values) - 1)

    def quantile(self, share: float) -> float:
        """The smallest value with this share of the weight at or below it; the mean if two values qualify.

        The averaged inverse of the distribution function, for which weights act as repeated rows:
        Hyndman and Fan (1996), Sample quantiles in statistical packages, definition 2, doi:10.2307/2684934
        """
        total = self.up_to[-1]
        at = self.place(share * total)
        value: float = self.values[at]
        on_edge = abs(self.up_to[at] - share * total) <= ROUNDING * total
        if on_edge and 0 < share < 1 and at + 1 < len(self.values):
            return float(value / 2 + self.values[at + 1] / 2)
        return float(value)


def before(sums: Array) -> Array:
    """The sum of the entries before each (g,)."""
    return np.concatenate([[0.0], np.cumsum(sums)[:-1]])


def after(sums: Array) -> Array:
    """The sum of the entries after each (g,)."""
    return before(sums[::-1])[::-1]


def lower_before(codes: Array, weight: Array) -> Array:
    """For each code (n,), an integer from 0, the weight of the lower codes before it (n,).

    It takes O(n log n) steps: the codes are sorted bit by bit from the highest bit.  Among codes that agree
    in all higher bits, those with a 0 before one with a 1 are lower.
    """
    n, lower = len(codes), np.zeros(len(codes))
    if not n:
        return lower
    counts = np.bincount(codes)
    starts = np.concatenate([[0], np.cumsum(counts)])  # of each code in the sorted order
    order = np.arange(n)
    for bit in reversed(range(int(codes.max()).bit_length())):
        sorted_codes = codes[order]
        first = sorted_codes >> (bit + 1) << (bit + 1)
        start = starts[first]  # of the codes that agree in the higher bits
        one = (sorted_codes >> bit & 1).astype(bool)
        zeros = before_each(~one)
        weights = before_each(np.where(one, 0.0, weight[order]))
        lower[order[one]] += (weights - weights[start])[one]
        middle = starts[np.minimum(first + (1 << bit), len(counts))]
        ahead = zeros - zeros[start]
        target = np.where(one, middle + (np.arange(n) - start - ahead), start + ahead)
        moved = np.empty_like(order)
        moved[target] = order
        order = moved
    return lower


def before_each(values: Array) -> Array:
    """The sum of the values before each (n,)."""
    sums = np.zeros(len(values), dtype=float if values.dtype.kind == "f" else int)
    np.cumsum(values[:-1], out=sums[1:])
    return sums


def net_concordance(x: Ties, y: Ties) -> Array:
    """For each row (n,), the weight of the concordant rows minus that of the discordant rows.

    Two rows are concordant if x and y order them alike, discordant if they order them differently.
    """
    weight, n = x.weight, len(x.group)
    lower = np.empty(n)
    # Rows of equal x are in descending order of y, so that none of them counts as a lower one before.
    order = np.lexsort((-y.group, x.group))
    lower[order] = lower_before(y.group[order], weight[order])
    pairs = Ties.of(x.group * np.int64(len(y.values)) + y.group, weight)
    same_y = _within(y, x, weight)
    same_x = _within(x, y, weight)
    left_above = x.below - lower - same_y
    right_below = y.below - lower - same_x
    either_equal = x.equal + y.equal - pairs.equal
    right_above = x.up_to[-1] - either_equal - lower - left_above - right_below
    return lower + right_above - left_above - right_below


def _within(fixed: Ties, other: Ties, weight: Array) -> Array:
    """For each row (n,), the weight of the rows that are equal in `fixed` and lower in `other`."""
    order = np.lexsort((other.group, fixed.group))
    outer, inner = fixed.group[order], other.group[order]
    cumulative = before_each(weight[order])
    new = np.concatenate([[True], (outer[1:] != outer[:-1]) | (inner[1:] != inner[:-1])])
    first = np.concatenate([[True], outer[1:] != outer[:-1]])
    places = np.arange(len(order))
    of_pair = np.maximum.accumulate(np.where(new, places, 0))
    of_group = np.maximum.accumulate(np.where(first, places, 0))
    lower = np.empty(len(order))
    lower[order] = cumulative[of_pair] - cumulative[of_group]
    return lower


def ordered_pairs(lower: Array, upper: Array, predicted: Ties) -> tuple[Array, Array]:
    """For each time (n,), the weight of comparable times that `predicted` orders alike, and of all of them.

    Times lie between `lower` and `upper` (n,).  Two times are comparable if one ends before the other begins,
    or at its beginning if that one is censored.  Of equal predictions, half count as ordered alike.
    """
    n, ends = len(lower), np.flatnonzero(np.isfinite(upper))
    # Events along time: beginnings of exact times (kind 0), ends (1), beginnings of censored times (2).
    kind = np.concatenate([np.where(lower == upper, 0, 2), np.ones(len(ends), dtype=int)])
    order = np.lexsort((kind, np.concatenate([lower, upper[ends]])))
    item, is_end = np.concatenate([np.arange(n), ends])[order], kind[order] == 1
    weight, code = predicted.weight[item], predicted.group[item].astype(np.int64)
    earlier, later = np.where(is_end, weight, 0.0), np.where(is_end, 0.0, weight)

    def concordant(codes: Array, weights: Array, other: Array) -> Array:
        """The weight of lower codes before each position, plus half of that of equal codes."""
        return sum(lower_before(2 * codes + np.where(other, side, 1 - side), weights) for side in (0, 1)) / 2

    back = slice(None, None, -1)
    alike = np.where(
        is_end,
        concordant((code.max() - code)[back], later[back], ~is_end[back])[back],
        concordant(code, earlier, is_end),
    )
    comparable = np.where(is_end, before_each(later[back])[back], before_each(earlier))
    return np.bincount(item, alike, minlength=n), np.bincount(item, comparable, minlength=n)
