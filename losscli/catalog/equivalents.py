"""Equivalents of each loss in other libraries, and whether their values agree, from `equivalents.csv`.

In the calls `y` is the target, `p` the prediction or probability (`prediction` and `target` where `p` is a
parameter), `s` a score.  Parameters are named as in losscli; for XGBoost, LightGBM and CatBoost the call is
the name of the metric.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from msgspec import Struct

EVERY_LOSS = "*"
"""The loss in the rows that apply to all losses of a library."""
ALWAYS_SHOWN = ("scikit-learn", "PyTorch", "Keras", "Optax", "XGBoost", "LightGBM", "CatBoost")
"""Libraries that are listed even without an equivalent."""
LIBRARIES = (
    *ALWAYS_SHOWN,
    "SciPy",
    "statsmodels",
    "TorchMetrics",
    "TorchEval",
    "scoringrules",
    "NumPy",
    "lifelines",
    "jiwer",
    "TensorFlow Addons",
)


class Elsewhere(Struct, frozen=True):
    """A loss in one library: the call, whether its value agrees, and how to obtain it or why it differs.

    `call` is empty if the library does not have the loss, or if `how` applies to all of its losses.
    """

    library: str
    call: str
    agrees: bool
    how: str


@cache
def table() -> Mapping[str, Sequence[Elsewhere]]:
    """The rows of each loss, in the order of LIBRARIES."""
    rows: dict[str, list[Elsewhere]] = {}
    text = files(__package__).joinpath("equivalents.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        entry = Elsewhere(row["library"], row["call"], row["agrees"] == "yes", row["how"])
        rows.setdefault(row["loss"], []).append(entry)
    return rows


def of(name: str) -> tuple[Elsewhere, ...]:
    """The entries of a loss: libraries that have it, and those that are always listed."""
    listed = {entry.library: entry for entry in table().get(name, ())}
    absent = {library: Elsewhere(library, "", False, "has none") for library in ALWAYS_SHOWN}
    by_library = absent | listed
    return tuple(by_library[library] for library in LIBRARIES if library in by_library)


def habits(libraries: Sequence[str]) -> tuple[Elsewhere, ...]:
    """The entries that apply to all losses of these libraries."""
    return tuple(entry for entry in table()[EVERY_LOSS] if entry.library in libraries)
