"""Contrastive learning: the vectors of a batch of items, and the labels that define similar items."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import ClassVar

from losscli.data.stream import Part
from losscli.numeric.arrays import Array, Namespace, np, to_numpy
from losscli.numeric.cached import cached_property
from losscli.numeric.vectors import unit
from losscli.tasks.base import Batch
from losscli.tasks.catalog import Task
from losscli.tasks.groups import Grouped, read_groups
from losscli.tasks.named import Column

PAIRS = 1 << 22
"""Maximum pairs of items that are compared at once."""


class LabeledVectors(Grouped, frozen=True):
    """Vectors (n, dimensions) and label numbers (n,) of items in contiguous groups.

    Two items of a group are a positive pair if they have the same label; groups are training batches.
    """

    task: ClassVar[str] = "contrastive"
    is_one_group_by_default: ClassVar[bool] = True
    reads: ClassVar[Mapping[str, Column]] = {
        "vector": Column(role="family", pattern=r"(?:e|x|dim|emb|embedding)_?(\d+)", like="e0, e1, ..."),
        "label": Column(role="target", text=True),
    }
    vector: Array
    label: Array

    @property
    def items(self) -> int:
        """The number of items of all groups."""
        return len(self.label)

    @classmethod
    def made(cls, xp: Namespace, part: Part, values: Mapping[str, Array]) -> tuple[Batch, ...]:
        """The batch, with labels as numbers."""
        codes: dict[str, int] = {}
        label = np.array([codes.setdefault(text, len(codes)) for text in values["label"]], dtype=np.int64)
        return (cls(xp, values["vector"], xp.asarray(label)),)

    @cached_property
    def direction(self) -> Array:
        """The vectors with length one (n, dimensions); NaN for a vector of zeros."""
        return unit(self.xp, self.vector)

    def pairs(self) -> Iterator[Pairs]:
        """Yield the pairs of every item with all items of its group, some items at a time."""
        starts = to_numpy(self.starts).tolist()
        for start, end in pairwise([*starts, self.items]):
            step = max(1, PAIRS // (end - start))
            for first in range(start, end, step):
                yield Pairs(self, slice(first, min(first + step, end)), slice(start, end))


class Pairs:
    """Some items of a group (k), each with all items of the group (k, m)."""

    def __init__(self, batch: LabeledVectors, some: slice, group: slice) -> None:
        xp, self.some = batch.xp, some
        same = batch.label[some, None] == batch.label[None, group]
        itself = xp.arange(some.start, some.stop)[:, None] == xp.arange(group.start, group.stop)
        self.positive: Array = same & ~itself
        self.negative: Array = ~same
        self.cosine: Array = batch.direction[some] @ batch.direction[group].T


TASK = Task(
    "contrastive",
    read_groups,
    usual=("ntxent", "circle"),
    unit="groups",
    batches=(LabeledVectors,),
)
