"""Rank correlations: whether predictions order the rows as the targets do."""

from __future__ import annotations

from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array
from losscli.numeric.ranking import Ties, after, net_concordance
from losscli.states.order import Order, Sample, Settled
from losscli.tasks.regression import Regression

_EQUAL = "all predictions or all targets are equal"


def _ties(sample: Sample) -> tuple[Ties, Ties]:
    prediction, target = sample.columns
    return Ties.of(prediction, sample.weight), Ties.of(target, sample.weight)


def _settled(sample: Sample, value: float, influence: Array) -> Settled:
    """A correlation with its interval, from the Fisher transform."""
    return Settled.of(value, influence, sample.ends(value, influence, -1.0, 1.0))


def _spearman(sample: Sample) -> Settled:
    x, y = _ties(sample)
    # Ranks relative to the middle; tied values have their mean rank.
    u, v = (ties.below + ties.equal / 2 - sample.total / 2 for ties in (x, y))

    def through(ties: Ties, values: Array) -> Array:
        """The influence of each row (n,) on the sum of `values` (n,) times the ranks of `ties`."""
        sums = ties.sums(values)
        return (after(sums) + sums / 2)[ties.group]

    weight = sample.weight
    products = [float((weight * a * b).sum()) for a, b in ((u, v), (u, u), (v, v))]
    covariance, x_variance, y_variance = products
    if x_variance <= 0 or y_variance <= 0:
        return Settled.undefined(sample)
    scale = float(sample.xp.sqrt(x_variance * y_variance))
    value = covariance / scale
    of_covariance = u * v + through(x, v) + through(y, u)
    of_x, of_y = u * u + 2.0 * through(x, u), v * v + 2.0 * through(y, v)
    change = of_covariance / scale - value / 2 * (of_x / x_variance + of_y / y_variance)
    return _settled(sample, value, sample.total * change)


@loss(
    "spearman",
    "spearmanr",
    "spearman_corrcoef",
    "SpearmanCorrCoef",
    best=1.0,
    worst=-1.0,
    score=True,
    order=Order(_spearman, undefined=_EQUAL),
)
def spearman_correlation(batch: Regression) -> tuple[Array, Array]:
    """The correlation of the ranks of predictions and targets: 1 for any increasing relation.

    The Pearson correlation of ranks, where equal values share the mean of their ranks.  Unit: 1.

    Spearman (1904), The proof and measurement of association between two things, doi:10.2307/1412159
    """
    return batch.prediction, batch.target


def _kendall(sample: Sample) -> Settled:
    x, y = _ties(sample)
    net, weight, total = net_concordance(x, y), sample.weight, sample.total
    pairs, different_x, different_y = (
        float((weight * values).sum()) for values in (net, total - x.equal, total - y.equal)
    )
    if different_x <= 0 or different_y <= 0:
        return Settled.undefined(sample)
    scale = float(sample.xp.sqrt(different_x * different_y))
    value = pairs / scale
    change = net / scale - value / 2 * ((total - x.equal) / different_x + (total - y.equal) / different_y)
    return _settled(sample, value, 2.0 * total * change)


@loss(
    "kendall",
    "kendalltau",
    "kendall_tau",
    "kendall_rank_corrcoef",
    "KendallRankCorrCoef",
    best=1.0,
    worst=-1.0,
    score=True,
    order=Order(_kendall, undefined=_EQUAL),
)
def kendall_tau_b(batch: Regression) -> tuple[Array, Array]:
    """The share of pairs of rows in the same order minus that in the opposite order, without tied pairs.

    (C - D) / sqrt((C + D + X) (C + D + Y)) with concordant and discordant pairs C and D, and those tied in
    targets alone X and in predictions alone Y.  Unit: 1.

    Kendall (1945), The treatment of ties in ranking problems, doi:10.2307/2332303
    """
    return batch.prediction, batch.target


def _concordance(sample: Sample) -> Settled:
    x, y = _ties(sample)
    net, different = net_concordance(x, y), sample.total - y.equal
    pairs = float((sample.weight * different).sum())
    if pairs <= 0:
        return Settled.undefined(sample)
    value = float((sample.weight * net).sum()) / pairs
    influence, value = sample.total * (net - value * different) / pairs, (1.0 + value) / 2
    return Settled.of(value, influence, sample.ends(value, influence, 0.0, 1.0))


@loss(
    "c_index",
    "harrell_c",
    best=1.0,
    worst=0.0,
    score=True,
    order=Order(_concordance, undefined="all targets are equal"),
)
def concordance_index(batch: Regression) -> tuple[Array, Array]:
    """The chance that the row with the larger of two different targets has the larger prediction.

    (C + T / 2) / (C + D + T) with concordant and discordant pairs C and D, and those of equal predictions T.
    Unit: 1.

    Harrell et al. (1982), Evaluating the yield of medical tests, doi:10.1001/jama.1982.03320430047030
    """
    return batch.prediction, batch.target
