"""Ranking by pairs: the scores of two items, and which of them ranks higher."""

from __future__ import annotations

from typing import Annotated, ClassVar

from losscli.numeric.arrays import Array
from losscli.numeric.cached import cached_property
from losscli.tasks.catalog import Task
from losscli.tasks.embedding import Sign
from losscli.tasks.named import Column, Named, read


class ScorePair(Named, frozen=True):
    """The scores of two items (n,), and 1 if the first ranks higher, -1 if the second does (n,)."""

    task: ClassVar[str] = "ranking"
    score1: Annotated[Array, Column()]
    score2: Annotated[Array, Column()]
    target: Sign

    @cached_property
    def lead(self) -> Array:
        """The score of the item that ranks higher minus the other score (n,)."""
        return self.target * (self.score1 - self.score2)


TASK = Task(
    "ranking",
    read,
    usual=("pairwise_logistic", "margin_ranking"),
    batches=(ScorePair,),
    shown=(ScorePair,),
)
