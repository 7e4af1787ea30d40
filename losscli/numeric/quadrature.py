"""Integrals of roughly exponentially falling functions: Gauss-Legendre quadrature on doubling panels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import accumulate

from msgspec import Struct

from losscli.numeric.arrays import Array, Namespace, np, on_host

POINTS = 16
"""Nodes per panel: enough for a function that falls by a factor of e^20 within it."""
CHUNK = 4096
"""Rows integrated at once on the CPU: intermediate results stay in the cache."""

_GAUSS_LEGENDRE = (
    (0.09501250983763744019, 0.1894506104550684963),
    (0.2816035507792589132, 0.1826034150449235889),
    (0.4580167776572273863, 0.1691565193950025382),
    (0.6178762444026437484, 0.1495959888165767321),
    (0.7554044083550030339, 0.1246289712555338721),
    (0.8656312023878317439, 0.09515851168249278481),
    (0.9445750230732325761, 0.06225352393864789286),
    (0.9894009349916499326, 0.02715245941175409485),
)
"""The positive nodes of the 16-point rule on [-1, 1], and their weights; `numpy` has fewer digits."""


@cache
def _rule() -> tuple[Array, Array, Array]:
    """Nodes in [0, 1], their weights, and the matrix that maps values at nodes to integrals up to nodes.

    The matrix integrates the Legendre series of the values term by term.
    """
    place, half = np.array(_GAUSS_LEGENDRE).T
    x, weight = np.concatenate([-place[::-1], place]), np.concatenate([half[::-1], half])
    values = np.polynomial.legendre.legvander(x, POINTS)
    degree = np.arange(1, POINTS)
    terms = np.empty((POINTS, POINTS))
    terms[:, 0] = x + 1.0
    terms[:, 1:] = (values[:, 2:] - values[:, :-2]) / (2 * degree + 1)
    series = values[:, :POINTS] * (2 * np.arange(POINTS) + 1) / 2 * weight[:, None]
    return (x + 1.0) / 2, weight / 2, terms @ series.T / 2


class Panel(Struct, frozen=True):
    """A panel of some rows: its width (n,), and the distances of its nodes from the start (points, n)."""

    xp: Namespace
    width: Array
    places: Array
    weights: Array
    sums: Array

    # No matrix products: their last bits may depend on the number of rows.

    def integral(self, values: Array) -> Array:
        """The integral over the panel (n,), from values at the nodes (points, n)."""
        return self.xp.einsum("jn,j->n", values, self.weights) * self.width

    def running(self, values: Array) -> Array:
        """The integrals from the start of the panel to each node (points, n)."""
        return self.xp.einsum("ij,jn->in", self.sums, values) * self.width


def doubling(count: int) -> tuple[float, ...]:
    """The sizes 2, 4, 8, ... of panels."""
    return tuple(2.0 ** (i + 1) for i in range(count))


def panels(
    xp: Namespace, length: Array, unit: Array, sizes: Sequence[float]
) -> Iterator[tuple[Array, Panel]]:
    """The panels from 0 to the length (n,), of some sizes in units (n,), each with the rows that reach it.

    The length may be infinite; the function has to vanish beyond the last panel.
    """
    node, weights, sums = map(xp.asarray, _rule())
    rows = xp.flatnonzero(length != 0)
    start = xp.zeros(len(rows))
    for end_in_units in accumulate(sizes):
        end = xp.minimum(end_in_units * unit[rows], length[rows])
        width = end - start
        yield rows, Panel(xp, width, start + node[:, None] * width, weights, sums)
        is_open = ~(length[rows] <= end)
        rows, start = rows[is_open], end[is_open]


def integral(
    xp: Namespace,
    f: Callable[[Array, Array], Array],
    length: Array,
    unit: Array,
    sizes: Sequence[float] = doubling(5),
) -> Array:
    """The integral (n,) over w from 0 to the length (n,) of a function that falls by about e in a unit (n,).

    f returns its values at places w (points, m) for some rows (m,), of which it receives the numbers.
    """
    total = xp.zeros_like(length)
    for own in chunks(xp, xp.arange(len(length))):
        for rows, panel in panels(xp, length[own], unit[own], sizes):
            total[own[rows]] += panel.integral(f(panel.places, own[rows]))
    return total


def chunks(xp: Namespace, rows: Array) -> Iterator[Array]:
    """Row indices in chunks; in one chunk on a GPU, which needs large arrays."""
    step = CHUNK if on_host(xp) else max(len(rows), 1)
    return (rows[first : first + step] for first in range(0, len(rows), step))
