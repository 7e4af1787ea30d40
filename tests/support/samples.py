"""Small batches of every kind, and the value of a loss on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec.structs import replace

from losscli.catalog import loss, registry
from losscli.numeric.arrays import Array
from losscli.states.cells import Cells
from losscli.states.moments import Moments
from losscli.tasks.base import Batch
from losscli.tasks.binary import (
    Binary,
    BinaryAgreement,
    BinaryLabel,
    BinaryOutcome,
    BinaryScore,
    BinarySoftScore,
)
from losscli.tasks.classes import (
    Multiclass,
    MulticlassAgreement,
    MulticlassAmount,
    MulticlassLabel,
    MulticlassOutcome,
    MulticlassScore,
    OneVsAll,
)
from losscli.tasks.contrastive import LabeledVectors
from losscli.tasks.distribution import (
    Beta,
    Binomial,
    Exponential,
    Gamma,
    Laplace,
    Logistic,
    LogNormal,
    NegativeBinomial,
    Normal,
    Poisson,
    StudentT,
    Uniform,
)
from losscli.tasks.embedding import BooleanPair, PairDistance, SimilarPair, VectorPair
from losscli.tasks.ensemble import Ensemble, MultivariateEnsemble
from losscli.tasks.grouped import BinaryRelevance, Groups, Relevance
from losscli.tasks.groups import Grouped
from losscli.tasks.hazard import Cohort
from losscli.tasks.multilabel import (
    Multilabel,
    MultilabelAgreement,
    MultilabelLabel,
    MultilabelOutcome,
    MultilabelScore,
)
from losscli.tasks.named import Named
from losscli.tasks.quantile import CentralQuantile, Interval, Quantile, ScaledInterval
from losscli.tasks.ranking import ScorePair
from losscli.tasks.regression import Benchmarked, Pilot, Regression, Scaled
from losscli.tasks.segmentation import ClassMask, ClassScores, Mask, WeightedClassScores
from losscli.tasks.sequence import Frames
from losscli.tasks.survival import Lifetime
from losscli.tasks.text import CharacterEdits, WordEdits
from losscli.tasks.triplet import Triplet
from support import distributions

ROWS, CLASSES = 40, 4
LOSSES = {entry.name: entry for entry in registry.list_losses()}


GIVEN: dict[str, dict[str, object]] = {
    "lq": {"q": 3.0},
    "minkowski_distance": {"p": 3.0},
    "num_errors": {"greater_than": 0.5},
    "critical_success_index": {"threshold": 1.5},
    "m_quantile_huber": {"alpha": 0.3},
    "interval_score": {"alpha": 0.2},
    "recall_at_precision": {"precision": 0.7},
    "mean_scaled_interval_score": {"alpha": 0.2},
    "minkowski_distance_rowwise": {"p": 3.0},
    "standardized_euclidean_distance": {"variances": "1:2:0.5:3:0.1:10:1"},
    "segmentation_mean_iou": {"num_classes": 3},
    "hausdorff_distance": {"width": 3},
    "mahalanobis_distance": {"inv_cov": np.eye(7) + 0.2},
    "precision_at_k": {"k": 2},
    "recall_at_k": {"k": 1},
    "hit_rate_at_k": {"k": 1},
    "adjusted_r2": {"predictors": 3},
}
"""The parameters that a loss has no default for, or whose default the groups here are too small for."""
LOGARITHMIC = {"log_linear_quantile"}
"""The losses whose prediction is a logarithm."""


def chosen(name: str, **given) -> loss.Choice:
    """A loss with its parameters."""
    return registry.choose(LOSSES[name], {**GIVEN.get(name, {}), **given}, {})


def value(name: str, batch: Batch, weight: np.ndarray | None = None, **given) -> float:
    """The value of a loss on a batch; NaN where it has none."""
    choice = chosen(name, **given)
    with np.errstate(all="ignore"):  # as the engine has it
        columns = choice.loss.columns(batch, choice.params)
    bound = choice.reduction.with_pilots((getattr(batch, "pilot", None),))
    (estimate,) = choice.loss.state.of(Cells(np, len(columns[0]), weight, 0), columns, False).estimates(
        bound, None
    )
    return np.nan if estimate.value is None else estimate.value


def moments(
    columns: Sequence[Array],
    weight: Array | None = None,
    rows: Array | int = 0,
    codes: Array | None = None,
    cells: int = 1,
    interval: bool = True,
    xp: Any = np,
) -> Moments:
    """The moments of columns whose rows have these numbers, or consecutive ones from a first."""
    return Moments.of(Cells(xp, len(columns[0]), weight, rows, codes, cells), columns, interval)


def rows(name: str, seed: int = 0, perfect: bool = False) -> Batch:
    """A sample that a loss takes."""
    batch = sample(LOSSES[name].batch, seed, perfect)
    return replace(batch, prediction=np.log(batch.prediction)) if name in LOGARITHMIC else batch


def sample(kind: type[Batch], seed: int = 0, perfect: bool = False) -> Batch:
    """Random rows, or rows whose predictions are right; the arrays are read-only, as those of files are."""
    if arrays_of := distributions.samples(ROWS, seed, perfect).get(kind):
        return read_only(kind(np, **{name: array.copy() for name, array in arrays_of.items()}))
    if issubclass(kind, Named):
        return read_only(kind(np, **named(kind, np.random.default_rng(seed), perfect)))
    rng = np.random.default_rng(seed)
    y = (rng.uniform(size=(ROWS, CLASSES)) < 0.4) * 1.0
    # Drawn in either case, so that the targets are the same.
    drawn = rng.uniform(0.01, 0.99, size=y.shape)
    p = y if perfect else drawn
    code = rng.integers(0, CLASSES, ROWS)
    one_hot = np.eye(CLASSES)[code]
    noise = rng.normal(size=y.shape)
    score = 1e3 * (2.0 * one_hot - 1.0) if perfect else noise
    distribution = one_hot if perfect else softmax(score)
    sign = 2.0 * y[:, 0] - 1.0
    margin = 1e3 * sign if perfect else score[:, 0]
    amount = rng.gamma(2.0, size=(2, ROWS))
    made = {
        Regression: lambda: Regression(np, amount[0] if perfect else amount[1], amount[0], Pilot(1.5, 0.25)),
        **dict.fromkeys(
            (Scaled, Benchmarked),
            lambda: kind(
                *(np, amount[0] if perfect else amount[1], amount[0], Pilot(1.5, 0.25)),
                *(np.full(ROWS, 2.0), amount[1][::-1] + 0.1),
            ),
        ),
        Binary: lambda: Binary(np, y[:, 0], p[:, 0], "probability", 0.0),
        **dict.fromkeys(
            (BinaryLabel, BinaryOutcome, BinaryAgreement, MultilabelOutcome),
            lambda: kind(np, y[:, 0], p[:, 0]),
        ),
        BinaryScore: lambda: BinaryScore(np, margin, sign),
        BinarySoftScore: lambda: BinarySoftScore(np, margin, y[:, 0]),
        Multiclass: lambda: Multiclass(np, distribution, "probability", 0.0, code, None),
        MulticlassAmount: lambda: MulticlassAmount(
            np, y + 0.5 if perfect else y + p, "probability", 0.0, None, y + 0.5
        ),
        OneVsAll: lambda: OneVsAll(np, one_hot, one_hot if perfect else p, "probability", 0.0),
        MulticlassScore: lambda: MulticlassScore(np, score, code),
        **dict.fromkeys(
            (MulticlassLabel, MulticlassOutcome, MulticlassAgreement),
            lambda: kind(np, score.argmax(axis=1), code, CLASSES),
        ),
        Multilabel: lambda: Multilabel(np, y, p, "probability", 0.0),
        **dict.fromkeys((MultilabelLabel, MultilabelAgreement), lambda: kind(np, y, p)),
        MultilabelScore: lambda: MultilabelScore(np, 2e3 * y if perfect else score, y > 0),
    }[kind]()
    return read_only(made)


def named(kind: type[Batch], rng: np.random.Generator, perfect: bool) -> dict[str, np.ndarray]:
    """The arrays of a batch whose fields name its columns; a perfect law is as narrow as floats let it be."""
    y, width = rng.normal(size=ROWS), rng.gamma(2.0, size=ROWS) + 0.1
    amount, share = rng.gamma(2.0, size=ROWS), rng.uniform(0.05, 0.95, ROWS)
    counts, trials = rng.integers(0, 9, ROWS) * 1.0, np.full(ROWS, 10.0)
    mu = y + rng.normal(size=ROWS)
    members, vectors = rng.normal(size=(ROWS, 6)), rng.normal(size=(ROWS, 5, 3))
    sign = 1.0 - 2.0 * (rng.uniform(size=ROWS) < 0.4)
    a, b, c = rng.normal(size=(3, ROWS, 7))
    pixels, masks = rng.integers(0, 3, (ROWS, 9)) * 1.0, (rng.uniform(size=(ROWS, 9)) < 0.5) * 1.0
    one_hot = np.eye(3)[pixels.astype(int)]
    sizes = rng.integers(1, 7, ROWS)
    starts, score = np.cumsum(sizes) - sizes, rng.normal(size=sizes.sum())
    grade = rng.integers(0, 4, sizes.sum()) * 1.0
    grade[starts] += 1  # every group has a relevant item
    hit = np.minimum(grade, 1.0)
    # Times are observed, or censored in an interval, on the right, or on the left.
    lower = np.where(np.arange(ROWS) % 4 == 3, 0.0, amount)
    upper = np.choose(np.arange(ROWS) % 4, (amount, 2 * amount, np.full(ROWS, np.inf), amount))
    shift = np.array([[0.0], [0.3], [9.0], [-9.0]])
    changed, deleted, inserted = rng.integers(0, 2, (3, ROWS)) * 1.0
    matched = counts + 2
    right = {
        "edits": np.zeros(ROWS),
        "matches": matched,
        "prediction_length": matched,
        "target_length": matched,
    }
    edited = {
        "edits": changed + deleted + inserted,
        "matches": matched,
        "prediction_length": matched + changed + inserted,
        "target_length": matched + changed + deleted,
    }
    labels = np.array([[1, -1, -1], [2, 1, -1], [1, 1, 2], [-1, -1, -1]])[np.arange(ROWS) % 4]
    length = (labels >= 0).sum(axis=1)
    frames = np.full(ROWS, 6.0)
    placed = np.eye(3)[np.stack([np.maximum(labels, 0), np.zeros_like(labels)], axis=2).reshape(ROWS, 6)]
    # Groups of five, in which two items are alike or have an event.
    in_groups, alike = 5 * np.arange(ROWS), np.tile([0, 1, 0, 1, 1], ROWS)
    time, event = rng.integers(1, 5, 5 * ROWS) * 1.0, np.tile([1.0, 0.0, 1.0, 0.0, 0.0], ROWS)
    zero, one, narrow = np.zeros(ROWS), np.ones(ROWS), np.full(ROWS, 1e-300)
    if perfect:
        return {
            Quantile: {"target": y, "prediction": y, "level": 0.3},
            CentralQuantile: {"target": y, "prediction": y, "level": 0.1},
            Interval: {"target": y, "lower": y, "upper": y},
            ScaledInterval: {"target": y, "lower": y, "upper": y, "scale": width, "naive_error": width},
            Normal: {"target": y, "mu": y, "sigma": narrow},
            Logistic: {"target": y, "mu": y, "sigma": narrow},
            Laplace: {"target": y, "location": y, "scale": narrow},
            StudentT: {"target": y, "location": y, "scale": narrow, "df": width + 1.5},
            LogNormal: {"target": one, "mulog": zero, "sigmalog": narrow},
            Exponential: {"target": zero, "rate": 1.0 / narrow},
            Gamma: {"target": one, "shape": 1.0 / narrow, "rate": 1.0 / narrow},
            Beta: {"target": one / 2, "a": 1.0 / narrow, "b": 1.0 / narrow},
            Uniform: {"target": zero, "min": -narrow, "max": narrow},
            Poisson: {"target": zero, "mean": zero},
            Binomial: {"target": trials, "n": trials, "prob": one},
            NegativeBinomial: {"target": zero, "n": width, "prob": one},
            Ensemble: {"target": y, "members": y[:, None] * (1 + 1e-15 * np.arange(-3, 4))},
            MultivariateEnsemble: {"target": 0.0 * vectors[:, 0], "members": 1e-150 * vectors},
            VectorPair: {"target": a, "prediction": a},
            BooleanPair: {"target": masks, "prediction": masks},
            SimilarPair: {"target": sign, "x1": a, "x2": sign[:, None] * a},
            PairDistance: {"target": sign, "distance": np.where(sign > 0, 0.0, 1e3)},
            Triplet: {"anchor": a, "positive": a, "negative": -1e3 * a},
            ScorePair: {"target": sign, "score1": 1e3 * sign, "score2": -1e3 * sign},
            Mask: {"target": masks, "prediction": masks},
            Frames: {"logits": 1e3 * placed, "labels": labels, "length": length, "frames": frames},
            WordEdits: right,
            CharacterEdits: right,
            Lifetime: {
                "log_time": np.choose(np.arange(ROWS) % 4, np.log(amount) + shift),
                "lower": lower,
                "upper": upper,
            },
            ClassMask: {"target": pixels, "prediction": pixels},
            ClassScores: {"target": one_hot, "prediction": 2e3 * one_hot},
            WeightedClassScores: {"target": one_hot, "prediction": 2e3 * one_hot},
            LabeledVectors: {
                "vector": np.array([[1.0, 0.0], [-1.0, 0.0]])[alike],
                "label": alike,
                "starts": in_groups,
            },
            Cohort: {"log_hazard": -1e3 * time, "time": time, "event": event, "starts": in_groups},
            Groups: {
                "target": grade,
                "score": grade + np.repeat(rng.normal(size=ROWS), sizes),
                "starts": starts,
            },
            Relevance: {"target": grade, "score": np.log(np.maximum(grade, 1e-300)), "starts": starts},
            BinaryRelevance: {"target": hit, "score": hit, "starts": starts},
        }[kind]
    return {
        Quantile: {"target": y, "prediction": mu, "level": 0.3},
        CentralQuantile: {"target": y, "prediction": mu, "level": 0.1},
        Interval: {"target": y, "lower": mu - width, "upper": mu},
        ScaledInterval: {
            "target": y,
            "lower": mu - width,
            "upper": mu,
            "scale": width[::-1],
            "naive_error": np.full(ROWS, 2.0),
        },
        Normal: {"target": y, "mu": mu, "sigma": width},
        Logistic: {"target": y, "mu": mu, "sigma": width},
        Laplace: {"target": y, "location": mu, "scale": width},
        StudentT: {"target": y, "location": mu, "scale": width, "df": width + 1.5},
        LogNormal: {"target": np.exp(y), "mulog": mu, "sigmalog": width},
        Exponential: {"target": amount, "rate": width},
        Gamma: {"target": amount, "shape": width, "rate": width[::-1]},
        Beta: {"target": share, "a": width, "b": width[::-1]},
        Uniform: {"target": share, "min": -width, "max": 1 + width},
        Poisson: {"target": counts, "mean": width},
        Binomial: {"target": counts, "n": trials, "prob": share},
        NegativeBinomial: {"target": counts, "n": width, "prob": share},
        Ensemble: {"target": y, "members": members},
        MultivariateEnsemble: {"target": vectors[:, 0] + 0.5, "members": vectors},
        VectorPair: {"target": a, "prediction": b},
        BooleanPair: {"target": masks, "prediction": rng.permuted(masks, axis=1)},
        SimilarPair: {"target": sign, "x1": a, "x2": b},
        PairDistance: {"target": sign, "distance": width},
        Triplet: {"anchor": a, "positive": b, "negative": c},
        ScorePair: {"target": sign, "score1": y, "score2": mu},
        Lifetime: {"log_time": mu, "lower": lower, "upper": upper},
        Frames: {
            "logits": rng.normal(size=placed.shape),
            "labels": labels,
            "length": length,
            "frames": frames,
        },
        WordEdits: edited,
        CharacterEdits: edited,
        Mask: {"target": masks, "prediction": rng.uniform(size=(ROWS, 9))},
        ClassMask: {"target": pixels, "prediction": rng.permuted(pixels, axis=1)},
        ClassScores: {"target": one_hot, "prediction": rng.uniform(size=one_hot.shape)},
        WeightedClassScores: {"target": one_hot, "prediction": rng.uniform(size=one_hot.shape)},
        LabeledVectors: {"vector": rng.normal(size=(len(alike), 3)), "label": alike, "starts": in_groups},
        Cohort: {"log_hazard": rng.normal(size=len(time)), "time": time, "event": event, "starts": in_groups},
        Groups: {"target": grade, "score": score, "starts": starts},
        Relevance: {"target": grade, "score": score, "starts": starts},
        BinaryRelevance: {"target": hit, "score": score, "starts": starts},
    }[kind]


def read_only(batch: Batch) -> Batch:
    for array in arrays(batch).values():
        array.setflags(write=False)
    return batch


def softmax(z):
    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


def arrays(batch: Batch) -> dict[str, np.ndarray]:
    found = {name: getattr(batch, name) for name in batch.__struct_fields__}
    return {name: array for name, array in found.items() if isinstance(array, np.ndarray)}


def taken(batch: Batch, rows) -> Batch:
    """Some rows of a batch, or some groups."""
    if isinstance(batch, Grouped):
        ends = np.append(batch.starts[1:], batch.items)
        items = np.concatenate([np.arange(batch.starts[i], ends[i]) for i in rows])
        sizes = (ends - batch.starts)[rows]
        own = {name: array[items] for name, array in arrays(batch).items() if name != "starts"}
        return replace(batch, **own, starts=np.cumsum(sizes) - sizes)
    return replace(batch, **{name: array[rows] for name, array in arrays(batch).items()})
