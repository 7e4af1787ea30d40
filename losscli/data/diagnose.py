"""What is wrong with files that cannot be read as they should: found by a slow second look at them."""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import polars as pl

from losscli.data import sniff, sources
from losscli.data.batches import batches
from losscli.data.formats import arrow_stream
from losscli.data.sources import Files
from losscli.errors import EXAMPLES, Problem
from losscli.text import counted

if TYPE_CHECKING:
    from losscli.data.table import Table


MISSING = "NA"
"""What stands for a missing number in a text file, besides nothing at all."""
_WHOLE = {"parquet": "Parquet file", "ipc": "Arrow file", "ipc_stream": "Arrow stream"}
Errors = (pl.exceptions.PolarsError, OSError, ValueError)
"""What is raised for files that cannot be read."""


def diagnose(source: Table) -> list[Problem]:
    """What is wrong with files that could not be read: found by a slow second look at them."""
    files = source.files
    if files is None or files.remote or files.format in sources.ARRAYS:
        return []
    if files.format in _WHOLE:
        return _not_whole(files)
    for path in files.paths:
        try:
            blank = True
            for line in sniff.lines(path):
                blank = blank and not line.strip()
        except pl.exceptions.NoDataError:
            blank = True
        except Errors as error:
            reason = f"the compressed data are not whole ({sources.said(error)})"
            return [Problem(reason, files.shown(path), "write it again")]
        if blank:
            return [Problem("an empty file", files.shown(path), "it needs a header and rows")]
    if problems := _not_utf8(files):
        return problems
    return (
        _not_objects(source, files) if files.format == "ndjson" else [*uneven(source), *not_numbers(source)]
    )


_REFUSED = {
    "NoSuchBucket": ("no such bucket", "check the address"),
    "expanded paths were empty": ("no file has a name like this", "check the pattern"),
    "not found": ("no such file", "check the address"),
    "status code: 40": ("access denied", "credentials are those of the environment"),
    "necessary privileges": ("access denied", "credentials are those of the environment"),
}
"""What errors of object stores say, in the order in which they are looked for, and what it means."""


def unreadable(error: Exception, *tables: Table) -> Problem:
    """What an error says of tables in which nothing wrong was found."""
    remote = [each.name for each in tables if each.files and each.files.remote]
    if not remote:
        names = " and ".join(each.name for each in tables)
        return Problem(f"cannot be read: {sources.said(error)}", names, "is the file whole?")
    names = " and ".join(remote)
    for word, (what, remedy) in _REFUSED.items():
        if word in str(error):
            return Problem(what, names, remedy)
    remedy = "check the address, the credentials in the environment, and the file"
    return Problem(f"cannot be read: {sources.said(error)}", names, remedy)


def _not_whole(files: Files) -> list[Problem]:
    """Files of which some bytes cannot be decoded: everything is decoded, and nothing is kept."""
    problems = []
    for path in files.paths:
        try:
            for _ in _decoded(path, files.format):
                pass
        except Errors as error:
            what = f"not a whole {_WHOLE[files.format]} ({sources.said(error)})"
            problems.append(Problem(what, files.shown(path), "write it again"))
    return problems


def _decoded(path: str, form: str) -> Iterator[pl.DataFrame]:
    if form == "ipc_stream":
        return arrow_stream.stream_frames(path)
    scan = pl.scan_parquet(path, glob=False) if form == "parquet" else pl.scan_ipc(path, glob=False)
    return batches(scan, ordered=False)


