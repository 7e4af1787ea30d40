"""The modules of losses."""

from __future__ import annotations

FAMILIES = (
    "regression",
    "robust",
    "relative",
    "explained",
    "asymmetric",
    "positive",
    "binary",
    "multiclass",
    "rates",
    "confusion",
    "margin",
    "divergence",
    "calibration",
    "multilabel",
    "quantile",
    "scaled",
    "log_score",
    "crps",
    "bounded",
    "ensemble",
    "embedding",
    "boolean",
    "triplet",
    "ranking",
    "grouped",
    "retrieval",
    "contrastive",
    "segmentation",
    "survival",
    "hazard",
    "text",
    "sequence",
)
"""The modules of losscli.losses in the order of the catalog; importing them fills the registry."""
