"""What scikit-learn, PyTorch and Keras choose, loss by loss, as data; measured on the versions named here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from losscli.catalog.conventions.policy import ROW_COUNT, WEIGHT_SUM, Clip, Convention, Policy
from losscli.catalog.loss import Choice, Loss
from losscli.data.stream import Roles
from losscli.errors import UsageError
from losscli.report.findings import Note


class Library(Struct, frozen=True):
    """A library and how it computes the losses that it has; `remark` holds for all of them."""

    title: str
    losses: Mapping[str, Convention]
    remark: str = ""


_unweighted = partial(Convention, weights=None, class_weights=None)
_loss_of_keras = partial(Convention, weights=ROW_COUNT, class_weights=ROW_COUNT)
_TYPE_EPS = Clip()
_LAST_CLASS_FIRST = "of equal scores it ranks the last class first"
_NO_DIVISION = "where nothing is positive it gives 1, and this no value"

SKLEARN = Library(
    "scikit-learn",
    {
        "mean_squared_error": Convention("mean_squared_error"),
        "root_mean_squared_error": Convention("root_mean_squared_error", {"pooled": False}),
        "mean_absolute_error": Convention("mean_absolute_error"),
        "max_error": _unweighted("max_error"),
        "mean_absolute_percentage_error": Convention(
            "mean_absolute_percentage_error", {"epsilon": 2.220446049250313e-16}, lacks=("percent",)
        ),
        "mean_squared_log_error": Convention("mean_squared_log_error", lacks=("floor",)),
        "root_mean_squared_log_error": Convention("root_mean_squared_log_error"),
        "r2": Convention("r2_score", {"force_finite": True}),
        "explained_variance": Convention("explained_variance_score", {"force_finite": True}),
        "pinball": Convention("mean_pinball_loss", {"alpha": 0.5}),
        "mean_poisson_deviance": Convention("mean_poisson_deviance"),
        "mean_gamma_deviance": Convention("mean_gamma_deviance"),
        "mean_tweedie_deviance": Convention("mean_tweedie_deviance", {"power": 0.0}),
        "d2_tweedie": Convention("d2_tweedie_score", {"power": 0.0}),
        "binary_cross_entropy": Convention(
            "log_loss", clip=_TYPE_EPS, lacks=("label_smoothing", "pos_weight")
        ),
        "brier": Convention("brier_score_loss"),
        "zero_one": Convention("zero_one_loss"),
        "balanced_error": Convention("1 - balanced_accuracy_score"),
        "f1_error": Convention("1 - f1_score", but=_NO_DIVISION),
        "jaccard_distance": Convention("1 - jaccard_score", but=_NO_DIVISION),
        "d2_log_loss": Convention("d2_log_loss_score", clip=_TYPE_EPS),
        "d2_brier": Convention("d2_brier_score"),
        "hinge": Convention("hinge_loss", but="where only one class occurs it takes a label for another"),
        "categorical_cross_entropy": Convention("log_loss", clip=_TYPE_EPS, lacks=("label_smoothing",)),
        "multiclass_brier": Convention("brier_score_loss", {"scale_by_half": None}),
        "multiclass_zero_one": Convention("zero_one_loss"),
        "multiclass_balanced_error": Convention("1 - balanced_accuracy_score"),
        "multiclass_hinge": Convention("hinge_loss"),
        "top_k_error": Convention("1 - top_k_accuracy_score", {"k": 2}, but=_LAST_CLASS_FIRST),
        "d2_log_loss_multiclass": Convention("d2_log_loss_score", clip=_TYPE_EPS),
        "d2_brier_multiclass": Convention("d2_brier_score"),
        "hamming": Convention("hamming_loss"),
        "subset_zero_one": Convention("zero_one_loss"),
        "coverage_error": Convention("coverage_error"),
        "label_ranking": Convention("label_ranking_loss"),
        "label_ranking_average_precision": Convention("label_ranking_average_precision_score"),
    },
)
"""scikit-learn 1.9."""

_LOG_BOUND = Clip(math.exp(-100.0), both=False)

TORCH = Library(
    "PyTorch",
    {
        "mean_squared_error": Convention("mse_loss"),
        "mean_absolute_error": Convention("l1_loss"),
        "huber": Convention("huber_loss", {"delta": 1.0}, weights=ROW_COUNT),
        "smooth_l1": _unweighted("smooth_l1_loss", params={"beta": 1.0}),
        "poisson_nll": _unweighted(
            "poisson_nll_loss",
            params={"log_input": True, "epsilon": 1e-8},
            lacks=("full",),
            but="with full=True it is poisson_nll_stirling",
        ),
        "poisson_nll_stirling": _unweighted(
            "poisson_nll_loss(full=True)",
            params={"log_input": True, "epsilon": 1e-8},
        ),
        "binary_cross_entropy": Convention(
            "binary_cross_entropy",
            clip=_LOG_BOUND,
            lacks=("label_smoothing",),
            weights=ROW_COUNT,
            class_weights=ROW_COUNT,
        ),
        "soft_margin": _unweighted("soft_margin_loss"),
        "categorical_cross_entropy": Convention(
            "cross_entropy",
            weights=None,
            class_weights=WEIGHT_SUM,
            soft_class_weights=ROW_COUNT,
            but="from probabilities it is nll_loss of their logarithms",
        ),
        "multi_margin": Convention(
            "multi_margin_loss", {"p": 1, "margin": 1.0}, weights=None, class_weights=ROW_COUNT
        ),
        "kl_divergence": _unweighted(
            "kl_div(reduction='batchmean')", but="its default reduction also divides by the number of classes"
        ),
        "multilabel_binary_cross_entropy": Convention(
            "binary_cross_entropy", clip=_LOG_BOUND, lacks=("label_smoothing",), weights=ROW_COUNT
        ),
        "multilabel_margin": _unweighted("multilabel_margin_loss"),
        "gaussian_nll": _unweighted("gaussian_nll_loss", params={"full": False, "min_variance": 1e-6}),
        "cosine_embedding": _unweighted(
            "cosine_embedding_loss", params={"margin": 0.0}, but="it has a value for zero vectors"
        ),
        "hinge_embedding": _unweighted("hinge_embedding_loss", params={"margin": 1.0}),
        "margin_ranking": _unweighted("margin_ranking_loss", params={"margin": 0.0}),
        "triplet_margin": _unweighted(
            "triplet_margin_loss", params={"margin": 1.0, "p": 2.0, "swap": False, "eps": 1e-6}
        ),
    },
)
"""PyTorch 2.13."""

_EPSILON = 1e-7
_CLIP = Clip(_EPSILON)

KERAS = Library(
    "Keras",
    {
        "mean_squared_error": _loss_of_keras("MeanSquaredError"),
        "root_mean_squared_error": Convention("metrics.RootMeanSquaredError", {"pooled": True}),
        "mean_absolute_error": _loss_of_keras("MeanAbsoluteError"),
        "mean_absolute_percentage_error": _loss_of_keras(
            "MeanAbsolutePercentageError", params={"epsilon": _EPSILON, "percent": True}
        ),
        "mean_squared_log_error": _loss_of_keras("MeanSquaredLogarithmicError", params={"floor": _EPSILON}),
        "huber": _loss_of_keras("Huber", params={"delta": 1.0}),
        "log_cosh": _loss_of_keras("LogCosh"),
        "poisson_nll": _loss_of_keras("Poisson", params={"epsilon": _EPSILON}, lacks=("log_input", "full")),
        "r2": Convention("metrics.R2Score", lacks=("force_finite",)),
        "binary_cross_entropy": _loss_of_keras("BinaryCrossentropy", clip=_CLIP, lacks=("pos_weight",)),
        "binary_focal": _loss_of_keras(
            "BinaryFocalCrossentropy", params={"gamma": 2.0, "alpha": None}, clip=_CLIP
        ),
        "zero_one": Convention("1 - metrics.BinaryAccuracy", {"threshold": 0.5}),
        "hinge": _loss_of_keras("Hinge"),
        "squared_hinge": _loss_of_keras("SquaredHinge"),
        "categorical_cross_entropy": _loss_of_keras("CategoricalCrossentropy", clip=_CLIP, rescales=True),
        "categorical_focal": _loss_of_keras(
            "CategoricalFocalCrossentropy", params={"alpha": 0.25, "gamma": 2.0}, clip=_CLIP, rescales=True
        ),
        "generalized_cross_entropy": _loss_of_keras("CategoricalGeneralizedCrossEntropy", params={"q": 0.5}),
        "kl_divergence": _loss_of_keras("KLDivergence", clip=Clip(_EPSILON, both=False, targets=True)),
        "categorical_hinge": _loss_of_keras("CategoricalHinge"),
        "multiclass_zero_one": Convention("1 - metrics.CategoricalAccuracy"),
        "top_k_error": Convention("1 - metrics.TopKCategoricalAccuracy", {"k": 5}),
        "multilabel_binary_cross_entropy": _loss_of_keras("BinaryCrossentropy", clip=_CLIP),
        "cosine_similarity": _loss_of_keras(
            "CosineSimilarity", but="vectors shorter than 1e-6 count less there"
        ),
    },
    remark="computed in float32 there: its numbers agree to about seven digits",
)
"""Keras 3.15."""

LIBRARIES: Mapping[str, Library] = {"sklearn": SKLEARN, "torch": TORCH, "keras": KERAS}


def convention(library: str, entry: Loss) -> Convention:
    """How a library computes a loss.  Raises UsageError where it does not have it, or not in this form."""
    own = LIBRARIES[library]
    found = own.losses.get(entry.name)
    if found is None:
        raise UsageError(
            f"--like {library}: no number of {own.title} is known for {entry.name}",
            remedy=f"it is known for {', '.join(own.losses)}",
        )
    return found


def settled(library: str, choice: Choice, roles: Roles, type_eps: float) -> Choice:
    """A loss as a library computes it from such predictions, targets and weights.

    `type_eps` is the machine epsilon of the predictions' type.  Raises UsageError for parameters and weights
    that the library does not take.
    """
    own, title = convention(library, choice.loss), LIBRARIES[library].title
    for param in choice.loss.params:
        if param.name in own.lacks and choice.params[param.name] != param.default:
            raise UsageError(f"--like {library}: {own.call} of {title} has no {param.name}")
    soft = roles.task == "multiclass" and roles.target_form == "matrix"
    of_classes = own.soft_class_weights if soft and own.soft_class_weights else own.class_weights
    asked = {"rows": own.weights} if roles.weight is not None else {}
    asked |= {"classes": of_classes} if roles.class_weight is not None else {}
    for what, divisor in asked.items():
        if divisor is None:
            raise UsageError(f"--like {library}: {own.call} of {title} takes no weights of {what}")
    low, high = own.clip.resolved(type_eps) if own.clip and roles.link == "probability" else (0.0, 0.0)
    return replace(choice, policy=Policy(own, low, high, ROW_COUNT in asked.values()))


def notes(choices: Sequence[Choice], roles: Roles) -> tuple[Note, ...]:
    """What the library of a run chose for each loss, in words."""
    if roles.like is None:
        return ()
    own = LIBRARIES[roles.like]
    weighted = roles.weight is not None or roles.class_weight is not None
    said = [
        f"{choice.loss.name} as {own.title}'s {choice.policy.describe(choice.params, roles.link, weighted)}"
        for choice in choices
        if choice.policy is not None
    ]
    return tuple(Note("", text) for text in (*said, *([f"{own.title}: {own.remark}"] if own.remark else [])))
