"""Small batches of every kind, and the value of a loss on them."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from losscli import inference, moments
from losscli.losses import registry
from losscli.tasks.base import Batch
from losscli.tasks.binary import Binary, BinaryLabel, BinaryScore, BinarySoftScore
from losscli.tasks.classes import Multiclass, MulticlassAmount, MulticlassLabel, MulticlassScore, OneVsAll
from losscli.tasks.multilabel import Multilabel, MultilabelLabel, MultilabelScore
from losscli.tasks.regression import Pilot, Regression

ROWS, CLASSES = 40, 4
LOSSES = {entry.name: entry for entry in registry.losses()}


GIVEN: dict[str, dict[str, object]] = {
    "lq": {"q": 3.0},
    "minkowski_distance": {"p": 3.0},
    "num_errors": {"greater_than": 0.5},
    "critical_success_index": {"threshold": 1.5},
    "m_quantile_huber": {"alpha": 0.3},
}
"""The parameters that a loss has no default for."""
LOGARITHMIC = {"log_linear_quantile"}
"""The losses whose prediction is a logarithm."""


def chosen(name: str, **given) -> registry.Choice:
    """A loss with its parameters."""
    return registry.choose(LOSSES[name], {**GIVEN.get(name, {}), **given}, {})


def value(name: str, batch: Batch, weight: np.ndarray | None = None, **given) -> float:
    """The value of a loss on a batch; NaN where it has none."""
    choice = chosen(name, **given)
    with np.errstate(all="ignore"):  # as the engine has it
        columns = choice.loss.columns(batch, choice.params)
    found = moments.of(np, columns, weight, np.arange(len(columns[0])))
    estimate = inference.estimate(choice, found, pilots=(getattr(batch, "pilot", None),))
    return np.nan if estimate.value is None else estimate.value


def rows(name: str, seed: int = 0, perfect: bool = False) -> Batch:
    """A sample that a loss takes."""
    batch = sample(LOSSES[name].batch, seed, perfect)
    return replace(batch, prediction=np.log(batch.prediction)) if name in LOGARITHMIC else batch


def sample(kind: type[Batch], seed: int = 0, perfect: bool = False) -> Batch:
    """Random rows, or rows whose predictions are right; the arrays are read-only, as those of files are."""
    rng = np.random.default_rng(seed)
    y = (rng.uniform(size=(ROWS, CLASSES)) < 0.4) * 1.0
    p = y if perfect else rng.uniform(0.01, 0.99, size=y.shape)
    code = rng.integers(0, CLASSES, ROWS)
    one_hot = np.eye(CLASSES)[code]
    score = 1e3 * (2.0 * one_hot - 1.0) if perfect else rng.normal(size=y.shape)
    distribution = one_hot if perfect else softmax(score)
    sign = 2.0 * y[:, 0] - 1.0
    margin = 1e3 * sign if perfect else score[:, 0]
    amount = rng.gamma(2.0, size=(2, ROWS))
    made = {
        Regression: lambda: Regression(np, amount[0] if perfect else amount[1], amount[0], Pilot(1.5, 0.25)),
        Binary: lambda: Binary(np, y[:, 0], p[:, 0], "probability", 0.0),
        BinaryLabel: lambda: BinaryLabel(np, y[:, 0], p[:, 0]),
        BinaryScore: lambda: BinaryScore(np, margin, sign),
        BinarySoftScore: lambda: BinarySoftScore(np, margin, y[:, 0]),
        Multiclass: lambda: Multiclass(np, distribution, "probability", 0.0, code, None),
        MulticlassAmount: lambda: MulticlassAmount(
            np, y + 0.5 if perfect else y + p, "probability", 0.0, None, y + 0.5
        ),
        OneVsAll: lambda: OneVsAll(np, one_hot, one_hot if perfect else p, "probability", 0.0),
        MulticlassScore: lambda: MulticlassScore(np, score, code),
        MulticlassLabel: lambda: MulticlassLabel(np, score.argmax(axis=1), code, CLASSES),
        Multilabel: lambda: Multilabel(np, y, p, "probability", 0.0),
        MultilabelLabel: lambda: MultilabelLabel(np, y, p),
        MultilabelScore: lambda: MultilabelScore(np, 2e3 * y if perfect else score, y > 0),
    }[kind]()
    for array in arrays(made).values():
        array.setflags(write=False)
    return made


def softmax(z):
    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


def arrays(batch: Batch) -> dict[str, np.ndarray]:
    found = {field.name: getattr(batch, field.name) for field in fields(batch)}
    return {name: array for name, array in found.items() if isinstance(array, np.ndarray)}


def taken(batch: Batch, rows) -> Batch:
    return replace(batch, **{name: array[rows] for name, array in arrays(batch).items()})
