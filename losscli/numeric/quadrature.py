"""Integrals of roughly exponentially falling functions: Gauss-Legendre quadrature on doubling panels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from msgspec import Struct

from losscli.numeric.arrays import Array, Namespace, np

POINTS = 16
"""Nodes per panel: enough for a function that falls by a factor of e^20 within it."""


@cache
def _rule() -> tuple[Array, Array, Array]:
    """Nodes in [0, 1], their weights, and the matrix that maps values at nodes to integrals up to nodes.

    The matrix integrates the Legendre series of the values term by term.
    """
    x, weight = np.polynomial.legendre.leggauss(POINTS)
    values = np.polynomial.legendre.legvander(x, POINTS)
    degree = np.arange(1, POINTS)
    terms = np.empty((POINTS, POINTS))
    terms[:, 0] = x + 1.0
    terms[:, 1:] = (values[:, 2:] - values[:, :-2]) / (2 * degree + 1)
    series = values[:, :POINTS] * (2 * np.arange(POINTS) + 1) / 2 * weight[:, None]
    return (x + 1.0) / 2, weight / 2, terms @ series.T / 2


class Panel(Struct, frozen=True):
    """A panel: its width (n, 1), and the distances of its nodes from the first panel's start (n, points)."""

    xp: Namespace
    width: Array
    places: Array
    weights: Array
    sums: Array

    # No matrix products: their last bits may depend on the number of rows.

    def integral(self, values: Array) -> Array:
        """The integral over the panel (n,), from values at the nodes (n, points)."""
        return self.xp.einsum("nj,j->n", values, self.weights) * self.width[:, 0]

    def running(self, values: Array) -> Array:
        """The integrals from the start of the panel to each node (n, points)."""
        return self.xp.einsum("nj,ij->ni", values, self.sums) * self.width


def panels(xp: Namespace, length: Array, unit: Array, count: int) -> Iterator[Panel]:
    """The panels from 0 to the length (n,), of 1, 2, 4, ... units (n,).

    The length may be infinite; the function has to vanish beyond the last panel.
    """
    node, weights, sums = map(xp.asarray, _rule())
    for i in range(count):
        start = xp.minimum((2**i - 1) * unit, length)
        width = (xp.minimum((2 ** (i + 1) - 1) * unit, length) - start)[:, None]
        yield Panel(xp, width, start[:, None] + width * node, weights, sums)


def integral(xp: Namespace, f: Callable[[Array], Array], length: Array, unit: Array, count: int = 6) -> Array:
    """The integral (n,) of f(w) over w from 0 to the length (n,), where f falls by about e in a unit (n,)."""
    return sum(panel.integral(f(panel.places)) for panel in panels(xp, length, unit, count))
