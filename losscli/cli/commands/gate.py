"""losscli gate."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from losscli import gates
from losscli.catalog import registry
from losscli.cli import output as out
from losscli.cli.options import (
    Bare,
    Cells,
    Color,
    Confident,
    Debug,
    Format,
    Gates,
    Json,
    MinRows,
    OutputFiles,
    Quiet,
    Strict,
)
from losscli.cli.output import cells_of, emit, form_of
from losscli.errors import UsageError, all_of
from losscli.report import saved
from losscli.report.model import Report

REPORT = "A saved report: a .json file, - for standard input, or git:REVISION:PATH."


def gate(
    report: Annotated[str, typer.Argument(metavar="REPORT", help=REPORT, show_default=False)],
    base: Annotated[
        str | None,
        typer.Argument(
            metavar="BASE", help="The report that 'base' stands for in gates.", show_default=False
        ),
    ] = None,
    gate: Gates = None,
    confident: Confident = False,
    strict: Strict = False,
    min_n: MinRows = "0",
    output: OutputFiles = None,
    format_: Format = None,
    cells: Cells = None,
    json: Json = False,
    bare: Bare = False,
    color: Color = "auto",
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Judge a saved report, by gates that may speak of another one; nothing is evaluated.

    Example: losscli gate report.json git:main:report.json -g 'huber <= base + 1%'
    """
    if not gate:
        raise UsageError("no gate", remedy="-g 'huber <= 0.5'")
    form, shown, outputs, _, rules, found, baseline = all_of(
        lambda: form_of(format_, json, bare),
        lambda: cells_of(cells),
        lambda: out.outputs(output or ()),
        lambda: out.check_color(color),
        lambda: gates.rules(confident, strict, min_n),
        lambda: saved.load(report),
        lambda: None if base is None else saved.load(base),
    )
    conditions = all_of(*(partial(gates.parse, text, partial(_names, found)) for text in gate))
    gates.meaningful(conditions, baseline, rules)
    emit(gates.judged(conditions, found, baseline, rules), form, outputs, quiet, color, shown)


def _names(report: Report, name: str) -> tuple[str, ...]:
    """The names that a loss may have in a report."""
    if name in report.names:
        return (report.names[name],)
    if any(result.loss == name for result in report.results):
        return (name,)
    return tuple(entry.name for entry in registry.find(name))
