"""The conventions of scikit-learn for its losses, measured on the version named below."""

from __future__ import annotations

from functools import partial

from losscli.catalog.conventions.policy import Clip, Convention, Library

_unweighted = partial(Convention, weights=None, class_weights=None)
_of_two_rows = partial(Convention, min_rows=2)
_TYPE_EPS = Clip()
_LAST_CLASS_FIRST = "ties are ranked with the last class first"
_NO_DIVISION = "where nothing is positive it gives 1, and losscli no value"

_NOWHERE = "where nothing is positive it gives 0, and losscli no value"
_RATES = {
    "precision": "precision_score",
    "recall": "recall_score",
    "f_beta": "fbeta_score",
    "jaccard_index": "jaccard_score",
}

_ERRORS = {"false_negative_rate": "1 - recall_score", "false_discovery_rate": "1 - precision_score"}
_OF_NEGATIVES = {
    "specificity": Convention("recall_score with pos_label=0", lacks=("average",)),
    "negative_predictive_value": Convention("precision_score with pos_label=0", lacks=("average",)),
    "false_positive_rate": Convention(
        "1 - recall_score with pos_label=0", {"zero_division": "one"}, lacks=("average",)
    ),
    "false_omission_rate": Convention(
        "1 - precision_score with pos_label=0", {"zero_division": "one"}, lacks=("average",)
    ),
}
_COUNTS = ("true_positives", "false_positives", "false_negatives", "true_negatives")

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
        "root_mean_squared_log_error": Convention("root_mean_squared_log_error", lacks=("floor",)),
        "median_absolute_error": Convention("median_absolute_error"),
        "d2_absolute_error": _of_two_rows("d2_absolute_error_score"),
        "d2_pinball": _of_two_rows("d2_pinball_score"),
        "r2": _of_two_rows("r2_score", params={"force_finite": True}),
        "explained_variance": Convention("explained_variance_score", {"force_finite": True}),
        "pinball": Convention("mean_pinball_loss", {"alpha": 0.5}),
        "mean_poisson_deviance": Convention("mean_poisson_deviance"),
        "mean_gamma_deviance": Convention("mean_gamma_deviance"),
        "mean_tweedie_deviance": Convention("mean_tweedie_deviance", {"power": 0.0}),
        "d2_tweedie": _of_two_rows("d2_tweedie_score", params={"power": 0.0}),
        "binary_cross_entropy": Convention(
            "log_loss", clip=_TYPE_EPS, lacks=("label_smoothing", "pos_weight")
        ),
        "brier": Convention("brier_score_loss"),
        "zero_one": Convention("zero_one_loss"),
        "balanced_error": Convention("1 - balanced_accuracy_score"),
        "f1_error": Convention("1 - f1_score", but=_NO_DIVISION),
        "jaccard_distance": Convention("1 - jaccard_score", but=_NO_DIVISION),
        **{
            f"{prefix}{name}": Convention(call, but=_NOWHERE)
            for name, call in _RATES.items()
            for prefix in ("", "multiclass_", "multilabel_")
        },
        **{
            f"{prefix}{name}": Convention(call, {"zero_division": "one"}, but=_NO_DIVISION)
            for name, call in _ERRORS.items()
            for prefix in ("", "multiclass_", "multilabel_")
        },
        **{f"{name.removesuffix('_index')}_samples": Convention(call) for name, call in _RATES.items()},
        **_OF_NEGATIVES,
        **{name: Convention("confusion_matrix") for name in _COUNTS},
        **{
            f"{prefix}_{name}": Convention("multilabel_confusion_matrix")
            for name in _COUNTS
            for prefix in ("multiclass", "multilabel")
        },
        "accuracy": Convention("accuracy_score"),
        "balanced_accuracy": Convention("balanced_accuracy_score"),
        "matthews_correlation": Convention("matthews_corrcoef", but=_NOWHERE),
        "cohen_kappa": Convention("cohen_kappa_score"),
        "multiclass_accuracy": Convention("accuracy_score"),
        "multiclass_balanced_accuracy": Convention("balanced_accuracy_score"),
        "multiclass_matthews_correlation": Convention("matthews_corrcoef", but=_NOWHERE),
        "multiclass_cohen_kappa": Convention("cohen_kappa_score"),
        "top_k_accuracy": Convention("top_k_accuracy_score", {"k": 2}, but=_LAST_CLASS_FIRST),
        "subset_accuracy": Convention("accuracy_score"),
        "d2_log_loss": _of_two_rows("d2_log_loss_score", clip=_TYPE_EPS),
        "d2_brier": _of_two_rows("d2_brier_score"),
        "roc_auc": Convention("roc_auc_score"),
        "gini": Convention("2 roc_auc_score - 1"),
        "partial_auc": Convention("roc_auc_score with max_fpr", lacks=("standardized",)),
        "average_precision": Convention("average_precision_score"),
        "multiclass_roc_auc": Convention("roc_auc_score with multi_class"),
        "multiclass_average_precision": Convention("average_precision_score"),
        "multilabel_roc_auc": Convention("roc_auc_score"),
        "multilabel_average_precision": Convention("average_precision_score"),
        "hinge": Convention("hinge_loss", but="where only one class occurs it takes a label for another"),
        "categorical_cross_entropy": Convention("log_loss", clip=_TYPE_EPS, lacks=("label_smoothing",)),
        "multiclass_brier": Convention("brier_score_loss", {"scale_by_half": None}),
        "multiclass_zero_one": Convention("zero_one_loss"),
        "multiclass_balanced_error": Convention("1 - balanced_accuracy_score"),
        "multiclass_hinge": Convention("hinge_loss"),
        "top_k_error": Convention("1 - top_k_accuracy_score", {"k": 2}, but=_LAST_CLASS_FIRST),
        "d2_log_loss_multiclass": _of_two_rows("d2_log_loss_score", clip=_TYPE_EPS),
        "d2_brier_multiclass": _of_two_rows("d2_brier_score"),
        "hamming": Convention("hamming_loss"),
        "subset_zero_one": Convention("zero_one_loss"),
        "coverage_error": Convention("coverage_error"),
        "label_ranking": Convention("label_ranking_loss"),
        "label_ranking_average_precision": Convention("label_ranking_average_precision_score"),
    },
)
"""scikit-learn 1.9."""
