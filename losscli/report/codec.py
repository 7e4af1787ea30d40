"""Reports as JSON text, and back with every field checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from losscli.errors import DataError
from losscli.report.model import Comparison, Report, Result

SCHEMA = 1
"""The version of the format, which rises when a field changes its meaning or is removed."""
_FIRST = ("losscli", "signature", "names", "provenance")
"""Fields that describe the run, written before its results."""
_INFINITE = ("inf", "-inf")
_Decoded = TypeVar("_Decoded", bound=Struct)
_Estimated = TypeVar("_Estimated", Result, Comparison)


class _Header(Struct):
    """The fields that reports of all versions have."""

    schema: int
    losscli: str = ""


def encode(report: Report) -> bytes:
    """The report as compact JSON, with every digit of each number."""
    plain = msgspec.to_builtins(report)
    for result, own in zip(report.results, plain["results"], strict=True):
        own |= {"params": _written(result.params), "minimum_detectable": result.minimum_detectable}
    for each, own in zip(report.comparisons, plain["comparisons"], strict=True):
        own |= {"params": _written(each.params), "winner": each.winner}
    return msgspec.json.encode({"schema": SCHEMA} | {name: plain[name] for name in _FIRST} | plain)


def decode(text: str | bytes) -> Report:
    """The report in a JSON text.  Raises DataError, which names the field that is wrong."""
    try:
        header = _decoded(text, _Header)
    except msgspec.ValidationError as error:
        raise DataError("is not a losscli report", remedy=_SAVE) from error
    if header.schema != SCHEMA:
        raise _unknown_schema(header)
    try:
        report = _decoded(text, Report)
    except msgspec.ValidationError as error:
        what, _, place = str(error).rpartition(" - at ")
        where = f" at {place.strip('`')}" if what else ""
        raise DataError(f"is a damaged report{where}: {what or place}", remedy="save it again") from error
    return replace(
        report,
        results=tuple(map(_read, report.results)),
        comparisons=tuple(map(_read, report.comparisons)),
    )


def _decoded(text: str | bytes, kind: type[_Decoded]) -> _Decoded:
    """The text as this kind.  Raises DataError if it is not JSON, msgspec.ValidationError for other data."""
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(f"is not JSON: {error}", remedy=_SAVE) from error
    except RecursionError as error:
        raise DataError("is a damaged report: it is nested too deeply", remedy="save it again") from error


def schema() -> dict[str, Any]:
    """The JSON schema of a report."""
    found = msgspec.json.schema(Report)
    kinds = found["$defs"]
    kinds["Report"]["properties"] = {"schema": {"const": SCHEMA}} | kinds["Report"]["properties"]
    kinds["Report"]["required"] = ["schema", *kinds["Report"]["required"]]
    number = {"anyOf": [{"type": "number"}, {"type": "null"}], "readOnly": True}
    kinds["Result"]["properties"]["minimum_detectable"] = number
    text = {"anyOf": [{"type": "string"}, {"type": "null"}], "readOnly": True}
    kinds["Comparison"]["properties"]["winner"] = text
    return found


_SAVE = "losscli evaluate ... -o report.json"


def _unknown_schema(header: _Header) -> DataError:
    by = f" of losscli {header.losscli}" if header.losscli else ""
    remedy = "upgrade losscli" if header.schema > SCHEMA else "save it again: " + _SAVE
    return DataError(f"is a report{by} in schema {header.schema}; this version reads schema {SCHEMA}", remedy)


# JSON has no infinity, which parameters may be.


def _written(params: Mapping[str, object]) -> dict[str, object]:
    return {name: str(v) if isinstance(v, float) and math.isinf(v) else v for name, v in params.items()}


def _read(each: _Estimated) -> _Estimated:
    infinite = {name: float(v) for name, v in each.params.items() if isinstance(v, str) and v in _INFINITE}
    return replace(each, params={**each.params, **infinite}) if infinite else each
