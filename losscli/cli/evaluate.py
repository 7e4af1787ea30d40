"""losscli evaluate and losscli check."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from losscli.cli.judging import (
    JUDGING,
    OUTPUT,
    Bare,
    Color,
    Confident,
    Format,
    Gates,
    Json,
    MinRows,
    OutputFiles,
    Strict,
)
from losscli.cli.options import RUNNING, option
from losscli.errors import Status, UsageError, all_of, counted, near
from losscli.render import FORMATS, format_of_suffix

if TYPE_CHECKING:
    from losscli.cli.output import Outputs
    from losscli.models import Models
    from losscli.planning import Run
    from losscli.report import Report

Cluster = Annotated[
    str | None,
    option(
        "--cluster",
        panel=JUDGING,
        metavar="COL",
        help="Rows of the same value belong together: intervals are between such clusters.",
    ),
]


def evaluate(
    ci: Annotated[
        str,
        option("--ci", panel=JUDGING, metavar="LEVEL", help="Level of intervals, or none; default: 0.95."),
    ] = "0.95",
    cluster: Cluster = None,
    gate: Gates = None,
    baseline: Annotated[
        str | None,
        option(
            "--baseline",
            panel=JUDGING,
            metavar="REPORT|PREDS",
            help="What 'base' stands for in gates: a saved report.json, or git:main:report.json; "
            "or the predictions of another model, compared row by row.",
        ),
    ] = None,
    confident: Confident = False,
    strict: Strict = False,
    min_n: MinRows = "0",
    rows: Annotated[
        str | None,
        option(
            "--rows",
            panel=OUTPUT,
            metavar="FILE",
            help="Write the loss of every row too: .parquet, .csv, .ndjson or .arrow.",
        ),
    ] = None,
    worst: Annotated[
        str,
        option(
            "--worst", panel=OUTPUT, metavar="N", help="Show the N rows of greatest loss, the first one's."
        ),
    ] = "0",
    output: OutputFiles = None,
    format_: Format = None,
    json: Json = False,
    bare: Bare = False,
    color: Color = "auto",
    dry_run: Annotated[
        bool, option("--dry-run", panel=RUNNING, help="Show the plan as flags, evaluate nothing.")
    ] = False,
    **asked: Any,
) -> None:
    """Score predictions against targets: overall, and per class, label or output.

    Losses, columns and alignment are inferred from names where flags do not say; -v shows what was inferred.

    Example: losscli evaluate preds.csv targets.csv --loss huber --delta 1
    """
    from losscli import (
        api,  # the engine is imported only by commands that run it
        saved,
    )
    from losscli import gate as gates
    from losscli.cli import output as out
    from losscli.cli.progress import Progress

    quiet, verbose = asked.pop("quiet"), asked.pop("verbose")
    asked.pop("debug")
    paired = baseline is not None and not saved.is_report(baseline)
    plan: Callable[..., tuple[Any, Any]] = api.planned
    if paired:
        plan = partial(api.planned_against, baseline=baseline)
        asked |= {name: asked.get(name) for name in ("predictions", "targets", "loss")}
    form, outputs, rules, base, _, (conditions, run) = all_of(
        lambda: form_of(format_, json, bare),
        lambda: out.outputs(output or ()),
        lambda: gates.rules(confident, strict, min_n),
        lambda: None if paired else saved.baseline(baseline),
        lambda: out.check_color(color),
        lambda: plan(ci=ci, cluster=cluster, gate=gate or (), **asked),
    )
    gates.meaningful(conditions, base, rules)
    if paired:
        api.rowless(rows, worst)
    if verbose or dry_run:
        show_plan(run)
    if dry_run:
        return
    tell = say if verbose else lambda text: None
    with Progress(quiet, run.expected) as progress:
        kept = base is not None or is_kept(form, outputs)
        if paired:
            report = api.compared(run, conditions, progress.update, tell, rules, alone=0, kept=kept)
        else:
            report = api.evaluated(run, conditions, progress.update, tell, base, rules, rows, worst, kept)
    emit(report, form, outputs, quiet, color)


def is_kept(form: str, outputs: Outputs) -> bool:
    """Whether a report is written in a form that can be read again."""
    return "json" in (form, *map(format_of_suffix, outputs.files))


def emit(report: Report, form: str, outputs: Outputs, quiet: bool, color: str = "auto") -> None:
    """Write a judged report to its outputs and to stdout.  Ends the program where its gates do not pass."""
    from losscli import gate as gates
    from losscli.cli import output as out

    out.write_files(report, outputs.files)
    if outputs.github is not None:
        out.to_github(report, outputs.github)
    silent = not quiet and form in ("bare", "csv", "flat")
    if silent:
        out.warn([*report.notes, *_reasons(report)])
    _print(report, form, color)
    if silent:
        out.warn([f"gate {v.status}: {v.title}{f' ({v.reason})' if v.reason else ''}" for v in report.gates])
    status = gates.status(report.gates)
    if status != Status.OK:
        raise typer.Exit(int(status))


def form_of(asked: str | None, json: bool, bare: bool) -> str:
    """The format of stdout: one of those of the renderers, or bare.  Raises UsageError."""
    if asked is not None and asked not in FORMATS:
        raise UsageError(f"--format must be {' or '.join(FORMATS)}, got {asked!r}.{near(asked, FORMATS)}")
    wanted = {asked} - {None} | ({"json"} if json else set()) | ({"bare"} if bare else set())
    if len(wanted) > 1:
        flags = ["--format " + asked] if asked else []
        flags += ["--json"] if json else []
        flags += ["--bare"] if bare else []
        raise UsageError(f"{' and '.join(flags)} exclude each other", remedy="-o FILE writes another format")
    return wanted.pop() or "table" if wanted else "table"


def _reasons(report: Report) -> list[str]:
    return [
        f"{result.loss}: {note}"
        for result in report.results
        if not result.cell and result.value is None
        for note in result.notes
    ]


def _print(report: Report, form: str, color: str) -> None:
    from losscli.cli import output as out
    from losscli.render import render

    if form == "bare":
        sys.stdout.write(out.bare(report))
    elif form == "table":
        from losscli.render.table import print_table

        print_table(report, out.console(color))
    else:
        sys.stdout.write(render(report, form))


def show_plan(run: Run | Models) -> None:
    """The plan on stderr, as flags that can be pasted, and how the files are aligned."""
    read = [table.files.how for table in dict.fromkeys(run.tables) if table.files and table.files.how]
    for line in (f"plan: {run.plan.flags()}", *read, f"aligned {run.alignment.how}", *run.plan.place.told):
        say(line)
    for note in run.notes:
        say(f"note: {note}")


def say(text: str) -> None:
    """Tell the user something besides the results."""
    print(f"losscli: {text}", file=sys.stderr)


def check(
    cluster: Cluster = None,
    verify: Annotated[
        str | None,
        option(
            "--verify",
            panel=JUDGING,
            metavar="REPORT",
            help="Evaluate again, with the options of then, and compare with a saved report.",
        ),
    ] = None,
    public: Annotated[
        bool,
        option(
            "--public",
            panel=JUDGING,
            help="Tell a submitter what is wrong with PREDS, and nothing of the values in TARGETS.",
        ),
    ] = False,
    **asked: Any,
) -> None:
    """Validate only: say what would be evaluated, and everything that is wrong with the files."""
    from losscli import api, results, saved
    from losscli.plan import LEVEL
    from losscli.tasks.catalogue import TASKS

    quiet, verbose = asked.pop("quiet"), asked.pop("verbose")
    asked.pop("debug")
    if verify is not None:
        before = saved.load(verify)
        # Clusters were not without a level, even where no result has an interval.
        level = saved.level(before) or (None if cluster is None else LEVEL)
        _, run = api.planned(ci=level, cluster=cluster, **asked)
        if verbose:
            show_plan(run)
        told = saved.reproduced(before, api.evaluated(run), verify)
        if not quiet:
            print("\n".join(told))
        return
    if public:
        from losscli import leaderboard

        sound = leaderboard.checked(cluster=cluster, **asked)
        if not quiet:
            print(sound)
        return
    _, run = api.planned(cluster=cluster, **asked)
    if verbose:
        show_plan(run)
    part, alignment = api.fold_all(run, say=say if verbose else lambda text: None)
    if quiet:
        return
    unit = TASKS[run.plan.roles.task].unit
    rows = counted(int(part.overall[0].n[0]), f"{unit} can be evaluated")
    print(f"{rows}, aligned {alignment.how}")
    print(f"losscli evaluate {' '.join(run.plan.files)} {run.plan.flags()}")
    for note in (*run.notes, *results.notes(part.tallies)):
        print(f"note: {note}")
