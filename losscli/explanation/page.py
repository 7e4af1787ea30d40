"""The pages of losscli explain: tables, the curve, the rows on it.  Drawn with rich, so imported late."""

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


OWN, BESIDE = (("bold cyan", "*"), ("bold blue", "o")), (("yellow", "+"), ("magenta", "."))
"""The style of curves with colours, and their mark without."""


def show(content: Content) -> None:
    """Print an explanation; a terminal shows several losses that do not fit in a pager."""
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
    """An explanation as plain text, whose lines are not folded."""
    # The encoding of stdout says whether the chart may have Unicode.
    wide = Console(highlight=False, width=1000, color_system=None, force_terminal=False)
    with wide.capture() as capture:
        _print(wide, content)
    return "".join(f"{line_of_log(line.rstrip())}\n" for line in capture.get().splitlines())


def _print(console: Console, content: Content) -> None:
    """Print the names of losses, or the page of each."""
    if content.is_list:
        _catalog(console, [page.loss for page in content.pages])
        return
    for number, page in enumerate(content.pages):
        if number:
            console.print()
        _page(console, page, content.profiled)


def _plain(text: str) -> str:
    """Text of a user's own loss, or about their rows, that is no markup and steers no terminal."""
    return escape("\n".join(map(line_of_log, text.split("\n"))))


def _catalog(console: Console, entries: Sequence[Loss]) -> None:
    """The names and summaries of losses by task."""
    for task, group in groupby(entries, key=lambda entry: entry.task):
        show_table(of_names(task, [(entry.name, entry.summary) for entry in group]), console)
        console.print()
    console.print("losscli explain NAME shows one of them.")


def _page(console: Console, page: Page, profiled: Profiled | None) -> None:
    """A loss: its formula, its curve if it has one, its parameters, its names in other libraries."""
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
    if not entry.request:  # no library knows what a user wrote
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
    """How a parameter is given, and what it takes."""
    default = "required" if param.required else f"default {str(param.default).lower()}"
    if param.name in loss_params():
        return f"--{param.name.replace('_', '-')}", f"{param.describe()}; {default}"
    asked = f"only in line: {entry.asked_as}:{param.name}=VALUE"
    return f":{param.name}=", f"{param.describe()}; {default}; {asked}"


def _elsewhere(console: Console, entry: Loss) -> None:
    known = equivalents.of(entry.name)
    rows = [(each.library, each.call, _verdict(each)) for each in known]
    console.print()
    show_table(of_names("elsewhere", rows, ("library", "call", "this number")), console)
    habits = equivalents.habits([each.library for each in known if each.call])
    for each in habits:
        console.print(_plain(f"{each.library}: {each.how}"), style="dim")


def _verdict(each: Elsewhere) -> str:
    """Whether a call of a library gives the same number, and how."""
    verdict = "" if not each.call else "yes" if each.agrees else "never"
    return ": ".join(filter(None, [verdict, each.how]))


def _drawing(console: Console, choice: Choice, profiled: Profiled | None) -> None:
    """The curve with those that it is compared with, and the rows of files under it."""
    from losscli.explanation import curve  # needs the engine's readers
    from losscli.numeric.arrays import np

    canvas = canvas_of(console)
    reach = None if profiled is None else profiled.reach
    drawn = curve.drawing(choice, 2 * canvas.width, reach)
    if drawn is None:
        return
    lines = [*_lines(drawn.own, OWN), *_lines(drawn.beside, BESIDE)]
    edges = np.linspace(drawn.low, drawn.high, canvas.width + 1)
    bars = () if profiled is None else profiled.bars(edges)
    rows = [*line_chart(lines, drawn.low, drawn.high, canvas, bars), *legend(lines, canvas)]
    axis = curve.AXES[drawn.axis] + (
        f", with {curve.CLASSES} classes" if choice.loss.task == "multiclass" else ""
    )
    for row in [*rows[: -len(lines)], [(" " * LABELS + axis, "dim")], *rows[-len(lines) :]]:
        console.print(Text.assemble(*row), no_wrap=True, overflow="crop", soft_wrap=True)
    console.print()


def _examples(console: Console, choice: Choice) -> None:
    """Two rows with the numbers in the formula."""
    from losscli.explanation.examples import examples  # needs the engine's readers

    found = examples(choice)
    if not found:
        return
    names = list(found[0].row)
    columns = [Column(name, tuple(f"{each.row[name]:g}" for each in found)) for name in names]
    worked = tuple(f"{each.formula} = {each.loss:.6g}".removeprefix(" = ") for each in found)
    show_table(Table("two rows", (*columns, Column("loss", worked, "name"))), console)
    console.print()


def _lines(curves: Sequence[Curve], looks: Sequence[tuple[str, str]]) -> list[Line]:
    return [
        Line(printable(each.label), each.values, style, mark)
        for each, (style, mark) in zip(curves, looks, strict=False)
    ]


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _facts(console: Console, choice: Choice, facts: Facts) -> None:
    """Which rows make up the loss."""
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
