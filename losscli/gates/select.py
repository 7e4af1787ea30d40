"""The results of a report that a gate selects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from losscli.gates.parse import Subject
from losscli.report.model import Result, by_columns, cell_name, loss_name, result_name
from losscli.text import near, param_text


def results(subject: Subject, results: Sequence[Result]) -> Sequence[Result] | str:
    """The results that a gate selects, one per cell; or the reason why there are none."""
    in_cells = by_columns(results, [column for column, _ in subject.cell])
    selected = [
        result
        for result in in_cells
        if all(value in (None, result.cell[column]) for column, value in subject.cell)
        and _has_loss(result, subject)
        and _has_params(result, subject)
    ]
    if not selected:
        return _reason_for_none(subject, results)
    if subject.field == "rows":
        return _one_per_cell(selected)
    variants = _variants(selected)
    return selected if len(variants) == 1 else f"several variants match.{_report_has(variants)}"


def _has_loss(result: Result, subject: Subject) -> bool:
    return not subject.losses or result.loss in subject.losses


def _has_params(result: Result, subject: Subject) -> bool:
    return all(_is_same_param(text, result.params.get(name)) for name, text in subject.params)


def _reason_for_none(subject: Subject, results: Sequence[Result]) -> str:
    """Why a gate selects no results: because of its loss, its parameters, or its cell."""
    with_loss = [result for result in results if _has_loss(result, subject)]
    if not with_loss:
        names = sorted({loss_name(result.loss) for result in results})
        loss = subject.losses[0] if subject.losses else "n"
        return f"no loss {loss} in the report.{near(loss, names) or _report_has(names)}"
    with_params = [result for result in with_loss if _has_params(result, subject)]
    if not with_params:
        return f"no {with_loss[0].loss} with those parameters.{_report_has(_variants(with_loss))}"
    return _missing_cell(subject.cell, with_params)


def _one_per_cell(results: Sequence[Result]) -> Sequence[Result] | str:
    by_cell = {cell_name(result.cell): result for result in results}
    differing = [r for r in results if r.rows != by_cell[cell_name(r.cell)].rows]
    if differing:
        cell = cell_name(differing[0].cell)
        return f"the losses have different numbers of rows {f'in {cell}' if cell else 'overall'}"
    return list(by_cell.values())


def _missing_cell(selection: Sequence[tuple[str, str | None]], results: Sequence[Result]) -> str:
    columns = tuple(column for column, _ in selection)
    cells = [result.cell for result in results if set(result.cell) == set(columns)]
    if not cells:
        kinds = dict.fromkeys("by " + "+".join(r.cell) if r.cell else "overall" for r in results)
        return f"no result {'by ' + '+'.join(columns) if columns else 'overall'}.{_report_has(list(kinds))}"
    for column, value in selection:
        values = list(dict.fromkeys(cell[column] for cell in cells))
        if value is not None and value not in values:
            cell = cell_name({column: value})
            return f"no {cell}.{near(value, values) or _report_has(values)}"
    return "no rows have this combination of values"


def _variants(results: Iterable[Result]) -> list[str]:
    """The distinct names of results: the loss with its parameters and model."""
    return list(dict.fromkeys(map(result_name, results)))


def _report_has(names: Sequence[str], limit: int = 5) -> str:
    suffix = f" and {len(names) - limit} more" if len(names) > limit else ""
    return f" The report has {', '.join(names[:limit])}{suffix}." if names else " The report is empty."


def _is_same_param(text: str, value: object) -> bool:
    """Whether a parameter in a gate equals that of a report: 2 equals 2.0."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(text) == value
        except ValueError:
            return False
    return text.lower() == param_text(value).lower()
