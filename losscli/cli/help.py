"""The help of the program and its commands: panels of options by topic, in colour on a terminal.

It is drawn without rich: importing what Typer draws it with would take as long as all else that it needs.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from inspect import cleandoc
from itertools import zip_longest
from textwrap import wrap
from typing import Any, NamedTuple

NARROWEST, WIDEST = 30, 120
"""Columns that help takes."""
BOX, ASCII = "╭─╮│╰╯", "+-+|++"
_BOLD, _DIM, _YELLOW, _NAME, _SHORT, _WORD = "1", "2", "1;33", "1;36", "1;32", "33"
_CELLS = (_NAME, _SHORT, _WORD)
_COLOURS = re.compile(r";?3\d")
_FLAG = re.compile(r"(?<![\w-])(--?[a-zA-Z][\w-]*)")


class Row(NamedTuple):
    """A line of a panel: what is typed, its short form, the word for its value, and what it means."""

    names: tuple[str, ...]
    short: str
    value: str
    text: str


class Paper(NamedTuple):
    """What is written on: its width, the signs of a frame, and whether it shows styles and colours."""

    width: int
    box: str
    styled: bool
    coloured: bool

    def dye(self, style: str, text: str) -> str:
        """The text in an ANSI style, if the stream shows styles."""
        if not self.coloured:
            style = _COLOURS.sub("", style)
        return f"\x1b[{style.strip(';')}m{text}\x1b[0m" if self.styled and style and text else text

    def flags(self, text: str, style: str = "") -> str:
        """The text in a style, and flags in it in theirs."""
        parts = _FLAG.split(text)
        styles = (style, _NAME)
        return "".join(self.dye(styles[i % 2], part) for i, part in enumerate(parts))


def paper(stream: Any, environment: Mapping[str, str]) -> Paper:
    """What a stream is: a terminal, or a pipe or file, which shows no styles."""
    styled = stream.isatty() or bool(environment.get("FORCE_COLOR"))
    styled = styled and environment.get("TERM") not in ("dumb", "unknown")
    unicode = (stream.encoding or "").lower().startswith("utf")
    width = min(max(_columns(environment), NARROWEST), WIDEST)
    return Paper(width, BOX if unicode else ASCII, styled, not environment.get("NO_COLOR"))


def _columns(environment: Mapping[str, str]) -> int:
    """The width of the terminal that the help is read on, also through a pager."""
    columns = environment.get("COLUMNS", "")
    found = [int(columns) if columns.isdecimal() else 0]
    for stream in (1, 2, 0):
        with suppress(OSError):
            found.append(os.get_terminal_size(stream).columns)
    # A terminal without a window may report 0 columns.
    return next(filter(None, found), 80)


def print_help(command: Any, ctx: Any) -> None:
    """Print the help of a command of Typer's to stdout."""
    on = paper(sys.stdout, os.environ)
    lines = ["", *_usage(on, command.get_usage(ctx)), ""]
    first, _, rest = cleandoc(command.help or "").partition("\n\n")
    lines += [*_paragraph(on, first), ""] if first else []
    for part in filter(None, rest.split("\n\n")):
        lines += [*(_examples(on, part) if part.startswith("Examples:") else _paragraph(on, part, _DIM)), ""]
    panels: dict[str, list[Row]] = {"Arguments": [], "Options": []}
    for parameter in command.get_params(ctx):
        if not parameter.hidden:
            is_argument = parameter.param_type_name == "argument"
            own = "Arguments" if is_argument else "Running" if "Running" in panels else "Options"
            title = parameter.rich_help_panel or own
            panels.setdefault(title, []).append(_row(parameter))
    if names := getattr(command, "commands", None):
        panels["Commands"] = [Row((name,), "", "", _first(each.help)) for name, each in names.items()]
    for title, rows in panels.items():
        lines += _panel(on, title, rows) if rows else []
    lines += ["", *_paragraph(on, command.epilog), ""] if command.epilog else []
    _write(lines)


def print_panel(title: str, parameters: Iterable[Any]) -> None:
    """Print one panel of options to stdout."""
    _write(_panel(paper(sys.stdout, os.environ), title, [_row(each) for each in parameters]))


