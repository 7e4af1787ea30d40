"""Threshold-free measures of how well scores separate two classes: areas under curves, and points on them."""

from __future__ import annotations

from losscli.catalog.params import OpenUnit, Share
from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array
from losscli.numeric.ranking import Ties, after, before
from losscli.numeric.scores import order_interval
from losscli.states.order import Order, Sample, Settled
from losscli.tasks.binary import BinaryScore

_BOTH = "it needs rows of both classes"


def _columns(batch: BinaryScore) -> tuple[Array, Array]:
    return batch.score, batch.sign > 0


class Ranking:
    """The distinct scores of a sample in order, with the weight of `positive` and `negative` rows (g,)."""

    def __init__(self, sample: Sample, score: Array, is_positive: Array) -> None:
        self.sample, self.xp, self.is_positive = sample, sample.xp, is_positive > 0
        self.ties = Ties.of(score, sample.weight)
        self.positive = self.ties.sums(self.is_positive)
        self.negative = self.ties.sums(~self.is_positive)
        self.positives, self.negatives = float(self.positive.sum()), float(self.negative.sum())

    @property
    def has_both(self) -> bool:
        """Whether there are rows of both classes."""
        return self.positives > 0 and self.negatives > 0

    def influence(self, of_positive: Array, of_negative: Array) -> Array:
        """The influence of each row (n,), from that of positive and negative rows (g,), both with mean 0.

        The variance within each class is a sample variance: DeLong, DeLong, Clarke-Pearson (1988), Comparing
        the areas under two or more correlated receiver operating characteristic curves, doi:10.2307/2531595
        """
        group, total, units = self.ties.group, self.sample.total, self.sample.units()
        influence = self._inflated(~self.is_positive, total / self.negatives, units) * of_negative[group]
        scale = self._inflated(self.is_positive, total / self.positives, units)
        influence[self.is_positive] = scale * of_positive[group[self.is_positive]]
        return influence

    def _inflated(self, rows: Array, scale: float, all_units: float) -> float:
        """The scale of the influence of the rows of a class, corrected for its smaller sample size."""
        units = self.sample.units(rows)
        return scale * (units / (units - 1) * (all_units - 1) / all_units) ** 0.5 if units > 1 else scale

    def ends(self, value: float, influence: Array, low: float, high: float) -> tuple[float, float] | None:
        """The interval of a value between low and high; None if there is none."""
        pairs = min(self.sample.units(self.is_positive), self.sample.units(~self.is_positive))
        return self.sample.ends(value, influence, low, high, self._df(influence), pairs)

    def _df(self, influence: Array) -> float:
        """The degrees of freedom for the sum of the variances of both classes: Satterthwaite (1946)."""
        parts = (self.sample.weight * influence) ** 2 / self.sample.alike
        squares = [float(parts[rows].sum()) for rows in (self.is_positive, ~self.is_positive)]
        units = [max(self.sample.units(rows) - 1.0, 1.0) for rows in (self.is_positive, ~self.is_positive)]
        shares = sum(square * square / count for square, count in zip(squares, units, strict=True))
        return sum(squares) ** 2 / shares if shares > 0 else sum(units)


def area_of(ranking: Ranking) -> tuple[float, Array]:
    """The area under the ROC curve, and the influence (n,) of each row; both classes must occur."""
    # For each row, the rows of the other class in the correct order; ties count half.
    above = before(ranking.negative) + ranking.negative / 2
    below = after(ranking.positive) + ranking.positive / 2
    area = float(ranking.positive @ above) / (ranking.positives * ranking.negatives)
    above /= ranking.negatives
    below /= ranking.positives
    above -= area
    below -= area
    return area, ranking.influence(above, below)


def _roc_auc(sample: Sample) -> Settled:
    ranking = Ranking(sample, *sample.columns)
    if not ranking.has_both:
        return Settled.undefined(sample)
    area, influence = area_of(ranking)
    return Settled.of(area, influence, ranking.ends(area, influence, 0.0, 1.0))


@loss(
    "auc",
    "auroc",
    "roc_auc_score",
    "BinaryAUROC",
    best=1.0,
    worst=0.0,
    score=True,
    order=Order(_roc_auc, undefined=_BOTH, binned=True),
)
def roc_auc(batch: BinaryScore) -> tuple[Array, Array]:
    """The chance that a positive row has a higher score than a negative one; equal scores count half.

    The area under the curve of true positive rate over false positive rate.  Unit: 1.

    Hanley and McNeil (1982), doi:10.1148/radiology.143.1.7063747
    """
    return _columns(batch)


def _gini(sample: Sample) -> Settled:
    ranking = Ranking(sample, *sample.columns)
    if not ranking.has_both:
        return Settled.undefined(sample)
    area, influence = area_of(ranking)
    value, influence = 2.0 * area - 1.0, 2.0 * influence
    return Settled.of(value, influence, ranking.ends(value, influence, -1.0, 1.0))


