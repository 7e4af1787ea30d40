"""Losses of segmentation: how far predicted and true masks overlap."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from losscli.catalog.loss import Replacement
from losscli.catalog.params import Count, NonNegative, Percentile
from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array, Namespace, to_numpy
from losscli.numeric.images import hausdorff
from losscli.states.reductions import Reduction
from losscli.tasks.segmentation import ClassMask, ClassScores, Mask, Overlap, WeightedClassScores

Aggregate = Literal["per_image", "global"]
Empty = Literal["formula", "zero", "one"]
"""The loss of an image without true pixels; over all images together, zero excludes it."""


def _overlap(xp: Namespace, m: Array, aggregate: str) -> Array:
    return m[..., 0] if aggregate == "per_image" else m[..., 1] / m[..., 2]


OVERLAP = Reduction(_overlap, undefined="all masks are empty")


def _is_replaced(batch: Mask, params: Mapping[str, Any]) -> Array:
    """Whether the loss of an image is not given by the formula (n,)."""
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

    For an image without true pixels the loss is that of the formula, or 0 or 1, by empty.

    Salehi et al. (2017), doi:10.1007/978-3-319-67389-9_44
    """
    xp = batch.xp
    wrong = fp_weight * batch.false_alarms + fn_weight * batch.misses
    total = batch.hits + wrong
    cost = wrong / xp.where(total == 0, 1.0, total)
    if empty == "formula":
        return cost, wrong, total
    absent, counted = batch.is_empty, empty == "one"
    return (
        xp.where(absent, 1.0 if counted else 0.0, cost),
        *(side if counted else xp.where(absent, 0.0, side) for side in (wrong, total)),
    )


@loss("Dice", "dice_coefficient_loss", reduction=OVERLAP, replaces=NO_PIXELS, worst=1.0)
def dice(
    batch: Mask, *, aggregate: Aggregate = "per_image", empty: Empty = "formula"
) -> tuple[Array, Array, Array]:
    """One minus twice the overlap divided by the sum of both masks.

    l = 1 - 2 sum y p / (sum y + sum p) of an image, 0 for two empty masks; global: over all images.
    Unit: 1.

    For an image without true pixels the loss is that of the formula, or 0 or 1, by empty.

    Milletari et al. (2016), doi:10.1109/3DV.2016.79
    """
    return tversky(batch, aggregate=aggregate, empty=empty)


@loss("dice_loss", "binary_dice_loss")
def dice_smooth(batch: Mask, *, smooth: NonNegative = 1.0) -> Array:
    """Dice loss with a smoothing constant that reduces the influence of small masks.

    l = 1 - (sum y p + smooth) / ((sum y + sum p) / 2 + smooth).  Unit: 1.

    Milletari et al. (2016), doi:10.1109/3DV.2016.79
    """
    return _smooth_dice(batch.xp, batch, smooth)


def _smooth_dice(xp: Namespace, masks: Mask | Overlap, smooth: float) -> Array:
    """The Dice loss of masks with a smoothing constant; 0 for two empty masks."""
    wrong = (masks.false_alarms + masks.misses) / 2
    total = masks.hits + wrong + smooth
    return wrong / xp.where(total == 0, 1.0, total)


LOGITS = "logits, or with softmax=false probabilities"


@loss("multiclass_dice_loss", domain=LOGITS)
def multiclass_dice_smooth(
    batch: WeightedClassScores,
    *,
    smooth: NonNegative = 1.0,
    ignore_background: bool = False,
    softmax: bool = True,
) -> Array:
    """The smooth Dice loss of the mask of each class, the mean over classes.

    l = mean over classes of w (1 - (sum y p + smooth) / ((sum y + sum p) / 2 + smooth)), with p the softmax
    of the scores and w the weight of the class, 1 by default.  Unit: 1.

    With ignore_background the first class, in the order of names, does not count; with softmax=false scores
    are probabilities.

    Milletari et al. (2016), doi:10.1109/3DV.2016.79
    """
    cost = _smooth_dice(batch.xp, batch.overlap(softmax), smooth)
    if batch.class_weight is not None:
        cost = cost * batch.class_weight
    return batch.xp.mean(cost[:, 1:] if ignore_background else cost, axis=1)


def _by_frequency(xp: Namespace, m: Array, weight: float) -> Array:
    """The mean over classes, each weighted by 1 / frequency^2."""
    classes = m.shape[-1] // 2
    pixels = weight * m[..., classes:]
    weights = 1.0 / (pixels * pixels + 1e-7)
    return xp.sum(weights * m[..., :classes], axis=-1) / xp.sum(weights, axis=-1)


@loss("multiclass_generalized_dice_loss", reduction=Reduction(_by_frequency), domain=LOGITS, worst=1.0)
def generalized_dice(
    batch: ClassScores, *, smooth: NonNegative = 1.0, softmax: bool = True
) -> tuple[Array, ...]:
    """The smooth Dice loss of the mask of each class, in which rare classes weigh most.

    sum w d / sum w over classes, with d the mean of dice_smooth of the class over images, and
    w = 1 / ((pixels of the class in all images)^2 + 1e-7).  Unit: 1.

    With softmax=false scores are probabilities.  segmentation_generalized_dice_error weighs the overlaps
    themselves, image by image, as Sudre et al. do.

    Optax user guide, multiclass_generalized_dice_loss
    """
    cost = _smooth_dice(batch.xp, batch.overlap(softmax), smooth)
    return (*cost.T, *batch.xp.sum(batch.target, axis=1).T)


