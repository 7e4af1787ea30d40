"""Losses of multiclass classification: K classes, p_c the probability of class c, y the true class."""

from __future__ import annotations

from losscli.catalog.params import Count, FromMinusOne, NonNegative, Positive, Share, UnitBelowOne
from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array, Namespace
from losscli.numeric.special import log1pmx, xlogy
from losscli.states.reductions import Reduction
from losscli.tasks.classes import Multiclass, MulticlassLabel, MulticlassScore, OneVsAll


@loss(
    "log_loss",
    "logloss",
    "cross_entropy",
    "CrossEntropyLoss",
    "NLLLoss",
    "CategoricalCrossentropy",
    "SparseCategoricalCrossentropy",
    "softmax_cross_entropy",
    "mlogloss",
    "multi_logloss",
    "cce",
    zero_class="smoothed",
    clips=True,
)
def categorical_cross_entropy(batch: Multiclass, *, label_smoothing: UnitBelowOne | None = None) -> Array:
    """The negative log-likelihood of the true class: 0 for a perfect model, log K for a uniform one.

    l = -sum_c t_c log p_c, where t is the true class, or the target distribution; t (1 - s) + s / K under
    label smoothing s.  Unit: nat.

    Good (1952), doi:10.1111/j.2517-6161.1952.tb00104.x
    """
    if not label_smoothing:
        return -batch.log_prob_true
    return -batch.smoothed(batch.log_prob, label_smoothing)


@loss("focal", "focal_loss", "CategoricalFocalCrossentropy", zero_class="smoothed", clips=True)
def categorical_focal(
    batch: Multiclass,
    *,
    alpha: Positive = 0.25,
    gamma: NonNegative = 2.0,
    label_smoothing: UnitBelowOne | None = None,
) -> Array:
    """Cross-entropy that down-weights rows the model gets right; alpha scales all classes alike.

    l = -alpha sum_c t_c (1 - p_c)^gamma log p_c.  Unit: nat.

    Lin et al. (2017), arXiv:1708.02002
    """
    log_p, miss = batch.terms(every=bool(label_smoothing))
    focused = batch.xp.power(miss, gamma) * log_p
    return -alpha * batch.smoothed(focused, label_smoothing)


@loss("CategoricalGeneralizedCrossEntropy", "gce", clips=True)
def generalized_cross_entropy(batch: Multiclass, *, q: Share = 0.5) -> Array:
    """Between cross-entropy (q near 0) and 1 - p_y (q = 1): bounded, hence robust to wrong labels.

    l = (1 - p_y^q) / q; with soft targets its mean under them.  Unit: nat.

    Zhang and Sabuncu (2018), arXiv:1805.07836
    """
    return -batch.expect(batch.xp.expm1(q * batch.log_prob)) / q


@loss("poly_loss_cross_entropy", clips=True)
def poly1_cross_entropy(batch: Multiclass, *, epsilon1: FromMinusOne = 2.0) -> Array:
    """Cross-entropy with a different first coefficient in its series in 1 - p.

    l = -log p_y + epsilon1 (1 - p_y); with soft targets its mean under them.  Unit: nat.

    Leng et al. (2022), arXiv:2204.12511
    """
    xp = batch.xp
    log_p, miss = batch.terms()
    # Cross-entropy without its first term, so that nothing is subtracted if epsilon1 is negative.
    small = miss < 0.5
    rest = xp.where(small, -log1pmx(xp, xp.where(small, -miss, 0.0)), -log_p - miss)
    return batch.expect((1.0 + epsilon1) * miss + rest)


def _perplexity(xp: Namespace, m: Array) -> Array:
    return xp.exp(m[..., 0])


@loss(best=1.0, reduction=Reduction(_perplexity, undefined="it is beyond the largest float"), clips=True)
def perplexity(batch: Multiclass) -> Array:
    """The exponential of the cross-entropy: 1 is perfect, K is a uniform guess among K classes.

    exp(mean of -log p_y).  Unit: 1.

    Jelinek et al. (1977), doi:10.1121/1.2016299
    """
    return categorical_cross_entropy(batch)


@loss("MultiClassOneVsAll", clips=True)
def one_vs_all_log_loss(batch: OneVsAll) -> Array:
    """The binary cross-entropy of each class against all others, averaged over the classes.

    l = -(1 / K) sum_c (t_c log p_c + (1 - t_c) log(1 - p_c)), where p_c is the sigmoid of c's own logit.
    Unit: nat.

    Rifkin and Klautau (2004), J. Mach. Learn. Res. 5
    """
    return batch.xp.mean(batch.cross_entropy(batch.target), axis=1)


@loss(clips=True)
def one_vs_all_true_class_log_loss(batch: OneVsAll) -> Array:
    """The negative log-likelihood of the true class by its own probability, ignoring the other classes.

    l = -sum_c t_c log p_c, where p_c is the sigmoid of c's own logit.  Unit: nat.

    Rifkin and Klautau (2004), J. Mach. Learn. Res. 5
    """
    xp, t = batch.xp, batch.target
    return -xp.sum(xp.where(t == 0, 0.0, t * batch.log_p), axis=1)


