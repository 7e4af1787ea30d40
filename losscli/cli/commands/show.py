"""losscli show."""

from __future__ import annotations

import json as jsons
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from losscli.cli import output as out
from losscli.cli.commands.gate import REPORT
from losscli.cli.options import OUTPUT, Bare, Cells, Color, Debug, Format, Json, OutputFiles, Quiet, option
from losscli.cli.output import cells_of, form_of
from losscli.errors import UsageError, all_of
from losscli.report import saved
from losscli.report.model import Report


def show(
    reports: Annotated[
        list[str] | None, typer.Argument(metavar="REPORT", help=REPORT, show_default=False)
    ] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of reports.")] = False,
    output: OutputFiles = None,
    format_: Format = None,
    cells: Cells = None,
    json: Json = False,
    bare: Bare = False,
    color: Color = "auto",
    quiet: Quiet = False,
    verbose: Annotated[
        bool, option("--verbose", "-v", panel=OUTPUT, help="Show the minimum detectable differences too.")
    ] = False,
    debug: Debug = False,
) -> None:
    """Show saved reports as tables, several side by side.

    Gates are shown as they were judged, and do not change the exit status.

    Example: losscli show main.json branch.json
    """
    if schema:
        from losscli.report import codec

        print(jsons.dumps(codec.schema(), indent=2))
        return
    if not reports:
        raise UsageError("no report", remedy="losscli show report.json")
    form, shown, outputs, _, *loaded = all_of(
        lambda: form_of(format_, json, bare),
        lambda: cells_of(cells),
        lambda: out.outputs(output or ()),
        lambda: out.check_color(color),
        *(partial(saved.load, name) for name in reports),
    )
    if len(loaded) == 1:
        out.put(loaded[0], form, outputs, quiet, color, shown, verbose)
    else:
        _side_by_side(_named(reports, loaded), form, outputs, color, shown)


def _named(places: list[str], loaded: list[Report]) -> dict[str, Report]:
    """The reports by the stems of their files, or by all of their places if two have the same stem."""
    stems = [Path(place).stem for place in places]
    names = stems if len(set(stems)) == len(stems) else places
    if len(set(names)) < len(names):
        raise UsageError("a report was given twice", remedy="losscli show main.json branch.json")
    return dict(zip(names, loaded, strict=True))


def _side_by_side(
    reports: dict[str, Report], form: str, outputs: out.Outputs, color: str, cells: int | None
) -> None:
    from losscli.render import format_of_suffix, print_side_by_side, render_side_by_side

    if outputs.github is not None:
        raise UsageError("-o github takes one report", remedy="-o FILE.md")
    texts = [(path, render_side_by_side(reports, format_of_suffix(path), cells)) for path in outputs.files]
    shown = None if form == "table" else render_side_by_side(reports, form, cells)
    out.write(texts)
    if shown is None:
        print_side_by_side(reports, out.console(color), cells)
    else:
        print(shown, end="")
