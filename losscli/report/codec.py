"""Reports as JSON text, and back with every field checked.

`model.py` defines the report of a run.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, TypeAlias, TypeVar, get_type_hints

import msgspec
from msgspec import Struct, field
from msgspec.structs import asdict, replace

from losscli.errors import DataError

SCHEMA = 1
"""The version of the format, which rises when a field changes its meaning or is removed."""
ParamValue: TypeAlias = bool | int | float | str | None
"""The type of a parameter of a loss."""
_SAVE = "losscli evaluate ... -o report.json"
_AGAIN = "save it again"
_INFINITE = ("inf", "-inf")
_Decoded = TypeVar("_Decoded")


class Record(Struct, frozen=True, kw_only=True):
    """What is reported of a loss with its parameters.

    `derived` names the properties that its JSON has in addition to its fields: they are written for other
    programs, and computed again when the JSON is read.
    """

    derived: ClassVar[tuple[str, ...]] = ()

    loss: str
    label: str = ""
    params: Mapping[str, ParamValue] = field(default_factory=dict)


_Record = TypeVar("_Record", bound=Record)
_Whole = TypeVar("_Whole", bound="Whole")


class Whole(Struct, frozen=True):
    """A report: plain data, structs and tuples of records.

    `always` names fields with a default that its JSON has all the same: one without them is damaged.  Its
    JSON has those of `unless_empty` only if they hold anything.
    """

    always: ClassVar[tuple[str, ...]] = ()
    unless_empty: ClassVar[tuple[str, ...]] = ()


class _Header(Struct):
    """The fields that reports of all versions have."""

    schema: int
    losscli: str = ""


def encode(report: Whole, first: Sequence[str] = ()) -> bytes:
    """The report as compact JSON, with every digit of each number; `first` are the fields to begin with."""
    plain = msgspec.to_builtins(report)
    plain = {name: held for name, held in plain.items() if held or name not in report.unless_empty}
    for name, records in _records(report):
        for record, own in zip(records, plain[name], strict=True):
            own["params"] = _written(record.params)
            own |= {each: getattr(record, each) for each in record.derived}
    return msgspec.json.encode({"schema": SCHEMA} | {name: plain[name] for name in first} | plain)


def decode(text: str | bytes, kind: type[_Whole]) -> _Whole:
    """The report of this kind in a JSON text.  Raises DataError, which names the field that is wrong."""
    try:
        header = _decoded(text, _Header)
    except msgspec.ValidationError as error:
        raise DataError("is not a losscli report", remedy=_SAVE) from error
    if header.schema != SCHEMA:
        raise _unknown_schema(header)
    try:
        report = _decoded(text, kind)
    except msgspec.ValidationError as error:
        what, _, place = str(error).rpartition(" - at ")
        where = f" at {place.strip('`')}" if what else ""
        raise DataError(f"is a damaged report{where}: {what or place}", remedy=_AGAIN) from error
    held = _decoded(text, dict[str, msgspec.Raw])
    if lost := [name for name in kind.always if name not in held]:
        raise DataError(f"is a damaged report: it has no field {', '.join(lost)}", remedy=_AGAIN)
    return replace(report, **{name: tuple(map(_read, records)) for name, records in _records(report)})


def schema(kind: type[Whole]) -> dict[str, Any]:
    """The JSON schema of a kind of report."""
    found = msgspec.json.schema(kind)
    kinds = found["$defs"]
    whole = kinds[kind.__name__]
    whole["properties"] = {"schema": {"const": SCHEMA}} | whole["properties"]
    whole["required"] = ["schema", *whole["required"], *kind.always]
    for record in Record.__subclasses__():
        for name in record.derived if record.__name__ in kinds else ():
            value = get_type_hints(getattr(record, name).fget)["return"]
            kinds[record.__name__]["properties"][name] = msgspec.json.schema(value) | {"readOnly": True}
    return found


def _records(report: Struct) -> Iterator[tuple[str, tuple[Record, ...]]]:
    """The fields of a report that hold records."""
    for name, values in asdict(report).items():
        if isinstance(values, tuple) and values and isinstance(values[0], Record):
            yield name, values


def _decoded(text: str | bytes, kind: type[_Decoded]) -> _Decoded:
    """The text as this kind.  Raises DataError if it is not JSON, msgspec.ValidationError for other data."""
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


# JSON has no infinity, which parameters may be.


def _written(params: Mapping[str, ParamValue]) -> dict[str, ParamValue]:
    return {name: str(v) if isinstance(v, float) and math.isinf(v) else v for name, v in params.items()}


def _read(record: _Record) -> _Record:
    infinite = {name: float(v) for name, v in record.params.items() if isinstance(v, str) and v in _INFINITE}
    return replace(record, params={**record.params, **infinite}) if infinite else record
