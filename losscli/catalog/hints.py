"""Well-known names that are not losses in the catalog, and what to use instead."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

_SEPARATORS = re.compile(r"[\s_-]+")
_ENDINGS = ("score", "loss", "error", "metric")
"""Words that libraries add to the name of a measure."""


class Hint(Struct, frozen=True):
    """The explanation for a name, and the losses to use instead."""

    text: str
    losses: tuple[str, ...]


_PLAIN = {
    "macrof1 f1macro": Hint("it is f_beta with average=macro", ("multiclass_f_beta:average=macro",)),
    "microf1 f1micro": Hint("it is f_beta with average=micro", ("multiclass_f_beta:average=micro",)),
    "weightedf1 f1weighted": Hint(
        "it is f_beta with average=weighted", ("multiclass_f_beta:average=weighted",)
    ),
    "f2": Hint("it is f_beta with beta=2", ("f_beta:beta=2",)),
    "f0.5": Hint("it is f_beta with beta=0.5", ("f_beta:beta=0.5",)),
    "recallmacro macrorecall uar unweightedaveragerecall meanclassaccuracy": Hint(
        "the mean recall of the classes is balanced_accuracy", ("balanced_accuracy",)
    ),
    "precisionmacro macroprecision": Hint(
        "it is precision with average=macro", ("multiclass_precision:average=macro",)
    ),
    "youden youdenj youdensj youdenindex informedness bookmakerinformedness": Hint(
        "it is 2 balanced_accuracy - 1", ("balanced_accuracy",)
    ),
    "peirce peirceskill hanssenkuipers trueskillstatistic tss": Hint(
        "it is 2 balanced_accuracy - 1", ("balanced_accuracy",)
    ),
    "markedness": Hint(
        "it is precision + negative_predictive_value - 1", ("precision", "negative_predictive_value")
    ),
    "positivelikelihoodratio lr+ plr": Hint(
        "it is recall / false_positive_rate", ("recall", "false_positive_rate")
    ),
    "negativelikelihoodratio nlr": Hint(
        "it is false_negative_rate / specificity", ("false_negative_rate", "specificity")
    ),
    "diagnosticoddsratio dor oddsratio": Hint(
        "it is true_positives true_negatives / (false_positives false_negatives)",
        ("true_positives", "true_negatives", "false_positives", "false_negatives"),
    ),
    "frequencybias": Hint("it is recall / precision", ("recall", "precision")),
    "fowlkesmallows fmi": Hint(
        "it is the geometric mean of precision and recall, of a clustering that of its pairs",
        ("precision", "recall"),
    ),
    "prevalencethreshold": Hint(
        "it is 1 / (1 + sqrt(recall / false_positive_rate))", ("recall", "false_positive_rate")
    ),
    "prevalence": Hint("it is (true_positives + false_negatives) / n", ("true_positives", "false_negatives")),
    "gerrity": Hint(
        "the Gerrity score is not available; cohen_kappa with weights is",
        ("multiclass_cohen_kappa:weighting=linear",),
    ),
    "rprecision": Hint(
        "it is precision_at_k with k the number of relevant items, which differs between groups",
        ("precision_at_k:k=5", "mean_average_precision"),
    ),
    "rbp": Hint("rbp is rank_biased_precision", ("rank_biased_precision",)),
    "hitsatk hits": Hint("it is hit_rate_at_k", ("hit_rate_at_k:k=10",)),
    "hd95 hausdorff95": Hint(
        "the 95 % quantile is not available; hausdorff_distance is the maximum",
        ("hausdorff_distance:width=64",),
    ),
    "editdistance levenshtein levenshteindistance": Hint(
        "edits over the length of the target are char_error_rate and word_error_rate",
        ("char_error_rate", "word_error_rate"),
    ),
    "top1 top1accuracy": Hint("it is accuracy", ("accuracy",)),
    "brierskill bss": Hint("the skill against the prevalence is d2_brier", ("d2_brier",)),
    "ginicoefficient": Hint("it is gini", ("gini",)),
    "rae relativeabsolute": Hint(
        "it is 1 - d2_absolute_error with the mean in the place of the median", ("d2_absolute_error",)
    ),
    "cvrmse": Hint("it is normalized_rmse", ("normalized_rmse",)),
    "top5 top5accuracy": Hint("it is top_k_accuracy with k=5", ("top_k_accuracy:k=5",)),
    "quadratickappa quadraticweightedkappa qwk": Hint(
        "it is cohen_kappa with weighting=quadratic", ("multiclass_cohen_kappa:weighting=quadratic",)
    ),
    "iou": Hint(
        "IoU is jaccard_index for labels, segmentation_mean_iou for masks",
        ("jaccard_index", "segmentation_mean_iou:num_classes=3"),
    ),
    "nll negativeloglikelihood loglikelihood loglik": Hint(
        "the negative log-likelihood of labels is log_loss, of counts poisson_nll",
        ("log_loss", "poisson_nll", "gaussian_nll"),
    ),
    "ce xent": Hint("ce is cross_entropy", ("cross_entropy",)),
    "ppl": Hint("ppl is perplexity", ("perplexity",)),
    "bitsperdim bpd bitspertoken": Hint("bits are log_loss / log(2)", ("log_loss",)),
    "kl kld": Hint("KL is kl_divergence", ("kl_divergence",)),
    "js jsd": Hint("JS is jensen_shannon_divergence", ("jensen_shannon_divergence",)),
    "medianabsolute mad": Hint("it is median_absolute_error", ("median_absolute_error",)),
    "mdape medape": Hint(
        "the median of relative errors is not available; mape@p50 is that of percentages", ("mape@p50",)
    ),
    "mbe": Hint("mbe is mean_bias_error", ("mean_bias_error",)),
    "pearson corr": Hint("it is pearson_correlation", ("pearson_correlation",)),
    "ev": Hint("ev is explained_variance", ("explained_variance",)),
    "emd earthmover": Hint(
        "distances of samples are wasserstein_distance, of distributions crps, of ordered classes rps",
        ("wasserstein_distance", "crps", "rps"),
    ),
}
HINTS: Mapping[str, Hint] = {name: hint for names, hint in _PLAIN.items() for name in names.split()}
"""The hints, by names as returned by `squeezed`."""


def squeezed(name: str) -> str:
    """A name in lower case without spaces, hyphens and underscores: 'Cross-Entropy' is 'crossentropy'."""
    return _SEPARATORS.sub("", name.lower())


def without_ending(name: str) -> str:
    """A squeezed name without the last word that libraries add: 'accuracyscore' is 'accuracy'."""
    ending = next((word for word in _ENDINGS if name.endswith(word) and name != word), "")
    return name.removesuffix(ending)


def of(name: str) -> Hint | None:
    """The hint for a name that is not a loss, or None."""
    plain = squeezed(name)
    return HINTS.get(plain) or HINTS.get(without_ending(plain))
