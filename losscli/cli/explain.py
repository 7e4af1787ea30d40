"""losscli explain: the catalogue, and one loss of it."""

from __future__ import annotations

import sys
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from losscli.cli.options import loss_names
from losscli.losses import registry
from losscli.losses import request as requests
from losscli.losses.registry import Loss
from losscli.options import loss_params
from losscli.tasks.named import described

if TYPE_CHECKING:
    from rich.console import Console


def explain(
    loss: Annotated[
        str | None,
        typer.Argument(
            metavar="LOSS",
            help="A loss, by any of its names.",
            show_default=False,
            autocompletion=loss_names,
        ),
    ] = None,
) -> None:
    """List all losses by task, or show one: formula, parameters, unit, best value, other names, source."""
    from rich.console import Console  # imported by the commands that draw

    console = Console(highlight=False)
    if console.is_terminal:
        _show(console, loss)
        return
    # Into a pipe or a file lines are as long as they are, and end where their text ends.
    wide = Console(highlight=False, width=1000, color_system=None)
    with wide.capture() as capture:
        _show(wide, loss)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in capture.get().splitlines()))


def _show(console: Console, loss: str | None) -> None:
    if loss is None:
        _catalogue(console)
        return
    for number, entry in enumerate(requests.find(loss).losses):
        if number:
            console.print()
        _one(console, entry)


def _catalogue(console: Console) -> None:
    from rich.markup import escape
    from rich.table import Table

    for task, entries in groupby(registry.losses(), key=lambda entry: entry.task):
        table = Table(
            title=task, title_justify="left", title_style="bold", box=None, pad_edge=False, show_header=False
        )
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for entry in entries:
            table.add_row(entry.name, escape(entry.summary))
        console.print(table)
        console.print()
    console.print("losscli explain NAME shows one of them.")


def _one(console: Console, entry: Loss) -> None:
    from rich.markup import escape
    from rich.table import Table

    console.print(f"[bold]{entry.name}[/bold] ({entry.task})\n")
    console.print(escape(entry.summary), soft_wrap=False)
    console.print(f"\n    {escape(entry.formula)}\n", overflow="fold")
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for param in entry.params:
        default = "required" if param.required else f"default {str(param.default).lower()}"
        if param.name in loss_params():
            table.add_row(f"--{param.name.replace('_', '-')}", escape(f"{param.describe()}; {default}"))
        else:
            told = (
                f"{param.describe()}; {default}; written in line alone: {entry.asked_as}:{param.name}=VALUE"
            )
            table.add_row(f":{param.name}=", escape(told))
    table.add_row("unit", escape(entry.unit))
    best = "no fixed value" if entry.best is None else f"{entry.best:g}"
    table.add_row("best", best + (", greater is better" if entry.score else ""))
    if entry.domain:
        table.add_row("takes", escape(entry.domain))
    if columns := described(entry.batch):
        table.add_row("reads", escape(columns))
    if entry.aliases:
        table.add_row("also", escape(", ".join(entry.aliases)))
    table.add_row("source", escape(entry.reference))
    console.print(table)
