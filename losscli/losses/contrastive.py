"""Losses of contrastive learning: s is the cosine of the angle between two items of a batch."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from losscli.catalog.params import Positive, Real
from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array, Namespace
from losscli.numeric.special import softplus
from losscli.states.reductions import ratio
from losscli.tasks.contrastive import LabeledVectors, Pairs

NONZERO = "vectors that are not zero"
PER_PAIR = replace(ratio, undefined="no two rows of a group have the same label")


def _of_items(batch: LabeledVectors, value: Callable[[Pairs], Array]) -> Array:
    """The values of all items (n,), concatenated over their pairs."""
    return batch.xp.concatenate([batch.xp.zeros(0), *(value(pairs) for pairs in batch.pairs())])


def _maximum(xp: Namespace, x: Array, counted: Array) -> Array:
    """The largest x of the counted items (k, 1), minus infinity if there are none."""
    return xp.max(xp.where(counted, x, -xp.inf), axis=1, keepdims=True)


def _log_sum(xp: Namespace, below: Array, counted: Array) -> Array:
    """The log-sum-exp over the counted items (k, 1), whose maximum is 0; 0 if there are none."""
    total = xp.sum(xp.where(counted, xp.exp(xp.where(counted, below, 0.0)), 0.0), axis=1, keepdims=True)
    return xp.log(xp.where(total == 0, 1.0, total))


@loss("NT-Xent", "nt_xent", "info_nce", "InfoNCE", reduction=PER_PAIR, best=None, limit=0.0, domain=NONZERO)
def ntxent(batch: LabeledVectors, *, temperature: Positive = 0.07) -> tuple[Array, Array]:
    """The cross-entropy of finding the other items with the label of an item among those with others.

    l = -log(exp(s / t) / (exp(s / t) + sum over items with another label of exp(s / t))) of a pair of items
    with the same label, the mean over pairs, with t the temperature.  Unit: nat.

    Chen et al. (2020), A simple framework for contrastive learning of visual representations
    """
    xp = batch.xp

    def of_item(pairs: Pairs) -> Array:
        s, top = pairs.cosine, _maximum(xp, pairs.cosine, pairs.negative)
        # Scaling differences rather than scores avoids overflow at low temperatures.
        others = _log_sum(xp, (s - top) / temperature, pairs.negative)
        cost = softplus(xp, (top - s) / temperature + others)
        # NaN for a vector of zeros is kept.
        return xp.sum(xp.where(pairs.positive, cost, 0.0), axis=1)

    counts = _of_items(batch, lambda pairs: xp.sum(pairs.positive, axis=1))
    return batch.sums(_of_items(batch, of_item)), batch.sums(counts * 1.0)


@loss("CircleLoss", "circle_loss", reduction=ratio, best=None, limit=0.0, domain=NONZERO)
def circle(batch: LabeledVectors, *, gamma: Positive = 80.0, margin: Real = 0.4) -> tuple[Array, Array]:
    """How far items with other labels are from being less similar than items with the same label.

    l = log(1 + sum exp(gamma a (1 - m - s)) sum exp(gamma b (s - m))), the first sum over items with the same
    label and a = max(0, 1 + m - s), the second over items with others and b = max(0, m + s), m the margin;
    the mean over items.  Unit: 1.

    Sun et al. (2020), doi:10.1109/CVPR42600.2020.00643
    """
    xp = batch.xp

    def of_item(pairs: Pairs) -> Array:
        s = pairs.cosine
        alike = xp.maximum(1.0 + margin - s, 0.0) * (1.0 - margin - s)
        unlike = xp.maximum(margin + s, 0.0) * (s - margin)
        sides = ((alike, pairs.positive), (unlike, pairs.negative))
        tops = [_maximum(xp, x, counted) for x, counted in sides]
        rests = [
            _log_sum(xp, gamma * (x - top), counted) for (x, counted), top in zip(sides, tops, strict=True)
        ]
        return softplus(xp, gamma * sum(tops) + sum(rests))[:, 0]

    return batch.sums(_of_items(batch, of_item)), batch.sizes * 1.0
