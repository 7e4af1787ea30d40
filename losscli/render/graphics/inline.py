"""Charts inside a page: minimal SVG in the colours of the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

from losscli.render.graphics.image import bare_svg
from losscli.render.graphics.style import VARIABLES, Drawn
from losscli.render.markup import escaped

_SVG = "{http://www.w3.org/2000/svg}"
_GEOMETRY = ("d", "x", "y", "x1", "x2", "y1", "y2", "width", "height", "transform", "clip-path", "id")
_PAINT = ("fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity", "opacity")
_ATTRIBUTES = frozenset((*_GEOMETRY, *_PAINT, "text-anchor", "font-size", "font-weight"))
"""The attributes that a page needs; all others are dropped."""
_ELEMENTS = frozenset(["g", "path", "rect", "line", "text", "tspan", "circle", "clipPath", "defs"])
_ONES = ("opacity", "fill-opacity", "stroke-opacity", "stroke-width")
_DEFAULTS = {**dict.fromkeys(_ONES, "1"), "transform": "translate(0,0)"}
"""Attribute values that have no effect, and are dropped."""
_DIGITS = re.compile(r"-?\d+\.\d{2,}(?:e-?\d+)?")
_HIDDEN = ("", "M0,0h0v0h0Z")
"""Paths that draw nothing."""


def inline(chart: Drawn, name: str, description: str) -> str:
    """The chart as an `svg` element; `name` is the id of its heading, and the prefix of its own ids."""
    root = ElementTree.fromstring(bare_svg(chart))
    _number(root)
    width, height = root.get("width", "0"), root.get("height", "0")
    content = "".join(part for child in root for part in _markup(child, name))
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-labelledby="{name}" aria-describedby="{name}-text"><desc id="{name}-text">'
        f"{escaped(description)}</desc>{content}</svg>"
    )


def _number(root: ElementTree.Element) -> None:
    """Number the clip paths of a drawing from 0: Vega numbers them across drawings."""
    clips = enumerate(root.iter(f"{_SVG}clipPath"))
    numbers = {element.get("id"): f"clip{index}" for index, element in clips}
    for element in root.iter():
        if (number := numbers.get(element.get("id"))) is not None:
            element.set("id", number)
        clip = (element.get("clip-path") or "").removeprefix("url(#").removesuffix(")")
        if clip in numbers:
            element.set("clip-path", f"url(#{numbers[clip]})")


def _markup(element: ElementTree.Element, name: str) -> Iterator[str]:
    tag = element.tag.removeprefix(_SVG)
    if tag not in _ELEMENTS or element.get("display") == "none" or element.get("d") in _HIDDEN:
        return
    inside = escaped(element.text or "") if tag in ("text", "tspan") else ""
    inside += "".join(part for child in element for part in _markup(child, name))
    if not inside and tag in ("g", "text", "defs"):
        return
    attributes = {key: _value(key, value, name) for key, value in element.items() if key in _ATTRIBUTES}
    changed = (item for item in attributes.items() if _DEFAULTS.get(item[0]) != item[1])
    attribute_text = "".join(f' {key}="{escaped(value)}"' for key, value in changed)
    label = element.get("aria-label")
    if label and tag in ("path", "rect"):
        inside += f"<title>{escaped(label)}</title>"
    if tag == "g" and not attribute_text:
        yield inside
    else:
        yield f"<{tag}{attribute_text}>{inside}</{tag}>" if inside else f"<{tag}{attribute_text}/>"


def _value(key: str, value: str, name: str) -> str:
    """The value of an attribute: colours become CSS variables, ids get a prefix, numbers are rounded."""
    if key in ("fill", "stroke"):
        variable = VARIABLES.get(value.lower())
        return f"var({variable})" if variable else value
    if key == "id":
        return f"{name}-{value}"
    if key == "clip-path":
        return value.replace("#", f"#{name}-")
    digits = 1 if key in _GEOMETRY else 2
    return _DIGITS.sub(lambda number: f"{float(number[0]):.{digits}f}".removesuffix(".0"), value)
