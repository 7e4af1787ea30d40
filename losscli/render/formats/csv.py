"""A report as CSV: one row per result, comparison or placing, with every digit."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from losscli.render.formats import Data
from losscli.report.codec import Record
from losscli.report.model import Comparison, Placing, Report, Result, Segment, cell_name
from losscli.text import line_of_log

_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""The characters with which a formula of a spreadsheet starts; the last four are full-width forms."""
COLUMNS = Result.__struct_fields__
"""The columns of results: the same in every file, so that files of several runs can be concatenated."""
COMPARED = Comparison.__struct_fields__
"""The columns of a comparison."""
PLACED = Placing.__struct_fields__
"""The columns of a leaderboard."""
SEGMENTS = Segment.__struct_fields__
"""The columns of weak segments."""
_OF_ALL = ("loss", "label", "params", "cell", "value", "higher_is_better", "rows", "weight")
"""The columns of weak segments that the overall result has too; the others describe the difference."""


def text(report: Report) -> str:
    """A header, then one line per result or comparison; an undefined value is empty."""
    of_models = bool(report.comparisons) and all(result.model is not None for result in report.results)
    rows: Sequence[Record | Placing] = report.comparisons if of_models else report.results
    columns = COMPARED if of_models else COLUMNS
    if report.is_search:
        return _lines([SEGMENTS, *_of_search(report)])
    if report.board:
        rows, columns = report.board, PLACED
    return _lines([columns, *(_row(row, columns) for row in rows)])


def _of_search(report: Report) -> Iterator[list[str]]:
    """The lines of a search: the overall results, with an empty cell, then the weak segments."""
    for result in report.results:
        values = dict(zip(_OF_ALL, _row(result, _OF_ALL), strict=True))
        yield [values.get(name, "") for name in SEGMENTS]
    for segment in report.segments:
        yield _row(segment, SEGMENTS)


def without_formulas(text: str) -> str:
    """CSV with a ' before text that a spreadsheet would take for a formula; numbers are unchanged."""
    rows = csv.reader(io.StringIO(text, newline=""))
    return _lines([[f"'{cell}" if _is_formula(cell) else cell for cell in row] for row in rows])


def _is_formula(cell: str) -> bool:
    return cell.startswith(_FORMULAS) and not _is_number(cell)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _lines(rows: Iterable[Sequence[str]]) -> str:
    """Rows as lines of CSV; one that begins with :: is quoted, since CI logs would read it as a command."""
    buffer = io.StringIO()
    unquoted = csv.writer(buffer, lineterminator="\n")
    quoted = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in rows:
        (quoted if row[0].lstrip().startswith("::") else unquoted).writerow([*map(line_of_log, row)])
    return buffer.getvalue()


def _row(result: Record | Placing, columns: tuple[str, ...]) -> list[str]:
    return [_WRITERS.get(name, _text)(getattr(result, name)) for name in columns]


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else repr(value)  # repr: the shortest text of the same number


_WRITERS: Mapping[str, Callable[[Any], str]] = {
    "cell": cell_name,
    "params": lambda params: cell_name({name: str(value) for name, value in params.items()}),
    "notes": lambda notes: "; ".join(map(str, notes)),
}
"""How fields with several values are written."""


FORMAT = Data("csv", ".csv", text, without_formulas=without_formulas)
