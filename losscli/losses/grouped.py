"""Losses of ranking in groups: the items of a query, with scores s and relevance r.

Tied items share their ranks, as if ties were broken at random, unless a parameter says otherwise.
"""

from __future__ import annotations

from typing import Literal

from msgspec.structs import replace

from losscli.catalog.params import Count
from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array
from losscli.numeric.special import softplus
from losscli.states.reductions import ratio, root_ratio
from losscli.tasks.grouped import BinaryRelevance, Groups, Relevance

Empty = Literal["zero", "one", "skip"]
"""The value of a group without a relevant item; skip leaves the group out."""

Ties = Literal["shared", "rows"]
"""Ranks of tied items: shared, or in the order of the rows."""
Negative = Literal["error", "zero"]
"""A relevance of -1: an error, or not relevant, as TREC writes it."""

mean_over_groups = replace(ratio, undefined="no group has a relevant item")
"""The mean over the groups that count."""
LOG2 = 0.6931471805599453
"""log 2."""


def relative_to_best(batch: Relevance, achieved: Array, best: Array, empty: str) -> tuple[Array, Array]:
    """The value of each group relative to the best possible value (groups,), and whether the group counts."""
    xp, is_empty = batch.xp, best == 0
    value = xp.where(is_empty, 1.0 if empty == "one" else 0.0, achieved / xp.where(is_empty, 1.0, best))
    return value, xp.where(is_empty, 0.0 if empty == "skip" else 1.0, 1.0)


def _discounted(batch: Relevance, gain: Array, k: int | None, ties: str) -> tuple[Array, Array]:
    """The discounted cumulative gain of each group and of its ideal order (groups,), from gains (n,)."""
    discount = batch.within(k) / batch.xp.log2(batch.rank + 2.0)
    gains = batch.sums(gain[batch.by_score] * (batch.shared(discount) if ties == "shared" else discount))
    return gains, batch.sums(gain[batch.by_target] * discount)


@loss("dcg", "dcg_score", best=None, score=True, worst=0.0)
def discounted_cumulative_gain(
    batch: Relevance,
    *,
    k: Count | None = None,
    gain: Literal["linear", "exponential"] = "linear",
    ties: Ties = "shared",
    negative: Negative = "error",
) -> Array:
    """How relevant the items at the top of their group are: the mean over groups, up to rank k.

    l = sum over ranks i <= k of r / log2(i + 1), or with an exponential gain of (2^r - 1) / log2(i + 1).
    Unit: 1.

    Tied items share the mean discount of their ranks, or rank in file order with ties=rows.  With
    negative=zero a relevance of -1 is not relevant, as in TREC.

    Jarvelin and Kekalainen (2002), doi:10.1145/582415.582418
    """
    xp, r = batch.xp, batch.target
    gains = r if gain == "linear" else xp.exp2(r) * -xp.expm1(-LOG2 * r)
    return _discounted(batch, gains, k, ties)[0]


@loss(
    "ndcg_score",
    "normalized_discounted_cumulative_gain",
    reduction=mean_over_groups,
    best=1.0,
    worst=0.0,
    score=True,
)
def ndcg(
    batch: Relevance,
    *,
    k: Count | None = None,
    empty: Empty = "zero",
    ties: Ties = "shared",
    negative: Negative = "error",
) -> tuple[Array, Array]:
    """How well relevant items are ranked at the top of their group: the mean over groups, up to rank k.

    DCG / ideal DCG, with DCG = sum over ranks i <= k of r / log2(i + 1).  Unit: 1.

    Tied items share the mean discount of their ranks, or rank in file order with ties=rows.  A group
    without a relevant item counts as 0 or 1, or is left out, by empty.  With negative=zero a relevance of -1
    is not relevant, as in TREC.

    Jarvelin and Kekalainen (2002), doi:10.1145/582415.582418
    """
    return relative_to_best(batch, *_discounted(batch, batch.target, k, ties), empty)


@loss(reduction=mean_over_groups, best=1.0, worst=0.0, score=True)
def ndcg_exponential_gain(
    batch: Relevance,
    *,
    k: Count | None = None,
    empty: Empty = "zero",
    ties: Ties = "shared",
    negative: Negative = "error",
) -> tuple[Array, Array]:
    """NDCG with a gain of 2^r - 1 for relevance r: the top grades count most.

    DCG / ideal DCG, with DCG = sum over ranks i <= k of (2^r - 1) / log2(i + 1).  Unit: 1.

    Burges et al. (2005), doi:10.1145/1102351.1102363
    """
    xp, r = batch.xp, batch.target
    # Dividing by 2^max of the group avoids overflow.
    gain = xp.exp2(r - batch.maxima(r)[batch.group]) * -xp.expm1(-LOG2 * r)
    return relative_to_best(batch, *_discounted(batch, gain, k, ties), empty)


