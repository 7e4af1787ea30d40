"""The results of a report that a gate selects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from losscli.gates.parse import Subject
from losscli.report.model import Result, cell_name, loss_name, result_name
from losscli.text import near, param_text


def results(subject: Subject, results: Sequence[Result]) -> Sequence[Result] | str:
    """The results that a gate selects, one per cell, or the reason if there are none."""
    named = [result for result in results if not subject.losses or result.loss in subject.losses]
    if not named:
        known = sorted({loss_name(result.loss) for result in results})
        loss = subject.losses[0] if subject.losses else "n"
        return f"no loss {loss} in the report.{near(loss, known) or _known(known)}"
    chosen = [r for r in named if all(_same(text, r.params.get(key)) for key, text in subject.params)]
    if not chosen:
        return f"no {named[0].loss} with those parameters.{_known(_variants(named))}"
    found = [result for result in chosen if _in_cell(result, subject.cell)]
    if not found:
        return _no_cell(subject.cell, chosen)
    if subject.field == "rows":
        return _one_a_cell(found)
    variants = _variants(found)
    return found if len(variants) == 1 else f"several variants match.{_known(variants)}"


def _in_cell(result: Result, wanted: Sequence[tuple[str, str | None]]) -> bool:
    return set(result.cell) == {column for column, _ in wanted} and all(
        value in (None, result.cell[column]) for column, value in wanted
    )


def _one_a_cell(results: Sequence[Result]) -> Sequence[Result] | str:
    by_cell = {cell_name(result.cell): result for result in results}
    differing = [r for r in results if r.rows != by_cell[cell_name(r.cell)].rows]
    if differing:
        return f"the losses do not have the same rows in {cell_name(differing[0].cell) or 'the whole'}"
    return list(by_cell.values())


def _no_cell(wanted: Sequence[tuple[str, str | None]], results: Sequence[Result]) -> str:
    columns = tuple(column for column, _ in wanted)
    kind = [result.cell for result in results if set(result.cell) == set(columns)]
    if not kind:
        kinds = dict.fromkeys("by " + "+".join(r.cell) if r.cell else "overall" for r in results)
        return f"no result {'by ' + '+'.join(columns) if columns else 'overall'}.{_known(list(kinds))}"
    for column, value in wanted:
        known = list(dict.fromkeys(cell[column] for cell in kind))
        if value is not None and value not in known:
            cell = cell_name({column: value})
            return f"no {cell}.{near(value, known) or _known(known)}"
    return "no rows have this combination of values"


def _variants(results: Iterable[Result]) -> list[str]:
    """How to write each kind of result: the loss with its parameters and model."""
    return list(dict.fromkeys(map(result_name, results)))


def _known(names: Sequence[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f" The report has {', '.join(names[:most])}{more}." if names else " The report is empty."


def _same(text: str, value: object) -> bool:
    """Whether a parameter written in a gate is the one in the report: 2 is 2.0."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(text) == value
        except ValueError:
            return False
    return text.lower() == param_text(value).lower()
