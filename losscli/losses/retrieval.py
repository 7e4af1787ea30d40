"""Losses and scores of the top ranks of a group, and of its complete ranking.

Tied items share their ranks, as in `grouped`, unless a parameter says otherwise: the value is its expectation
if ties are broken at random.
"""

from __future__ import annotations

from functools import partial
from typing import Literal

from losscli.catalog.loss import Replacement
from losscli.catalog.params import Count, OpenUnit, Positive
from losscli.catalog.registry import loss
from losscli.losses.grouped import LOG2, Empty, Negative, Ties, mean_over_groups, relative_to_best
from losscli.numeric.arrays import Array
from losscli.tasks.grouped import BinaryRelevance, Relevance

_score = partial(loss, score=True, worst=0.0)


def _hits(batch: BinaryRelevance, k: int | None, ties: str) -> Array:
    """The number of relevant items among the first k of each group (groups,)."""
    share = batch.within(k)
    return batch.sums(batch.target[batch.by_score] * (batch.shared(share) if ties == "shared" else share))


@_score("precision_at", "p_at_k", "retrieval_precision", best=None, limit=1.0)
def precision_at_k(
    batch: BinaryRelevance,
    *,
    k: Count = 10,
    ties: Ties = "shared",
    divisor: Literal["k", "min_k"] = "k",
    negative: Negative = "error",
) -> Array:
    """Of the first k items of a group, the share that is relevant, averaged over groups.

    l = relevant items at ranks <= k, over k.  Unit: 1.

    A group of fewer items counts the rest as not relevant; with divisor=min_k its items are the divisor.
    With negative=zero a relevance of -1 is not relevant, as in TREC.

    Manning, Raghavan and Schuetze (2008), Introduction to Information Retrieval, sec. 8.4
    """
    count = batch.xp.minimum(batch.sizes, k) if divisor == "min_k" else k
    return _hits(batch, k, ties) / count


@_score("recall_at", "retrieval_recall", best=None, limit=1.0, reduction=mean_over_groups)
def recall_at_k(
    batch: BinaryRelevance,
    *,
    k: Count = 10,
    empty: Empty = "zero",
    ties: Ties = "shared",
    divisor: Literal["relevant", "min_k"] = "relevant",
    negative: Negative = "error",
) -> tuple[Array, Array]:
    """Of the relevant items of a group, the share among its first k items, averaged over groups.

    l = relevant items at ranks <= k, over the m relevant items of the group.  Unit: 1.

    With divisor=min_k it is divided by min(m, k), the most that k ranks can hold.  A group without a relevant
    item counts as 0 or 1, or is left out, by empty.  With negative=zero a relevance of -1 is not relevant, as
    in TREC.

    Manning, Raghavan and Schuetze (2008), Introduction to Information Retrieval, sec. 8.4
    """
    best = batch.relevant if divisor == "relevant" else batch.xp.minimum(batch.relevant, float(k))
    return relative_to_best(batch, _hits(batch, k, ties), best, empty)


def _first_hit(batch: BinaryRelevance, gain: Array, ties: str) -> Array:
    """The expected gain of the first relevant item of each group (groups,), from gains (n,) by rank; else 0.

    Among t tied items of which r are relevant, the first relevant one is the j-th with probability
    r / (t - j + 1) times the probability that none of the earlier ones is relevant.
    """
    xp, relevant = batch.xp, batch.target[batch.by_score]
    if ties == "rows":
        starts = xp.arange(len(relevant))
        sizes, hits, group = xp.ones(len(relevant)), relevant, batch.group
    else:
        starts, sizes, group = batch.tie_starts, batch.tie_sizes, batch.group[batch.tie_starts]
        hits = batch.tie_sums(relevant)
    runs = xp.flatnonzero(hits > 0)
    first = xp.ones(len(runs), dtype=bool)
    first[1:] = group[runs][1:] != group[runs][:-1]
    runs = runs[first]
    start, size, hit = starts[runs], sizes[runs], hits[runs]
    value, none_before = xp.zeros(len(batch.starts)), xp.ones(len(runs))
    expected = xp.zeros(len(runs))
    for j in range(int((size - hit).max() if len(runs) else -1) + 1):
        is_possible = j <= size - hit
        at = xp.where(is_possible, start + j, start)
        chance = xp.where(is_possible, none_before * hit / xp.where(is_possible, size - j, 1.0), 0.0)
        expected += chance * gain[at]
        none_before = xp.where(
            is_possible, none_before * (size - j - hit) / xp.where(is_possible, size - j, 1.0), 0.0
        )
    value[group[runs]] = expected
    return value


