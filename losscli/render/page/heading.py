"""The header of a page: its subject, the verdict, and the main numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from losscli.render.digits import Precision, span
from losscli.render.markup import text
from losscli.render.naming import joined, loss_label, plain, visible
from losscli.render.sections.verdicts import judgement, worst_first
from losscli.report.model import Report, Result, Verdict, representatives
from losscli.text import counted

TILES = 6
"""The maximum number of losses whose values are shown large."""
_VERDICTS = {True: ("pass", "✓", "Pass"), False: ("fail", "✗", "Fail")}
_TASKS = {name: f"{name} classification" for name in ("binary", "multiclass", "multilabel")}
"""Titles of tasks whose names are not self-explanatory."""
_REASONS = 3
"""The maximum number of gates that the verdict names."""


def heading(report: Report) -> tuple[str, str]:
    """The title of the page as text, and its header as HTML."""
    what = subject(report)
    title = f"{_VERDICTS[report.passed][2]}: {what}" if report.gates else what
    return title, "\n".join(
        part for part in (f"<h1>{text(what)}</h1>", _facts(report), _verdict(report), _tiles(report)) if part
    )


def subject(report: Report) -> str:
    """The subject of the page, in one line."""
    name = report.provenance.get("task", "").replace("_", " ")
    task = _TASKS.get(name, name)
    if report.board:
        count = len({placing.model for placing in report.board})
        submissions = f"{count:,} {'submission' if count == 1 else 'submissions'}"
        return f"Leaderboard of {submissions}" + (f", {task}" if task else "")
    if report.comparisons:
        models = list(
            dict.fromkeys(
                model for comparison in report.comparisons for model in (comparison.a, comparison.b)
            )
        )
        names = joined([visible(model)[:60] for model in models], 5)
        return f"Comparison of {names}" + (f", {task}" if task else "")
    if report.is_search:
        return f"Where a model is weak: {counted(len(report.segments), 'segment')}, {task}"
    return f"{task.capitalize()} report" if task else "Report of losses"


def _facts(report: Report) -> str:
    counts = [result.rows for result in report.overall]
    rows = max(counts, default=0)
    losses = list(dict.fromkeys(map(loss_label, representatives(report.results))))
    facts = [f"{rows:,} {report.unit.removesuffix('s') if rows == 1 else report.unit}"] if rows else []
    facts += [joined([loss[:60] for loss in losses], 4)] if losses else []
    facts += [f"losscli {report.losscli}"] if report.losscli else []
    return f'<p class="facts">{text(" · ".join(facts))}</p>' if facts else ""


def _verdict(report: Report) -> str:
    """The verdict in one word, and the gates that explain it."""
    if not report.gates:
        return ""
    kind, sign, word = _VERDICTS[report.passed]
    counts = Counter(verdict.status for verdict in worst_first(report.gates))
    total = counted(len(report.gates), "gate")
    statuses = ", ".join(f"{count:,} {status}" for status, count in counts.items())
    reasons = "".join(f"<li>{text(line)}</li>" for line in _reasons(report.gates))
    return (
        f'<div class="verdict {kind}"><p><span aria-hidden="true">{sign}</span> {word}</p>'
        f"<div><p>{total}: {statuses}</p>{f'<ul>{reasons}</ul>' if reasons else ''}</div></div>"
    )


def _reasons(verdicts: tuple[Verdict, ...]) -> Iterator[str]:
    """The worst gates that do not pass, one line each."""
    failed = [verdict for verdict in worst_first(verdicts) if verdict.status not in ("pass", "skipped")]
    for verdict in failed[:_REASONS]:
        name = " ".join(filter(None, (plain(verdict.title), verdict.place)))
        yield f"{name}: {judgement(verdict)}"
    if len(failed) > _REASONS:
        yield f"and {len(failed) - _REASONS:,} more"


def _tiles(report: Report) -> str:
    """The overall values, large, with their intervals."""
    overall = [result for result in report.overall if result.model is None]
    tiles = "".join(map(_tile, overall[:TILES]))
    return f'<ul class="tiles" aria-label="Overall values">{tiles}</ul>' if tiles else ""


def _tile(result: Result) -> str:
    precision = Precision.of(result.value, result.se)
    interval = span(result.ci_low, result.ci_high, precision)
    level = f"{100 * result.level:g} %: " if result.level is not None else ""
    below = f'<span class="small">{level}{text(interval)}</span>' if result.ci_low is not None else ""
    value = f"<strong>{text(precision.text(result.value))}</strong>"
    return f'<li><span class="small">{text(loss_label(result))}</span>{value}{below}</li>'
