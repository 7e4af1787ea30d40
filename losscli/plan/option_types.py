"""The keywords of the Python API, typed.  Written by `python tests/support/generate.py`."""

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import Any, Literal, TypedDict

from losscli.data.table import Source
from losscli.report.model import Report


class LossParameters(TypedDict, total=False):
    """The parameters of losses, for each chosen loss that has them."""

    a: float | None
    aggregate: Literal["per_image", "global"] | None
    alpha: float | None
    average: Literal["uniform", "variance", "positive", "macro", "micro", "weighted"] | None
    b: float | None
    bandwidth: float | None
    beta: float | None
    bias: bool | None
    blank: int | None
    both_zero: Literal["zero", "undefined"] | None
    c: float | None
    cens: bool | None
    delta: float | None
    df: float | None
    distribution: Literal["normal", "logistic", "extreme"] | None
    divisor: Literal["relevant", "min_k", "k"] | None
    empty: Literal["zero", "one", "skip", "formula"] | None
    epsilon: float | None
    epsilon1: float | None
    estimator: Literal["qd", "nrg", "int", "fair", "pwm", "akr", "akr_circperm"] | None
    floor: float | None
    fn_weight: float | None
    force_finite: bool | None
    fp_weight: float | None
    full: bool | None
    gain: Literal["linear", "exponential"] | None
    gamma: float | None
    greater_than: float | None
    ignore_background: bool | None
    inclusive: bool | None
    inv_cov: str | Sequence[Sequence[float]] | None
    k: float | int | None
    label_smoothing: float | None
    length_normalised: bool | None
    log_input: bool | None
    margin: float | None
    matches: Literal["longest", "aligned"] | None
    max_fpr: float | None
    max_relevance: float | None
    min_variance: float | None
    mode: Literal["crammer-singer", "one-vs-all"] | None
    multi_class: Literal["ovr", "ovo"] | None
    n_bins: int | None
    negative: Literal["error", "zero"] | None
    norm: Literal["l1", "l2", "max"] | None
    normalization: Literal["mean", "range", "std", "l2"] | None
    num_classes: int | None
    p: float | int | None
    percent: bool | None
    percentile: float | None
    persistence: float | None
    pooled: bool | None
    pos_weight: float | None
    power: float | None
    precision: float | None
    predictors: int | None
    q: float | None
    scale: float | None
    scale_by_half: bool | None
    share: float | None
    smooth: float | None
    softmax: bool | None
    spread: Literal["deviation", "variation"] | None
    squared: bool | None
    standardized: bool | None
    swap: bool | None
    temperature: float | None
    threshold: float | None
    ties: Literal["shared", "rows", "breslow", "efron"] | None
    variances: str | Sequence[float] | None
    weight_type: Literal["square", "simple", "linear"] | None
    weighting: Literal["linear", "quadratic"] | None
    width: int | None
    zero_division: Literal["zero", "one", "skip"] | None
    zero_infinity: bool | None


class ReadOptions(LossParameters, total=False):
    """Options of every function that reads predictions."""

    task: (
        Literal[
            "regression",
            "binary",
            "multiclass",
            "multilabel",
            "quantile",
            "distribution",
            "ensemble",
            "embedding",
            "triplet",
            "ranking",
            "grouped_ranking",
            "contrastive",
            "segmentation",
            "survival",
            "hazard",
            "text",
            "sequence",
        ]
        | None
    )
    pred: str | Iterable[object] | None
    target: str | Iterable[object] | None
    on: str | Iterable[object] | None
    weight: object
    missing: Literal["error", "drop"] | None
    unmatched: Literal["error", "drop"] | None
    domain: Literal["error", "drop"] | None
    where: str | None
    group: object
    separator: str | None
    quote: str | None
    escape: str | None
    comment: str | None
    header: bool | None
    decimal: Literal[".", ","] | None
    thousands: str | None
    null_values: str | Iterable[object] | None
    input_format: Literal["csv", "tsv", "xlsx", "ndjson", "ipc", "npy", "npz", "parquet"] | None
    classes: str | Iterable[object] | None
    positive: object
    class_weight: str | Mapping[Any, float] | None
    ignore_label: object
    from_logits: bool | None
    from_log_probs: bool | None
    eps: float | str | None
    like: Literal["sklearn", "torch", "keras"] | None
    normalize: bool | None
    threads: int | str | None
    max_memory: int | str | None
    device: str | None


class CommonOptions(ReadOptions, total=False):
    """Options of `evaluate`, `compare`, `rank` and `weak`."""

    by: object
    scale_by: object
    naive: object
    ci: float | str | None


class EvaluateOptions(CommonOptions, total=False):
    """Options of `evaluate`."""

    ci_method: Literal["analytic", "bootstrap"] | None
    replicates: int | str | None
    seed: int | str | None
    cluster: object
    approximate: bool | None
    gate: str | Mapping[str, object] | Sequence[str | Mapping[str, object]] | None
    baseline: Report | Source | None
    baseline_missing: Literal["error", "skip"] | None
    confident: bool | None
    strict: bool | None
    min_n: int | str | None
    rows: str | PathLike[str] | None
    worst: int | str | None
    state: str | PathLike[str] | None
    charts: bool | None
    plan: str | PathLike[str] | None
    part: str | None
    engine: str | None


class CompareOptions(CommonOptions, total=False):
    """Options of `compare`."""

    names: str | Iterable[object] | None
    ci_method: Literal["analytic", "bootstrap"] | None
    replicates: int | str | None
    seed: int | str | None
    cluster: object
    approximate: bool | None
    gate: str | Mapping[str, object] | Sequence[str | Mapping[str, object]] | None
    confident: bool | None
    strict: bool | None
    min_n: int | str | None
    model_column: str | None
    all_pairs: bool | None
    changed: int | str | None
    state: str | PathLike[str] | None
    charts: bool | None
    plan: str | PathLike[str] | None
    part: str | None
    engine: str | None


class RankOptions(CommonOptions, total=False):
    """Options of `rank`."""

    names: str | Iterable[object] | None
    approximate: bool | None
    model_column: str | None


class WeakOptions(CommonOptions, total=False):
    """Options of `weak`."""

    cluster: object
    min_n: int | str | None
    depth: int | str | None


class InitOptions(ReadOptions, total=False):
    """Options of `init`."""

    by: object
    scale_by: object
    naive: object


class GateOptions(TypedDict, total=False):
    """Options of `gate`."""

    gate: str | Mapping[str, object] | Sequence[str | Mapping[str, object]] | None
    baseline_missing: Literal["error", "skip"] | None
    confident: bool | None
    strict: bool | None
    min_n: int | str | None


class MergeOptions(TypedDict, total=False):
    """Options of `merge`."""

    gate: str | Mapping[str, object] | Sequence[str | Mapping[str, object]] | None
    baseline: Report | Source | None
    baseline_missing: Literal["error", "skip"] | None
    confident: bool | None
    strict: bool | None
    min_n: int | str | None
    state: str | PathLike[str] | None
