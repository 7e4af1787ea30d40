"""Charts as images: SVG and PNG by Vega in the process, without a browser or a network."""

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
"""The modules that draw, which the extra `report` installs."""
INSTALL = "pip install 'losscli[report]'"
_OWN = ("width", "height", "layer", "mark", "encoding", "data", "title")
"""The parts of a chart that it has below others too."""
_SCALE = 2.0
"""Pixels of a PNG for one of the chart: sharp on screens of high density."""


_ADDRESSES = 100 << 30
"""Bytes of addresses that the JavaScript in vl-convert reserves: with fewer it ends the process."""


def require() -> None:
    """Raise UsageError if the packages that draw charts are missing, or if they could not start."""
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
    """Bytes of addresses that this process may use; None for no limit."""
    if find_spec("resource") is None:  # there is no limit where there is no such module, on Windows
        return None
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit == resource.RLIM_INFINITY else limit


def svg(report: Report, names: Sequence[str]) -> str:
    """The charts of these names, with their titles, on white."""
    import vl_convert

    return f"{vl_convert.vegalite_to_svg(_on_paper(report, names))}\n"


def png(report: Report, names: Sequence[str]) -> bytes:
    """The same in pixels."""
    import vl_convert

    return bytes(vl_convert.vegalite_to_png(_on_paper(report, names), scale=_SCALE))


def bare_svg(chart: Drawn) -> str:
    """The chart without a title on no background, as a page has it."""
    import vl_convert

    return str(vl_convert.vegalite_to_svg(specification(chart)))


def _on_paper(report: Report, names: Sequence[str]) -> dict[str, Any]:
    """The charts in Vega-Lite, one below the other."""
    from losscli.render.charts import SCALES, figures_named

    drawn = [_titled(figure) for name in names for figure in figures_named(report, name)]
    paper = {"background": "white", "padding": 12}
    if len(drawn) == 1:
        return drawn[0] | paper
    independent = dict.fromkeys(SCALES, "independent")
    parts = [{name: value for name, value in each.items() if name in _OWN} for each in drawn]
    together = {"vconcat": parts, "resolve": {"scale": independent, "legend": independent}}
    return {"$schema": drawn[0]["$schema"], "config": drawn[0]["config"]} | together | paper


def _titled(figure: Figure) -> dict[str, Any]:
    from losscli.render.charts import heading

    return specification(figure.chart) | {"title": heading(figure)}


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
