"""NDJSON: one object per line."""

from __future__ import annotations

import glob
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from losscli.data import limits
from losscli.data.formats import rewriting
from losscli.data.formats.base import FILE, Files, Format, Scanned, partitioned
from losscli.data.formats.text import expected_rows, first_lines, lines, not_text, shown
from losscli.errors import EXAMPLES, Problem
from losscli.numeric.arrays import pl
from losscli.report.findings import Code, Tally, finding
from losscli.text import shortened

if TYPE_CHECKING:
    from losscli.data.request import Reading

INFER_ROWS = 10_000
"""Rows from which the types of lists and objects are inferred; other values are read as text."""


class Ndjson(Format, frozen=True):
    """Text with typed values; files may have different columns."""

    def claims(self, line: str) -> bool:
        """Whether the line begins with a brace."""
        return line.lstrip("\ufeff ").startswith("{")

    def hold(self, files: Files, asked: Reading) -> Files:
        """The files, rewritten in UTF-8 without a byte order mark if necessary."""
        for path in files.paths if not files.remote else ():
            limits.require_inflation(path, asked.max_memory, files.shown(path))
            limits.require_short("".join(first_lines(path, 1)[:1]), files.shown(path))
        return rewriting.all_in_utf8(files)

    def open(self, files: Files) -> Scanned:
        """The table with the types that the first rows show; lists and objects have their JSON types."""
        schema = self.scan(files).collect_schema()
        types = {
            name: _as_read(dtype) if dtype.is_nested() else pl.String() for name, dtype in schema.items()
        }
        return shown(self, files, types)

    def scan(self, files: Files, types: Mapping[str, Any] | None = None) -> pl.LazyFrame:
        """The scan of the files, with these types if known."""
        schema = {name: dtype for name, dtype in (types or {}).items() if name not in files.partitions}
        scan = pl.scan_ndjson(
            # Polars resolves patterns in URLs; a local name is taken literally.
            list(files.paths) if files.remote else [glob.escape(path) for path in files.paths],
            schema=schema or None,
            infer_schema_length=INFER_ROWS,
            include_file_paths=FILE if files.partitions else None,
        )
        return partitioned(scan, files)

    def expected_rows(self, files: Files) -> int | None:
        """The number of rows, estimated from the length of the first lines."""
        return expected_rows(files)

    def diagnose(self, files: Files, types: Mapping[str, Any]) -> list[Problem]:
        """The problems of files that are not text, lines that are not objects, and values of other types."""
        return not_text(files) or _not_objects(files, types) or ([] if types else _mixed(files))


def _as_read(dtype: Any) -> Any:
    """The type in which a column is read: floats for integers, since only the first rows are known."""
    if isinstance(dtype, pl.List):
        return pl.List(_as_read(dtype.inner))
    return pl.Float64() if dtype.is_integer() else dtype


def _not_objects(files: Files, types: Mapping[str, Any]) -> list[Problem]:
    """The problems of lines that are not JSON objects, and of values of other types than their column."""
    problems = []
    for path in files.paths:
        broken, mistyped = list[str](), dict[str, list[str]]()
        for number, value in _parsed(path):
            if isinstance(value, str):
                broken.append(f"line {number}: {value}")
                continue
            for name, dtype in types.items():
                if name in value and not _fits(value[name], dtype):
                    mistyped.setdefault(name, []).append(f"line {number}: {value[name]!r}")
        shown = files.shown(path)
        if broken:
            kind = finding(Code.INVALID_JSON_LINE, shown)
            problems.append(kind.problem(Tally(len(broken), broken[:EXAMPLES])))
        for name, examples in mistyped.items():
            kind = finding(Code.NOT_A_NUMBER, f"{shown}, column {name}", kind=types[name])
            problems.append(kind.problem(Tally(len(examples), examples[:EXAMPLES])))
    return problems


def _mixed(files: Files) -> list[Problem]:
    """The problems of columns with lists or objects in some rows and not in others: they have no type."""
    problems, kinds = list[Problem](), dict[str, str]()
    for path in files.paths:
        others = dict[str, list[str]]()
        for number, row in _parsed(path):
            for name, value in row.items() if isinstance(row, dict) else ():
                kind = _KINDS.get(type(value), "a single value")
                if value is not None and kinds.setdefault(name, kind) != kind:
                    others.setdefault(name, []).append(f"line {number}: {shortened(repr(value))}")
        for name, examples in others.items():
            kind_of_first = finding(
                Code.NOT_A_NUMBER, f"{files.shown(path)}, column {name}", kind=kinds[name]
            )
            problems.append(kind_of_first.problem(Tally(len(examples), examples[:EXAMPLES])))
    return problems


_KINDS: dict[type, str] = {list: "a list", dict: "an object"}
"""What nested values are called."""


def _parsed(path: str) -> Iterator[tuple[int, Any]]:
    """The number of each line and its object, or the reason why it is not an object."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    for number, line in enumerate(lines(path), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line, parse_constant=refuse)
        except ValueError as error:
            yield number, str(error)
            continue
        except RecursionError:
            yield number, "lists or objects are nested too deeply"
            continue
        yield number, value if isinstance(value, dict) else f"{line[:40]} is not an object"


def _fits(value: Any, dtype: Any) -> bool:
    """Whether a column of a type can hold a JSON value."""
    if value is None or dtype in (pl.Null, pl.String):
        return True
    if isinstance(dtype, pl.List):
        return isinstance(value, list) and all(_fits(each, dtype.inner) for each in value)
    if dtype == pl.Boolean:
        return isinstance(value, bool)
    if dtype.is_integer():
        return isinstance(value, int) and not isinstance(value, bool)
    return not dtype.is_numeric() or (isinstance(value, int | float) and not isinstance(value, bool))


FORMATS = (Ndjson("ndjson", (".ndjson", ".jsonl"), is_text=True, is_compressible=True),)