def _write(lines: Iterable[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _examples(on: Paper, text: str) -> list[str]:
    """Commands, each from the beginning of a line."""
    title, *commands = text.splitlines()
    lines = [line for each in commands for line in _lines(each.strip(), on.width - 4, "  ")]
    return [f" {on.dye(_DIM, title)}", *(f"   {on.flags(line)}" for line in lines)]


def _first(text: str | None) -> str:
    return " ".join(cleandoc(text or "").partition("\n\n")[0].split())


def _usage(on: Paper, text: str) -> list[str]:
    first, *rest = wrap(text, on.width - 2, subsequent_indent=" " * 7)
    lines = [on.dye(_YELLOW, "Usage: ") + on.dye(_BOLD, first.removeprefix("Usage: "))]
    return [f" {line}" for line in [*lines, *(on.dye(_BOLD, line) for line in rest)]]


def _paragraph(on: Paper, text: str, style: str = "") -> list[str]:
    return [f" {on.flags(line, style)}" for line in _lines(text, on.width - 2)]


def _lines(text: str, width: int, indent: str = "") -> list[str]:
    return wrap(" ".join(text.split()), width, break_on_hyphens=False, subsequent_indent=indent) or [""]


def _row(parameter: Any) -> Row:
    if parameter.param_type_name == "argument":
        return Row(
            (parameter.metavar,), "", "", parameter.help + (" Required." if parameter.required else "")
        )
    long = [flag for flag in parameter.opts if flag.startswith("--")]
    short = [flag for flag in parameter.opts if not flag.startswith("--")]
    if parameter.secondary_opts:
        long = [f"--[no-]{long[0][2:]}"]
    value = "" if parameter.is_flag else parameter.metavar or ""
    return Row(tuple(long), ",".join(short), value, parameter.help or "")


def _panel(on: Paper, title: str, rows: Sequence[Row]) -> list[str]:
    """A frame around rows in columns; on a narrow terminal what each means is below its name."""
    corner, across, right, down, low, end = (on.dye(_DIM, sign) for sign in on.box)
    inner = on.width - 4
    line = on.dye(_DIM, on.box[1] * (on.width - len(title) - 5))
    lines = [f"{corner}{across} {title} {line}{right}"]
    for text, length in _body(on, rows, inner):
        lines.append(f"{down} {text}{' ' * (inner - length)} {down}")
    return [*lines, f"{low}{on.dye(_DIM, on.box[1] * (on.width - 2))}{end}"]


def _body(on: Paper, rows: Sequence[Row], width: int) -> Iterator[tuple[str, int]]:
    """The lines of rows, each with the columns that it takes."""
    names = max(len(name) for row in rows for name in row.names)
    columns = (names, max(len(row.short) for row in rows), max(len(row.value) for row in rows))
    taken = sum(column + 2 for column in columns if column)
    longest = max((len(word) for row in rows for word in row.text.split()), default=0)
    if width - taken < max(longest, 24, width // 3):
        yield from _below(on, rows, width)
        return
    for row in rows:
        lines = zip_longest(
            row.names, [row.short], [row.value], _lines(row.text, width - taken), fillvalue=""
        )
        for *cells, text in lines:
            shown = [
                on.dye(style, cell) + " " * (column - len(cell) + 2)
                for cell, column, style in zip(cells, columns, _CELLS, strict=True)
                if column
            ]
            yield "".join(shown) + on.flags(text), taken + len(text)


def _below(on: Paper, rows: Sequence[Row], width: int) -> Iterator[tuple[str, int]]:
    """The lines of rows on a narrow terminal, what each means below its name."""
    for row in rows:
        for name in row.names:
            cells = (name, row.short, row.value) if name is row.names[0] else (name, "", "")
            shown = [on.dye(style, cell) for cell, style in zip(cells, _CELLS, strict=True) if cell]
            yield " ".join(shown), len(" ".join(filter(None, cells)))
        for line in _lines(row.text, width - 2):
            yield f"  {on.flags(line)}", 2 + len(line)