@loss("map", reduction=mean_over_groups, best=1.0, score=True, worst=0.0)
def mean_average_precision(
    batch: BinaryRelevance,
    *,
    k: Count | None = None,
    empty: Empty = "zero",
    ties: Ties = "shared",
    divisor: Literal["relevant", "min_k"] = "relevant",
    negative: Negative = "error",
) -> tuple[Array, Array]:
    """The mean precision at the ranks of the relevant items of a group, averaged over groups.

    (1 / m) sum over the relevant items at ranks i <= k of (relevant items at ranks <= i) / i, with m relevant
    items in the group, also those below k.  Unit: 1.

    Tied items all have the last of their ranks, and if rank k falls among them they count by the share
    of their ranks above it; with ties=rows they rank in file order.  With divisor=min_k the sum is
    divided by min(m, k), the most that k ranks can hold.  A group without a relevant item counts as 0 or 1,
    or is left out, by empty.  With negative=zero a relevance of -1 is not relevant, as in TREC.

    Manning, Raghavan and Schuetze (2008), Introduction to Information Retrieval, sec. 8.4
    """
    xp, relevant = batch.xp, batch.target[batch.by_score]
    above = xp.cumsum(relevant)
    before = (above - relevant)[batch.starts][batch.group]
    share = batch.within(k)
    last = xp.arange(len(relevant))
    if ties == "shared":
        last, share = (batch.tie_starts + batch.tie_sizes - 1)[batch.tie], batch.shared(share)
    precision = (above[last] - before) / (batch.rank[last] + 1.0)
    total = batch.sums(relevant * share * precision)
    best = batch.relevant if k is None or divisor == "relevant" else xp.minimum(batch.relevant, float(k))
    return relative_to_best(batch, total, best, empty)


@loss("ranking_softmax_loss", best=None)
def ranking_softmax(batch: Relevance) -> Array:
    """The cross-entropy of the softmax of a group's scores, weighted by relevance, averaged over groups.

    l = -sum r log softmax(s).  Unit: nat.

    Cao et al. (2007), doi:10.1145/1273496.1273513
    """
    xp = batch.xp
    below = batch.score - batch.maxima(batch.score)[batch.group]
    # The largest terms are one: with log1p of the other terms, a small remainder stays accurate.
    top = below == 0
    ties = batch.sums(xp.where(top, 1.0, 0.0))
    rest = batch.sums(xp.where(top, 0.0, xp.exp(below)))
    log_sum = xp.log(ties) + xp.log1p(rest / ties)
    return batch.sums(xp.where(batch.target > 0, batch.target * (log_sum[batch.group] - below), 0.0))


@loss("QuerySoftMax", reduction=ratio, best=None)
def query_softmax(batch: Relevance) -> tuple[Array, Array]:
    """The ranking_softmax divided by the total relevance: groups are weighted by their relevance.

    -sum r log softmax(s) / sum r.  Unit: nat.

    Cao et al. (2007), doi:10.1145/1273496.1273513
    """
    return ranking_softmax(batch), batch.relevant


@loss("ListMLE", "plackett_luce", best=None, limit=0.0)
def list_mle(batch: Relevance) -> Array:
    """The negative log-likelihood of the order by relevance if the best of the rest is drawn by softmax.

    l = -sum over ranks i of log(exp(s_i) / sum_{j >= i} exp(s_j)), in the order of relevance.  Unit: nat.

    Items of equal relevance stand in the order of the rows.

    Xia et al. (2008), doi:10.1145/1390156.1390306
    """
    xp, score = batch.xp, batch.score[batch.by_target]
    rest = xp.full(len(score), -xp.inf)
    rest[:-1] = batch.running(xp.logaddexp, score, backwards=True)[1:]
    rest[batch.starts + batch.sizes - 1] = -xp.inf
    return batch.sums(softplus(xp, rest - score))


@loss("QueryRMSE", reduction=root_ratio)
def query_rmse(batch: Groups) -> tuple[Array, Array]:
    """The root mean squared error of items after subtracting the mean error of their group.

    sqrt(mean (e - mean of e in the group)^2), with e = s - r.  Unit: target.

    Prokhorenkova et al. (2018), CatBoost: unbiased boosting with categorical features
    """
    error = batch.score - batch.target
    error = error - (batch.sums(error) / batch.sizes)[batch.group]
    return batch.sums(error * error), batch.sizes * 1.0
