"""Losses of triplets: the anchor's distance to the positive minus its distance to the negative."""

from __future__ import annotations

from collections.abc import Callable

from losscli.catalog.params import AtLeastOne, NonNegative
from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array
from losscli.numeric.vectors import angle, norm
from losscli.tasks.triplet import Triplet


def _margin(batch: Triplet, distance: Callable[[Array, Array], Array], margin: float, swap: bool) -> Array:
    """max(0, d(anchor, positive) - d(anchor, negative) + margin)."""
    xp, far = batch.xp, distance(batch.anchor, batch.negative)
    if swap:
        far = xp.minimum(far, distance(batch.positive, batch.negative))
    return xp.maximum(distance(batch.anchor, batch.positive) - far + margin, 0.0)


@loss("TripletMarginLoss", "triplet_margin_loss")
def triplet_margin(
    batch: Triplet,
    *,
    margin: NonNegative = 1.0,
    p: AtLeastOne = 2.0,
    swap: bool = False,
    eps: NonNegative = 0.0,
) -> Array:
    """By how much the negative's distance falls short of the positive's plus a margin.

    l = max(0, d(anchor, positive) - d(anchor, negative) + margin), d(a, b) = (sum |a - b + eps|^p)^(1/p);
    with `swap` the negative's distance is that to the nearer of anchor and positive.  Unit: target.

    Balntas et al. (2016), doi:10.5244/C.30.119
    """
    return _margin(batch, lambda a, b: norm(batch.xp, a - b + eps, p), margin, swap)


@loss("TripletMarginWithDistanceLoss", domain="vectors that are not zero")
def triplet_margin_cosine(batch: Triplet, *, margin: NonNegative = 1.0, swap: bool = False) -> Array:
    """The triplet margin loss with cosine distances.

    l = max(0, d(anchor, positive) - d(anchor, negative) + margin), d(a, b) = 1 - cos;
    with `swap` the negative's distance is that to the nearer of anchor and positive.  Unit: 1.

    Balntas et al. (2016), doi:10.5244/C.30.119
    """
    return _margin(batch, lambda a, b: angle(batch.xp, a, b).distance, margin, swap)