def unlike(source: Table) -> list[Problem]:
    """Files whose columns are not those of the first one."""
    files = source.files
    if files is None or files.remote or len(files.paths) == 1 or files.format in ("ndjson", *sources.ARRAYS):
        return []
    problems: list[Problem] = []
    first: dict[str, Any] | None = None
    for path in files.paths:
        try:
            own = _columns(path, files)
        except pl.exceptions.NoDataError:
            problems.append(Problem("an empty file", path, "it needs a header and rows"))
            continue
        except Errors as error:
            what = f"not a whole {_WHOLE.get(files.format, 'file')} ({sources.said(error)})"
            problems.append(Problem(what, path, "write it again"))
            continue
        first = own if first is None else first
        if differences := _differences(first, own):
            what = f"its columns are not those of {files.paths[0]}: {', '.join(differences[:EXAMPLES])}"
            problems.append(Problem(what, path, "name files of equal columns"))
    return problems[:EXAMPLES]


def _columns(path: str, files: Files) -> dict[str, Any]:
    """The columns of one file with their types; text has no types."""
    if files.format == "parquet":
        return dict(pl.read_parquet_schema(path))
    if files.format == "ipc":
        return dict(pl.read_ipc_schema(path))
    if files.format == "ipc_stream":
        return arrow_stream.stream_schema(path)
    return dict.fromkeys(sniff.header(path, files.separator or ","))


def _differences(first: dict[str, Any], own: dict[str, Any]) -> list[str]:
    return [
        *(f"no {name}" for name in first if name not in own),
        *(f"one more, {name}" for name in own if name not in first),
        *(
            f"{name} is {own[name]}, not {first[name]}"
            for name in first
            if own.get(name, first[name]) != first[name]
        ),
    ]


def _not_utf8(files: Files) -> list[Problem]:
    problems = []
    for path in files.paths:
        bad = (
            f"line {number}: {line[:80]}"
            for number, line in enumerate(sniff.lines(path), 1)
            if "\ufffd" in line
        )
        if examples := tuple(line for line, _ in zip(bad, range(EXAMPLES), strict=False)):
            name = files.shown(path)
            remedy = f"iconv -f latin1 -t utf-8 {name.rpartition('/')[2]}"
            problems.append(Problem("not UTF-8", name, remedy, examples))
    return problems


def uneven(source: Table, blank: bool = False) -> list[Problem]:
    """Rows of text files with more or fewer fields than the header, and blank lines among several columns.

    `blank` says that a blank line is one too many in a single column, where else it is a missing value.
    """
    files = source.files
    if files is None or files.separator is None or files.remote:
        return []
    return [problem for path in files.paths for problem in _uneven(path, files, blank)]


def _uneven(path: str, files: Files, blank: bool) -> list[Problem]:
    count, examples = 0, list[str]()
    lines = csv.reader(sniff.lines(path), delimiter=files.separator or ",")
    width = len(next(lines, []))
    with suppress(csv.Error):
        for number, line in enumerate(lines, 1):
            if len(line) == width or (not line and width == 1 and not blank):
                continue
            count += 1
            if count <= EXAMPLES:
                found = counted(len(line), "fields") if line else "a blank line"
                examples.append(f"row {number}: {found}")
    if not count:
        return []
    fields = counted(width, "fields").removeprefix("1 ")
    what = counted(count, f"rows do not have the header's {fields}")
    remedy = "quote fields that hold the separator, delete blank lines"
    return [Problem(what, files.shown(path), remedy, tuple(examples))]


def _as_text(path: str, files: Files) -> pl.LazyFrame:
    """A file with all columns as text, which is never wrong."""
    return pl.scan_csv(
        path,
        separator=files.separator or ",",
        infer_schema=False,
        truncate_ragged_lines=True,
        glob=files.remote,
    )


def short_rows(source: Table) -> list[Problem]:
    """What `uneven` finds, if the last column has missing values: a row cut short has no last field."""
    files = source.files
    if files is None or files.separator is None or files.remote:
        return []
    last = [name for name in source.schema if name not in files.partitions][-1]
    missing = (
        _as_text(path, files).select(pl.col(last).is_null().any()).collect(engine="streaming").item()
        for path in files.paths
    )
    return uneven(source) if any(missing) else []


