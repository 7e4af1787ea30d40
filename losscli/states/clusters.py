"""--cluster: rows with correlated noise, whose variance is that between the totals of clusters.

With T_g = sum w (x - m) over the rows of cluster g, the spread between clusters is V = sum T_g T_g', which
equals the spread of rows if every row is a cluster of its own.  Binder (1983), On the variances of
asymptotically normal estimators from complex surveys, doi:10.2307/1402588.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from losscli.numeric.arrays import Array, Namespace, np, pl, to_numpy
from losscli.numeric.hashing import hash_keys
from losscli.numeric.segments import binned_sums, compressed
from losscli.states.cells import Cells, triples
from losscli.states.moments import MAX_SPREAD, Moments
from losscli.states.noise import holds_binary
from losscli.states.sums import MAX_SKEW

HASH_BITS = 40
"""Bits of the hash of a cluster: among 65,536 clusters, two collide in one run of 500."""
MAX_CLUSTERS = 1 << 16
"""Maximum number of clusters kept overall."""
MAX_PAIRS = 1 << 20
"""Maximum number of pairs of a cell and a cluster, for classes or for one slicing."""
MAX_NUMBERS = 1 << 23
"""Maximum number of values in the totals of all losses."""
ROUNDING = 1e-11
"""Relative to the sum of a cluster: a smaller total is the rounding of a sum of a million equal rows."""


class Totals(Struct, frozen=True, eq=False):
    """The sums of each pair of a cell and a cluster, for at most `most` pairs.

    `keys` (p,), ascending, hold the cell of a pair above the 40 bits of its cluster's hash.  `sums` are
    for each loss sum w and sum w x (p, 1 + k).  If there would be more pairs than `most`, the lowest `coarse`
    bits of the hashes are dropped, which merges clusters at random and keeps the expectation of V.  `coarse`
    depends on the set of clusters alone, not on their order.
    """

    keys: Array
    sums: tuple[Array, ...]
    most: int
    coarse: int = 0

    def merge(self, later: Totals, places: Array | None = None) -> Totals:
        """The totals of the rows of both; cell i of `later` is cell places[i], by default cell i."""
        coarse = max(self.coarse, later.coarse)
        a, b = _coarser(self, coarse), _coarser(later if places is None else _moved(later, places), coarse)
        at: Array = np.searchsorted(a.keys, b.keys)
        new = np.append(a.keys, -1)[at] != b.keys
        keys = np.insert(a.keys, at[new], b.keys[new])
        # Each new key shifts the keys after it.
        to = at + np.cumsum(new) - new
        sums = tuple(np.insert(each, at[new], 0.0, axis=0) for each in a.sums)
        for joint, own in zip(sums, b.sums, strict=True):
            joint[to] += own
        return _bounded(Totals(keys, sums, a.most, coarse))

    def to_arrays(self) -> dict[str, Array]:
        """The totals as plain arrays by name."""
        sums = {f"sums_{place}": each for place, each in enumerate(self.sums)}
        return {"keys": self.keys, "limits": np.array([self.most, self.coarse]), **sums}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Totals:
        """The totals that `to_arrays` wrote."""
        sums = tuple(arrays[f"sums_{place}"] for place in range(len(arrays) - 2))
        most, coarse = arrays["limits"].tolist()
        return cls(arrays["keys"], sums, most, coarse)


class Clusters(Struct, frozen=True, eq=False):
    """The clusters of a block: their `hashes` (u,), and the place of the cluster of each row (n,)."""

    hashes: Array
    places: Array

    @classmethod
    def of(cls, hashes: Array) -> Clusters:
        """The clusters by the hash of each row (n,)."""
        return cls(*np.unique(hashes, return_inverse=True))

    @property
    def of_rows(self) -> Array:
        """The hash of each row's cluster (n,)."""
        return self.hashes[self.places]


class Block:
    """The sums of the clusters of a block of rows, for each way to cut the rows into cells: `pairs_of`.

    `xp` is the namespace of the columns.
    """

    def __init__(self, pairs: Mapping[int, Pairs], xp: Namespace = np) -> None:
        self._xp, self._pairs = xp, pairs
        self._sums: dict[int, list[Array]] = {way: [] for way in pairs}

    def add(self, way: int, columns: Sequence[Array], weight: Array | None, keep: Array | None) -> None:
        """Sum the columns and weights (n,) of the rows in `keep`; do nothing for an unknown way."""
        pairs = self._pairs.get(way)
        if pairs is None:
            return
        weighted = columns if weight is None else [weight * column for column in columns]
        self._sums[way].append(pairs.sums(self._xp, (weight, *weighted), keep))

    def totals(self) -> dict[int, Totals]:
        """The totals of each way."""
        return {way: pairs.totals(self._sums[way]) for way, pairs in self._pairs.items()}


