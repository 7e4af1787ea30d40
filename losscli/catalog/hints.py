"""Well-known names without a loss here, and what to use instead: a table, one line per measure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

_SEPARATORS = re.compile(r"[\s_-]+")
_ENDINGS = ("score", "loss", "error", "metric")
"""Words that libraries add to the name of a measure."""


class Hint(Struct, frozen=True):
    """What to say of a name, and the losses to ask for instead."""

    text: str
    losses: tuple[str, ...]


_PLAIN = {
    "macrof1 f1macro": Hint("it is f_beta with average=macro", ("multiclass_f_beta:average=macro",)),
    "microf1 f1micro": Hint("it is f_beta with average=micro", ("multiclass_f_beta:average=micro",)),
    "weightedf1 f1weighted": Hint(
        "it is f_beta with average=weighted", ("multiclass_f_beta:average=weighted",)
    ),
    "f2": Hint("it is f_beta with beta=2", ("f_beta:beta=2",)),
    "youden youdenj informedness": Hint("it is 2 balanced_accuracy - 1", ("balanced_accuracy",)),
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
"""What to say of each name, written as `squeezed` writes it."""


def squeezed(name: str) -> str:
    """A name in lower case without blanks, hyphens and underscores: 'Cross-Entropy' is 'crossentropy'."""
    return _SEPARATORS.sub("", name.lower())


def without_ending(name: str) -> str:
    """A squeezed name without the last word that libraries add: 'accuracyscore' is 'accuracy'."""
    ending = next((each for each in _ENDINGS if name.endswith(each) and name != each), "")
    return name.removesuffix(ending)


def of(name: str) -> Hint | None:
    """What to say of a name that is no loss, or None."""
    plain = squeezed(name)
    return HINTS.get(plain) or HINTS.get(without_ending(plain))
