"""The help of the program and its commands: panels of options by topic, in colour on a terminal.

It is drawn without rich, whose import by Typer would double the time.
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
"""The minimum and the maximum width of the help."""
BOX, ASCII = "╭─╮│╰╯", "+-+|++"
_BOLD, _DIM, _YELLOW, _NAME, _SHORT, _WORD = "1", "2", "1;33", "1;36", "1;32", "33"
_CELLS = (_NAME, _SHORT, _WORD)
_COLOURS = re.compile(r";?3\d")
_FLAG = re.compile(r"(?<![\w-])(--?[a-zA-Z][\w-]*)")


class Row(NamedTuple):
    """An entry of a panel: the flag or argument, its short form, the word for its value, and its meaning."""

    names: tuple[str, ...]
    short: str
    value: str
    text: str


class Paper(NamedTuple):
    """The output medium: its width, the characters of a frame, and whether it shows styles and colours."""

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
        """The text in a style, with the flags in it in their own style."""
        parts = _FLAG.split(text)
        styles = (style, _NAME)
        return "".join(self.dye(styles[i % 2], part) for i, part in enumerate(parts))


def paper(stream: Any, environment: Mapping[str, str]) -> Paper:
    """The medium of a stream: a terminal, or a pipe or file, which shows no styles."""
    styled = stream.isatty() or bool(environment.get("FORCE_COLOR"))
    styled = styled and environment.get("TERM") not in ("dumb", "unknown")
    unicode = (stream.encoding or "").lower().startswith("utf")
    width = min(max(_columns(environment), NARROWEST), WIDEST)
    return Paper(width, BOX if unicode else ASCII, styled, not environment.get("NO_COLOR"))


def _columns(environment: Mapping[str, str]) -> int:
    """The width of the terminal, also if the help goes through a pager."""
    columns = environment.get("COLUMNS", "")
    widths = [int(columns) if columns.isdecimal() else 0]
    for stream in (1, 2, 0):
        with suppress(OSError):
            widths.append(os.get_terminal_size(stream).columns)
    # A terminal without a window reports 0 columns.
    return next(filter(None, widths), 80)


def print_help(command: Any, ctx: Any) -> None:
    """Print the help of a Typer command to stdout."""
    page = paper(sys.stdout, os.environ)
    lines = ["", *_usage(page, command.get_usage(ctx)), ""]
    first, _, rest = cleandoc(command.help or "").partition("\n\n")
    lines += [*_paragraph(page, first), ""] if first else []
    for part in filter(None, rest.split("\n\n")):
        lines += [
            *(_examples(page, part) if part.startswith("Examples:") else _paragraph(page, part, _DIM)),
            "",
        ]
    panels: dict[str, list[Row]] = {"Arguments": [], "Options": []}
    for parameter in command.get_params(ctx):
        if not parameter.hidden:
            is_argument = parameter.param_type_name == "argument"
            default_title = "Arguments" if is_argument else "Running" if "Running" in panels else "Options"
            title = parameter.rich_help_panel or default_title
            panels.setdefault(title, []).append(_row(parameter))
    if names := getattr(command, "commands", None):
        panels["Commands"] = [
            Row((name,), "", "", _first_paragraph(subcommand.help)) for name, subcommand in names.items()
        ]
    for title, rows in panels.items():
        lines += _panel(page, title, rows) if rows else []
    lines += ["", *_paragraph(page, command.epilog), ""] if command.epilog else []
    _write(lines)


def print_panel(title: str, parameters: Iterable[Any]) -> None:
    """Print one panel of options to stdout."""
    _write(_panel(paper(sys.stdout, os.environ), title, [_row(parameter) for parameter in parameters]))


def _write(lines: Iterable[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _examples(page: Paper, text: str) -> list[str]:
    """Example commands, each on a line of its own."""
    title, *commands = text.splitlines()
    lines = [line for command in commands for line in _lines(command.strip(), page.width - 4, "  ")]
    return [f" {page.dye(_DIM, title)}", *(f"   {page.flags(line)}" for line in lines)]


def _first_paragraph(text: str | None) -> str:
    return " ".join(cleandoc(text or "").partition("\n\n")[0].split())


def _usage(page: Paper, text: str) -> list[str]:
    first, *rest = wrap(text, page.width - 2, subsequent_indent=" " * 7)
    lines = [page.dye(_YELLOW, "Usage: ") + page.dye(_BOLD, first.removeprefix("Usage: "))]
    return [f" {line}" for line in [*lines, *(page.dye(_BOLD, line) for line in rest)]]


def _paragraph(page: Paper, text: str, style: str = "") -> list[str]:
    return [f" {page.flags(line, style)}" for line in _lines(text, page.width - 2)]


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


def _panel(page: Paper, title: str, rows: Sequence[Row]) -> list[str]:
    """A frame around rows in columns; on a narrow terminal, the meaning is below the name."""
    corner, across, right, down, low, end = (page.dye(_DIM, sign) for sign in page.box)
    inner = page.width - 4
    line = page.dye(_DIM, page.box[1] * (page.width - len(title) - 5))
    lines = [f"{corner}{across} {title} {line}{right}"]
    for text, length in _rows(page, rows, inner):
        lines.append(f"{down} {text}{' ' * (inner - length)} {down}")
    return [*lines, f"{low}{page.dye(_DIM, page.box[1] * (page.width - 2))}{end}"]


def _rows(page: Paper, rows: Sequence[Row], width: int) -> Iterator[tuple[str, int]]:
    """The lines of rows, each with its width."""
    names = max(len(name) for row in rows for name in row.names)
    columns = (names, max(len(row.short) for row in rows), max(len(row.value) for row in rows))
    used = sum(column + 2 for column in columns if column)
    longest = max((len(word) for row in rows for word in row.text.split()), default=0)
    if width - used < max(longest, 24, width // 3):
        yield from _stacked_rows(page, rows, width)
        return
    for row in rows:
        lines = zip_longest(row.names, [row.short], [row.value], _lines(row.text, width - used), fillvalue="")
        for *cells, text in lines:
            padded = [
                page.dye(style, cell) + " " * (column - len(cell) + 2)
                for cell, column, style in zip(cells, columns, _CELLS, strict=True)
                if column
            ]
            yield "".join(padded) + page.flags(text), used + len(text)


def _stacked_rows(page: Paper, rows: Sequence[Row], width: int) -> Iterator[tuple[str, int]]:
    """The lines of rows on a narrow terminal, with the meaning below the name, each with its width."""
    for row in rows:
        for name in row.names:
            cells = (name, row.short, row.value) if name is row.names[0] else (name, "", "")
            styled = [page.dye(style, cell) for cell, style in zip(cells, _CELLS, strict=True) if cell]
            yield " ".join(styled), len(" ".join(filter(None, cells)))
        for line in _lines(row.text, width - 2):
            yield f"  {page.flags(line)}", 2 + len(line)
