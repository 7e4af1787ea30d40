"""Masks of several classes: the names of their columns, the weights of classes, logits and probabilities."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn import metrics

import losscli
from losscli.errors import DataError, UsageError

RNG = np.random.default_rng(4)
NAMES = [f"px{pixel}_{label}" for pixel in range(12) for label in ("sky", "road")]
LOGITS = RNG.normal(size=(8, 12, 2))
TRUE = np.eye(2)[RNG.integers(0, 2, (8, 12))]


def table(masks: np.ndarray, names=NAMES) -> pl.DataFrame:
    return pl.DataFrame(masks.reshape(len(masks), -1), schema=names)


def value(prediction: pl.DataFrame, loss: str, **options) -> float | None:
    return losscli.evaluate(prediction, table(TRUE), loss=loss, on="position", **options).results[0].value


@pytest.mark.parametrize("loss", ["multiclass_dice_smooth", "generalized_dice"])
def test_probabilities_are_their_logits(loss):
    p = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=2, keepdims=True)
    expected = value(table(LOGITS), loss)
    assert value(table(p), f"{loss}:softmax=false") == pytest.approx(expected, rel=1e-14)
    with pytest.raises(DataError, match="logits, or with softmax=false probabilities"):
        value(table(LOGITS), f"{loss}:softmax=false")


def test_columns_are_read_in_any_order():
    order = RNG.permutation(len(NAMES))
    turned = table(LOGITS).select(NAMES[i] for i in order)
    assert value(turned, "generalized_dice") == value(table(LOGITS), "generalized_dice")


def test_a_class_of_weight_zero_does_not_count():
    both = value(table(LOGITS), "multiclass_dice_smooth", class_weight={"sky": 1, "road": 1})
    each = [
        value(table(LOGITS), "multiclass_dice_smooth", class_weight={"sky": sky, "road": 1 - sky})
        for sky in (0, 1)
    ]
    assert both == value(table(LOGITS), "multiclass_dice_smooth")
    assert sum(each) == pytest.approx(both, rel=1e-15)
    without_road = value(table(LOGITS), "multiclass_dice_smooth:ignore_background=true")
    assert without_road == pytest.approx(2 * each[1], rel=1e-15)


def test_unknown_classes_and_losses_without_them():
    with pytest.raises(UsageError, match="no class 'sea'"):
        value(table(LOGITS), "multiclass_dice_smooth", class_weight={"sea": 2})
    with pytest.raises(UsageError, match="weigh no classes"):
        value(table(LOGITS), "generalized_dice", class_weight={"sky": 2})


def test_a_pixel_without_a_class_is_an_error():
    with pytest.raises(UsageError, match="each pixel needs a column for each class"):
        value(table(LOGITS).drop("px3_sky"), "generalized_dice")


def of_pixels(prediction: np.ndarray, target: np.ndarray, loss: str, **options) -> float | None:
    names = [f"px{i}" for i in range(target.shape[1])]
    frames = pl.DataFrame(prediction, schema=names), pl.DataFrame(target, schema=names)
    return losscli.evaluate(*frames, loss=loss, on="position", **options).results[0].value


@pytest.mark.parametrize("average", ["macro", "weighted", "micro"])
def test_mean_iou_is_the_jaccard_score_of_all_pixels_that_count(average):
    true = RNG.choice([0, 1, 2, 255], (20, 16), p=[0.6, 0.25, 0.1, 0.05])
    guess = np.where(RNG.random(true.shape) < 0.7, np.minimum(true, 2), RNG.integers(0, 4, true.shape))
    counted = true < 3
    own = np.where(guess < 3, guess, 3)[counted]
    expected = metrics.jaccard_score(true[counted], own, average=average, labels=[0, 1, 2])
    found = of_pixels(guess * 1.0, true, f"miou:num_classes=3,average={average}")
    assert found == pytest.approx(expected, rel=1e-14)
    # Classes that do not occur change nothing.
    void, known = np.where(counted, true, 999), np.minimum(guess, 2.0)
    three, nine = (
        of_pixels(known, void, f"miou:num_classes={classes},average={average}") for classes in (3, 9)
    )
    assert three == nine


def test_hausdorff_distances_of_pixels():
    mask = np.zeros((3, 20))
    mask[0, [0, 1]], mask[1, [19]] = 1, 1
    target = np.zeros((3, 20))
    target[0, [0, 13]], target[1, [15]] = 1, 1
    # In rows of five: (0, 0), (0, 1) and (0, 0), (2, 3); (3, 4) and (3, 0); none and none.
    distances = [8**0.5, 4.0, 0.0]
    found = of_pixels(mask, target, "hausdorff:width=5")
    assert found == pytest.approx(np.mean(distances), rel=1e-15)
    half = of_pixels(mask[:1], target[:1], "hausdorff:width=5,percentile=50", ci=None)
    assert half == pytest.approx(8**0.5 / 2, rel=1e-15)
    with pytest.raises(DataError, match="masks of which none or both are empty"):
        of_pixels(mask, target[[0, 2, 1]], "hausdorff:width=5")