@loss(
    "somers_d",
    "normalized_gini",
    "accuracy_ratio",
    best=1.0,
    worst=-1.0,
    score=True,
    order=Order(_gini, undefined=_BOTH, binned=True),
)
def gini(batch: BinaryScore) -> tuple[Array, Array]:
    """The area under the ROC curve from -1 to 1: 0 for scores without information.

    2 AUC - 1.  Unit: 1.

    Somers (1962), A new asymmetric measure of association for ordinal variables, doi:10.2307/2090408
    """
    return _columns(batch)


def _partial_auc(sample: Sample, max_fpr: float, standardized: bool) -> Settled:
    ranking, xp = Ranking(sample, *sample.columns), sample.xp
    if not ranking.has_both:
        return Settled.undefined(sample)
    # The part of the negatives of each score that is within max_fpr, highest scores first.
    rate, share = ranking.negative / ranking.negatives, ranking.positive / ranking.positives
    room = xp.maximum(max_fpr - after(rate), 0.0)
    part = xp.minimum(rate, room)
    inside = xp.where(rate > 0, part / xp.where(rate > 0, rate, 1.0), 1.0 * (room > 0))
    # The curve is linear within tied scores: equal fractions of their positives and negatives are counted.
    area = float((part * (after(share) + share * inside / 2)).sum())
    edge = float((after(share) + share * inside)[xp.flatnonzero(part > 0)[0]])
    of_positive = before(part) + part * inside / 2
    of_negative = inside * (after(share) + share * inside / 2 - edge) + max_fpr * edge
    influence = ranking.influence(of_positive - area, of_negative - area)
    if not standardized:
        return Settled.of(area, influence, ranking.ends(area, influence, 0.0, max_fpr))
    chance = max_fpr * max_fpr / 2
    scale = 2.0 * (max_fpr - chance)
    value, influence = 0.5 + (area - chance) / scale, influence / scale
    return Settled.of(value, influence, ranking.ends(value, influence, 0.5 - chance / scale, 1.0))


@loss(
    "partial_roc_auc",
    best=1.0,
    worst=0.0,
    score=True,
    order=Order(_partial_auc, undefined=_BOTH, binned=True),
)
def partial_auc(
    batch: BinaryScore, *, max_fpr: Share = 0.1, standardized: bool = True
) -> tuple[Array, Array]:
    """The area under the ROC curve up to a false positive rate: where an alarm may not be wrong often.

    Standardised, 1 is perfect and 1/2 chance: (1 + (A - m) / (max_fpr - m)) / 2 with the area A and that of
    chance m = max_fpr^2 / 2; otherwise A itself, which is max_fpr at best.  Unit: 1.

    McClish (1989), Analyzing a portion of the ROC curve, doi:10.1177/0272989X8900900307
    """
    return _columns(batch)


def precision_of(ranking: Ranking) -> tuple[float, Array]:
    """The average precision, and the influence (n,) of each row; there must be positive rows."""
    xp = ranking.xp
    hits = ranking.positive + after(ranking.positive)
    misses = ranking.negative + after(ranking.negative)
    precision = hits / (hits + misses)
    value = float((ranking.positive * precision).sum() / ranking.positives)
    # A row changes the precision at every positive row with an equal or lower score.
    slope = ranking.positive / (hits + misses) ** 2
    gained, lost = xp.cumsum(slope * misses), xp.cumsum(slope * hits)
    of_positive = (precision - value + gained) / ranking.positives
    of_negative = -lost / ranking.positives
    group = ranking.ties.group
    change = xp.where(ranking.is_positive, of_positive[group], of_negative[group])
    return value, ranking.sample.total * change


def _average_precision(sample: Sample) -> Settled:
    ranking = Ranking(sample, *sample.columns)
    if ranking.positives == 0:
        return Settled.undefined(sample)
    value, influence = precision_of(ranking)
    return Settled.of(value, influence, ranking.ends(value, influence, 0.0, 1.0))


def _limits_of_precision(low: Sample, high: Sample) -> tuple[float, float]:
    """The limits of the average precision of binned scores.

    The minimum is at distinct scores of the positives in a bin.  It is bounded by the limit of infinitely
    small positives: the integral of the precision over them.
    """
    ranking, xp = Ranking(low, *low.columns), low.xp
    hits, misses = after(ranking.positive), ranking.negative + after(ranking.negative)
    # The negatives of a bin rank above its positives, at the next higher value.
    gained = ranking.positive - misses * xp.log1p(ranking.positive / (hits + misses))
    minimum = xp.where(misses > 0, gained, ranking.positive)
    return float(minimum.sum() / ranking.positives), precision_of(Ranking(high, *high.columns))[0]


