"""The rank histogram: where targets lie among the members of their ensemble."""

from __future__ import annotations

from losscli.render.charts import Drawing
from losscli.render.graphics import densities

CHART = Drawing(
    "rank_histogram",
    "task",
    densities.figures("rank_histogram", "rank", "share of the members below the target", "Rank histogram"),
)
