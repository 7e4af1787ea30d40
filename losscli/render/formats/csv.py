"""A report as CSV: one row per result, comparison or placing, with every digit."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, TypeAlias

from msgspec.structs import asdict

from losscli.render.formats import Data
from losscli.report.codec import Record
from losscli.report.model import Comparison, Placing, Report, Result, Segment, cell_name, representatives
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
Row: TypeAlias = Sequence[str | float | None]
"""The fields of a line: text, and numbers, which are written with every digit."""
_OF_ALL = ("loss", "label", "params", "cell", "value", "higher_is_better", "rows", "weight")
"""The columns of weak segments that the overall result has too; the others describe the difference."""


def text(report: Report) -> str:
    """A header, then one line per result or comparison; an undefined value is empty."""
    if report.is_search:
        return _lines([SEGMENTS, *_of_search(report)])
    if report.board:
        return _lines(chain([PLACED], map(_row, report.board)))
    results = report.results
    if report.comparisons and all(each.model is not None for each in representatives(results)):
        return _lines(chain([COMPARED], map(_row, report.comparisons)))
    return _lines(chain([COLUMNS], map(_row, results)))


def _of_search(report: Report) -> Iterator[Row]:
    """The lines of a search: the overall results, with an empty cell, then the weak segments."""
    for result in report.results:
        values = dict(zip(COLUMNS, _row(result), strict=True))
        yield [values[name] if name in _OF_ALL else None for name in SEGMENTS]
    yield from map(_row, report.segments)


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


def _lines(rows: Iterable[Row]) -> str:
    """Rows as lines of CSV; one that begins with :: is quoted, since CI logs would read it as a command."""
    buffer = io.StringIO()
    unquoted = csv.writer(buffer, lineterminator="\n")
    quoted = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in rows:
        writer = quoted if str(row[0]).lstrip().startswith("::") else unquoted
        writer.writerow([line_of_log(value) if isinstance(value, str) else value for value in row])
    return buffer.getvalue()


def _row(record: Record | Placing) -> Row:
    """The fields of a record."""
    fields = asdict(record).items()
    return [_WRITERS[name](value) if name in _WRITERS else value for name, value in fields]


_WRITERS: Mapping[str, Callable[[Any], str]] = {
    "cell": cell_name,
    "params": lambda params: cell_name({name: str(value) for name, value in params.items()}),
    "notes": lambda notes: "; ".join(map(str, notes)),
}
"""How fields with several values are written."""


FORMAT = Data("csv", ".csv", text, without_formulas=without_formulas)
