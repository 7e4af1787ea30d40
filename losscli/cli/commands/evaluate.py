"""losscli evaluate and losscli check."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from losscli.cli.options import (
    JUDGING,
    OUTPUT,
    RUNNING,
    Bare,
    Cells,
    Color,
    Confident,
    Format,
    Gates,
    Json,
    MinRows,
    OutputFiles,
    Strict,
    option,
)
from losscli.cli.output import cells_of, emit, form_of, is_kept, say, show_plan
from losscli.errors import all_of

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
    cells: Cells = None,
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
    from losscli import api, gates
    from losscli.cli import output as out
    from losscli.cli.progress import Progress
    from losscli.evaluation import compare as comparing
    from losscli.evaluation import run as running
    from losscli.report import saved

    quiet, verbose = asked.pop("quiet"), asked.pop("verbose")
    asked.pop("debug")
    paired = baseline is not None and not saved.is_report(baseline)
    plan: Callable[..., tuple[Any, Any]] = api.planned
    if paired:
        plan = partial(api.planned_against, baseline=baseline)
        asked |= {name: asked.get(name) for name in ("predictions", "targets", "loss")}
    form, shown, outputs, rules, base, _, (conditions, run) = all_of(
        lambda: form_of(format_, json, bare),
        lambda: cells_of(cells),
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
            report = comparing.compared(run, conditions, progress.update, tell, rules, alone=0, kept=kept)
        else:
            report = running.evaluated(run, conditions, progress.update, tell, base, rules, rows, worst, kept)
    emit(report, form, outputs, quiet, color, shown, verbose)
