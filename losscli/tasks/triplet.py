"""Triplets of vectors: an anchor, a positive that should be close to it, and a negative that should not."""

from __future__ import annotations

from typing import Annotated, ClassVar

from losscli.numeric.arrays import Array
from losscli.tasks.catalog import Task
from losscli.tasks.named import Column, Vectors, read


class Triplet(Vectors, frozen=True):
    """Anchors among the predictions, positives and negatives among the targets (n, dimensions)."""

    task: ClassVar[str] = "triplet"
    anchor: Annotated[Array, Column(role="family", pattern=r"anchor_(.+)", like="anchor_0, anchor_1, ...")]
    positive: Annotated[
        Array, Column(role="family", side="t", pattern=r"positive_(.+)", like="positive_0, positive_1, ...")
    ]
    negative: Annotated[
        Array, Column(role="family", side="t", pattern=r"negative_(.+)", like="negative_0, negative_1, ...")
    ]


TASK = Task(
    "triplet",
    read,
    usual=("triplet_margin", "triplet_margin_cosine"),
    batches=(Triplet,),
    shown=(Triplet,),
)
