"""The histogram of the PIT: where targets lie in their predicted distributions."""

from __future__ import annotations

from losscli.render.charts import Drawing
from losscli.render.graphics import densities

CHART = Drawing("pit", "task", densities.figures("pit", "pit", "probability integral transform", "PIT"))
