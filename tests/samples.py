"""Small batches of every kind, and the value of a loss on them."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from losscli import moments
from losscli.losses import registry
from losscli.tasks.base import Batch
from losscli.tasks.binary import Binary, BinaryLabel, BinaryScore
from losscli.tasks.multiclass import Multiclass, MulticlassLabel, MulticlassScore
from losscli.tasks.multilabel import Multilabel, MultilabelLabel
from losscli.tasks.regression import Regression

ROWS, CLASSES = 40, 4
LOSSES = {entry.name: entry for entry in registry.losses()}


def value(name: str, batch: Batch, **given) -> float:
    """The value of a loss on a batch."""
    entry = LOSSES[name]
    choice = registry.choose(entry, given, {})
    with np.errstate(all="ignore"):  # as the engine has it
        columns = entry.columns(batch, choice.params)
    found = moments.of(np, columns, None, np.arange(len(columns[0])))
    means = found.high if entry.finish.extreme else found.mean
    return float(entry.finish(np, means[0], choice.params))


def sample(kind: type[Batch], seed: int = 0, perfect: bool = False) -> Batch:
    """Random rows, or rows whose predictions are right; the arrays are read-only, as those of files are."""
    rng = np.random.default_rng(seed)
    y = (rng.uniform(size=(ROWS, CLASSES)) < 0.4) * 1.0
    p = y if perfect else rng.uniform(0.01, 0.99, size=y.shape)
    code = rng.integers(0, CLASSES, ROWS)
    score = 3.0 * np.eye(CLASSES)[code] if perfect else rng.normal(size=y.shape)
    amount = rng.gamma(2.0, size=(2, ROWS))
    made = {
        Regression: lambda: Regression(np, amount[0] if perfect else amount[1], amount[0], 1.5, 0.25),
        Binary: lambda: Binary(np, y[:, 0], p[:, 0], "probability", 0.0),
        BinaryLabel: lambda: BinaryLabel(np, y[:, 0], p[:, 0]),
        BinaryScore: lambda: BinaryScore(np, 2 * y[:, 0] - 1 if perfect else score[:, 0], 2 * y[:, 0] - 1),
        Multiclass: lambda: Multiclass(
            np,
            np.eye(CLASSES)[code] if perfect else softmax(score),
            "probability",
            0.0,
            code,
            None,
        ),
        MulticlassScore: lambda: MulticlassScore(np, score, code),
        MulticlassLabel: lambda: MulticlassLabel(np, score.argmax(axis=1), code),
        Multilabel: lambda: Multilabel(np, y, p, "probability", 0.0),
        MultilabelLabel: lambda: MultilabelLabel(np, y, p),
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
