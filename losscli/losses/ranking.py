"""Losses of ranking by pairs: s is the score of the item that ranks higher minus that of the other item."""

from __future__ import annotations

from losscli.catalog.params import NonNegative
from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array
from losscli.numeric.special import softplus
from losscli.tasks.ranking import ScorePair


@loss("MarginRankingLoss")
def margin_ranking(batch: ScorePair, *, margin: NonNegative = 0.0) -> Array:
    """By how much the lead of the item that ranks higher falls short of a margin.

    l = max(0, margin - s).  Unit: score.

    Herbrich et al. (1999), doi:10.1049/cp:19991091
    """
    return batch.xp.maximum(margin - batch.lead, 0.0)


@loss("PairLogit", "RankNet")
def pairwise_logistic(batch: ScorePair) -> Array:
    """The log loss of a logistic model of which item ranks higher.

    l = log(1 + exp(-s)).  Unit: nat.

    Burges et al. (2005), doi:10.1145/1102351.1102363
    """
    return softplus(batch.xp, -batch.lead)
