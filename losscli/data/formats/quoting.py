"""Check the quotes in delimited text: a stray one would swallow rows.

A reader takes line ends between two quotes for text, wherever these quotes are.  Text without line ends
between quotes, as two fast counts of its rows show, is read as it is; any other is checked: an opening quote
has to follow a separator or a line end, a closing quote has to precede one.
"""

from __future__ import annotations

from collections.abc import Iterator

from losscli.data.batches import batches
from losscli.data.dialect import Dialect
from losscli.data.formats.text import as_lines, holds, is_plain
from losscli.errors import DataError
from losscli.numeric.arrays import np, pl
from losscli.report.findings import Code, problem

CHUNK = 1 << 20
_LINE_END = ord("\n")
_BACKSLASH = "\\"


def quote_of(path: str, name: str, dialect: Dialect) -> str | None:
    """The quote of the dialect, or None if the file has no quoted field.

    Raises DataError with the row if a quote neither opens nor closes a field, or an error of Polars if the
    file cannot be read.
    """
    assert dialect.quote is not None
    if is_plain(path):
        if not holds(path, dialect.quote):
            return None
        if not holds(path, _BACKSLASH) and _rows(path, dialect, dialect.quote) == _rows(path, dialect, None):
            return dialect.quote
    else:
        text = pl.col("line")
        count = text.str.count_matches(dialect.quote, literal=True)
        flags = (
            as_lines(path)
            .select(
                any=(count > 0).any(),
                odd=(count % 2 == 1).any(),
                escaped=(text.str.contains(_BACKSLASH, literal=True)).any(),
            )
            .collect(engine="streaming")
            .row(0, named=True)
        )
        if not flags["any"]:
            return None
        if not (flags["odd"] or flags["escaped"]):
            return dialect.quote
    return checked_quote(path, name, dialect)


def _rows(path: str, dialect: Dialect, quote: str | None) -> int | None:
    """The number of rows with this quote character; None if the file is malformed with it."""
    options = dialect.options | {"has_header": False, "quote_char": quote}
    try:
        rows = pl.scan_csv(path, infer_schema=False, glob=False, **options).select(pl.len())
        return int(rows.collect(engine="streaming").item())
    except pl.exceptions.ComputeError:
        return None


def checked_quote(path: str, name: str, dialect: Dialect) -> str | None:
    """As `quote_of`, by a look at each quote."""
    quotes = _quotes_in(path, dialect)
    if quotes.are_valid:
        return dialect.quote
    if not quotes.enclose:
        return None  # such as 5" in unquoted fields: all quotes are plain characters
    raise _stray(quotes, name, dialect)


def require_enclosing(path: str, name: str, dialect: Dialect) -> None:
    """Raise DataError for a quote that does not enclose a field, as those in other files of a table do."""
    assert dialect.quote is not None
    if holds(path, dialect.quote) and not (quotes := _quotes_in(path, dialect)).are_valid:
        raise _stray(quotes, name, dialect)


def _quotes_in(path: str, dialect: Dialect) -> _Quotes:
    quotes = _Quotes(dialect)
    for chunk in _chunks(path, dialect):
        quotes.feed(chunk)
    quotes.feed(b"\n")
    return quotes


def _stray(quotes: _Quotes, name: str, dialect: Dialect) -> DataError:
    """The error for the first quote that neither opens nor closes a field."""
    row = (quotes.opened if quotes.wrong is None else quotes.wrong) - dialect.skip
    shown = f"row {max(row, 1) if dialect.has_header else row + 1}"
    escape = "--escape '\\' if a backslash escapes them, " if quotes.escaped else ""
    remedy = f"{escape}--quote none if quotes are plain characters; else double the quotes within a field"
    return DataError(problem(Code.STRAY_QUOTE, name, remedy=remedy, row=shown, quote=dialect.quote))


def _chunks(path: str, dialect: Dialect) -> Iterator[bytes]:
    """The bytes of a file without its comments."""
    if dialect.comment is None and is_plain(path):
        with open(path, "rb") as file:
            if file.read(3) != b"\xef\xbb\xbf":
                file.seek(0)
            while chunk := file.read(CHUNK):
                yield chunk
        return
    lines = as_lines(path)
    if dialect.comment is not None:
        lines = lines.filter(~pl.col("line").str.starts_with(dialect.comment))
    for batch in batches(lines.select(pl.col("line").fill_null(""))):
        yield ("\n".join(batch.to_series()) + "\n").encode()


class _Quotes:
    """The quotes in text that is fed chunk by chunk.

    `is_open` if the last quote opened a field, in row `opened`, counted from 0 with the header.  `wrong` is
    the row of the first quote that neither opens nor closes a field, `enclose` whether any begins a field,
    and `escaped` whether a backslash precedes any.
    """

    def __init__(self, dialect: Dialect) -> None:
        assert dialect.quote is not None
        self.is_open, self.enclose, self.escaped = False, False, False
        self.opened = 0
        self.wrong: int | None = None
        self._sign, self._tail, self._rows = ord(dialect.quote), b"\n", 0
        self._ends = np.zeros(256, bool)
        self._ends[[ord(dialect.separator), _LINE_END, ord("\r")]] = True

    @property
    def are_valid(self) -> bool:
        """Whether each quote opens or closes a field, or is doubled within one."""
        return self.wrong is None and not self.is_open

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes; the last byte is held back until the one after it is known."""
        data = np.frombuffer(self._tail + chunk, np.uint8)
        at = np.flatnonzero(data[1:-1] == self._sign)
        lines = np.flatnonzero(data[1:-1] == _LINE_END)
        outside = lines[(np.searchsorted(at, lines) + self.is_open) % 2 == 0]
        if len(at):
            before, after = data[at], data[at + 2]
            opens = np.arange(len(at)) % 2 == self.is_open
            begins = self._ends[before]
            is_valid = np.where(
                opens, begins | (before == self._sign), self._ends[after] | (after == self._sign)
            )
            self.enclose |= bool(begins.any())
            self.escaped |= bool((before == ord(_BACKSLASH)).any())
            if self.wrong is None and not is_valid.all():
                self.wrong = self._rows + int(np.searchsorted(outside, at[np.argmin(is_valid)]))
            if opens[-1]:
                self.opened = self._rows + int(np.searchsorted(outside, at[-1]))
        self.is_open ^= bool(len(at) % 2)
        self._rows += len(outside)
        self._tail = data[-2:].tobytes()
