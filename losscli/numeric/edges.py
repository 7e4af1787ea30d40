"""Bins of equal width from 0 to 1, as for probabilities."""

from __future__ import annotations

from losscli.numeric.arrays import Array, Namespace, np

_FEW = 32
"""Number of edges up to which comparing with each edge is faster than a search."""


def unit_edges(xp: Namespace, bins: int, dtype: str) -> Array:
    """The edges (bins + 1,), rounded to a floating-point type."""
    return (xp.arange(bins + 1) / bins).astype(dtype).astype(float)


def unit_places(xp: Namespace, values: Array, edges: Array) -> Array:
    """The bin (n,) of numbers (n,) from 0 to 1 between `unit_edges`; an edge belongs to the bin above it."""
    if len(edges) > _FEW:
        return xp.minimum(xp.searchsorted(edges, values, side="right") - 1, len(edges) - 2)
    places = xp.zeros(len(values), dtype=np.uint8)
    for edge in edges[1:-1]:
        places += values >= edge
    return places.astype(np.int64)
