"""Histograms that are flat if predictions are calibrated."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from losscli.render.charts import Figure
from losscli.render.digits import decimal
from losscli.render.graphics import style, tables
from losscli.report.charts import Chart
from losscli.report.model import Report


def figures(name: str, bounds: str, axis: str, title: str) -> Callable[[Report], Iterator[Figure]]:
    """The figures of charts of this name, whose bins are those of `bounds`."""

    def draw(chart: Chart, rows: list[style.Row]) -> Figure:
        found = tables.within(rows, "density")
        for row in found:
            row["middle"] = (row[f"{bounds}_low"] + row[f"{bounds}_high"]) / 2
        bars = tables.bars(found, bounds, "density", (axis, "density (1 if calibrated)"), opacity=0.65)
        judged = tables.within(found, "ci_low", "ci_high")
        off = [row for row in judged if not row["ci_low"] <= 1 <= row["ci_high"]]
        densities = ", ".join(decimal(row["density"], 2) for row in found)
        return Figure(
            f"{title}: {len(off)} of {len(judged)} bins differ significantly from uniform",
            f"Histogram with intervals; densities from left to right: {densities}.",
            style.layered(bars, tables.whiskers(found, "middle", style.INK), style.rule(1, "y")),
        )

    return tables.of(name, draw)
