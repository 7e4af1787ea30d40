"""The conventions of Keras for its losses, measured on the version named below."""

from __future__ import annotations

from functools import partial

from losscli.catalog.conventions.policy import ROW_COUNT, Clip, Convention, Library

_loss_of_keras = partial(Convention, weights=ROW_COUNT, class_weights=ROW_COUNT)
_EPSILON = 1e-7
_CLIP = Clip(_EPSILON, spacing=2.0**-23)

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
        "accuracy": Convention("metrics.BinaryAccuracy", {"threshold": 0.5}),
        "multiclass_accuracy": Convention("metrics.CategoricalAccuracy"),
        "top_k_accuracy": Convention("metrics.TopKCategoricalAccuracy", {"k": 5}),
        "precision": Convention("metrics.Precision", {"threshold": 0.5}, lacks=("average",)),
        "recall": Convention("metrics.Recall", {"threshold": 0.5}, lacks=("average",)),
        **{
            name: Convention(f"metrics.{call}", {"threshold": 0.5})
            for name, call in {
                "true_positives": "TruePositives",
                "false_positives": "FalsePositives",
                "false_negatives": "FalseNegatives",
                "true_negatives": "TrueNegatives",
            }.items()
        },
        "top_k_error": Convention("1 - metrics.TopKCategoricalAccuracy", {"k": 5}),
        "multilabel_binary_cross_entropy": _loss_of_keras("BinaryCrossentropy", clip=_CLIP),
        "cosine_similarity": _loss_of_keras(
            "CosineSimilarity", but="vectors shorter than 1e-6 count less there"
        ),
    },
    spreads_class_weight=False,
    remark="computed in float32 there: its numbers agree to about seven digits",
)
"""Keras 3.15."""