def not_numbers(source: Table, columns: Collection[str] | None = None) -> list[Problem]:
    """Columns of text files that should hold numbers (or true and false) and hold text in some rows."""
    files = source.files
    if files is None or files.separator is None:
        return []
    wanted = {
        name: dtype
        for name, dtype in source.schema.items()
        if dtype != pl.String and name not in files.partitions and (columns is None or name in columns)
    }
    return (
        [problem for path in files.paths for problem in _not_numbers(path, files, wanted)] if wanted else []
    )


def _not_numbers(path: str, files: Files, wanted: dict[str, Any]) -> list[Problem]:
    text = _as_text(path, files).select(pl.col(*wanted).str.strip_chars_start().replace(MISSING, None))
    wrong = [pl.col(name).is_not_null() & ~_readable(pl.col(name), dtype) for name, dtype in wanted.items()]
    problems = []
    with suppress(pl.exceptions.PolarsError):
        counts = text.select(each.sum() for each in wrong).collect(engine="streaming")
        for (name, dtype), bad in zip(wanted.items(), wrong, strict=True):
            if not counts[name].item():
                continue
            rows = text.with_row_index("#", 1).filter(bad).select("#", name).head(EXAMPLES).collect()
            shown = tuple(f"row {row}: {value!r}" for row, value in rows.iter_rows())
            what = counted(counts[name].item(), f"values that are not {_kind(dtype)}")
            problems.append(Problem(what, f"{files.shown(path)}, column {name}", "mend these rows", shown))
    return problems


def _kind(dtype: Any) -> str:
    """What a value of a type is, in words."""
    if dtype == pl.Boolean:
        return "true or false"
    return "a whole number" if dtype.is_integer() else "text" if dtype == pl.String else "a number"


def _readable(text: pl.Expr, dtype: Any) -> pl.Expr:
    if dtype == pl.Boolean:
        return text.str.to_lowercase().is_in(["true", "false"])
    return text.cast(dtype, strict=False).is_not_null()


def _not_objects(source: Table, files: Files) -> list[Problem]:
    """Lines that are no JSON object, and columns with values that are not of the type of the others."""
    problems = []
    for path in files.paths:
        broken, odd = list[str](), dict[str, list[str]]()
        for number, value in _parsed(path):
            if isinstance(value, str):
                broken.append(f"line {number}: {value}")
                continue
            for name, dtype in source.schema.items():
                if name in value and not _fits(value[name], dtype):
                    odd.setdefault(name, []).append(f"line {number}: {value[name]!r}")
        shown = files.shown(path)
        if broken:
            what = counted(len(broken), "lines are not a JSON object")
            remedy = "an object a line; null for a missing number"
            problems.append(Problem(what, shown, remedy, tuple(broken[:EXAMPLES])))
        for name, examples in odd.items():
            what = counted(len(examples), f"values that are not {_kind(source.schema[name])}")
            where = f"{shown}, column {name}"
            problems.append(Problem(what, where, "mend these rows", tuple(examples[:EXAMPLES])))
    return problems


def _parsed(path: str) -> Iterator[tuple[int, Any]]:
    """Each line with its number as an object, or as text that says why it is none."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    for number, line in enumerate(sniff.lines(path), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line, parse_constant=refuse)
        except ValueError as error:
            yield number, str(error)
            continue
        yield number, value if isinstance(value, dict) else f"{line[:40]} is no object"


def _fits(value: Any, dtype: Any) -> bool:
    """Whether a JSON value can stand in a column of a type."""
    if value is None or dtype in (pl.Null, pl.String):
        return True
    if isinstance(dtype, pl.List):
        return isinstance(value, list) and all(_fits(each, dtype.inner) for each in value)
    if dtype == pl.Boolean:
        return isinstance(value, bool)
    if dtype.is_integer():
        return isinstance(value, int) and not isinstance(value, bool)
    return not dtype.is_numeric() or (isinstance(value, int | float) and not isinstance(value, bool))
