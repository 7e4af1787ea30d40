"""Masks of several classes: the names of their columns, the weights of classes, logits and probabilities."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

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
