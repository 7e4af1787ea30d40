"""Charts as images: Vega draws SVG and PNG in this process, without a browser or a network."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from losscli.errors import UsageError
from losscli.report.model import Report

if TYPE_CHECKING:
    from losscli.render.charts import Figure
    from losscli.render.graphics.style import Drawn

NEEDED = ("altair", "vl_convert")
"""The modules for drawing, which the extra `report` installs."""
INSTALL = "pip install 'losscli[report]'"
_PARTS = ("width", "height", "layer", "mark", "encoding", "data", "title")
"""The fields of a chart that it keeps when it is one of several."""
_SCALE = 2.0
"""The number of PNG pixels per pixel of a chart: sharp on high-density screens."""


_ADDRESSES = 100 << 30
"""The address space that JavaScript in vl-convert reserves, in bytes: with less, it aborts the process."""


def require() -> None:
    """Raise UsageError if the packages for drawing charts are missing or could not start."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        packages = " and ".join(name.replace("vl_convert", "vl-convert-python") for name in missing)
        raise UsageError(f"charts need {packages}", remedy=INSTALL)
    limit = _address_limit()
    if limit is not None and limit < _ADDRESSES:
        need, has = _ADDRESSES >> 30, limit / (1 << 30)
        raise UsageError(
            f"charts reserve {need} GB of addresses, and this process may use {has:.3g} GB",
            remedy="ulimit -v unlimited",
        )


def _address_limit() -> int | None:
    """The address space that this process may use, in bytes; None without a limit."""
    if find_spec("resource") is None:  # Windows has neither the module nor a limit
        return None
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit == resource.RLIM_INFINITY else limit


def svg(report: Report, names: Sequence[str]) -> str:
    """The named charts as SVG, with their titles, on a white background."""
    import vl_convert

    return f"{vl_convert.vegalite_to_svg(_on_paper(report, names))}\n"


def png(report: Report, names: Sequence[str]) -> bytes:
    """The named charts as PNG, with their titles, on a white background."""
    import vl_convert

    return bytes(vl_convert.vegalite_to_png(_on_paper(report, names), scale=_SCALE))


def bare_svg(chart: Drawn) -> str:
    """The chart as SVG for a page, without a title and without a background."""
    import vl_convert

    return str(vl_convert.vegalite_to_svg(specification(chart)))


def _on_paper(report: Report, names: Sequence[str]) -> dict[str, Any]:
    """The specification of the charts in Vega-Lite, one below the other."""
    from losscli.render.charts import SCALES, figures_named

    drawn = [_titled(figure) for name in names for figure in figures_named(report, name)]
    paper = {"background": "white", "padding": 12}
    if len(drawn) == 1:
        return drawn[0] | paper
    independent = dict.fromkeys(SCALES, "independent")
    parts = [{name: value for name, value in chart.items() if name in _PARTS} for chart in drawn]
    together = {"vconcat": parts, "resolve": {"scale": independent, "legend": independent}}
    return {"$schema": drawn[0]["$schema"], "config": drawn[0]["config"]} | together | paper


def _titled(figure: Figure) -> dict[str, Any]:
    from losscli.render.charts import heading

    return specification(figure.chart) | {"title": heading(figure)}


def specification(chart: Drawn) -> dict[str, Any]:
    """The Vega-Lite specification of a chart, with the common style."""
    from losscli.render.graphics.style import CONFIG, HEIGHT, WIDTH

    spec: dict[str, Any] = chart.to_dict(validate=False)
    _silence(spec)
    by_rows = isinstance(spec.get("height"), dict)
    fit = {"type": "fit-x" if by_rows else "fit", "contains": "padding"}
    return {"width": WIDTH, "height": HEIGHT} | spec | {"autosize": fit, "config": dict(CONFIG)}


def _silence(spec: dict[str, Any]) -> None:
    """Suppress the descriptions that Vega generates for marks without one."""
    for layer in spec.get("layer", ()):
        _silence(layer)
    if "mark" in spec and "description" not in spec.get("encoding", {}):
        spec["mark"]["aria"] = False