@_score("mrr", "reciprocal_rank", "retrieval_reciprocal_rank", best=1.0, reduction=mean_over_groups)
def mean_reciprocal_rank(
    batch: BinaryRelevance,
    *,
    k: Count | None = None,
    empty: Empty = "zero",
    ties: Ties = "shared",
    negative: Negative = "error",
) -> tuple[Array, Array]:
    """One over the rank of the first relevant item of a group, averaged over groups.

    l = 1 / rank, or 0 if no relevant item is at a rank <= k.  Unit: 1.

    A group without a relevant item counts as 0 or 1, or is left out, by empty.  With negative=zero a
    relevance of -1 is not relevant, as in TREC.

    Voorhees (1999), The TREC-8 question answering track report
    """
    reciprocal = _first_hit(batch, batch.within(k) / (batch.rank + 1.0), ties)
    return relative_to_best(batch, reciprocal, batch.any_relevant, empty)


@_score(
    "hit_rate",
    "hit_at_k",
    "success_at_k",
    "retrieval_hit_rate",
    best=None,
    limit=1.0,
    reduction=mean_over_groups,
)
def hit_rate_at_k(
    batch: BinaryRelevance,
    *,
    k: Count = 10,
    empty: Empty = "zero",
    ties: Ties = "shared",
    negative: Negative = "error",
) -> tuple[Array, Array]:
    """The share of groups with a relevant item among their first k items.

    l = 1 if a relevant item is at a rank <= k, else 0.  Unit: 1.

    A group without a relevant item counts as 0 or 1, or is left out, by empty.  With negative=zero a
    relevance of -1 is not relevant, as in TREC.

    Deshpande and Karypis (2004), doi:10.1145/963770.963776
    """
    return relative_to_best(batch, _first_hit(batch, batch.within(k), ties), batch.any_relevant, empty)


@_score("retrieval_rbp", best=None, limit=1.0)
def rank_biased_precision(
    batch: BinaryRelevance,
    *,
    persistence: OpenUnit = 0.8,
    ties: Ties = "shared",
    negative: Negative = "error",
) -> Array:
    """The rate of relevant items for a reader who continues after each item with the same probability.

    l = (1 - persistence) sum over the relevant items of persistence^(rank - 1).  Unit: 1.

    With negative=zero a relevance of -1 is not relevant, as in TREC.

    Moffat and Zobel (2008), doi:10.1145/1416950.1416952
    """
    weight = batch.xp.power(persistence, batch.rank)
    weight = batch.shared(weight) if ties == "shared" else weight
    return (1.0 - persistence) * batch.sums(batch.target[batch.by_score] * weight)


_MOST = Replacement(
    "counts a relevance above max_relevance={max_relevance} as that",
    lambda batch, params: batch.target > params["max_relevance"],
)


@_score("err", best=None, limit=1.0, replaces=_MOST)
def expected_reciprocal_rank(
    batch: Relevance, *, k: Count | None = None, max_relevance: Positive = 4.0, negative: Negative = "error"
) -> Array:
    """The expected reciprocal rank at which a reader stops, satisfied by an item according to its relevance.

    l = sum over ranks i <= k of (1 / i) R_i prod_{j < i} (1 - R_j), with R = (2^r - 1) / 2^max_relevance.
    Unit: 1.

    Tied items rank in the order of the rows.  With negative=zero a relevance of -1 is not relevant, as in
    TREC.

    Chapelle et al. (2009), doi:10.1145/1645953.1646033
    """
    xp = batch.xp
    r = xp.minimum(batch.target[batch.by_score], max_relevance)
    stop = xp.exp2(r - max_relevance) * -xp.expm1(-LOG2 * r)
    going = batch.running(xp.multiply, 1.0 - stop)
    before = xp.ones_like(going)
    before[1:] = going[:-1]
    before[batch.starts] = 1.0
    return batch.sums(batch.within(k) * stop * before / (batch.rank + 1.0))
