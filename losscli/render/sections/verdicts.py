"""The verdicts of the gates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from losscli.render.digits import DASH, distinct, signed
from losscli.render.naming import plain
from losscli.render.tables import REMEDY, Column, Table, Tone, kept_rows
from losscli.report.model import Report, Verdict

MANY = 10
"""The number of verdicts above which the title counts statuses."""
WEAK = "weak: the interval contains the limit"
_ORDER = ("error", "fail", "warn", "unsure", "pass", "skipped")
_TONES: dict[str, Tone] = {"pass": "good", "unsure": "warning", "warn": "warning", "skipped": ""}


def tables(report: Report, cells: int | None = None) -> Iterator[Table]:
    """The table of verdicts; a short form first hides those on cells that pass.

    If more than `cells` are on cells, only those that a short form keeps are formatted.
    """
    if not report.gates:
        return
    order = sorted(range(len(report.gates)), key=lambda index: _badness(report.gates[index]))
    worst = tuple(index for index in order if report.gates[index].cell)
    kept = [report.gates[index] for index in kept_rows(len(report.gates), worst, cells)]
    hidden = len(report.gates) - len(kept)
    yield Table(
        _title(report.gates),
        tuple(_columns(kept, _reasons(report.gates))),
        () if hidden else worst,
        notes=(WEAK,) if any(verdict.weak for verdict in report.gates) else (),
        hidden_rows=hidden,
        remedy=REMEDY if hidden else "",
    )


def against_base(report: Report) -> Iterator[Table]:
    """The table of changes against the baseline, for the gates that refer to one."""
    judged = [(v, v.value, v.base) for v in report.gates if v.value is not None and v.base is not None]
    if not judged:
        return
    names = tuple(" ".join(filter(None, (plain(v.title), v.place))) for v, _, _ in judged)
    values, bases = zip(*(distinct(value, base) for _, value, base in judged), strict=True)
    percents = tuple(signed(100 * (value - base) / abs(base)) if base else DASH for _, value, base in judged)
    yield Table(
        "against the base",
        (
            Column("gate", names, "name", fold=14),
            Column("base", bases),
            Column("value", values, is_value=True),
            Column("difference", tuple(signed(value - base) for _, value, base in judged)),
            Column("%", percents, priority=1),
        ),
        tuple(index for index in range(len(judged)) if judged[index][0].cell),
    )


def _title(verdicts: Sequence[Verdict]) -> str:
    """'gates', or with many verdicts the count of each status, since a short form does not show all."""
    counts = Counter(verdict.status for verdict in worst_first(verdicts))
    if len(verdicts) <= MANY:
        return "gates"
    return f"gates: {', '.join(f'{count:,} {status}' for status, count in counts.items())}"


def _reasons(verdicts: Iterable[Verdict]) -> tuple[str, ...]:
    """The distinct reasons of verdicts, with their gates."""
    reasons = (plain(f"{verdict.title}: {verdict.reason}") for verdict in verdicts if verdict.reason)
    return tuple(dict.fromkeys(reasons))


def _columns(verdicts: Sequence[Verdict], reasons: tuple[str, ...]) -> Iterator[Column]:
    values, limits = zip(*(distinct(v.value, v.limit) for v in verdicts), strict=True)
    cells = tuple(verdict.place for verdict in verdicts)
    yield Column("status", tuple(map(_status, verdicts)), "name", fold=10, tones=tuple(map(_tone, verdicts)))
    yield Column("gate", tuple(plain(verdict.title) for verdict in verdicts), "name", fold=14)
    if any(cells):
        yield Column("cell", cells, "name", fold=10)
    yield Column("value", values)
    yield Column("limit", limits)
    if any(verdict.margin is not None for verdict in verdicts):
        yield Column("margin/se", tuple(signed(verdict.margin) for verdict in verdicts), priority=1)
    if reasons:
        texts = tuple(plain(verdict.reason) for verdict in verdicts)
        yield Column("reason", texts, "name", priority=2, fold=30, instead=reasons)


def _status(verdict: Verdict) -> str:
    return f"{verdict.status}, weak" if verdict.weak else verdict.status


def _tone(verdict: Verdict) -> Tone:
    return "warning" if verdict.weak and verdict.status == "pass" else _TONES.get(verdict.status, "bad")


def worst_first(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Verdicts sorted by status, worst first, then by the margin to the limit in standard errors."""
    return sorted(verdicts, key=_badness)


def _badness(verdict: Verdict) -> tuple[int, float]:
    margin = 0.0 if verdict.margin is None else verdict.margin
    return _ORDER.index(verdict.status) if verdict.status in _ORDER else 0, margin


def judgement(verdict: Verdict) -> str:
    """A verdict in words: 'fail, weak: value 0.5, limit 0.4, margin -1.2 se'."""
    value, limit = distinct(verdict.value, verdict.limit)
    parts = [
        *([] if verdict.value is None else [f"value {value}"]),
        *([] if verdict.limit is None else [f"limit {limit}"]),
        *([] if verdict.margin is None else [f"margin {signed(verdict.margin)} se"]),
        *([verdict.reason] if verdict.reason else []),
    ]
    status = _status(verdict)
    return plain(f"{status}: {', '.join(parts)}" if parts else status)
