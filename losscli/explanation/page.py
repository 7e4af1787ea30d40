"""The pages of losscli explain: tables, the curve, and rows on it.  Imports rich, so it is imported late."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from losscli.catalog import equivalents
from losscli.catalog.equivalents import Elsewhere
from losscli.catalog.loss import Choice, Loss
from losscli.catalog.params import Param
from losscli.explanation import pager
from losscli.explanation.model import COVERED, PRECISION, WORST, Content, Facts, Page, Profiled
from losscli.plan.options import OPTIONS, loss_params
from losscli.render.chart import LABELS, Line, canvas_of, legend, line_chart
from losscli.render.formats.table import show_table
from losscli.render.tables import Column, Table, of_names
from losscli.tasks.named import described
from losscli.text import either, line_of_log, printable

if TYPE_CHECKING:
    from losscli.explanation.curve import Curve


STYLES, REFERENCE_STYLES = (("bold cyan", "*"), ("bold blue", "o")), (("yellow", "+"), ("magenta", "."))
"""The style of curves with colours, and their mark without colours."""


def show(content: Content) -> None:
    """Print an explanation; on a terminal, several losses that do not fit go through a pager."""
    terminal = Console(highlight=False)
    if not terminal.is_terminal:
        sys.stdout.write(text(content))
    elif len(content.pages) > 1 and sys.stdout.isatty():
        with terminal.capture() as capture:
            _print(terminal, content)
        pager.show(capture.get(), terminal.height)
    else:
        _print(terminal, content)


def text(content: Content) -> str:
    """An explanation as plain text, whose lines are not wrapped."""
    # The encoding of stdout determines whether the chart uses Unicode.
    wide = Console(highlight=False, width=1000, color_system=None, force_terminal=False)
    with wide.capture() as capture:
        _print(wide, content)
    return "".join(f"{line_of_log(line.rstrip())}\n" for line in capture.get().splitlines())


def _print(console: Console, content: Content) -> None:
    """Print a list of losses, or the page of each loss."""
    if content.is_list:
        _catalog(console, [page.loss for page in content.pages])
        return
    for number, page in enumerate(content.pages):
        if number:
            console.print()
        _page(console, page, content.profiled)


def _plain(text: str) -> str:
    """Text of a custom loss or about the user's rows, with markup and control characters escaped."""
    return escape("\n".join(map(line_of_log, text.split("\n"))))


def _catalog(console: Console, entries: Sequence[Loss]) -> None:
    """The names and summaries of losses by task."""
    for task, group in groupby(entries, key=lambda entry: entry.task):
        show_table(of_names(task, [(entry.name, entry.summary) for entry in group]), console)
        console.print()
    console.print("losscli explain NAME shows one of them.")


def _page(console: Console, page: Page, profiled: Profiled | None) -> None:
    """Print the page of a loss: formula, curve if it has one, parameters, and names in other libraries."""
    entry, choice = page.loss, page.choice
    console.print(f"[bold]{_plain(entry.name)}[/bold] ({entry.task})\n")
    console.print(_plain(entry.summary), soft_wrap=False)
    console.print(f"\n    {_plain(entry.formula)}\n", overflow="fold")
    for paragraph in entry.details:
        console.print(f"{_plain(paragraph)}\n")
    if choice is not None:
        _drawing(console, choice, profiled)
        _examples(console, choice)
    if profiled is not None:
        _facts(console, profiled.choice, profiled.facts)
    _traits(console, entry)
    if not entry.request:  # libraries have no custom losses
        _elsewhere(console, entry)


def _traits(console: Console, entry: Loss) -> None:
    best = "no fixed value" if entry.best is None else f"{entry.best:g}"
    columns = described(entry.batch)
    rows = [
        *(_param(param, entry) for param in entry.params),
        ("unit", entry.unit),
        ("best", best + (", larger is better" if entry.score else "")),
        *([("takes", entry.domain)] if entry.domain else []),
        *([("reads", columns)] if columns else []),
        *([("needs", either(OPTIONS[name].flag for name in entry.batch.needs))] if entry.batch.needs else []),
        *([("also", ", ".join(entry.aliases))] if entry.aliases else []),
        ("source", entry.reference),
    ]
    show_table(of_names("", rows), console)