@loss(
    "pr_auc",
    "auprc",
    "aucpr",
    "average_precision_score",
    "BinaryAveragePrecision",
    best=1.0,
    worst=0.0,
    score=True,
    order=Order(
        _average_precision, undefined="it needs positive rows", binned=True, limits=_limits_of_precision
    ),
)
def average_precision(batch: BinaryScore) -> tuple[Array, Array]:
    """The mean precision at the positive rows: how clean the top of the list is, down to the last positive.

    sum (R_k - R_{k-1}) P_k over thresholds, with precision P and recall R: the area under the curve of
    precision over recall in steps.  Unit: 1.

    Straight lines between its points would be too optimistic: Davis and Goadrich (2006).

    Manning, Raghavan, Schuetze (2008), Introduction to Information Retrieval, ch. 8
    """
    return _columns(batch)


def _ks(sample: Sample) -> Settled:
    ranking, xp = Ranking(sample, *sample.columns), sample.xp
    if not ranking.has_both:
        return Settled.undefined(sample)
    hits = (ranking.positive + after(ranking.positive)) / ranking.positives
    alarms = (ranking.negative + after(ranking.negative)) / ranking.negatives
    widest = int(xp.argmax(xp.abs(hits - alarms)))
    sign = 1.0 if hits[widest] >= alarms[widest] else -1.0
    above = xp.arange(len(hits)) >= widest
    influence = ranking.influence(sign * (above - hits[widest]), -sign * (above - alarms[widest]))
    value = float(abs(hits[widest] - alarms[widest]))
    return Settled.of(value, influence, ranking.ends(value, influence, 0.0, 1.0))


@loss(
    "ks",
    "kolmogorov_smirnov",
    best=1.0,
    worst=0.0,
    score=True,
    order=Order(_ks, undefined=_BOTH, binned=True, maximum=True),
)
def ks_statistic(batch: BinaryScore) -> tuple[Array, Array]:
    """The largest distance between the distributions of the scores of the two classes.

    max |TPR - FPR| over thresholds.  Unit: 1.

    It is the largest of many differences, and so too large by chance in small files: for scores without
    information it is near 0.87 sqrt(1 / positives + 1 / negatives), not 0.  No interval accounts for that.

    Smirnov (1948), doi:10.1214/aoms/1177730256
    """
    return _columns(batch)


def _lift(sample: Sample, share: float) -> Settled:
    ranking, xp = Ranking(sample, *sample.columns), sample.xp
    if ranking.positives == 0:
        return Settled.undefined(sample)
    weight = ranking.ties.weights

    def share_taken(size: float) -> Array:
        """The fraction of the rows of each score (g,) that is among the top rows of this weight."""
        return xp.clip(size - after(weight), 0.0, weight) / weight

    size = share * sample.total
    top = share_taken(size)
    hits = float(ranking.positive @ top)
    value = hits / (share * ranking.positives)
    group, y = ranking.ties.group, ranking.is_positive
    # The rate of positives near the cut, estimated over the range where the cut may lie.
    rows, deviate = sample.share(top[group] > 0, share)
    below, above = (min(max(end, 0.0), rows) for end in order_interval(share, rows, deviate))
    ends = [float(ranking.positive @ share_taken(end / rows * sample.total)) for end in (below, above)]
    rate = (ends[1] - ends[0]) / ((above - below) / rows * sample.total)
    of_hits = top[group] * (y - rate) + share * rate
    influence = sample.total / ranking.positives * (of_hits / share - value * y)
    return Settled.of(value, influence)


@loss(
    "lift_at_share",
    best=None,
    worst=0.0,
    score=True,
    order=Order(_lift, undefined="it needs positive rows", binned=True),
)
def lift(batch: BinaryScore, *, share: Share = 0.1) -> tuple[Array, Array]:
    """How many times more positives are among the highest scores than among as many random rows.

    The precision among the highest share of the rows over the rate of positives; of equal scores at the edge,
    each counts in part.  Unit: 1.

    Berry and Linoff (1997), Data Mining Techniques
    """
    return _columns(batch)


def _recall(sample: Sample, precision: float) -> Settled:
    ranking, xp = Ranking(sample, *sample.columns), sample.xp
    if ranking.positives == 0:
        return Settled.undefined(sample)
    hits = ranking.positive + after(ranking.positive)
    misses = ranking.negative + after(ranking.negative)
    is_precise = hits >= precision * (hits + misses)
    value = float(xp.max(hits[is_precise], initial=0.0)) / ranking.positives
    return Settled.of(value, xp.zeros(len(sample.weight)))


@loss(
    "recall_at_fixed_precision",
    "RecallAtPrecision",
    best=1.0,
    worst=0.0,
    score=True,
    order=Order(_recall, undefined="it needs positive rows", noise=False, binned=True, maximum=True),
)
def recall_at_precision(batch: BinaryScore, *, precision: OpenUnit) -> tuple[Array, Array]:
    """The most positives that a threshold finds while its alarms are right often enough.

    The largest recall of the thresholds whose precision is at least `precision`, 0 without any.  Unit: 1.

    Manning, Raghavan, Schuetze (2008), Introduction to Information Retrieval, ch. 8
    """
    return _columns(batch)
