"""Losses of segmentation: how far predicted and true masks overlap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from losscli.catalog.loss import Replacement
from losscli.catalog.params import NonNegative
from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array, Namespace
from losscli.states.reductions import Reduction
from losscli.tasks.segmentation import ClassMask, Mask

Aggregate = Literal["per_image", "global"]
Empty = Literal["formula", "zero", "one"]
"""The loss of an image without a true pixel; of all images together, zero leaves it out."""


def _overlap(xp: Namespace, m: Array, aggregate: str) -> Array:
    return m[..., 0] if aggregate == "per_image" else m[..., 1] / m[..., 2]


OVERLAP = Reduction(_overlap, undefined="all masks are empty")


def _is_replaced(batch: Mask, params: Mapping[str, Any]) -> Array:
    """Where no formula gives the loss of an image (n,)."""
    if params["empty"] != "formula":
        return batch.is_empty
    return batch.is_empty & (batch.xp.sum(batch.prediction, axis=1) == 0)


NO_PIXELS = Replacement("finds no pixels to compare (empty={empty})", _is_replaced)


@loss("Tversky", reduction=OVERLAP, replaces=NO_PIXELS, worst=1.0)
def tversky(
    batch: Mask,
    *,
    aggregate: Aggregate = "per_image",
    fp_weight: NonNegative = 0.5,
    fn_weight: NonNegative = 0.5,
    empty: Empty = "formula",
) -> tuple[Array, Array, Array]:
    """Dice loss with separate weights for false positives and false negatives.

    l = 1 - I / (I + fp_weight FP + fn_weight FN), with I = sum y p, FP = sum (1 - y) p and
    FN = sum y (1 - p) over an image, 0 for two empty masks; global: over all images.  Unit: 1.

    An image without a true pixel costs what the formula says, or with empty nothing, or one.

    Salehi et al. (2017), doi:10.1007/978-3-319-67389-9_44
    """
    xp = batch.xp
    wrong = fp_weight * batch.false_alarms + fn_weight * batch.misses
    whole = batch.hits + wrong
    cost = wrong / xp.where(whole == 0, 1.0, whole)
    if empty == "formula":
        return cost, wrong, whole
    absent, counted = batch.is_empty, empty == "one"
    return (
        xp.where(absent, 1.0 if counted else 0.0, cost),
        *(side if counted else xp.where(absent, 0.0, side) for side in (wrong, whole)),
    )


@loss("Dice", "dice_coefficient_loss", reduction=OVERLAP, replaces=NO_PIXELS, worst=1.0)
def dice(
    batch: Mask, *, aggregate: Aggregate = "per_image", empty: Empty = "formula"
) -> tuple[Array, Array, Array]:
    """One minus twice the overlap divided by the sum of both masks.

    l = 1 - 2 sum y p / (sum y + sum p) of an image, 0 for two empty masks; global: over all images.
    Unit: 1.

    An image without a true pixel costs what the formula says, or with empty nothing, or one.

    Milletari et al. (2016), doi:10.1109/3DV.2016.79
    """
    return tversky(batch, aggregate=aggregate, empty=empty)


@loss("dice_loss", "binary_dice_loss")
def dice_smooth(batch: Mask, *, smooth: NonNegative = 1.0) -> Array:
    """Dice loss with a smoothing constant that reduces the influence of small masks.

    l = 1 - (sum y p + smooth) / ((sum y + sum p) / 2 + smooth).  Unit: 1.

    Milletari et al. (2016), doi:10.1109/3DV.2016.79
    """
    xp = batch.xp
    wrong = (batch.false_alarms + batch.misses) / 2
    whole = batch.hits + wrong + smooth
    return wrong / xp.where(whole == 0, 1.0, whole)


def _mean_over_classes(batch: ClassMask, miss_weight: float) -> Array:
    """The mean over the classes in either mask of wrong / (hits + wrong), wrong times miss_weight (n,)."""
    xp = batch.xp
    total, classes = xp.zeros(len(batch.target)), xp.zeros(len(batch.target))
    for label in xp.unique(xp.concatenate([batch.prediction.ravel(), batch.target.ravel()])):
        guess, truth = batch.prediction == label, batch.target == label
        wrong = miss_weight * xp.sum(guess != truth, axis=1)
        whole = xp.sum(guess & truth, axis=1) + wrong
        total += wrong / xp.where(whole == 0, 1.0, whole)
        classes += whole > 0
    return total / classes


@loss("DiceScore", worst=1.0)
def segmentation_dice_error(batch: ClassMask) -> Array:
    """One minus the Dice score, the mean over the classes that are in the image or its prediction.

    l = 1 - mean over classes of 2 |P and T| / (|P| + |T|).  Unit: 1.

    Dice (1945), doi:10.2307/1932409
    """
    return _mean_over_classes(batch, 0.5)


@loss("MeanIoU", "jaccard_error", worst=1.0)
def segmentation_mean_iou_error(batch: ClassMask) -> Array:
    """One minus intersection over union, the mean over the classes in the image or its prediction.

    l = 1 - mean over classes of |P and T| / |P or T|.  Unit: 1.

    Jaccard (1912), doi:10.1111/j.1469-8137.1912.tb05611.x
    """
    return _mean_over_classes(batch, 1.0)
