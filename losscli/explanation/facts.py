"""A loss on the user's rows: their distribution on its curve, and which of them make up the loss."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from losscli.catalog.loss import Choice
from losscli.catalog.marks import marks_of
from losscli.catalog.request import LossSpec
from losscli.data.table import Source
from losscli.errors import UsageError
from losscli.evaluation import run as running
from losscli.evaluation.partial import HISTOGRAM
from losscli.evaluation.results import notes
from losscli.explanation.model import COVERED, QUANTILES, WORST, Facts, Part, Profiled
from losscli.plan.resolve import Run, prepare
from losscli.report.findings import Code, Note, note
from losscli.states.histogram import Histogram


def planned(loss: LossSpec, predictions: Source, targets: Source | None = None, **options: Any) -> Run:
    """The plan of an explanation.  Takes the options of `losscli.evaluate`, and raises what it raises.

    Also raises UsageError for a loss that is not a mean over rows, or that has no axis.
    """
    run = prepare(predictions, targets, loss, ci=None, **options)
    (choice,) = run.plan.choices
    _check(choice, len(run.plan.roles.predictions) if run.plan.cell == "output" else 1)
    return replace(run, plan=replace(run.plan, profiled=True))


def profiled(
    run: Run,
    progress: Callable[[int], None] = lambda rows: None,
    say: Callable[[str], None] = lambda text: None,
) -> Profiled:
    """Read all rows once; `progress` and `say` are as in `api.evaluated`.  Raises DataError."""
    part, _ = running.fold_all(run, progress, say)
    profile = part.extras[HISTOGRAM]
    assert isinstance(profile, Histogram)
    (choice,) = run.plan.choices
    return Profiled(choice, profile, _facts(choice, profile, (*run.notes, *notes(part.tallies))))


def _check(choice: Choice, outputs: int) -> None:
    entry = choice.loss
    if not entry.has_row_loss or entry.order is not None or not entry.batch.axis:
        raise UsageError(
            f"{entry.name} is not a mean of row losses that depend only on the "
            f"{'residual' if entry.task == 'regression' else 'probability or margin'}: "
            "files add nothing to its explanation",
            remedy=f"losscli evaluate PREDS TARGETS -l {entry.name} computes it",
        )
    if outputs > 1:
        raise UsageError(f"{outputs} outputs, and a curve shows one", remedy="choose one with -p and -y")


def _facts(choice: Choice, profile: Histogram, notes: tuple[Note, ...]) -> Facts:
    no_shares = _why_no_shares(profile)
    has_shares = not no_shares
    total_weight, total_loss = float(profile.weights[0]), float(profile.loss[0])
    parts = [
        Part(mark.what, int(rows), weight / total_weight, loss / total_loss if has_shares else None)
        for mark, (rows, weight, loss) in zip(marks_of(choice), profile.parts[0].tolist(), strict=True)
    ]
    is_residual = choice.loss.batch.axis == "residual"
    sizes = profile.sizes
    tail = choice.loss.tail
    return Facts(
        rows=int(profile.n[0]),
        weight=total_weight,
        value=total_loss / total_weight,
        parts=tuple(parts),
        worst_share=profile.worst(WORST) if has_shares else None,
        quantiles={share: sizes.quantile(share) for share in QUANTILES} if is_residual else {},
        covers={tail[0]: sizes.quantile(COVERED)} if tail else {},
        notes=(*notes, *no_shares),
    )


def _why_no_shares(profile: Histogram) -> tuple[Note, ...]:
    """A note on why rows have no shares of the loss; () if they have shares."""
    if profile.minimum[0] < 0:
        return (note(Code.NO_SHARES, reason="negative in some"),)
    if profile.loss[0] == 0:
        return (note(Code.NO_SHARES, reason="zero"),)
    if profile.loss[0] == math.inf:
        return (note(Code.NO_SHARES, reason="infinite"),)
    return ()
