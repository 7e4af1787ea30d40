"""Losses of calibration: the gap between probabilities and observed frequencies."""

from __future__ import annotations

from typing import Literal

from losscli.catalog.params import Count
from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array, Namespace
from losscli.numeric.edges import unit_edges, unit_places
from losscli.numeric.indicators import Indicators, one_per_row
from losscli.numeric.softmax import pick, row_maxima
from losscli.states.reductions import Reduction
from losscli.tasks.binary import Binary
from losscli.tasks.classes import Multiclass


def _calibration(xp: Namespace, m: Array, norm: str) -> Array:
    bins = m.shape[-1] // 2
    gap, share = xp.abs(m[..., :bins]), m[..., bins:]
    # The gap of an empty bin is zero, but in a numerical gradient its share may not be.
    ratio = xp.where(share > 0, gap / xp.where(share > 0, share, 1.0), 0.0)
    if norm == "l1":
        return xp.sum(gap, axis=-1)
    return xp.max(ratio, axis=-1) if norm == "max" else xp.sqrt(xp.sum(ratio * gap, axis=-1))


def _binned(
    xp: Namespace, probability: Array, hit: Array, n_bins: int, held: str
) -> tuple[Indicators, Indicators]:
    """The gap to the outcomes in each bin of probabilities, then the indicator of each bin.

    The edges are the numbers nearest to k / n_bins in the type of the file, so that a probability written as
    k / n_bins lies exactly on an edge.
    """
    places = unit_places(xp, probability, unit_edges(xp, n_bins, held))
    return Indicators(n_bins, ((places, probability - hit),)), one_per_row(xp, places, n_bins)


@loss(
    "ece",
    "expected_calibration_error",
    "binary_calibration_error",
    reduction=Reduction(_calibration),
    worst=1.0,
)
def calibration_error(
    batch: Binary, *, n_bins: Count = 15, norm: Literal["l1", "l2", "max"] = "l1"
) -> tuple[Indicators, Indicators]:
    """The gap between probabilities and observed frequencies, over bins of equal width.

    sum_b share_b |frequency_b - mean p_b| (l1), the root of the mean square (l2), or the largest gap (max).
    Unit: 1.

    Naeini et al. (2015), doi:10.1609/aaai.v29i1.9602
    """
    return _binned(batch.xp, batch.probability, batch.target, n_bins, batch.held)


@loss("ece", "expected_calibration_error", "calibration_error", reduction=Reduction(_calibration), worst=1.0)
def multiclass_calibration_error(
    batch: Multiclass, *, n_bins: Count = 15, norm: Literal["l1", "l2", "max"] = "l1"
) -> tuple[Indicators, Indicators]:
    """The gap between the confidence in the predicted class and its accuracy, over bins of equal width.

    sum_b share_b |accuracy_b - mean confidence_b| (l1), the root of the mean square (l2), or the largest gap
    (max).  Unit: 1.

    Guo et al. (2017), arXiv:1706.04599
    """
    xp = batch.xp
    guess, confidence = row_maxima(xp, batch.probability)
    hit = pick(xp, batch.target, guess) if batch.code is None else (guess == batch.code).astype(float)
    return _binned(xp, confidence, hit, n_bins, batch.held)
