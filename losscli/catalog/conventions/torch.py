"""The conventions of PyTorch for its losses, measured on the version named below."""

from __future__ import annotations

import math
from functools import partial

from losscli.catalog.conventions.policy import ROW_COUNT, WEIGHT_SUM, Clip, Convention, Library

_unweighted = partial(Convention, weights=None, class_weights=None)
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
        "gaussian_nll": _unweighted(
            "gaussian_nll_loss", params={"full": False, "min_variance": 1e-6}, variances=("sigma",)
        ),
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
