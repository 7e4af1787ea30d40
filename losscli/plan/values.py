"""Read the values of options from text, TOML or Python: one reader per kind of value."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from os import PathLike, fspath
from typing import Any

from msgspec import Struct

from losscli import engines
from losscli.catalog import request as requests
from losscli.catalog.params import Param
from losscli.catalog.request import LossRequest
from losscli.data.labels import label_text
from losscli.data.request import comment_of, escape_of, quote_of, separator_of, thousands_of
from losscli.engines import devices
from losscli.errors import UsageError, all_of
from losscli.numeric.ranges import Range
from losscli.render import ALL
from losscli.report.charts import KINDS, parts_of
from losscli.text import not_one_of, split_names

Read = Callable[[str, Any], Any]
"""A reader: (flag, for messages; raw value) -> value.  Raises UsageError."""


class Kind(Struct, frozen=True):
    """A kind of value: its reader, and its type in Python.

    `join` combines the values of a repeated flag; without it, the flag cannot be repeated.  `choices` returns
    the valid words, if there is a list of them.  `may_be_blank` if a space or a tab is a value.
    """

    accepts: str
    read: Read
    join: Callable[[Sequence[str]], Any] | None = None
    choices: Callable[[], Sequence[str]] = tuple
    may_be_blank: bool = False


def _switch(flag: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"{flag} must be true or false, got {value!r}")
    return value


def _text(flag: str, value: Any) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{flag} must be text, got {value!r}")
    if any("\ud800" <= sign <= "\udfff" for sign in value):
        raise UsageError(f"{flag} must be text in UTF-8, got {value!r}")
    return value


def listed(value: Any) -> tuple[Any, ...]:
    """One value, several or none, as a tuple."""
    if value is None:
        return ()
    is_one = isinstance(value, str | Mapping) or callable(value) or not isinstance(value, Iterable)
    return (value,) if is_one else tuple(value)


def _label(flag: str, value: Any) -> str:
    if isinstance(value, list | tuple | Mapping):
        raise UsageError(f"{flag} must be a label, got {value!r}")
    return label_text(_text(flag, value) if isinstance(value, str) else value)


def _names(flag: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return _split(flag, _text(flag, value))
    if isinstance(value, Iterable) and not isinstance(value, Mapping):
        given = tuple(value)
        if not any(isinstance(item, list | tuple | Mapping) for item in given):
            return tuple(map(label_text, given))
    raise UsageError(f"{flag} must be text or a list of text, got {value!r}")


def _split(flag: str, text: str) -> tuple[str, ...]:
    """Split names at commas; an empty name is an error, since it is probably an unset shell variable."""
    names = tuple(split_names(text))
    if not all(name.strip() for name in names):
        raise UsageError(f"{flag} {text}: a name between commas is empty", remedy="leave out the comma")
    return names


def _distinct_names(flag: str, value: Any) -> tuple[str, ...]:
    names = _names(flag, value)
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise UsageError(f"{flag} names {', '.join(twice)} twice")
    return names


def _slices(flag: str, value: Any) -> tuple[tuple[str, ...], ...]:
    return tuple(_split(flag, _text(flag, text)) for text in listed(value))


def _raw(flag: str, value: Any) -> tuple[Any, ...]:
    return listed(value)


def _source(flag: str, value: Any) -> Any:
    """A path, or data in memory."""
    if isinstance(value, str | PathLike) and "\0" in str(fspath(value)):
        raise UsageError(f"{flag}: a file name cannot contain NUL, got {value!r}")
    return value


def _path(flag: str, value: Any) -> Any:
    if not isinstance(value, str | PathLike):
        raise UsageError(f"{flag} must be a path, got {value!r}")
    return _source(flag, value)


def _state(flag: str, value: Any) -> Any:
    path = str(fspath(_path(flag, value)))
    if "://" in path:
        raise UsageError(f"{flag} {path}: an output is a local file", remedy="write it here, then upload it")
    if not path.endswith(".state"):
        raise UsageError(f"{flag} {path}: the name of a state ends in .state", remedy="name it part-1.state")
    return value


def _sources(flag: str, value: Any) -> tuple[Any, ...]:
    return tuple(_source(flag, source) for source in listed(value))


def _charts(flag: str, value: Any) -> tuple[str, ...]:
    names = tuple(_text(flag, name) for name in listed(value))
    if wrong := [kind for kind, _ in map(parts_of, names) if kind not in KINDS]:
        raise UsageError(not_one_of(flag, wrong[0], KINDS))
    if empty := [name for name in names if name.endswith(":")]:
        raise UsageError(
            f"{flag} {empty[0]}: no loss after the colon", remedy="leave out the colon, for all losses"
        )
    return tuple(dict.fromkeys(names))


def _class_weights(flag: str, value: Any) -> dict[str, float]:
    """The weight of each named class, from 'cat=2,dog=1' or a mapping."""
    if not isinstance(value, str | Mapping):
        raise UsageError(f"{flag} must be text or a table of numbers, got {value!r}")
    pairs = (
        value.items() if isinstance(value, Mapping) else [_pair(flag, part) for part in _split(flag, value)]
    )
    weights = {}
    for name, text in pairs:
        weight = Param(f"{flag} {label_text(name)}", ..., float, range=Range(0)).parse(text)
        weights[label_text(name)] = weight
    return weights


def _pair(flag: str, part: str) -> tuple[str, str]:
    name, equals, text = part.rpartition("=")
    if not equals:
        raise UsageError(f"{flag} {part}: expected class=number, as in cat=2,dog=1")
    return name, text


_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([KMGT])(i?)B?|B)?", re.IGNORECASE)


_LARGEST = 1e18
"""A limit above any size, in any unit."""


def _size(flag: str, value: Any) -> int:
    """Bytes, from a number or from text: 8GiB, 500MB."""
    match = None if isinstance(value, bool) else _SIZE.fullmatch(str(value).strip())
    if match is None:
        raise UsageError(f"{flag} must be a number of bytes, as in 8GiB, got {value!r}")
    number, prefix, binary = match.groups()
    power = "KMGT".index(prefix.upper()) + 1 if prefix else 0
    return int(min(float(number), _LARGEST) * (1024 if binary else 1000) ** power)


def _part(flag: str, value: Any) -> tuple[int, int]:
    """The number of the part and the number of parts, from '2/6'."""
    match = re.fullmatch(r"\s*(\d{1,9})\s*/\s*(\d{1,9})\s*", str(value))
    number, count = (0, 0) if match is None else map(int, match.groups())
    if not 1 <= number <= count:
        raise UsageError(f"{flag} must say which part of how many this is, as in 2/6, got {value!r}")
    return number, count


_CELLS = Range(1, whole=True)


def _cells(flag: str, value: Any) -> int:
    if value == "all":
        return ALL
    try:
        return int(_CELLS.parse(value))
    except ValueError:
        raise UsageError(f"{flag} must be all, or {_CELLS}, got {value!r}") from None


def _device(flag: str, value: Any) -> str:
    name = devices.checked(_text(flag, value))
    if name != devices.AUTO:
        devices.by_name(name)
    return name


def _engine(flag: str, value: Any) -> str:
    return engines.checked(_text(flag, value))


def _losses(flag: str, value: Any) -> tuple[LossRequest, ...]:
    return tuple(all_of(*(partial(requests.find, spec) for spec in listed(value))))


def number(bounds: Range, kind: type = float, optional: bool = False) -> Kind:
    """A number within bounds, or none if it is `optional`."""

    def read(flag: str, value: Any) -> Any:
        return Param(flag, ..., kind, range=bounds, optional=optional).parse(value)

    return Kind(f"{kind.__name__} | str | None", read)


def count(low: int = 0, high: float = math.inf) -> Kind:
    """A whole number."""
    return number(Range(low, high, whole=True), int)


def one_of(words: Iterable[str] | Callable[[], Iterable[str]]) -> Kind:
    """One word of a list; pass a function if the list is slow to build."""

    def listed_words() -> tuple[str, ...]:
        return tuple(words() if callable(words) else words)

    def read(flag: str, value: Any) -> Any:
        choices = listed_words()
        if value not in choices:
            raise UsageError(not_one_of(flag, value, choices))
        return value

    return Kind("str | None", read, choices=listed_words)


SWITCH = Kind("bool | None", _switch)
TEXT = Kind("str | None", _text)
LABEL = Kind("object", _label)
NAMES = Kind("str | Iterable[object] | None", _names, ",".join)
CLASSES = Kind("str | Iterable[object] | None", _distinct_names, ",".join)
SLICES = Kind("object", _slices, list)
CLASS_WEIGHTS = Kind("str | Mapping[Any, float] | None", _class_weights)
SEPARATOR = Kind("str | None", lambda flag, value: separator_of(_text(flag, value)), may_be_blank=True)
QUOTE = Kind("str | None", lambda flag, value: quote_of(_text(flag, value)))
ESCAPE = Kind("str | None", lambda flag, value: escape_of(_text(flag, value)))
COMMENT = Kind("str | None", lambda flag, value: comment_of(_text(flag, value)))
THOUSANDS = Kind("str | None", lambda flag, value: thousands_of(_text(flag, value)), may_be_blank=True)
DEVICE = Kind("str | None", _device)
ENGINE = Kind("str | None", _engine)
COLUMN = Kind("object", _text)
"""The name of a column; in Python also the column itself, which is replaced by its name beforehand."""
LOSSES = Kind("Any", _losses, list)
GATES = Kind("str | Mapping[str, object] | Sequence[str | Mapping[str, object]] | None", _raw, list)
REPORT = Kind("Report | Source | None", _source)
FILE = Kind("Source | None", _source)
PATH = Kind("str | PathLike[str] | None", _path)
SIZE = Kind("int | str | None", _size)
CELLS = Kind("int | str | None", _cells)
STATE = Kind("str | PathLike[str] | None", _state)
PART = Kind("str | None", _part)
CHARTS = Kind("str | Sequence[str] | None", _charts, list, choices=lambda: tuple(KINDS))
FILES = Kind("Sequence[Source] | None", _sources, list)
