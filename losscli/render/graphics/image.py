"""Charts as images: SVG and PNG by Vega in the process, without a browser or a network."""

from __future__ import annotations

import textwrap
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from losscli.errors import UsageError

if TYPE_CHECKING:
    from losscli.render.charts import Figure
    from losscli.render.graphics.style import Drawn

NEEDED = ("altair", "vl_convert")
"""The modules that draw, which the extra `report` installs."""
INSTALL = "pip install 'losscli[report]'"
_SCALE = 2.0
"""Pixels of a PNG for one of the chart: sharp on screens of high density."""


def require() -> None:
    """Raise UsageError, which says how to install them, if the packages that draw charts are missing."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        packages = " and ".join(name.replace("vl_convert", "vl-convert-python") for name in missing)
        raise UsageError(f"charts need {packages}", remedy=INSTALL)


def svg(figure: Figure) -> str:
    """The chart alone, with its title, on white."""
    import vl_convert

    return str(vl_convert.vegalite_to_svg(_alone(figure)))


def png(figure: Figure) -> bytes:
    """The same in pixels."""
    import vl_convert

    return bytes(vl_convert.vegalite_to_png(_alone(figure), scale=_SCALE))


def bare_svg(chart: Drawn) -> str:
    """The chart without a title on no background, as a page has it."""
    import vl_convert

    return str(vl_convert.vegalite_to_svg(specification(chart)))


def _alone(figure: Figure) -> dict[str, Any]:
    spec = specification(figure.chart)
    from losscli.render.charts import LINE

    lines = textwrap.wrap(figure.title, LINE)
    return spec | {"title": {"text": lines}, "background": "white", "padding": 12}


def specification(chart: Drawn) -> dict[str, Any]:
    """The chart in Vega-Lite, in the style of all charts."""
    from losscli.render.graphics.style import CONFIG, HEIGHT, WIDTH

    spec: dict[str, Any] = chart.to_dict(validate=False)
    _silence(spec)
    by_rows = isinstance(spec.get("height"), dict)
    fit = {"type": "fit-x" if by_rows else "fit", "contains": "padding"}
    return {"width": WIDTH, "height": HEIGHT} | spec | {"autosize": fit, "config": dict(CONFIG)}


def _silence(spec: dict[str, Any]) -> None:
    """Leave out the descriptions that Vega makes of marks whose own are not given."""
    for layer in spec.get("layer", ()):
        _silence(layer)
    if "mark" in spec and "description" not in spec.get("encoding", {}):
        spec["mark"]["aria"] = False
