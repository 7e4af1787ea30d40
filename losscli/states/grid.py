"""Sums of row columns in bins of one or more axes, which adapt to the rows.

A bin of numbers is [i w, (i + 1) w), where the width w is a power of two that grows with the numbers, as the
spacing of floats does: bins are fine near zero, and a single outlier costs nothing.  Two numbers set the
resolution: the binary digits of a bin after the first, and the smallest power of two that bins distinguish
from zero.  Both depend only on the extremes of the rows, and fewer digits or a larger smallest power merge
whole bins.  So grids form a commutative monoid: any split of the rows and any order of merging give the same
counts, although nothing is fixed in advance.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Self

from msgspec import Struct
from msgspec.structs import replace

from losscli.numeric.arrays import Array, Namespace, np, on_host
from losscli.numeric.cached import cached_property
from losscli.numeric.segments import binned_sums

_MANTISSA = 52
_ABOVE = 12
"""Bits of a float above its mantissa: the sign and the exponent."""
NEGATIVE_ZERO = -5e-324
"""The extreme that stands for -0.0, which is binned as a negative number."""
_MAGNITUDE = (1 << 63) - 1
_MOST_DIGITS = 40
"""Maximum number of binary digits: with more, there would be more bins than rows in a file."""


class Axis(Struct, frozen=True):
    """An axis of numbers, whose bins keep at least `digits` binary digits after the first.

    They distinguish numbers from zero down to `octaves` octaves below the largest magnitude.
    """

    digits: int
    octaves: int

    @property
    def most(self) -> int:
        """The maximum number of bins on one side of zero; more digits are kept if they fit in."""
        return ((self.octaves + 1) << self.digits) + 1


class Bins(Struct, frozen=True, dict=True):
    """The bins of an axis: `count` consecutive bin numbers from `first` on.

    `low` and `high` are the extremes of the rows, which set the resolution.  Bins are numbered from 0 up, and
    below zero from -1 down.
    """

    axis: Axis
    low: float = math.inf
    high: float = -math.inf
    first: int = 0
    count: int = 0

    @cached_property
    def digits(self) -> int:
        """The binary digits of a bin after the first."""
        smallest, largest = sorted((abs(self.low), abs(self.high)))
        if self.low < 0 <= self.high or not self.low <= self.high:
            return self.axis.digits
        start, end = max(_bits(smallest), self.floor << _MANTISSA), _bits(largest)
        for digits in range(self.axis.digits, _MOST_DIGITS):
            shift = _MANTISSA - digits - 1
            if (end >> shift) - (start >> shift) >= self.axis.most:
                return digits
        return _MOST_DIGITS

    @cached_property
    def floor(self) -> int:
        """The biased exponent of the smallest power of two that bins distinguish from zero."""
        largest = max(abs(self.low), abs(self.high)) if self.low <= self.high else 0.0
        return max(0, (_bits(largest) >> _MANTISSA) - self.axis.octaves)

    @property
    def is_sound(self) -> bool:
        """Whether the bins follow from the extremes."""
        if not (0 <= self.axis.digits < _MOST_DIGITS and 0 < self.axis.octaves < 2048):
            return False
        if not self.low <= self.high:
            return self.count == 0
        if math.isinf(self.low) or math.isinf(self.high):
            return False
        return self == _bins_of(self.axis, np.array([self.low, self.high]))

    def numbers(self, xp: Namespace, values: Array) -> Array:
        """The numbers of the bins of finite values (n,) between the extremes."""
        digits, width = self.digits, _MANTISSA
        bits = values.view(xp.int64)
        if on_host(xp) and sys.byteorder == "little":
            # The upper bits hold all digits needed, and narrow integers take a fraction of the time.
            for kind in (np.int16, np.int32):
                size = np.iinfo(kind).bits
                if digits <= size - _ABOVE and 2 * self.axis.most < 1 << (size - 1):
                    bits, width = values.view(kind)[64 // size - 1 :: 64 // size].copy(), size - _ABOVE
                    break
        numbers = bits & ((1 << 11 + width) - 1) if self.low <= 0 else bits
        numbers = numbers >> (width - digits)
        numbers -= self.floor << digits
        if self._reaches_floor:
            numbers &= ~(numbers >> (numbers.itemsize * 8 - 1))  # the maximum with 0, in less time
        if self.low < 0:
            numbers ^= bits >> (11 + width)
        return numbers

    @cached_property
    def _reaches_floor(self) -> bool:
        """Whether rows may be in the bin of zero."""
        smallest = 0.0 if self.low < 0 <= self.high else min(abs(self.low), abs(self.high))
        return _bits(smallest) >> _MANTISSA <= self.floor

    def places(self, xp: Namespace, values: Array) -> Array:
        """The indices among these bins of finite values (n,) between the extremes."""
        numbers = self.numbers(xp, values)
        numbers -= self.first
        return numbers

    def joined(self, other: Bins) -> tuple[Bins, Array, Array]:
        """The bins of the rows of both, and the indices among them of these bins and of the others."""
        wide = Bins(self.axis, min(self.low, other.low), max(self.high, other.high))
        numbers = self.coarser(wide), other.coarser(wide)
        ends = [int(end) for each in numbers if len(each) for end in (each[0], each[-1])]
        first = min(ends, default=0)
        bins = Bins(self.axis, wide.low, wide.high, first, max(ends, default=-1) - first + 1)
        return bins, numbers[0] - first, numbers[1] - first

    def coarser(self, wider: Bins) -> Array:
        """The number, among the wider bins, of each of these bins (count,)."""
        numbers = np.arange(self.first, self.first + self.count)
        below = numbers < 0
        sizes = np.where(below, -1 - numbers, numbers) + (self.floor << self.digits)
        sizes >>= self.digits - wider.digits
        sizes = np.maximum(sizes - (wider.floor << wider.digits), 0)
        return np.where(below, -1 - sizes, sizes)

    def edges(self) -> tuple[Array, Array]:
        """The lower and upper bound of each bin (count,); equal for a bin of zero alone."""
        numbers = np.arange(self.first, self.first + self.count)
        below = numbers < 0
        sizes = np.where(below, -1 - numbers, numbers)
        start, shift = self.floor << self.digits, _MANTISSA - self.digits
        near = np.where(sizes == 0, 0, (sizes + start) << shift).view(np.float64)
        far = np.minimum(((sizes + start + 1) << shift).view(np.float64), np.finfo(float).max)
        return np.where(below, -far, near), np.where(below, -near, far)


def _bits(value: float) -> int:
    return int(np.float64(value).view(np.int64)) & _MAGNITUDE


class Grid(Struct, frozen=True, eq=False):
    """The sums (k, bins of each axis) of k columns; an integer in place of bins is a number of fixed bins.

    `along` (m, bins) are sums of further columns in the bins of the first axis.  `outside` (k,) are the sums
    of rows that are not finite, which are in no bin.
    """

    axes: tuple[Bins | int, ...]
    sums: Array
    along: Array
    outside: Array

    @classmethod
    def of(
        cls,
        xp: Namespace,
        axes: Sequence[Axis | int],
        places: Sequence[Array],
        columns: Sequence[Array | None],
        along: Sequence[Array] = (),
    ) -> Self:
        """The grid of some rows.

        Args:
            xp: The namespace of the arrays.
            axes: Axes of numbers, or numbers of fixed bins.
            places: For each axis the positions of the rows (n,); for fixed bins, their indices.  Infinite
                rows count as outside, as do NaN rows, which lie outside the domain of a loss.
            columns: The columns to sum (n,); None counts the rows.
            along: The columns to sum in the bins of the first axis only (n,).
        """
        bins = [_bins_of(axis, values) for axis, values in zip(axes, places, strict=True)]
        ends = [end for axis in bins if isinstance(axis, Bins) for end in (axis.low, axis.high)]
        if len(places[0]) and not all(map(math.isfinite, ends)):
            finite = xp.isfinite(places[0])
            for values in places[1:]:
                finite &= xp.isfinite(values)
            return cls._without(xp, axes, places, columns, along, finite)
        counts = [_count(axis) for axis in bins]
        indices = [
            axis.places(xp, xp.ascontiguousarray(values)) if isinstance(axis, Bins) else values
            for axis, values in zip(bins, places, strict=True)
        ]
        first = np.zeros((0, counts[0]))
        if along:
            first = binned_sums(xp, indices[0].astype(np.int64), along, counts[0])
        index = indices[0].astype(np.int32 if math.prod(counts) < 1 << 31 else np.int64)
        for further, count in zip(indices[1:], counts[1:], strict=True):
            index = index * count + further
        sums = binned_sums(xp, index, columns, math.prod(counts)).reshape(len(columns), *counts)
        return cls(tuple(bins), sums, first, np.zeros(len(columns)))

    @classmethod
    def _without(
        cls,
        xp: Namespace,
        axes: Sequence[Axis | int],
        places: Sequence[Array],
        columns: Sequence[Array | None],
        along: Sequence[Array],
        finite: Array,
    ) -> Self:
        """The grid of the `finite` rows (n,), with the sums of the others as `outside`."""
        kept = [None if column is None else column[finite] for column in columns]
        grid = cls.of(xp, axes, [each[finite] for each in places], kept, [each[finite] for each in along])
        infinite = ~finite
        outside = [float((infinite if column is None else column[infinite]).sum()) for column in columns]
        return cls(grid.axes, grid.sums, grid.along, np.array(outside))

    @property
    def layout(self) -> tuple[Any, ...]:
        """The axes and the number of `along` columns: only grids of the same layout can be merged."""
        return (
            len(self.along),
            *(each.axis if isinstance(each, Bins) else each for each in self.axes),
        )

    @property
    def weighted(self) -> Self:
        """The grid with columns of rows, weights and squared weights, which are equal if weights are ones."""
        if len(self.sums) > 1:
            return self
        sums, outside = (np.repeat(each, 3, axis=0) for each in (self.sums, self.outside))
        return replace(self, sums=sums, outside=outside)

    def merge(self, later: Self) -> Self:
        """The grid of the rows of both, in any order; only one may have weights, as soft labels do."""
        if len(self.sums) != len(later.sums):
            return self.weighted.merge(later.weighted)
        joint: list[Bins | int] = []
        moves: list[Array | None] = []
        later_moves: list[Array | None] = []
        for a, b in zip(self.axes, later.axes, strict=True):
            both = a.joined(b) if isinstance(a, Bins) and isinstance(b, Bins) else (a, None, None)
            joint.append(both[0])
            moves.append(both[1])
            later_moves.append(both[2])
        counts = [_count(axis) for axis in joint]
        total = _together((self.sums, later.sums), (moves, later_moves), counts)
        along = _together((self.along, later.along), (moves[:1], later_moves[:1]), counts[:1])
        return type(self)(tuple(joint), total, along, self.outside + later.outside)

    def to_arrays(self) -> dict[str, Array]:
        """The grid as arrays, with the bins that hold rows only."""
        filled = np.flatnonzero(self.sums.any(axis=0))
        bins = [axis if isinstance(axis, Bins) else None for axis in self.axes]
        return {
            "ends": np.array([(axis.low, axis.high) if axis else (0.0, 0.0) for axis in bins]),
            "axes": np.array([(each.axis.digits, each.axis.octaves) if each else (0, 0) for each in bins]),
            "firsts": np.array([axis.first if axis else 0 for axis in bins]),
            "shape": np.array(self.sums.shape),
            "places": filled,
            "sums": self.sums.reshape(len(self.sums), -1)[:, filled],
            "along": self.along,
            "outside": self.outside,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """The grid that `to_arrays` wrote."""
        columns, *shape = map(int, arrays["shape"])
        sums = np.zeros((columns, math.prod(shape)))
        sums[:, arrays["places"]] = arrays["sums"]
        fields = zip(
            arrays["axes"].tolist(), arrays["ends"].tolist(), arrays["firsts"].tolist(), shape, strict=True
        )
        axes = (
            Bins(Axis(digits, octaves), low, high, first, count) if octaves else count
            for (digits, octaves), (low, high), first, count in fields
        )
        return cls(tuple(axes), sums.reshape(columns, *shape), arrays["along"], arrays["outside"])


def _bins_of(axis: Axis | int, values: Array) -> Bins | int:
    """The bins of an axis that hold values (n,)."""
    if not isinstance(axis, Axis):
        return axis
    if not len(values):
        return Bins(axis)
    low, high = float(values.min()), float(values.max()) + 0.0
    if low == 0 and bool((values.view(np.int64) < 0).any()):
        low = NEGATIVE_ZERO
    bins = Bins(axis, low, high)
    if not (math.isfinite(bins.low) and math.isfinite(bins.high)):
        return bins
    first, last = bins.numbers(np, np.array([low, high])).tolist()
    return Bins(axis, bins.low, bins.high, first, last - first + 1)


def _count(axis: Bins | int) -> int:
    return axis.count if isinstance(axis, Bins) else axis


def _together(parts: Sequence[Array], maps: Sequence[Sequence[Array | None]], counts: Sequence[int]) -> Array:
    """The sums (k, counts) of parts (k, bins of each axis).

    The maps of a part give, for each axis, the new index of each of its bins; None if unchanged.
    """
    filled = [np.flatnonzero(sums.any(axis=0)) for sums in parts]  # few of the bins of two axes
    places = []
    for sums, at, moves in zip(parts, filled, maps, strict=True):
        bins = np.unravel_index(at, sums.shape[1:])
        moved = [index if move is None else move[index] for index, move in zip(bins, moves, strict=True)]
        places.append(np.ravel_multi_index(moved, counts) if len(at) else at)
    index, size = np.concatenate(places), math.prod(counts)
    columns = [
        np.bincount(index, np.concatenate([part[at] for part, at in zip(column, filled, strict=True)]), size)
        for column in zip(
            *(sums.reshape(len(sums), math.prod(sums.shape[1:])) for sums in parts), strict=True
        )
    ]
    return np.array(columns, dtype=float).reshape(len(columns), *counts)
