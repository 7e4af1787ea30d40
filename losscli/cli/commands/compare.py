"""losscli compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from losscli.cli.commands.evaluate import Cluster
from losscli.cli.options import (
    COLUMNS,
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
from losscli.cli.output import cells_of, emit, form_of, is_kept, say
from losscli.errors import all_of

if TYPE_CHECKING:
    from losscli.evaluation.compare_plan import Models


def compare(
    predictions: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MODELS",
            help="Predictions of two models or more; the others are compared with the first.",
            show_default=False,
        ),
    ] = None,
    targets: Annotated[
        str | None,
        option(
            "--targets",
            "-t",
            panel=COLUMNS,
            metavar="FILE",
            help="Targets; without, the first model's file holds them too.",
        ),
    ] = None,
    all_pairs: Annotated[
        bool, option("--all-pairs", panel=JUDGING, help="Compare each with each, not with the first alone.")
    ] = False,
    changed: Annotated[
        str,
        option(
            "--changed",
            panel=OUTPUT,
            metavar="N",
            help="Show the N rows on which the first loss of each pair differs most.",
        ),
    ] = "0",
    ci: Annotated[
        str,
        option("--ci", panel=JUDGING, metavar="LEVEL", help="Level of intervals, or none; default: 0.95."),
    ] = "0.95",
    cluster: Cluster = None,
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
    dry_run: Annotated[
        bool, option("--dry-run", panel=RUNNING, help="Show the plan as flags, evaluate nothing.")
    ] = False,
    **asked: Any,
) -> None:
    """Compare models on the same rows: which is better, where, and whether these data can tell.

    The difference of each loss is that of paired rows, so that the noise which models share cancels; its
    p-value is adjusted for the number of comparisons.

    Example: losscli compare old.csv new.csv -t targets.csv --on id -l huber --by region
    """
    from losscli import api, gates
    from losscli.cli import output as out
    from losscli.cli.progress import Progress
    from losscli.evaluation import compare as comparing

    given: dict[str, Any] = {"ci": ci, "cluster": cluster, "all_pairs": all_pairs, "changed": changed}
    quiet, verbose = asked.pop("quiet"), asked.pop("verbose")
    asked.pop("debug")
    form, shown, outputs, rules, _, (conditions, models) = all_of(
        lambda: form_of(format_, json, bare),
        lambda: cells_of(cells),
        lambda: out.outputs(output or ()),
        lambda: gates.rules(confident, strict, min_n),
        lambda: out.check_color(color),
        lambda: api.planned_models(one_by_one(predictions), targets, gate=gate or (), **given, **asked),
    )
    gates.meaningful(conditions, None, rules)
    if verbose or dry_run:
        _show_plan(models)
    if dry_run:
        return
    tell = say if verbose else lambda text: None
    with Progress(quiet, models.expected) as progress:
        kept = is_kept(form, outputs)
        report = comparing.compared(models, conditions, progress.update, tell, rules, kept=kept)
    emit(report, form, outputs, quiet, color, shown, verbose)


def one_by_one(predictions: list[str] | str | None) -> list[str]:
    """The files of models, of which settings may name one as text."""
    return [predictions] if isinstance(predictions, str) else predictions or []


def _show_plan(models: Models) -> None:
    """The plan on stderr: what each model is read as, and how the files are aligned."""
    for name, plan in zip(models.names, models.work.plans, strict=True):
        say(f"plan of {name}: {plan.flags()}")
    for table in dict.fromkeys(models.tables):
        if table.files and table.files.how:
            say(table.files.how)
    for line in (f"aligned {models.alignment.how}", *models.plan.place.notes):
        say(line)
    for note in models.notes:
        say(f"note: {note}")
