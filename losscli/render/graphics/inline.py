"""Charts inside a page: SVG reduced to what is seen, in the colours of the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

from losscli.render.graphics.image import bare_svg
from losscli.render.graphics.style import VARIABLES, Drawn
from losscli.render.markup import escaped

_SVG = "{http://www.w3.org/2000/svg}"
_PLACES = ("d", "x", "y", "x1", "x2", "y1", "y2", "width", "height", "transform", "clip-path", "id")
_PAINT = ("fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity", "opacity")
_KEPT = frozenset((*_PLACES, *_PAINT, "text-anchor", "font-size", "font-weight"))
"""The attributes that a page needs; all others are left out, and so are other elements."""
_ELEMENTS = frozenset(["g", "path", "rect", "line", "text", "tspan", "circle", "clipPath", "defs"])
_ONES = ("opacity", "fill-opacity", "stroke-opacity", "stroke-width")
_DEFAULTS = {**dict.fromkeys(_ONES, "1"), "transform": "translate(0,0)"}
"""Attributes that change nothing."""
_DIGITS = re.compile(r"-?\d+\.\d{2,}(?:e-?\d+)?")
_HIDDEN = ("", "M0,0h0v0h0Z")
"""Paths that draw nothing."""


def inline(chart: Drawn, name: str, description: str) -> str:
    """The chart as an `svg` element; `name` is the id of the heading that names it, and begins its ids."""
    root = ElementTree.fromstring(bare_svg(chart))
    _number(root)
    width, height = root.get("width", "0"), root.get("height", "0")
    content = "".join(part for child in root for part in _written(child, name))
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-labelledby="{name}" aria-describedby="{name}-text"><desc id="{name}-text">'
        f"{escaped(description)}</desc>{content}</svg>"
    )


def _number(root: ElementTree.Element) -> None:
    """Number the clips of a drawing from 0: Vega counts on from one drawing to the next."""
    clips = enumerate(root.iter(f"{_SVG}clipPath"))
    numbers = {element.get("id"): f"clip{place}" for place, element in clips}
    for element in root.iter():
        if (own := numbers.get(element.get("id"))) is not None:
            element.set("id", own)
        used = (element.get("clip-path") or "").removeprefix("url(#").removesuffix(")")
        if used in numbers:
            element.set("clip-path", f"url(#{numbers[used]})")


def _written(element: ElementTree.Element, name: str) -> Iterator[str]:
    tag = element.tag.removeprefix(_SVG)
    if tag not in _ELEMENTS or element.get("display") == "none" or element.get("d") in _HIDDEN:
        return
    inside = escaped(element.text or "") if tag in ("text", "tspan") else ""
    inside += "".join(part for child in element for part in _written(child, name))
    if not inside and tag in ("g", "text", "defs"):
        return
    kept = {key: _value(key, value, name) for key, value in element.items() if key in _KEPT}
    told = (each for each in kept.items() if _DEFAULTS.get(each[0]) != each[1])
    attributes = "".join(f' {key}="{escaped(value)}"' for key, value in told)
    said = element.get("aria-label")
    if said and tag in ("path", "rect"):
        inside += f"<title>{escaped(said)}</title>"
    if tag == "g" and not attributes:
        yield inside
    else:
        yield f"<{tag}{attributes}>{inside}</{tag}>" if inside else f"<{tag}{attributes}/>"


def _value(key: str, value: str, name: str) -> str:
    """The value of an attribute: a colour of the page, a place to a tenth of a pixel, an id of this chart."""
    if key in ("fill", "stroke"):
        variable = VARIABLES.get(value.lower())
        return f"var({variable})" if variable else value
    if key == "id":
        return f"{name}-{value}"
    if key == "clip-path":
        return value.replace("#", f"#{name}-")
    digits = 1 if key in _PLACES else 2
    return _DIGITS.sub(lambda number: f"{float(number[0]):.{digits}f}".removesuffix(".0"), value)