def _param(param: Param, entry: Loss) -> tuple[str, str]:
    """The syntax of a parameter, and the values that it takes."""
    default = "required" if param.required else f"default {str(param.default).lower()}"
    if param.name in loss_params():
        return f"--{param.name.replace('_', '-')}", f"{param.describe()}; {default}"
    syntax = f"only in line: {entry.asked_as}:{param.name}=VALUE"
    return f":{param.name}=", f"{param.describe()}; {default}; {syntax}"


def _elsewhere(console: Console, entry: Loss) -> None:
    equivalent_calls = equivalents.of(entry.name)
    rows = [(equivalent.library, equivalent.call, _verdict(equivalent)) for equivalent in equivalent_calls]
    console.print()
    show_table(of_names("elsewhere", rows, ("library", "call", "this number")), console)
    habits = equivalents.habits([equivalent.library for equivalent in equivalent_calls if equivalent.call])
    for habit in habits:
        console.print(_plain(f"{habit.library}: {habit.how}"), style="dim")


def _verdict(equivalent: Elsewhere) -> str:
    """Whether a call of a library returns the same number, and how."""
    verdict = "" if not equivalent.call else "yes" if equivalent.agrees else "never"
    return ": ".join(filter(None, [verdict, equivalent.how]))


def _drawing(console: Console, choice: Choice, profiled: Profiled | None) -> None:
    """Print the curve with its reference curves, and the distribution of the user's rows below."""
    from losscli.explanation import curve  # needs the engine's readers
    from losscli.numeric.arrays import np

    canvas = canvas_of(console)
    reach = None if profiled is None else profiled.reach
    drawing = curve.drawing(choice, 2 * canvas.width, reach)
    if drawing is None:
        return
    lines = [*_lines(drawing.own, STYLES), *_lines(drawing.beside, REFERENCE_STYLES)]
    edges = np.linspace(drawing.low, drawing.high, canvas.width + 1)
    bars = () if profiled is None else profiled.bars(edges)
    rows = [*line_chart(lines, drawing.low, drawing.high, canvas, bars), *legend(lines, canvas)]
    axis = curve.AXES[drawing.axis] + (
        f", with {curve.CLASSES} classes" if choice.loss.task == "multiclass" else ""
    )
    for row in [*rows[: -len(lines)], [(" " * LABELS + axis, "dim")], *rows[-len(lines) :]]:
        console.print(Text.assemble(*row), no_wrap=True, overflow="crop", soft_wrap=True)
    console.print()


def _examples(console: Console, choice: Choice) -> None:
    """Print two rows with their numbers in the formula."""
    from losscli.explanation.examples import examples  # needs the engine's readers

    rows = examples(choice)
    if not rows:
        return
    names = list(rows[0].row)
    columns = [Column(name, tuple(f"{row.row[name]:g}" for row in rows)) for name in names]
    worked = tuple(f"{row.formula} = {row.loss:.6g}".removeprefix(" = ") for row in rows)
    show_table(Table("two rows", (*columns, Column("loss", worked, "name"))), console)
    console.print()


def _lines(curves: Sequence[Curve], styles: Sequence[tuple[str, str]]) -> list[Line]:
    return [
        Line(printable(curve.label), curve.values, style, mark)
        for curve, (style, mark) in zip(curves, styles, strict=False)
    ]


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _facts(console: Console, choice: Choice, facts: Facts) -> None:
    """Print which rows make up the loss."""
    noun = "rows" if facts.weight == facts.rows else "weight"
    rows = [("rows", f"{facts.rows:,}"), (str(choice), f"{facts.value:.6g}")]
    for part in facts.parts:
        loss = "" if part.loss_share is None else f", {part.loss_share:.1%} of the loss"
        rows.append((part.what, f"{_rows(part.rows)}, {part.weight_share:.1%} of the {noun}{loss}"))
    if facts.worst_share is not None:
        rows.append((f"worst {WORST:.0%} of the {noun}", f"{facts.worst_share:.1%} of the loss"))
    for share, value in facts.quantiles.items():
        rows.append((f"|residual| of {share:.0%} of the {noun}", f"up to {value:.3g}"))
    rows += [(f"{name} that covers {COVERED:.0%}", f"{value:.3g}") for name, value in facts.covers.items()]
    show_table(of_names("your rows", rows), console)
    for note in facts.notes:
        console.print(_plain(f"note: {note}"))
    if facts.quantiles:
        console.print(f"Quantiles are within {PRECISION:.1%} of their value.", style="dim")
    console.print()
