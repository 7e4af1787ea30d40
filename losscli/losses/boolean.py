"""Distances between vectors of 0 and 1.

Names in formulas are counts of coordinates of a pair: `both` are 1 in both vectors, `neither` in no vector,
and `different` in exactly one.
"""

from __future__ import annotations

from losscli.catalog.loss import Replacement
from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array
from losscli.tasks.embedding import BooleanPair

EMPTY = Replacement(
    "counts 0 / 0 of two vectors without a 1 as 0", lambda batch, params: batch.both + batch.different == 0
)


def _share(batch: BooleanPair, equal: Array, weight: float) -> Array:
    """The fraction of different coordinates, each counted `weight` times, relative to all counted (n,)."""
    different = weight * batch.different
    total = equal + different
    return different / batch.xp.where(total == 0, 1.0, total)


@loss("boolean_hamming", worst=1.0)
def boolean_hamming_distance(batch: BooleanPair) -> Array:
    """The share of coordinates that differ.

    l = different / (both + neither + different).  Unit: 1.

    Hamming (1950), doi:10.1002/j.1538-7305.1950.tb00463.x
    """
    return _share(batch, batch.both + batch.neither, 1.0)


@loss("boolean_jaccard", replaces=EMPTY, worst=1.0)
def boolean_jaccard_distance(batch: BooleanPair) -> Array:
    """The share of different coordinates among those that are 1 in a vector.

    l = different / (both + different), 0 for two vectors without a 1.  Unit: 1.

    Jaccard (1912), doi:10.1111/j.1469-8137.1912.tb05611.x
    """
    return _share(batch, batch.both, 1.0)


@loss("boolean_dice", replaces=EMPTY, worst=1.0)
def boolean_dice_distance(batch: BooleanPair) -> Array:
    """The Jaccard distance with a double count of what both vectors have.

    l = different / (2 both + different), 0 for two vectors without a 1.  Unit: 1.

    Dice (1945), doi:10.2307/1932409
    """
    return _share(batch, batch.both, 0.5)


@loss("rogers_tanimoto", "rogerstanimoto", worst=1.0)
def rogerstanimoto_distance(batch: BooleanPair) -> Array:
    """The Hamming distance with a double count of coordinates that differ.

    l = 2 different / (both + neither + 2 different).  Unit: 1.

    Rogers and Tanimoto (1960), doi:10.1126/science.132.3434.1115
    """
    return _share(batch, batch.both + batch.neither, 2.0)


@loss("sokal_sneath", "sokalsneath", replaces=EMPTY, worst=1.0)
def sokalsneath_distance(batch: BooleanPair) -> Array:
    """The Jaccard distance with a double count of coordinates that differ.

    l = 2 different / (both + 2 different), 0 for two vectors without a 1.  Unit: 1.

    Sokal and Sneath (1963), Principles of Numerical Taxonomy
    """
    return _share(batch, batch.both, 2.0)


@loss("russell_rao", "russellrao", best=None, worst=1.0)
def russellrao_distance(batch: BooleanPair) -> Array:
    """The share of coordinates that are not 1 in both vectors: more than 0 also for equal vectors.

    l = (neither + different) / (both + neither + different).  Unit: 1.

    Russell and Rao (1940), On habitat and association of species of anopheline larvae
    """
    return (batch.neither + batch.different) / batch.target.shape[1]


@loss("yule", worst=2.0)
def yule_distance(batch: BooleanPair) -> Array:
    """Agreement as the odds ratio measures it: 0 if a vector contains the other, 2 if none agrees.

    l = 2 a b / (both neither + a b), with a and b the coordinates that are 1 in one vector alone;
    0 if a b = 0.  Unit: 1.

    Yule (1912), doi:10.2307/2340126
    """
    product = batch.only_predicted * batch.only_true
    total = batch.both * batch.neither + product
    return 2.0 * product / batch.xp.where(total == 0, 1.0, total)
