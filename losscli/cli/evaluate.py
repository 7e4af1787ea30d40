"""losscli evaluate and losscli check."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from losscli.cli.options import RUNNING
from losscli.errors import Status, UsageError, near

if TYPE_CHECKING:
    from losscli.planning import Run
    from losscli.report import Report

OUTPUT, JUDGING = "Output", "Judging"
FORMATS = ("table", "json", "csv", "markdown")


def evaluate(
    ci: Annotated[str, typer.Option(rich_help_panel=JUDGING, help="Level of intervals, or none.")] = "0.95",
    gate: Annotated[
        list[str] | None,
        typer.Option(
            "--gate",
            "-g",
            rich_help_panel=JUDGING,
            show_default=False,
            help="'huber <= 0.5', 'log_loss[class=cat] <= 0.6'; status 1 if one fails.",
        ),
    ] = None,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "-o",
            "--output",
            rich_help_panel=OUTPUT,
            show_default=False,
            help="Write a report: .json, .csv, .md or .txt; repeatable.",
        ),
    ] = None,
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            rich_help_panel=OUTPUT,
            show_default=False,
            help="table (default), json, csv or markdown.",
        ),
    ] = "table",
    json: Annotated[
        bool,
        typer.Option("--json", rich_help_panel=OUTPUT, show_default=False, help="The same as --format json."),
    ] = False,
    bare: Annotated[
        bool,
        typer.Option(
            "--bare",
            rich_help_panel=OUTPUT,
            show_default=False,
            help="Only the overall values, with every digit.",
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            rich_help_panel=RUNNING,
            show_default=False,
            help="Show the plan as flags, evaluate nothing.",
        ),
    ] = False,
    **asked: Any,
) -> None:
    """Score predictions against targets: overall, and per class, label or output.

    Losses, columns and alignment are inferred from names where flags do not say; -v shows what was inferred.

    Example: losscli evaluate preds.csv targets.csv --loss huber --delta 1
    """
    from losscli import api  # the engine is imported only by commands that run it
    from losscli import gate as gates
    from losscli.cli import output as out
    from losscli.cli.progress import Progress

    if json:
        format_ = "json"
    if format_ not in FORMATS:
        raise UsageError(f"--format must be {', '.join(FORMATS)}, got {format_}.{near(format_, FORMATS)}")
    if bare and format_ != "table":
        raise UsageError("--bare and another format exclude each other")
    quiet, verbose = asked.pop("quiet"), asked.pop("verbose")
    asked.pop("debug")
    out.check_outputs(output or [])
    if dry_run:
        threads = asked.pop("threads")
        api.check_threads(threads)
        show_plan(api.prepare(ci=ci, **asked))
        return
    with Progress(quiet) as progress:
        report = api.evaluate(
            ci=ci,
            gate=gate or [],
            on_plan=show_plan if verbose else lambda run: None,
            progress=progress.update,
            **asked,
        )
    out.write_files(report, output or [])
    if not quiet and (bare or format_ == "csv"):
        out.warn([*report.notes, *_reasons(report)])
    _print(report, format_, bare)
    if report.gates and not quiet and (bare or format_ == "csv"):
        out.warn([f"gate {v.status}: {v.gate}{f' ({v.reason})' if v.reason else ''}" for v in report.gates])
    status = gates.status(report.gates)
    if status != Status.OK:
        raise typer.Exit(int(status))


def _reasons(report: Report) -> list[str]:
    return [
        f"{result.loss}: {note}"
        for result in report.results
        if not result.cell and result.value is None
        for note in result.notes
    ]


def _print(report: Report, format_: str, bare: bool) -> None:
    from losscli.cli import output as out
    from losscli.render import render

    if bare:
        sys.stdout.write(out.bare(report))
    elif format_ == "table":
        from rich.console import Console

        from losscli.render.table import print_table

        print_table(report, Console(highlight=False))
    else:
        sys.stdout.write(render(report, format_))


def show_plan(run: Run) -> None:
    """The plan on stderr, as flags that can be pasted, and how the files are aligned."""
    print(f"losscli: plan: {run.plan.flags()}", file=sys.stderr)
    print(f"losscli: aligned {run.alignment.how}", file=sys.stderr)
    for note in run.notes:
        print(f"losscli: note: {note}", file=sys.stderr)


def check(**asked: Any) -> None:
    """Validate only: say what would be evaluated, and everything that is wrong with the files."""
    from losscli import api

    quiet, _ = asked.pop("quiet"), asked.pop("verbose")
    asked.pop("debug")
    threads = asked.pop("threads")
    run = api.prepare(**asked)
    part = api.fold_all(run, threads)
    if quiet:
        return
    print(f"{part.rows} rows can be evaluated, aligned {run.alignment.how}")
    print(f"losscli evaluate {' '.join(run.plan.files)} {run.plan.flags()}")
    for note in (*run.notes, *api.notes(part)):
        print(f"note: {note}")
