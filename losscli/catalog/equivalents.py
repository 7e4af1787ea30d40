"""What other libraries call each loss, and which call gives the same number: `equivalents.csv` as data.

In the calls `y` is the target, `p` the prediction or probability (`prediction` and `target` where `p` is a
parameter), `s` a score; parameters are named as in losscli, and a loss of XGBoost, LightGBM or
CatBoost is the name of its metric.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from msgspec import Struct

EVERY_LOSS = "*"
"""The name of the rows that hold for all losses of a library."""
ALWAYS_SHOWN = ("scikit-learn", "PyTorch", "Keras", "Optax", "XGBoost", "LightGBM", "CatBoost")
"""Libraries that are listed even if they do not have the loss."""
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
    """A loss in one library: the call, whether its number is the same, and how it is obtained or why not.

    `call` is empty if the library does not have the loss, or if `how` holds for all of its losses.
    """

    library: str
    call: str
    agrees: bool
    how: str


@cache
def table() -> Mapping[str, Sequence[Elsewhere]]:
    """The rows of each loss, in the order of LIBRARIES."""
    found: dict[str, list[Elsewhere]] = {}
    text = files(__package__).joinpath("equivalents.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        entry = Elsewhere(row["library"], row["call"], row["agrees"] == "yes", row["how"])
        found.setdefault(row["loss"], []).append(entry)
    return found


def of(name: str) -> tuple[Elsewhere, ...]:
    """A loss in each library that has it, and in those that are always listed."""
    known = {entry.library: entry for entry in table().get(name, ())}
    absent = {library: Elsewhere(library, "", False, "has none") for library in ALWAYS_SHOWN}
    both = absent | known
    return tuple(both[library] for library in LIBRARIES if library in both)


def habits(libraries: Sequence[str]) -> tuple[Elsewhere, ...]:
    """What holds for all losses of these libraries."""
    return tuple(entry for entry in table()[EVERY_LOSS] if entry.library in libraries)
