"""Losses of sequences of labels with unknown alignment to frames."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Any

from losscli.catalog.loss import Replacement
from losscli.catalog.params import Index
from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array, Namespace
from losscli.tasks.sequence import Frames


def _is_impossible(batch: Frames, params: Mapping[str, Any]) -> Array:
    """Whether the infinite loss of a row counts as zero (n,)."""
    if not params["zero_infinity"]:
        return batch.xp.zeros(len(batch.length), dtype=bool)
    return _forward(batch, params["blank"]) == batch.xp.inf


@loss(
    "CTCLoss",
    "ctc_loss",
    replaces=Replacement("counts the infinite loss of an impossible sequence as 0", _is_impossible),
)
def ctc(
    batch: Frames, *, blank: Index = 0, length_normalised: bool = False, zero_infinity: bool = False
) -> Array:
    """Minus the log-probability of a sequence of labels, over all ways to place it in the frames.

    l = -log sum over alignments of product over frames of p, where an alignment repeats labels and puts
    blanks between them; with length_normalised divided by the number of labels.  Unit: nat.

    A sequence is impossible, and its loss infinite, if it has more labels than there are frames, a blank
    between equal labels counted, or holds the blank itself; with zero_infinity that counts as 0.

    Graves et al. (2006), doi:10.1145/1143844.1143891
    """
    xp, cost = batch.xp, _forward(batch, blank)
    if zero_infinity:
        cost = xp.where(cost == xp.inf, 0.0, cost)
    return cost / xp.maximum(batch.length, 1) if length_normalised else cost


def _forward(batch: Frames, blank: int) -> Array:
    """Minus the logarithm of the probability of all alignments (n,), by the forward recursion.

    State 2 i + 1 of a row is its label i, and the states around it are blanks.
    """
    xp, (n, most) = batch.xp, batch.labels.shape
    log_prob = _with_blank(xp, batch.log_prob, blank)
    states = xp.full((n, 2 * most + 1), blank)
    states[:, 1::2] = xp.maximum(batch.labels, 0)
    # The blank between two labels may be skipped if they differ.
    skips = xp.zeros(states.shape, dtype=bool)
    skips[:, 3::2] = batch.labels[:, 1:] != batch.labels[:, :-1]
    total = xp.where(xp.arange(states.shape[1]) < 2, 0.0, -xp.inf)
    total = total + xp.take_along_axis(log_prob[:, 0], states, axis=1)
    before = xp.full((n, 2), -xp.inf)
    for frame in range(1, log_prob.shape[1]):
        padded = xp.concatenate([before, total], axis=1)
        skipped = xp.where(skips, padded[:, :-2], -xp.inf)
        reached = _log_sum(xp, padded[:, 2:], padded[:, 1:-1], skipped)
        reached = reached + xp.take_along_axis(log_prob[:, frame], states, axis=1)
        total = xp.where(frame < batch.frames[:, None], reached, total)
    last = 2 * batch.length[:, None]
    on_blank, on_label = (
        xp.take_along_axis(total, xp.maximum(last - back, 0), axis=1)[:, 0] for back in (0, 1)
    )
    log_total = _log_sum(xp, on_blank, xp.where(batch.length > 0, on_label, -xp.inf))
    return xp.where(xp.any(batch.labels == blank, axis=1), xp.inf, -log_total)


def _with_blank(xp: Namespace, log_prob: Array, blank: int) -> Array:
    """The log-probabilities, with an impossible blank appended if it is not one of the classes."""
    n, frames, classes = log_prob.shape
    if blank < classes:
        return log_prob
    return xp.concatenate([log_prob, xp.full((n, frames, blank + 1 - classes), -xp.inf)], axis=2)


def _log_sum(xp: Namespace, *terms: Array) -> Array:
    """The log-sum-exp of terms; minus infinity if all terms are."""
    top = reduce(xp.maximum, terms)
    none = top == -xp.inf
    below = xp.where(none, 0.0, top)
    total = sum(xp.exp(term - below) for term in terms)
    return xp.where(none, -xp.inf, below + xp.log(xp.where(none, 1.0, total)))
