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
from losscli.tasks.distribution import Hypergeometric
from losscli.tasks.ensemble import WeightedEnsemble
from losscli.tasks.mixture import NormalMixture
from losscli.tasks.skewed import (
    CensoredShiftedGamma,
    ExponentialWithMass,
    GeneralizedExtremeValue,
    GeneralizedPareto,
    GeneralizedParetoWithMass,
    LogLaplace,
    LogLogistic,
    ShiftedExponential,
    TwoPieceExponential,
    TwoPieceNormal,
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
    place = {"target": y, "location": location, "scale": scale}
    above = place | {"target": location + (0.0 if perfect else share * width)}
    shape, mass = {"shape": share - 0.5}, {"mass": none if perfect else share / 2}
    pieces = {"target": y, "location": location, "scale1": scale, "scale2": scale * 2.0}
    log_median, small = none if perfect else location / 2, scale if perfect else share
    amount = np.ones(rows) if perfect else rng.gamma(2.0, size=rows)
    components = {
        "means": np.stack([location, location + (0.0 if perfect else 1.5)], axis=1),
        "deviations": np.stack([scale, scale], axis=1),
        "weights": np.stack([share, 1.0 - share], axis=1),
    }
    rain = {"target": none if perfect else np.maximum(amount - 1.0, 0.0), "shape": width, "rate": width[::-1]}
    draws = {"m": np.full(rows, 8.0), "n": none if perfect else np.full(rows, 9.0), "k": np.full(rows, 5.0)}
    return {
        GeneralizedExtremeValue: place | shape,
        GeneralizedPareto: above | shape,
        GeneralizedParetoWithMass: above | shape | mass,
        ShiftedExponential: above,
        ExponentialWithMass: above | mass,
        TwoPieceNormal: pieces,
        TwoPieceExponential: pieces,
        LogLogistic: {"target": amount, "mulog": log_median, "sigmalog": small},
        LogLaplace: {"target": amount, "locationlog": log_median, "scalelog": small},
        CensoredShiftedGamma: rain | {"shift": np.full(rows, 1e3 if perfect else 1.0)},
        WeightedEnsemble: {
            "target": y,
            "members": y[:, None] * (1 + 1e-15 * np.arange(-3, 4)) if perfect else rng.normal(size=(rows, 7)),
            "weights": rng.uniform(0.1, 1.0, (rows, 7)),
        },
        NormalMixture: {"target": y} | components,
        Hypergeometric: draws | {"target": np.full(rows, 5.0) if perfect else rng.integers(0, 6, rows) * 1.0},
        BoundedNormal: bounded,
        BoundedLogistic: bounded,
        BoundedStudentT: bounded | df,
        BoundedNormalWithMass: bounded | masses,
        BoundedLogisticWithMass: bounded | masses,
        BoundedStudentTWithMass: bounded | df | masses,
    }
