"""Small batches of distributions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from losscli.tasks.base import Batch
from losscli.tasks.bounded import (
    BoundedLogistic,
    BoundedLogisticWithMass,
    BoundedNormal,
    BoundedNormalWithMass,
    BoundedStudentT,
    BoundedStudentTWithMass,
)


def samples(rows: int, seed: int, perfect: bool) -> Mapping[type[Batch], Mapping[str, np.ndarray]]:
    """The arrays of the batches; a perfect distribution is as narrow as floats let it be."""
    rng = np.random.default_rng(seed)
    y, width = rng.normal(size=rows), rng.gamma(2.0, size=rows) + 0.1
    share = rng.uniform(0.05, 0.95, rows)
    location = y if perfect else y + rng.normal(size=rows)
    scale = np.full(rows, 1e-300) if perfect else width
    bounded = {"target": y, "location": location, "scale": scale, "lower": y - width, "upper": y + 1.0}
    df, none = {"df": width + 1.5}, np.zeros(rows)
    masses = {"lmass": none if perfect else share / 2, "umass": none if perfect else share / 3}
    return {
        BoundedNormal: bounded,
        BoundedLogistic: bounded,
        BoundedStudentT: bounded | df,
        BoundedNormalWithMass: bounded | masses,
        BoundedLogisticWithMass: bounded | masses,
        BoundedStudentTWithMass: bounded | df | masses,
    }
