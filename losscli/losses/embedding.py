"""Losses of pairs of vectors: a is the prediction, b the target."""

from __future__ import annotations

from losscli.catalog.loss import Replacement
from losscli.catalog.params import AtLeastOne, Matrix, PerDimension, Positive, Real
from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array
from losscli.numeric.vectors import angle, length, matrix_root, norm
from losscli.tasks.embedding import PairDistance, SimilarPair, VectorPair

NONZERO = "vectors that are not zero"


@loss("cosine", "paired_cosine_distances", domain=NONZERO, worst=2.0)
def cosine_distance(batch: VectorPair) -> Array:
    """One minus the cosine of the angle between the vectors.

    l = 1 - a b / (|a| |b|).  Unit: 1.

    Salton and McGill (1983), Introduction to Modern Information Retrieval
    """
    return batch.angle.distance


@loss("CosineSimilarity", best=-1.0, domain=NONZERO, worst=1.0)
def cosine_similarity(batch: VectorPair) -> Array:
    """Minus the cosine of the angle between the vectors: -1 is best.

    l = -a b / (|a| |b|).  Unit: 1.

    Salton and McGill (1983), Introduction to Modern Information Retrieval
    """
    return -batch.angle.cosine


@loss("euclidean", "paired_euclidean_distances")
def euclidean_distance(batch: VectorPair) -> Array:
    """The Euclidean length of the difference.

    l = sqrt(sum (a - b)^2).  Unit: target.

    Deza and Deza (2009), Encyclopedia of Distances
    """
    return length(batch.xp, batch.difference)


@loss("squared_euclidean", "sqeuclidean")
def squared_euclidean_distance(batch: VectorPair) -> Array:
    """The squared Euclidean length of the difference.

    l = sum (a - b)^2.  Unit: target^2.

    Deza and Deza (2009), Encyclopedia of Distances
    """
    return batch.xp.sum(batch.difference * batch.difference, axis=1)


@loss("manhattan", "cityblock", "paired_manhattan_distances")
def manhattan_distance(batch: VectorPair) -> Array:
    """The sum of the absolute differences of the coordinates.

    l = sum |a - b|.  Unit: target.

    Deza and Deza (2009), Encyclopedia of Distances
    """
    return batch.xp.sum(batch.difference, axis=1)


@loss("chebyshev")
def chebyshev_distance(batch: VectorPair) -> Array:
    """The largest absolute difference of a coordinate.

    l = max |a - b|.  Unit: target.

    Deza and Deza (2009), Encyclopedia of Distances
    """
    return batch.xp.max(batch.difference, axis=1)


@loss("minkowski")
def minkowski_distance_rowwise(batch: VectorPair, *, p: AtLeastOne) -> Array:
    """Manhattan distance for p = 1, Euclidean for p = 2, Chebyshev in the limit.

    l = (sum |a - b|^p)^(1/p).  Unit: target.

    Deza and Deza (2009), Encyclopedia of Distances
    """
    return norm(batch.xp, batch.difference, p)


@loss("standardized_euclidean", "seuclidean")
def standardized_euclidean_distance(batch: VectorPair, *, variances: PerDimension) -> Array:
    """The Euclidean length of the difference with each coordinate in units of its standard deviation.

    l = sqrt(sum (a - b)^2 / v), with v the variances.  Unit: 1.

    Deza and Deza (2009), Encyclopedia of Distances
    """
    xp = batch.xp
    return length(xp, batch.difference / xp.sqrt(xp.asarray(variances)))


@loss("mahalanobis")
def mahalanobis_distance(batch: VectorPair, *, inv_cov: Matrix) -> Array:
    """The Euclidean length of the difference in units of a covariance, given by its inverse.

    l = sqrt((a - b)' V (a - b)), with V the inverse of the covariance.  Unit: 1.

    Mahalanobis (1936), On the generalised distance in statistics
    """
    xp = batch.xp
    # With V = L L' it is the length of L' (a - b), whose square cannot be negative.
    return length(xp, (batch.prediction - batch.target) @ matrix_root(xp, inv_cov))


@loss(
    "canberra",
    replaces=Replacement(
        "counts 0 / 0 of a coordinate as 0",
        lambda batch, params: batch.xp.any((batch.prediction == 0) & (batch.target == 0), axis=1),
    ),
)
def canberra_distance(batch: VectorPair) -> Array:
    """The sum of relative differences; coordinates that are zero in both vectors are skipped.

    l = sum |a - b| / (|a| + |b|).  Unit: 1.

    Lance and Williams (1966), doi:10.1093/comjnl/9.1.60
    """
    xp = batch.xp
    size = xp.abs(batch.prediction) + xp.abs(batch.target)
    return xp.sum(batch.difference / xp.where(size == 0, 1.0, size), axis=1)


@loss("bray_curtis", "braycurtis", domain="vectors whose sum is not zero")
def bray_curtis_distance(batch: VectorPair) -> Array:
    """The sum of differences relative to the sum of both vectors.

    l = sum |a - b| / sum |a + b|.  Unit: 1.

    Bray and Curtis (1957), doi:10.2307/1942268
    """
    xp = batch.xp
    total = xp.sum(xp.abs(batch.prediction + batch.target), axis=1)
    return xp.sum(batch.difference, axis=1) / total


@loss("correlation", domain="vectors that are not constant", worst=2.0)
def correlation_distance(batch: VectorPair) -> Array:
    """One minus the correlation of the coordinates.

    l = 1 - cos of the angle between a - mean a and b - mean b.  Unit: 1.

    Deza and Deza (2009), Encyclopedia of Distances
    """
    xp = batch.xp
    a, b = (x - xp.mean(x, axis=1, keepdims=True) for x in (batch.prediction, batch.target))
    return angle(xp, a, b).distance


@loss("CosineEmbeddingLoss", domain=NONZERO)
def cosine_embedding(batch: SimilarPair, *, margin: Real = 0.0) -> Array:
    """The cosine distance of similar pairs, and the cosine above a margin of dissimilar ones.

    l = 1 - cos if y = 1, else max(0, cos - margin).  Unit: 1.

    PyTorch user guide, CosineEmbeddingLoss
    """
    xp, pair_angle = batch.xp, batch.angle
    excess = xp.maximum(pair_angle.cosine - margin, 0.0)
    return xp.where(batch.target > 0, pair_angle.distance, excess)


@loss("HingeEmbeddingLoss", best=0.0)
def hinge_embedding(batch: PairDistance, *, margin: Real = 1.0) -> Array:
    """The distance of similar pairs, and by how much dissimilar ones fall short of a margin.

    l = d if y = 1, else max(0, margin - d).  Unit: score.

    PyTorch user guide, HingeEmbeddingLoss
    """
    xp, d = batch.xp, batch.distance
    return xp.where(batch.target > 0, d, xp.maximum(margin - d, 0.0))


@loss("contrastive", "ContrastiveLoss")
def contrastive_loss(batch: PairDistance, *, margin: Positive = 1.0) -> Array:
    """The squared distance of similar pairs, and the squared shortfall from a margin of dissimilar ones.

    l = d^2 if y = 1, else max(0, margin - d)^2.  Unit: score^2.

    Hadsell, Chopra and LeCun (2006), doi:10.1109/CVPR.2006.100
    """
    cost = hinge_embedding(batch, margin=margin)
    return cost * cost