class Pairs(Struct, frozen=True, eq=False):
    """The pairs of a cell and a cluster in a block: their `keys`, and the pair of each row as `places` (n,).

    The first `nowhere` places belong to rows without a cell, which have no key.
    """

    keys: Array
    places: Array
    nowhere: int
    most: int

    @classmethod
    def of(cls, clusters: Clusters, codes: Array | None) -> Pairs:
        """The pairs of a block whose rows are in cells `codes` (n,), -1 for none; None for a single cell."""
        if codes is None:
            return cls(clusters.hashes, clusters.places, 0, MAX_CLUSTERS)
        count = max(len(clusters.hashes), 1)
        # Rows without a cell come first.
        joint = (to_numpy(codes).astype(np.int64) + 1) * count + clusters.places
        places, found = compressed(joint)
        nowhere = int(np.searchsorted(found, count))
        cell, cluster = np.divmod(found[nowhere:], count)
        keys = ((cell - 1) << HASH_BITS) | clusters.hashes[cluster]
        return cls(keys, places, nowhere, MAX_PAIRS)

    def sums(self, xp: Namespace, columns: Sequence[Array | None], keep: Array | None) -> Array:
        """The sums (pairs, k) of columns (n,), None for ones, over the rows in `keep`."""
        places, size = xp.asarray(self.places), self.nowhere + len(self.keys)
        return binned_sums(xp, places if keep is None else places[keep], columns, size).T[self.nowhere :]

    def totals(self, sums: Sequence[Array]) -> Totals:
        """The totals of all losses, from the sums of each."""
        most = min(self.most, MAX_NUMBERS // sum(each.shape[1] for each in sums))
        order = np.argsort(self.keys)
        totals = Totals(self.keys[order], tuple(each[order] for each in sums), most)
        return _bounded(_combined(totals, totals.keys))


def pairs_of(clusters: Clusters, ways: Mapping[int, Array | None]) -> dict[int, Pairs]:
    """The pairs of a cell and a cluster for each way, the cell of each row (n,) as in `Pairs.of`."""
    return {way: Pairs.of(clusters, codes) for way, codes in ways.items()}


def hashed(keys: pl.Series) -> Array:
    """The hash of each cluster (n,), which does not depend on the type of its key in the file."""
    hashes = hash_keys(keys)
    return (hashes >> np.uint64(64 - HASH_BITS)).astype(np.int64)


def _moved(totals: Totals, places: Array) -> Totals:
    """The totals with cell i renumbered to places[i]."""
    keys = (places[totals.keys >> HASH_BITS] << HASH_BITS) | (totals.keys & ((1 << HASH_BITS) - 1))
    order = np.argsort(keys)
    return replace(totals, keys=keys[order], sums=tuple(each[order] for each in totals.sums))


def _bounded(totals: Totals) -> Totals:
    if len(totals.keys) <= totals.most:
        return totals
    # A key stays apart from the one before until the highest bit in which they differ is dropped.
    highest = np.frexp((totals.keys[1:] ^ totals.keys[:-1]).astype(float))[1] - 1
    apart = np.bincount(np.minimum(highest, HASH_BITS), minlength=HASH_BITS + 1)
    left = 1 + np.cumsum(apart[::-1])[::-1]
    few = np.flatnonzero(left <= totals.most)
    return _coarser(totals, int(few[0]) if len(few) else HASH_BITS)


def _coarser(totals: Totals, coarse: int) -> Totals:
    """The totals with the lowest `coarse` bits of each hash dropped."""
    if coarse == totals.coarse or not len(totals.keys):
        return replace(totals, coarse=coarse)
    return _combined(replace(totals, coarse=coarse), totals.keys & -(1 << coarse))


def _combined(totals: Totals, keys: Array) -> Totals:
    """The totals under ascending keys, of which several may be the same."""
    if not len(keys):
        return replace(totals, keys=keys)
    first = np.flatnonzero(np.diff(keys, prepend=-1))
    if len(first) == len(keys):
        return replace(totals, keys=keys)
    sums = tuple(np.add.reduceat(each, first, axis=0) for each in totals.sums)
    return replace(totals, keys=keys[first], sums=sums)


def between(found: Moments, totals: Totals, place: int) -> Moments:
    """The moments of a loss with the spread between clusters; `place` is the index of the loss."""
    return _between(found, totals.keys, totals.sums[place])


def _between(moments: Moments, keys: Array, sums: Array) -> Moments:
    cells, k = moments.drift.shape
    if sums.shape[1] > 1 + k:
        # The cells are labels, whose columns are concatenated.
        parts = np.split(sums[:, 1:], cells, axis=1)
        alone = [np.concatenate([sums[:, :1], part], axis=1) for part in parts]
        return Moments.stack([_between(moments.cell(i), keys, own) for i, own in enumerate(alone)])
    present = sums[:, 0] > 0
    cell, sums = (keys >> HASH_BITS)[present], sums[present]
    known = {
        "units": np.bincount(cell, minlength=cells),
        "units2": np.bincount(cell, sums[:, 0] ** 2, minlength=cells),
        "binary": holds_binary(moments),
    }
    if cells * k * k > MAX_SPREAD:
        return replace(moments, spread=None, third=None, **known)
    spread, largest = np.zeros((cells, k, k)), np.zeros((cells, k))
    third = np.zeros((cells, triples(k).shape[1])) if k <= MAX_SKEW else None
    if len(cell):
        with np.errstate(all="ignore"):
            totals = (sums[:, 1:] - sums[:, :1] * moments.mean[cell]).T
            totals[np.abs(totals) <= ROUNDING * np.abs(sums[:, 1:].T)] = 0.0
            runs = Cells(np, len(cell), None, 0, cell, cells)
            if third is None:
                spread[runs.present] = runs.products(totals, totals.copy())
            else:
                spread[runs.present], third[runs.present] = runs.thirds(totals, totals)
            largest[runs.present] = np.maximum.reduceat(totals * totals, runs.starts, axis=1).T
    return replace(moments, spread=spread, third=third, largest=largest, **known)


def grouped(totals: Totals, groups: Array) -> Totals:
    """The totals with cell i as cell groups[i], which several may be; -1 leaves it out."""
    cell = groups[totals.keys >> HASH_BITS]
    kept = cell >= 0
    keys = (cell[kept] << HASH_BITS) | (totals.keys[kept] & ((1 << HASH_BITS) - 1))
    order = np.argsort(keys, kind="stable")
    alone = replace(totals, keys=keys[order], sums=tuple(each[kept][order] for each in totals.sums))
    return _combined(alone, alone.keys)


class Rest(Struct, frozen=True, eq=False):
    """The rows outside of each cell: their `moments`, with the spread between clusters.

    `common` (c, k, k) is the sum over the clusters of T T' of the totals T of a cell and those of its rest: a
    cluster may have rows in both.
    """

    moments: Moments
    common: Array

    def select(self, cells: Array) -> Rest:
        """The rest of some cells."""
        return Rest(self.moments.select(cells), self.common[cells])


def rest_of(inside: Moments, rest: Moments, of_cells: Totals, of_all: Totals, place: int) -> Rest:
    """What is outside of each cell, of all rows that have the totals `of_all`; `place` is that of the loss.

    `inside` and `rest` are the moments of the rows, and `of_cells` the totals of the cells.  With V = S - w m
    of all rows of a cluster about the mean m of the rest, and D of its rows in the cell, T of the rest is
    V - D.  Clusters without rows in a cell are summed once for all cells.
    """
    coarse = max(of_cells.coarse, of_all.coarse)
    pairs, whole = _coarser(of_cells, coarse), _coarser(of_all, coarse)
    cells, k = inside.drift.shape
    cell, hashes = pairs.keys >> HASH_BITS, pairs.keys & ((1 << HASH_BITS) - 1)
    own, every = pairs.sums[place], whole.sums[place]
    weight, moved = every[:, 0], rest.mean - (mean := every[:, 1:].sum(axis=0) / every[:, 0].sum())
    with np.errstate(all="ignore"):
        centred = every[:, 1:] - weight[:, None] * mean
        spread = centred.T @ centred - _symmetric(moved, centred.T @ weight)
        spread = spread + (weight @ weight) * moved[:, :, None] * moved[:, None, :]
        at = np.searchsorted(whole.keys, hashes)
        full = centred[at] - weight[at, None] * moved[cell]
        part = own[:, 1:] - own[:, :1] * rest.mean[cell]
        there, here = full - part, own[:, 1:] - own[:, :1] * inside.mean[cell]
        there[np.abs(there) <= ROUNDING * np.abs(every[at, 1:])] = 0.0
        common = _by_cell(here, there, cell, cells)
        spread = spread + _by_cell(there, there, cell, cells) - _by_cell(full, full, cell, cells)
    left = weight[at] - own[:, 0]
    gone = np.bincount(cell, left <= ROUNDING * weight[at], minlength=cells)
    units2 = weight @ weight + np.bincount(cell, left**2 - weight[at] ** 2, minlength=cells)
    moments = replace(
        rest,
        spread=spread,
        third=None,
        units=len(weight) - gone.astype(np.int64),
        units2=units2,
        largest=np.broadcast_to((centred**2).max(axis=0), (cells, k)),
        binary=holds_binary(rest),
    )
    return Rest(moments, common)


def _symmetric(a: Array, b: Array) -> Array:
    """The sum of a b' and b a' (c, k, k), for a (c, k) and b (k,)."""
    product = a[:, :, None] * b
    return product + product.transpose(0, 2, 1)


def _by_cell(a: Array, b: Array, cell: Array, cells: int) -> Array:
    """The sums of a b' (cells, k, k) of pairs of rows (n, k) by their cell (n,)."""
    k = a.shape[1]
    found = np.empty((cells, k, k))
    for i in range(k):
        for j in range(k):
            found[:, i, j] = np.bincount(cell, a[:, i] * b[:, j], minlength=cells)
    return found
