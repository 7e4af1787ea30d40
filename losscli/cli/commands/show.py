"""losscli show."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from losscli import api
from losscli.cli.output import Display, console, display_of, print_data, put
from losscli.cli.parser import Given
from losscli.data.writer import write
from losscli.errors import UsageError, all_of
from losscli.plan.options import OPTIONS
from losscli.plan.values import listed
from losscli.render.naming import losses_of
from losscli.report.charts import parts_of, require_losses
from losscli.report.model import Report
from losscli.text import enumerated


def show(given: Given) -> None:
    """Show saved reports as tables, several side by side.

    Gates are shown as they were judged, and do not change the exit status.

    Examples:
        losscli show main.json branch.json
        losscli show report.json --plot reliability
    """
    if given.get("schema"):
        if ignored := [OPTIONS[name].flag for name in given if name not in ("schema", "quiet", "debug")]:
            raise UsageError(f"--schema shows no report, so {', '.join(ignored)} would have no effect")
        print_data(json.dumps(api.report_schema(), indent=2) + "\n")
        return
    reports = listed(given.get("reports"))
    if not reports:
        raise UsageError("no report", remedy="losscli show report.json")
    display, *loaded = all_of(lambda: display_of(given), *(partial(api.load, name) for name in reports))
    if len(loaded) == 1:
        _require_charts(loaded[0], display.plots)
        put(loaded[0], display)
    else:
        _side_by_side(_by_name(reports, loaded), display)


def _require_charts(report: Report, names: Sequence[str]) -> None:
    available = dict.fromkeys(chart.name for chart in report.charts)
    if missing := [name for name, _ in map(parts_of, names) if name not in available]:
        remedy = (
            f"it has {', '.join(available)}" if available else "losscli evaluate ... --charts -o report.json"
        )
        raise UsageError(f"the report has no chart {enumerated(missing)}", remedy=remedy)
    require_losses(names, losses_of(report))


def _by_name(paths: Sequence[str], reports: list[Report]) -> dict[str, Report]:
    """The reports by the stems of their files, or by their paths if two have the same stem."""
    stems = [Path(path).stem for path in paths]
    names = stems if len(set(stems)) == len(stems) else paths
    if len(set(names)) < len(names):
        raise UsageError("a report was given twice", remedy="losscli show main.json branch.json")
    return dict(zip(names, reports, strict=True))


def _side_by_side(reports: dict[str, Report], display: Display) -> None:
    from losscli.render import format_of_suffix, print_side_by_side, render_side_by_side

    form, outputs, cells = display.form, display.outputs, display.cells
    if outputs.to_github:
        raise UsageError("-o github takes one report", remedy="-o FILE.md")
    if display.verbose:
        raise UsageError("-v takes one report", remedy="losscli show report.json -v")
    if display.plots:
        raise UsageError("--plot takes one report", remedy="losscli show report.json --plot NAME")
    texts = [(path, render_side_by_side(reports, format_of_suffix(path), cells)) for path in outputs.files]
    text = None if form == "table" else render_side_by_side(reports, form, cells)
    write(texts)
    if text is None:
        print_side_by_side(reports, console(display.color), cells)
    else:
        print_data(text)