@loss("brier", "brier_score", "brier_score_loss")
def multiclass_brier(batch: Multiclass, *, scale_by_half: bool | None = False) -> Array:
    """The squared distance of the probabilities from the target: from 0 to 2, or to 1 if scaled by half.

    l = sum_c (p_c - t_c)^2, over 2 if scale_by_half; none scales if there are two classes.  Unit: 1.

    Brier (1950), doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2
    """
    distance = batch.xp.sum(batch.gap * batch.gap, axis=1)
    halved = batch.classes == 2 if scale_by_half is None else scale_by_half
    return distance / 2 if halved else distance


@loss("spherical_score", "spherical", best=1.0, worst=0.0, score=True)
def multiclass_spherical_score(batch: Multiclass) -> Array:
    """The probability of the true class over the length of the vector of all: a proper score.

    l = p_y / sqrt(sum_c p_c^2); with soft targets its mean under them.  Unit: 1.

    Gneiting and Raftery (2007), doi:10.1198/016214506000001437
    """
    p = batch.probability
    return batch.expect(p) / batch.xp.sqrt(batch.xp.sum(p * p, axis=1))


@loss("zero_one", "zero_one_loss", "error", "error_rate", "merror", "multi_error", "ZeroOneLoss", worst=1.0)
def multiclass_zero_one(batch: MulticlassLabel) -> Array:
    """The share of rows whose class is wrong; ties go to the first class.

    l = 1 if argmax_c p_c is not y, else 0.  Unit: 1.

    Hastie et al. (2009), The Elements of Statistical Learning, eq. 2.20
    """
    return (batch.predicted != batch.code).astype(float)


@loss("top_k", "multi_error_top_k", worst=1.0)
def top_k_error(batch: MulticlassScore, *, k: Count = 2) -> Array:
    """The share of rows whose true class is not among the k best; ties go to the first class.

    l = 1 if at least k classes rank before y, else 0.  Unit: 1.

    Russakovsky et al. (2015), doi:10.1007/s11263-015-0816-y
    """
    xp, true = batch.xp, batch.true_score[:, None]
    earlier = xp.arange(batch.score.shape[1]) < batch.code[:, None]
    before = (batch.score > true) | ((batch.score == true) & earlier)
    return (xp.sum(before, axis=1) >= k).astype(float)


@loss("rps", "rps_score")
def ranked_probability_score(batch: Multiclass) -> Array:
    """The sum of the Brier scores at the thresholds between ordered classes: near misses count less.

    l = sum_k (F_k - T_k)^2 over k < K, where F and T are the cumulative probabilities of prediction and
    target, in the order of the classes.  Unit: 1.

    Epstein (1969), doi:10.1175/1520-0450(1969)008<0985:ASSFPF>2.0.CO;2
    """
    # Written as F (1 - T) - (1 - F) T, the small difference of a confident prediction keeps its digits.
    gap = batch.below * (1.0 - batch.target_below) - batch.above * batch.target_below
    return batch.xp.sum(gap * gap, axis=1)


@loss("rls_score", clips=True)
def ranked_logarithmic_score(batch: Multiclass) -> Array:
    """The sum of the log losses at the thresholds between ordered classes.

    l = -sum_k (T_k log F_k + (1 - T_k) log(1 - F_k)) over k < K, where F and T are the cumulative
    probabilities of prediction and target, in the order of the classes.  Unit: nat.

    Todter and Ahrens (2012), doi:10.1175/MWR-D-11-00266.1
    """
    xp, t = batch.xp, batch.target_below
    below = xp.where(t == 0, 0.0, t * batch.log_below)
    return -xp.sum(below + xp.where(t == 1, 0.0, (1.0 - t) * batch.log_above), axis=1)


def _d2_log_loss(xp: Namespace, m: Array) -> Array:
    rates = m[..., 1:]
    return 1.0 + m[..., 0] / xp.sum(xlogy(xp, rates, rates), axis=-1)


@loss(
    "d2_log_loss",
    "d2_log_loss_score",
    best=1.0,
    score=True,
    reduction=Reduction(_d2_log_loss, undefined="the targets hold one class only"),
    clips=True,
)
def d2_log_loss_multiclass(batch: Multiclass) -> tuple[Array, ...]:
    """The reduction of the log loss relative to predicting the class frequencies: 1 is perfect.

    1 - log loss / entropy of the frequencies.  Unit: 1.

    McFadden (1974), Conditional logit analysis of qualitative choice behavior
    """
    return (-batch.log_prob_true, *(batch.target[:, c] for c in range(batch.classes)))


def _d2_brier(xp: Namespace, m: Array) -> Array:
    rates = m[..., 2:]
    return 1.0 - m[..., 0] / (xp.sum(rates * (1.0 - rates), axis=-1) - m[..., 1])


@loss(
    "d2_brier",
    "d2_brier_score",
    best=1.0,
    score=True,
    reduction=Reduction(_d2_brier, undefined="all targets are equal"),
)
def d2_brier_multiclass(batch: Multiclass) -> tuple[Array, ...]:
    """The reduction of the Brier score relative to predicting the class frequencies: 1 is perfect.

    1 - Brier score / mean sum_c (t_c - mean t_c)^2.  Unit: 1.

    Murphy (1973), doi:10.1175/1520-0450(1973)012<0595:ANVPOT>2.0.CO;2
    """
    t = batch.target
    # The second column, zero except for soft targets, corrects mean t (1 - mean t) to the variance.
    soft = batch.xp.sum(t * (1.0 - t), axis=1)
    return (multiclass_brier(batch), soft, *(t[:, c] for c in range(batch.classes)))
