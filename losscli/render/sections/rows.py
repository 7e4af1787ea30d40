"""Individual rows: those with the largest loss, and those on which two models differ most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from losscli.render.digits import DASH, decimal
from losscli.render.naming import loss_label, plain, visible
from losscli.render.tables import Column, Table
from losscli.report.model import Report


def tables(report: Report) -> Iterator[Table]:
    """The table of the worst rows; then, for each pair of models, that of the rows that changed most."""
    if report.worst:
        labels = {result.loss: loss_label(result) for result in report.results[:1]}
        yield Table("worst rows", _columns(report.worst, labels))
    for (a, b), rows in report.changed_by_pair.items():
        yield Table(f"{visible(b)} against {visible(a)}, rows that changed most", _columns(rows, {}))


def _columns(rows: Sequence[Mapping[str, object]], labels: Mapping[str, str]) -> tuple[Column, ...]:
    """A column for each field of the rows; losses have their labels as headings."""
    columns = []
    for name in rows[0]:
        values = [row[name] for row in rows]
        numeric = all(value is None or isinstance(value, int | float) for value in values)
        columns.append(
            Column(
                labels.get(name, visible(name)), tuple(map(_text, values)), "number" if numeric else "name"
            )
        )
    return tuple(columns)


def _text(value: object) -> str:
    if isinstance(value, float):
        return decimal(value)
    return DASH if value is None else plain(str(value))
