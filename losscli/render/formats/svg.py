"""Charts as SVG."""

from __future__ import annotations

from losscli.render.formats import Picture
from losscli.render.graphics.image import require, svg

FORMAT = Picture("svg", ".svg", svg, require)
