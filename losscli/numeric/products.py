"""Products of many columns in the calling thread."""

from __future__ import annotations

from losscli.numeric.arrays import Array, Namespace, on_host

_SIDE = 40
"""Columns of a tile."""
_VOLUME = 200_000
"""The multiplications of one product of tiles: above some 260,000 OpenBLAS starts threads of its own.

These wait for each other in loops.  Where other threads need the cores too, a product of 200 columns then
takes ten times the processor's time (measured), and three quarters of what one thread reaches without tiles
remain with them.
"""


def products(xp: Namespace, a: Array, b: Array) -> Array:
    """The sums of a[i] b[j] (k, k) of columns (k, n)."""
    if not on_host(xp):
        return a @ b.T
    k, n = a.shape
    total = xp.zeros((k, k))
    side = -(-k // -(-k // _SIDE))
    tiles = [slice(first, first + side) for first in range(0, k, side)]
    width = max(16, _VOLUME // (side * side))
    for start in range(0, n, width):
        x, y = a[:, start : start + width], b[:, start : start + width]
        for place, rows in enumerate(tiles):
            for columns in tiles[place:] if a is b else tiles:
                total[rows, columns] += x[rows] @ y[columns].T
    for place, rows in enumerate(tiles if a is b else ()):
        for columns in tiles[:place]:
            total[rows, columns] = total[columns, rows].T
    return total
