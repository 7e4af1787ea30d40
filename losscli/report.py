"""What an evaluation found, as plain frozen data with a stable JSON form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypeVar

from losscli.errors import UsageError

SCHEMA = 1

_Record = TypeVar("_Record", "Result", "Verdict")


@dataclass(frozen=True, kw_only=True)
class Result:
    """The value of one loss in one cell.

    `cell` is empty for overall, else names its class, label, output or slice.  `value` is None where it
    is not defined, and `notes` says why.  `se`, `low` and `high` are the standard error and the bounds
    of the interval at `level`, or None where an interval has no meaning.  `share` is the part (0 to 1)
    of the overall loss that comes from the rows of this cell, where the loss adds up over rows.
    """

    loss: str
    params: Mapping[str, object] = field(default_factory=dict)
    model: str | None = None
    cell: Mapping[str, str] = field(default_factory=dict)
    value: float | None
    se: float | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    rows: int
    weight: float
    share: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What a gate said of one result.

    `status` is pass, fail, unsure or error; `weak` says that the interval straddles the limit;
    `reason` says why a gate could not be judged.
    """

    gate: str
    status: str
    cell: Mapping[str, str] = field(default_factory=dict)
    weak: bool = False
    value: float | None = None
    limit: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Report:
    """All results of a run.

    `report["huber"]` is the overall result, `report["huber", {"class": "cat"}]` a cell's.
    """

    results: tuple[Result, ...]
    gates: tuple[Verdict, ...] = ()
    notes: tuple[str, ...] = ()
    signature: str = ""
    losscli: str = ""
    names: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, key: str | tuple[str, Mapping[str, object]]) -> Result:
        """The result of a loss overall, or in a cell.  KeyError names the losses and cells there are."""
        loss, cell = (key, {}) if isinstance(key, str) else key
        loss = self.names.get(loss, loss)
        wanted = {name: str(value) for name, value in cell.items()}
        for result in self.results:
            if result.loss == loss and dict(result.cell) == wanted:
                return result
        known = sorted({result.loss for result in self.results})
        raise KeyError(f"no result of {loss!r} in cell {wanted}; losses: {', '.join(known)}")

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON types, stable within a schema version."""
        return {
            "schema": SCHEMA,
            "losscli": self.losscli,
            "signature": self.signature,
            "names": dict(self.names),
            "results": [_plain(result) for result in self.results],
            "comparisons": [],
            "gates": [_plain(verdict) for verdict in self.gates],
            "notes": list(self.notes),
        }

    def to_json(self, indent: int | None = 2) -> str:
        """The report as JSON text, with every digit of each number."""
        return json.dumps(self.to_dict(), indent=indent, allow_nan=False, ensure_ascii=False)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Report:
        """The report that `to_dict` wrote.  Raises UsageError for another schema."""
        if data.get("schema") != SCHEMA:
            raise UsageError(f"a report of schema {data.get('schema')!r}; this version reads schema {SCHEMA}")
        return cls(
            results=tuple(_record(Result, entry) for entry in data["results"]),
            gates=tuple(_record(Verdict, entry) for entry in data["gates"]),
            notes=tuple(data["notes"]),
            signature=data["signature"],
            losscli=data["losscli"],
            names=data.get("names", {}),
        )


def cell_name(cell: Mapping[str, str]) -> str:
    """A cell as a gate writes it: 'region=eu,class=cat'.  What would be misread is quoted as in JSON."""
    return ",".join(f"{_quoted(column)}={_quoted(value)}" for column, value in cell.items())


def _quoted(name: str) -> str:
    plain = name.isprintable() and name == name.strip() and name not in ("", "*")
    if plain and not set(name) & set('",=[]'):
        return name
    return json.dumps(name, ensure_ascii=not name.isprintable())


def _plain(record: Result | Verdict) -> dict[str, Any]:
    plain = asdict(record)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}


def _record(kind: type[_Record], entry: Mapping[str, Any]) -> _Record:
    known = {f.name for f in fields(kind)}
    values: dict[str, Any] = {
        name: tuple(v) if isinstance(v, list) else v for name, v in entry.items() if name in known
    }
    return kind(**values)
