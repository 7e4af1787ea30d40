"""Histograms that are flat if predictions are calibrated."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from losscli.render.charts import Figure
from losscli.render.digits import decimal
from losscli.render.graphics import style, tables
from losscli.report.charts import Chart
from losscli.report.model import Report


def figures(name: str, bounds: str, axis: str, title: str) -> Callable[[Report], Iterator[Figure]]:
    """The function that draws the charts named `name`; `bounds` is the field of their bins."""

    def draw(chart: Chart, rows: list[style.Row]) -> Figure:
        bins = tables.finite(rows, "density")
        for row in bins:
            row["middle"] = (row[f"{bounds}_low"] + row[f"{bounds}_high"]) / 2
        bars = tables.bars(bins, bounds, "density", (axis, "density (1 if calibrated)"), opacity=0.65)
        judged = tables.finite(bins, "ci_low", "ci_high")
        off = [row for row in judged if not row["ci_low"] <= 1 <= row["ci_high"]]
        densities = ", ".join(decimal(row["density"], 2) for row in bins)
        return Figure(
            f"{title}: {len(off)} of {len(judged)} bins differ significantly from uniform",
            f"Histogram with intervals; densities from left to right: {densities}.",
            style.layered(bars, tables.whiskers(bins, "middle", style.INK), style.rule(1, "y")),
        )

    return tables.figures_of(name, draw)
