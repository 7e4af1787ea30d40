"""Sums of row columns in bins of one or more axes, which fit themselves to the rows.

A bin of numbers is [i w, (i + 1) w) with a power of two w: within a factor of two from its neighbours of a
number as a float has them, so that bins are fine near zero and a single outlier costs nothing.  Two numbers
say how fine: the binary digits of a bin after the first, and the smallest power of two that bins distinguish
from zero.  Both depend on the extremes of the rows alone, and fewer digits or a greater smallest power join
whole bins.  So states are a commutative monoid: any split of the rows and any order of merging give the same
counts, although nothing is fixed beforehand.
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
"""Bits of a float above its binary digits: the sign, and the exponent."""
NEGATIVE_ZERO = -5e-324
"""The extreme that stands for -0.0, which is among the negative numbers."""
_MAGNITUDE = (1 << 63) - 1
_MOST_DIGITS = 40
"""The maximum of binary digits: more would number more bins than a file has rows."""


class Axis(Struct, frozen=True):
    """An axis of numbers, whose bins keep at least so many binary digits after the first.

    They distinguish numbers from zero down to so many octaves below the greatest, by size.
    """

    digits: int
    octaves: int

    @property
    def most(self) -> int:
        """The maximum number of bins on one side of zero; more digits are kept if they fit in."""
        return ((self.octaves + 1) << self.digits) + 1


class Bins(Struct, frozen=True, dict=True):
    """The bins of an axis: `count` of them from the number `first`, 0 if there are none.

    `low` and `high` are the extremes of the rows, which say how fine bins are.  Numbers count from zero up,
    and from -1 down below zero.
    """

    axis: Axis
    low: float = math.inf
    high: float = -math.inf
    first: int = 0
    count: int = 0

    @cached_property
    def digits(self) -> int:
        """The binary digits of a bin after the first."""
        least, greatest = sorted((abs(self.low), abs(self.high)))
        if self.low < 0 <= self.high or not self.low <= self.high:
            return self.axis.digits
        start, end = max(_bits(least), self.floor << _MANTISSA), _bits(greatest)
        for digits in range(self.axis.digits, _MOST_DIGITS):
            shift = _MANTISSA - digits - 1
            if (end >> shift) - (start >> shift) >= self.axis.most:
                return digits
        return _MOST_DIGITS

    @cached_property
    def floor(self) -> int:
        """The biased exponent of the smallest power of two that bins distinguish from zero."""
        greatest = max(abs(self.low), abs(self.high)) if self.low <= self.high else 0.0
        return max(0, (_bits(greatest) >> _MANTISSA) - self.axis.octaves)

    @property
    def is_sound(self) -> bool:
        """Whether the bins are those of the extremes."""
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
            # The upper bits hold all that is asked for, and narrow integers take a fraction of the time.
            for kind in (np.int16, np.int32):
                size = np.iinfo(kind).bits
                if digits <= size - _ABOVE and 2 * self.axis.most < 1 << (size - 1):
                    bits, width = values.view(kind)[64 // size - 1 :: 64 // size].copy(), size - _ABOVE
                    break
        found = bits & ((1 << 11 + width) - 1) if self.low <= 0 else bits
        found = found >> (width - digits)
        found -= self.floor << digits
        if self._reaches_floor:
            found &= ~(found >> (found.itemsize * 8 - 1))  # the maximum with 0, in less time
        if self.low < 0:
            found ^= bits >> (11 + width)
        return found

    @cached_property
    def _reaches_floor(self) -> bool:
        """Whether rows may be in the bin of zero."""
        least = 0.0 if self.low < 0 <= self.high else min(abs(self.low), abs(self.high))
        return _bits(least) >> _MANTISSA <= self.floor

    def places(self, xp: Namespace, values: Array) -> Array:
        """The places among these bins of finite values (n,) between the extremes."""
        found = self.numbers(xp, values)
        found -= self.first
        return found

    def joined(self, other: Bins) -> tuple[Bins, Array, Array]:
        """The bins of the rows of both, and the places among them of these bins, and of the others."""
        wide = Bins(self.axis, min(self.low, other.low), max(self.high, other.high))
        numbers = self.coarser(wide), other.coarser(wide)
        ends = [int(end) for each in numbers if len(each) for end in (each[0], each[-1])]
        first = min(ends, default=0)
        bins = Bins(self.axis, wide.low, wide.high, first, max(ends, default=-1) - first + 1)
        return bins, numbers[0] - first, numbers[1] - first

    def coarser(self, wider: Bins) -> Array:
        """The number in wider bins of each of these bins (count,)."""
        numbers = np.arange(self.first, self.first + self.count)
        below = numbers < 0
        sizes = np.where(below, -1 - numbers, numbers) + (self.floor << self.digits)
        sizes >>= self.digits - wider.digits
        sizes = np.maximum(sizes - (wider.floor << wider.digits), 0)
        return np.where(below, -1 - sizes, sizes)

    def edges(self) -> tuple[Array, Array]:
        """The lower and the upper bound of each bin (count,); one of zero alone has equal bounds."""
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
    """The sums (k, bins of each axis) of k columns; a plain number in place of bins is that of fixed ones.

    `along` (m, bins) are sums of further columns in the bins of the first axis.  `outside` (k,) are the sums
    of rows at infinity, which are in no bin.
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
            axes: Each an axis of numbers, or a number of fixed bins.
            places: For each axis the numbers of the rows (n,); those of fixed bins count from 0.  Rows that
                are infinite are outside, and so are those that are NaN, outside the domain of a loss.
            columns: What is summed: (n,) each, or None for the number of rows.
            along: What is summed in the bins of the first axis alone: (n,) each.
        """
        bins = [_bins_of(axis, values) for axis, values in zip(axes, places, strict=True)]
        ends = [end for each in bins if isinstance(each, Bins) for end in (each.low, each.high)]
        if len(places[0]) and not all(map(math.isfinite, ends)):
            finite = xp.isfinite(places[0])
            for each in places[1:]:
                finite &= xp.isfinite(each)
            return cls._without(xp, axes, places, columns, along, finite)
        counts = [_count(axis) for axis in bins]
        own = [
            axis.places(xp, xp.ascontiguousarray(values)) if isinstance(axis, Bins) else values
            for axis, values in zip(bins, places, strict=True)
        ]
        first = np.zeros((0, counts[0]))
        if along:
            first = binned_sums(xp, own[0].astype(np.int64), along, counts[0])
        index = own[0].astype(np.int32 if math.prod(counts) < 1 << 31 else np.int64)
        for each, count in zip(own[1:], counts[1:], strict=True):
            index = index * count + each
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
        """The grid of the rows (n,) that are finite; the others are outside."""
        kept = [None if column is None else column[finite] for column in columns]
        own = cls.of(xp, axes, [each[finite] for each in places], kept, [each[finite] for each in along])
        lost = ~finite
        outside = [float((lost if column is None else column[lost]).sum()) for column in columns]
        return cls(own.axes, own.sums, own.along, np.array(outside))

    @property
    def layout(self) -> tuple[Any, ...]:
        """What it counts by: only grids of one layout merge."""
        return (
            len(self.along),
            *(each.axis if isinstance(each, Bins) else each for each in self.axes),
        )

    @property
    def weighted(self) -> Self:
        """The grid with columns of rows, weights and squares: all the same where weights are ones."""
        if len(self.sums) > 1:
            return self
        sums, outside = (np.repeat(each, 3, axis=0) for each in (self.sums, self.outside))
        return replace(self, sums=sums, outside=outside)

    def merge(self, later: Self) -> Self:
        """The grid of the rows of both, in any order; some may have weights, as soft labels do."""
        if len(self.sums) != len(later.sums):
            return self.weighted.merge(later.weighted)
        joint: list[Bins | int] = []
        own: list[Array | None] = []
        other: list[Array | None] = []
        for a, b in zip(self.axes, later.axes, strict=True):
            both = a.joined(b) if isinstance(a, Bins) and isinstance(b, Bins) else (a, None, None)
            joint.append(both[0])
            own.append(both[1])
            other.append(both[2])
        counts = [_count(axis) for axis in joint]
        total = _together((self.sums, later.sums), (own, other), counts)
        along = _together((self.along, later.along), (own[:1], other[:1]), counts[:1])
        return type(self)(tuple(joint), total, along, self.outside + later.outside)

    def to_arrays(self) -> dict[str, Array]:
        """The grid as arrays, of which the bins are those that hold rows."""
        held = np.flatnonzero(self.sums.any(axis=0))
        bins = [axis if isinstance(axis, Bins) else None for axis in self.axes]
        return {
            "ends": np.array([(each.low, each.high) if each else (0.0, 0.0) for each in bins]),
            "axes": np.array([(each.axis.digits, each.axis.octaves) if each else (0, 0) for each in bins]),
            "firsts": np.array([each.first if each else 0 for each in bins]),
            "shape": np.array(self.sums.shape),
            "places": held,
            "sums": self.sums.reshape(len(self.sums), -1)[:, held],
            "along": self.along,
            "outside": self.outside,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """The grid that `to_arrays` wrote."""
        columns, *shape = map(int, arrays["shape"])
        sums = np.zeros((columns, math.prod(shape)))
        sums[:, arrays["places"]] = arrays["sums"]
        each = zip(
            arrays["axes"].tolist(), arrays["ends"].tolist(), arrays["firsts"].tolist(), shape, strict=True
        )
        axes = (
            Bins(Axis(digits, octaves), low, high, first, count) if octaves else count
            for (digits, octaves), (low, high), first, count in each
        )
        return cls(tuple(axes), sums.reshape(columns, *shape), arrays["along"], arrays["outside"])


def _bins_of(axis: Axis | int, values: Array) -> Bins | int:
    """The bins of an axis that values (n,) are in."""
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

    The maps of a part name for each axis the place of each of its bins, None for the same one.
    """
    held = [np.flatnonzero(sums.any(axis=0)) for sums in parts]  # few, of two axes
    places = []
    for sums, at, own in zip(parts, held, maps, strict=True):
        bins = np.unravel_index(at, sums.shape[1:])
        moved = [each if axis is None else axis[each] for each, axis in zip(bins, own, strict=True)]
        places.append(np.ravel_multi_index(moved, counts) if len(at) else at)
    index, size = np.concatenate(places), math.prod(counts)
    found = [
        np.bincount(index, np.concatenate([part[at] for part, at in zip(column, held, strict=True)]), size)
        for column in zip(
            *(sums.reshape(len(sums), math.prod(sums.shape[1:])) for sums in parts), strict=True
        )
    ]
    return np.array(found, dtype=float).reshape(len(found), *counts)
