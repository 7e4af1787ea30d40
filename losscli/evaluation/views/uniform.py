"""Histograms that are uniform if forecasts are calibrated."""

from __future__ import annotations

import numpy as np

from losscli.evaluation.views.base import ChartBlock, Drawing, plain, ratio
from losscli.numeric.arrays import Array, Namespace
from losscli.report.charts import Chart
from losscli.states.gathered import Gathered
from losscli.states.grid import Grid
from losscli.states.sampled import Sampled

BINS = 20
"""Maximum number of bins."""


def spread(block: ChartBlock, low: Array, high: Array, bins: int) -> Sampled:
    """The grid with `bins` bins from 0 to 1 of rows, each uniform from low (n,) to high (n,).

    Czado, Gneiting and Held (2009), Predictive model assessment for count data, Biometrics 65, 1254-1261
    """
    xp = block.xp
    columns = [xp.ones(len(low)) if each is None else each for each in block.counted]
    width = high - low
    point = width <= 0
    sums = np.zeros((len(columns), bins))
    before = _up_to(xp, low, width, point, 0.0)
    for place in range(bins):
        upto = xp.ones(len(low)) if place == bins - 1 else _up_to(xp, low, width, point, (place + 1) / bins)
        share = upto - before
        sums[:, place] = [float((column * share).sum()) for column in columns]
        before = upto
    return block.summary(Gathered(Grid((bins,), sums, np.zeros((0, bins)), np.zeros(len(columns)))))


def _up_to(xp: Namespace, low: Array, width: Array, point: Array, edge: float) -> Array:
    """The share of each row (n,) below an edge; a point at an edge counts as above."""
    if edge == 0.0:
        return xp.zeros(len(low))
    spread = xp.clip((edge - low) / xp.where(point, 1.0, width), 0.0, 1.0)
    return xp.where(point, xp.where(low < edge, 1.0, 0.0), spread)


def histogram(drawing: Drawing, name: str, summary: str) -> Chart:
    """A histogram that is uniform if forecasts are calibrated, from the named summary."""
    table = drawing.grid(summary)[1]
    bins = len(table.rows)
    total = table.total
    share = ratio(table.weight, total.weight)
    axis = name.removesuffix("_histogram")
    edges = np.arange(bins + 1) / bins
    columns = {
        f"{axis}_low": plain(edges[:-1]),
        f"{axis}_high": plain(edges[1:]),
        **drawing.counted(table),
        "density": plain(share * bins),
        **drawing.share_intervals(share, total, scale=bins),
    }
    return drawing.chart(name, columns, notes=drawing.sampled(summary))
