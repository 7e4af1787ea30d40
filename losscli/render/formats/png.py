"""Charts as pixels."""

from __future__ import annotations

from losscli.render.formats import Picture
from losscli.render.graphics.image import png, require

FORMAT = Picture("png", ".png", png, require)
