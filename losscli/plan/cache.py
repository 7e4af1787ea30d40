"""The keys of the plan cache, for programs that call losscli repeatedly with the same options and columns.

A plan depends on the options, on the names and types of columns, and sometimes on rows, such as the labels of
classes.  `resolve` first plans with tables whose rows cannot be read.  If no rows are needed, the plan is
cached for calls with equal options and columns.  So the cache holds no rows, and no plan depends on the rows
of another call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from losscli.catalog import request as requests
from losscli.catalog.request import LossSpec
from losscli.data.table import Table
from losscli.engines.devices import CPU

MAX_PLANS: Final = 128
"""Maximum number of cached plans; the least recently used one is dropped first."""


class RawOptions:
    """Losses and options as passed and as set in the environment; equal if their text is equal.

    Equal options have the same meaning only if they are `cacheable`: numbers and text that name neither
    custom code nor a device, which may be missing in the next call.
    """

    def __init__(
        self,
        losses: tuple[LossSpec, ...],
        options: Mapping[str, Any],
        environment: Mapping[str, str],
        runs_code: bool,
    ) -> None:
        self.losses, self.options, self.environment = losses, options, environment
        self.runs_code = runs_code
        values = [losses, {**environment, **options}, runs_code]
        device = options.get("device") or environment.get("device") or CPU
        self.cacheable = device == CPU and _is_plain(values) and not any(map(requests.is_code, losses))
        # Text, because 1 == 1.0 == True.
        self._text = repr(values) if self.cacheable else ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RawOptions) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


def _is_plain(value: Any) -> bool:
    """Whether a value consists only of text, numbers and None, so that its `repr` is complete."""
    if type(value) in (list, tuple):
        return all(map(_is_plain, value))
    if type(value) is dict:
        return all(map(_is_plain, value)) and all(map(_is_plain, value.values()))
    return value is None or type(value) in (str, int, float, bool)


class RowsNeededError(Exception):
    """A plan depends on rows."""


class _NoRows:
    """The rows of a table that is planned without them."""

    def __getattr__(self, name: str) -> Any:
        raise RowsNeededError


class TableSchema(Struct, frozen=True):
    """What a plan can use of a table in memory without its rows: its name, and the types of columns."""

    name: str
    columns: tuple[tuple[str, Any], ...]

    @classmethod
    def of(cls, table: Table) -> TableSchema | None:
        """The schema of a table; None if other fields of the table matter too."""
        sources = (table.files, table.frame, table.shared)
        if table.rows is None or sources != (None, None, None) or table.structs or table.extensions:
            return None
        return cls(table.name, tuple(table.schema.items()))

    def without_rows(self) -> Table:
        """A table with this schema, which raises RowsNeededError if it is read."""
        no_rows: Any = _NoRows()
        return Table(self.name, no_rows, dict(self.columns), rows=no_rows)
