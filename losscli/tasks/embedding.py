"""Pairs of vectors: one column per dimension on both sides, or one column of arrays on each."""

from __future__ import annotations

from typing import Annotated, ClassVar

from losscli.numeric.arrays import Array
from losscli.numeric.cached import cached_property
from losscli.numeric.vectors import Angle, angle
from losscli.tasks.catalog import Task
from losscli.tasks.named import BINARY, SIGN, Column, Named, Vectors, read

Sign = Annotated[Array, Column(SIGN, role="target", words="-1 or 1")]


class VectorPair(Vectors, frozen=True):
    """The predicted and the true vector of each row (n, dimensions)."""

    task: ClassVar[str] = "embedding"
    prediction: Annotated[Array, Column(role="shared")]
    target: Annotated[Array, Column(role="shared", side="t")]

    @cached_property
    def difference(self) -> Array:
        """|prediction - target| (n, dimensions)."""
        return self.xp.abs(self.prediction - self.target)

    @cached_property
    def angle(self) -> Angle:
        """The angle between the two."""
        return angle(self.xp, self.prediction, self.target)


class BooleanPair(Vectors, frozen=True):
    """The predicted and the true vector of 0 and 1 of each row (n, dimensions)."""

    task: ClassVar[str] = "embedding"
    prediction: Annotated[Array, Column(BINARY, role="shared", words="0 or 1")]
    target: Annotated[Array, Column(BINARY, role="shared", side="t", words="0 or 1")]

    @cached_property
    def both(self) -> Array:
        """The number of coordinates that are 1 in both (n,)."""
        return self.xp.sum(self.prediction * self.target, axis=1)

    @cached_property
    def only_predicted(self) -> Array:
        """The number of coordinates that are 1 in the prediction alone (n,)."""
        return self.xp.sum(self.prediction, axis=1) - self.both

    @cached_property
    def only_true(self) -> Array:
        """The number of coordinates that are 1 in the target alone (n,)."""
        return self.xp.sum(self.target, axis=1) - self.both

    @cached_property
    def different(self) -> Array:
        """The number of coordinates in which they differ (n,)."""
        return self.only_predicted + self.only_true

    @cached_property
    def neither(self) -> Array:
        """The number of coordinates that are 0 in both (n,)."""
        return self.target.shape[1] - self.both - self.different


class SimilarPair(Vectors, frozen=True):
    """Two vectors (n, dimensions), and whether they are similar: 1, or -1 for dissimilar (n,)."""

    task: ClassVar[str] = "embedding"
    x1: Annotated[Array, Column(role="family", pattern=r"x1_(.+)", like="x1_0, x1_1, ...")]
    x2: Annotated[Array, Column(role="family", pattern=r"x2_(.+)", like="x2_0, x2_1, ...")]
    target: Sign

    @cached_property
    def angle(self) -> Angle:
        """The angle between the two."""
        return angle(self.xp, self.x1, self.x2)


class PairDistance(Named, frozen=True):
    """The distance of a pair (n,), and whether it is similar: 1, or -1 for dissimilar (n,)."""

    task: ClassVar[str] = "embedding"
    distance: Annotated[Array, Column()]
    target: Sign


TASK = Task(
    "embedding",
    read,
    usual=("cosine_distance", "euclidean_distance", "cosine_embedding", "hinge_embedding"),
    batches=(SimilarPair, PairDistance, VectorPair),
    shown=(SimilarPair,),
)
