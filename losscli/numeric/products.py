"""Products of many columns in the calling thread."""

from __future__ import annotations

from losscli.numeric.arrays import Array, Namespace, np, on_host

_SIDE = 40
"""Maximum number of columns of a tile."""
_VOLUME = 200_000
"""Multiplications per product of tiles: above some 260,000 OpenBLAS starts its own threads.

These spin while they wait.  If other threads need the cores, a product of 200 columns then takes up to ten
times the CPU time (measured), and with tiles 1.5 times that of a single thread.
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
        x_part, y_part = x[:, :, start : start + width], y[:, start : start + width]
        for place in range(count):
            if a is b:
                total[place, place] += x_part[place] @ y_part[place]
            first = place + 1 if a is b else 0
            total[place, first:] += x_part[place] @ y_part[first:]
    for place in range(count if a is b else 0):
        total[place, :place] = total[:place, place].transpose(0, 2, 1)
    return total.transpose(0, 2, 1, 3).reshape(count * side, count * side)[:k, :k]


def _tiles(columns: Array, count: int, side: int) -> Array:
    """Columns (k, n) as tiles (count, side, n), padded with zeros."""
    k, n = columns.shape
    if k < count * side:
        columns = np.concatenate([columns, np.zeros((count * side - k, n))])
    return columns.reshape(count, side, n)
