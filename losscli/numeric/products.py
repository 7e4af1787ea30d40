"""Products of many columns in the calling thread."""

from __future__ import annotations

from losscli.numeric.arrays import Array, Namespace, np, on_host

_SIDE = 40
"""The most columns of a tile."""
_VOLUME = 200_000
"""The multiplications of one product of tiles: above some 260,000 OpenBLAS starts threads of its own.

These wait for each other in loops.  Where other threads need the cores too, a product of 200 columns then
takes up to ten times the processor's time (measured); with tiles half as much again as in one thread.
"""


def products(xp: Namespace, a: Array, b: Array) -> Array:
    """The sums of a[i] b[j] (k, k) of columns (k, n)."""
    if not on_host(xp):
        return a @ b.T
    k, n = a.shape
    count = -(-k // _SIDE)
    side = -(-k // count)
    x = _tiles(a, count, side)
    y = (x if a is b else _tiles(b, count, side)).transpose(0, 2, 1)
    total = xp.zeros((count, count, side, side))
    width = max(16, _VOLUME // (side * side))
    for start in range(0, n, width):
        own, other = x[:, :, start : start + width], y[:, start : start + width]
        for place in range(count):
            if a is b:
                total[place, place] += own[place] @ other[place]
            first = place + 1 if a is b else 0
            total[place, first:] += own[place] @ other[first:]
    for place in range(count if a is b else 0):
        total[place, :place] = total[:place, place].transpose(0, 2, 1)
    return total.transpose(0, 2, 1, 3).reshape(count * side, count * side)[:k, :k]


def _tiles(columns: Array, count: int, side: int) -> Array:
    """Columns (k, n) in tiles (count, side, n), the last of which zeros complete."""
    k, n = columns.shape
    if k < count * side:
        columns = np.concatenate([columns, np.zeros((count * side - k, n))])
    return columns.reshape(count, side, n)
