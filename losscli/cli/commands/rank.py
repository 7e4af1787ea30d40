"""losscli rank."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from losscli.cli.commands.compare import one_by_one
from losscli.cli.options import COLUMNS, JUDGING, Bare, Color, Format, Json, OutputFiles, option
from losscli.cli.output import emit, form_of, say
from losscli.errors import all_of


def rank(
    predictions: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SUBMISSIONS",
            help="Files, 'patterns/*.csv' or folders; each file is a submission.",
            show_default=False,
        ),
    ] = None,
    targets: Annotated[
        str | None, option("--targets", "-t", panel=COLUMNS, metavar="FILE", help="Targets, read once.")
    ] = None,
    ci: Annotated[
        str,
        option(
            "--ci",
            panel=JUDGING,
            metavar="LEVEL",
            help="Level at which submissions are told apart, or none; default: 0.95.",
        ),
    ] = "0.95",
    output: OutputFiles = None,
    format_: Format = None,
    json: Json = False,
    bare: Bare = False,
    color: Color = "auto",
    **asked: Any,
) -> None:
    """A leaderboard of submissions, in which those that noise cannot separate share a place.

    The first loss ranks.  A broken submission is a line with its reason, and takes no place.

    Example: losscli rank submissions/*.csv -t solution.parquet --on id -l log_loss --by Usage -o board.csv
    """
    from losscli.cli import output as out
    from losscli.cli.progress import Progress
    from losscli.evaluation import rank as leaderboard  # the engine is imported only by commands that run it

    quiet, verbose = asked.pop("quiet"), asked.pop("verbose")
    asked.pop("debug")
    form, outputs, _ = all_of(
        lambda: form_of(format_, json, bare),
        lambda: out.outputs(output or ()),
        lambda: out.check_color(color),
    )
    tell = say if verbose else lambda text: None
    with Progress(quiet, lambda: None) as progress:
        report = leaderboard.rank(
            *leaderboard.expanded(one_by_one(predictions)),
            targets=targets,
            ci=ci,
            progress=progress.update,
            say=tell,
            **asked,
        )
    emit(report, form, outputs, quiet, color)