class _Counts(NamedTuple):
    """The numbers of pixels of one class in both masks, in exactly one mask, and in the true mask (n,)."""

    hits: Array
    wrong: Array
    true: Array


def _counts_by_class(batch: ClassMask) -> Iterator[_Counts]:
    """Yield the pixel counts of each class that occurs in a mask."""
    xp = batch.xp
    for label in xp.unique(xp.concatenate([batch.prediction.ravel(), batch.target.ravel()])):
        guess, truth = batch.prediction == label, batch.target == label
        yield _Counts(*(xp.sum(mask, axis=1) for mask in (guess & truth, guess != truth, truth)))


def _mean_over_classes(batch: ClassMask, miss_weight: float) -> Array:
    """The mean over the classes in either mask of wrong / (hits + wrong), wrong times miss_weight (n,)."""
    xp = batch.xp
    total, classes = xp.zeros(len(batch.target)), xp.zeros(len(batch.target))
    for counts in _counts_by_class(batch):
        wrong = miss_weight * counts.wrong
        denominator = counts.hits + wrong
        total += wrong / xp.where(denominator == 0, 1.0, denominator)
        classes += denominator > 0
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


@loss("GeneralizedDiceScore", "generalized_dice_score", worst=1.0)
def segmentation_generalized_dice_error(
    batch: ClassMask, *, weight_type: Literal["square", "simple", "linear"] = "square"
) -> Array:
    """One minus the generalized Dice score, in which rare classes of an image weigh most.

    l = 1 - 2 sum w |P and T| / sum w (|P| + |T|) over classes, with w = 1 / |T|^2, or 1 / |T| if weight_type
    is simple, or 1 if it is linear.  Unit: 1.

    A class that is only in the prediction weighs as much as the rarest one in the image.

    Sudre et al. (2017), doi:10.1007/978-3-319-67558-9_28
    """
    xp, power = batch.xp, {"square": 2, "simple": 1, "linear": 0}[weight_type]
    counts = [*_counts_by_class(batch)]
    rarest = xp.min(xp.stack([xp.where(pixels.true > 0, pixels.true, xp.inf) for pixels in counts]), axis=0)
    wrong = total = xp.zeros(len(batch.target))
    for pixels in counts:
        # Weights relative to the rarest class do not exceed one.
        weight = (rarest / xp.where(pixels.true > 0, pixels.true, rarest)) ** power
        wrong = wrong + weight * pixels.wrong
        total = total + weight * (2 * pixels.hits + pixels.wrong)
    return wrong / total


def _mean_iou(xp: Namespace, m: Array, average: str) -> Array:
    """The mean over classes, from the means of hits, wrong pixels and true pixels of each class."""
    hits, wrong, true = (m[..., i::3] for i in range(3))
    union = hits + wrong
    if average == "micro":
        return xp.sum(hits, axis=-1) / xp.sum(union, axis=-1)
    present = union > 0
    weight = true if average == "weighted" else xp.where(present, 1.0, 0.0)
    return xp.sum(weight * hits / xp.where(present, union, 1.0), axis=-1) / xp.sum(weight, axis=-1)


MEAN_IOU = Reduction(_mean_iou, undefined="no pixel counts")


@loss("miou", "mean_iou", reduction=MEAN_IOU, best=1.0, score=True, worst=0.0)
def segmentation_mean_iou(
    batch: ClassMask, *, num_classes: Count, average: Literal["macro", "weighted", "micro"] = "macro"
) -> tuple[Array, ...]:
    """Intersection over union of each class, over the pixels of all images: the mean over classes.

    mean over classes of sum |P and T| / sum |P or T|, the sums over images.  Unit: 1.

    Classes that neither side has do not count.  With average=weighted classes are weighted by their true
    pixels, with average=micro the sums are also over classes.  Pixels whose true class is not below
    num_classes, such as 255, do not count.

    Everingham et al. (2010), doi:10.1007/s11263-009-0275-4
    """
    xp, counted = batch.xp, batch.target < num_classes
    columns = list[Array]()
    for label in range(num_classes):
        guess, truth = (batch.prediction == label) & counted, batch.target == label
        columns += [xp.sum(mask, axis=1) * 1.0 for mask in (guess & truth, guess != truth, truth)]
    return tuple(columns)


@loss("hausdorff", "HausdorffDistance", domain="masks of which none or both are empty")
def hausdorff_distance(batch: Mask, *, width: Count, percentile: Percentile = 100.0) -> Array:
    """The distance of the pixel of one mask that is farthest from the other mask.

    l = max(h(P, T), h(T, P)), with h(A, B) the maximum over the pixels of A of the distance to the nearest
    pixel of B, or their percentile; 0 for two empty masks.  Unit: pixel.

    A pixel is in a mask if its value is above 0.5.  Pixels are numbered row by row, in rows of this width.

    Huttenlocher, Klanderman and Rucklidge (1993), doi:10.1109/34.232073
    """
    xp = batch.xp
    masks = [to_numpy(image > 0.5) for image in (batch.prediction, batch.target)]
    return xp.asarray([hausdorff(a, b, width, percentile) for a, b in zip(*masks, strict=True)])
