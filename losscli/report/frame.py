"""Results as a frame."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from losscli.report.model import Result, cell_name
from losscli.text import param_text

_TYPES = {"rows": pl.Int64, "loss": pl.String, "label": pl.String, "model": pl.String}
_TEXTS = ("params", "cell", "notes")


def frame(results: Sequence[Result]) -> pl.DataFrame:
    """A row for each result, with the columns that `Report.to_frame` describes."""
    columns = list(dict.fromkeys(column for result in results for column in result.cell))
    fields = {
        name: pl.String if name in _TEXTS else _TYPES.get(name, pl.Float64)
        for name in Result.__struct_fields__
    }
    schema = fields | {f"cell.{column}": pl.String for column in columns}
    return pl.DataFrame([_row(result, columns) for result in results], schema=schema, orient="row")


def _row(result: Result, columns: Sequence[str]) -> tuple[object, ...]:
    texts = {
        "params": cell_name({name: param_text(value) for name, value in result.params.items()}),
        "cell": cell_name(result.cell),
        "notes": "; ".join(map(str, result.notes)),
    }
    own = (texts[name] if name in texts else getattr(result, name) for name in Result.__struct_fields__)
    return (*own, *map(result.cell.get, columns))
