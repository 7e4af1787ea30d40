"""The JSON codec of reports, which validates every field on reading.

`model.py` defines the report of a run.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, ClassVar, TypeAlias, TypeVar, get_type_hints

import msgspec
from msgspec import Struct, field
from msgspec.structs import asdict, replace

from losscli.errors import DataError

_CHUNK = 1 << 12
"""The number of records that are encoded at once."""
SCHEMA = 1
"""The version of the format, which is incremented if a field is removed or changes its meaning."""
ParamValue: TypeAlias = bool | int | float | str | None
"""The type of a parameter of a loss."""
_SAVE = "losscli evaluate ... -o report.json"
_AGAIN = "save it again"
_INFINITE = ("inf", "-inf")
_Decoded = TypeVar("_Decoded")
_encode = msgspec.json.Encoder().encode


class Record(Struct, frozen=True, kw_only=True):
    """An entry of a report about a loss with its parameters.

    `derived` names properties that are added to its JSON for other programs; they are ignored on reading.
    """

    derived: ClassVar[tuple[str, ...]] = ()

    loss: str
    label: str = ""
    params: Mapping[str, ParamValue] = field(default_factory=dict)


_Record = TypeVar("_Record", bound=Record)
_Whole = TypeVar("_Whole", bound="Whole")


class Whole(Struct, frozen=True):
    """A report: plain data, structs and tuples of records.

    `always` names fields that its JSON must have although they have a default.  Fields in `unless_empty` are
    only written if they are not empty.
    """

    always: ClassVar[tuple[str, ...]] = ()
    unless_empty: ClassVar[tuple[str, ...]] = ()


class _Header(Struct):
    """The fields that reports of all versions have."""

    schema: int
    losscli: str = ""


def encode(report: Whole, first: Sequence[str] = ()) -> bytes:
    """The report as compact JSON, with every digit of each number; `first` are its first fields."""
    fields = asdict(report)
    fields = {name: value for name, value in fields.items() if value or name not in report.unless_empty}
    fields |= {name: _encoded(records) for name, records in _records(report)}
    return msgspec.json.encode({"schema": SCHEMA} | {name: fields[name] for name in first} | fields)


def _encoded(records: Sequence[Record]) -> msgspec.Raw:
    """The JSON array of records, joined chunk by chunk: there may be a million."""
    chunks, texts = list[bytes](), map(_encoded_record, records)
    while chunk := b",".join(islice(texts, _CHUNK)):
        chunks.append(chunk)
    return msgspec.Raw(b"[%b]" % b",".join(chunks))


def _encoded_record(record: Record) -> bytes:
    """The JSON object of a record, with its derived properties at the end."""
    text = _encode(_written(record))
    if not record.derived:
        return text
    derived = _encode({name: getattr(record, name) for name in record.derived})
    return b"%b,%b" % (text[:-1], derived[1:])


def decode(text: str | bytes, kind: type[_Whole]) -> _Whole:
    """The report of this kind in a JSON text.  Raises DataError, which names the invalid field."""
    try:
        header = _decoded(text, _Header)
    except msgspec.ValidationError as error:
        raise DataError("is not a losscli report", remedy=_SAVE) from error
    if header.schema != SCHEMA:
        raise _unknown_schema(header)
    try:
        report = _decoded(text, kind)
    except msgspec.ValidationError as error:
        what, _, path = str(error).rpartition(" - at ")
        where = f" at {path.strip('`')}" if what else ""
        raise DataError(f"is a damaged report{where}: {what or path}", remedy=_AGAIN) from error
    fields = _decoded(text, dict[str, msgspec.Raw])
    if missing := [name for name in kind.always if name not in fields]:
        raise DataError(f"is a damaged report: it has no field {', '.join(missing)}", remedy=_AGAIN)
    lists = {name: tuple(value) for name, value in asdict(report).items() if isinstance(value, list)}
    records = {name: tuple(map(_read, records)) for name, records in _records(report)}
    return replace(report, **(lists | records))


def schema(kind: type[Whole]) -> dict[str, Any]:
    """The JSON schema of a kind of report."""
    json_schema = msgspec.json.schema(kind)
    definitions = json_schema["$defs"]
    report_schema = definitions[kind.__name__]
    report_schema["properties"] = {"schema": {"const": SCHEMA}} | report_schema["properties"]
    report_schema["required"] = ["schema", *report_schema["required"], *kind.always]
    for record in Record.__subclasses__():
        for name in record.derived if record.__name__ in definitions else ():
            value = get_type_hints(getattr(record, name).fget)["return"]
            definitions[record.__name__]["properties"][name] = msgspec.json.schema(value) | {"readOnly": True}
    return json_schema


def _records(report: Struct) -> Iterator[tuple[str, Sequence[Record]]]:
    """The fields of a report that hold records."""
    for name, values in asdict(report).items():
        if isinstance(values, Sequence) and values and isinstance(values[0], Record):
            yield name, values


def _decoded(text: str | bytes, kind: type[_Decoded]) -> _Decoded:
    """The decoded JSON.  Raises DataError if it is not JSON, msgspec.ValidationError for another type."""
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(f"is not JSON: {error}", remedy=_SAVE) from error
    except RecursionError as error:
        raise DataError("is a damaged report: it is nested too deeply", remedy=_AGAIN) from error


def _unknown_schema(header: _Header) -> DataError:
    by = f" of losscli {header.losscli}" if header.losscli else ""
    remedy = "upgrade losscli" if header.schema > SCHEMA else "save it again: " + _SAVE
    return DataError(f"is a report{by} in schema {header.schema}; this version reads schema {SCHEMA}", remedy)


# JSON cannot represent infinity, which parameters may have.


def _written(record: _Record) -> _Record:
    """The record with infinite parameters as text."""
    infinite = {name: str(v) for name, v in record.params.items() if isinstance(v, float) and math.isinf(v)}
    return replace(record, params={**record.params, **infinite}) if infinite else record


def _read(record: _Record) -> _Record:
    """The record with infinite parameters as numbers."""
    infinite = {name: float(v) for name, v in record.params.items() if isinstance(v, str) and v in _INFINITE}
    return replace(record, params={**record.params, **infinite}) if infinite else record
