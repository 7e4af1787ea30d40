"""The modules of losses, and which of them may define a name."""

from __future__ import annotations

from pathlib import Path

FAMILIES = (
    "regression",
    "robust",
    "relative",
    "explained",
    "asymmetric",
    "positive",
    "binary",
    "multiclass",
    "margin",
    "divergence",
    "calibration",
    "multilabel",
    "quantile",
    "log_score",
    "crps",
    "ensemble",
    "embedding",
    "triplet",
    "ranking",
    "grouped",
    "segmentation",
)
"""The modules of losscli.losses in the order of the catalog; importing them fills the registry."""


def homes(name: str) -> tuple[str, ...]:
    """The families that may define a name in lower case: those whose source mentions it, or all of them.

    Searching the source of a family takes a tenth of the time of importing it, and there are twenty.
    """
    marks = (f'"{name}"'.encode(), f"def {name}(".encode())
    folder = Path(__file__).parent.parent / "losses"
    try:
        sources = [(family, (folder / f"{family}.py").read_bytes().lower()) for family in FAMILIES]
    except OSError:  # installed without sources
        return FAMILIES
    return tuple(family for family, source in sources if any(mark in source for mark in marks))
