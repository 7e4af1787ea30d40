"""Make reference cases with the libraries that the tests install: `python tests/reference/make.py`.

For losses that the cases of `carry.py` leave out.  Each is a call of an independent library, or what follows
from one, on data that are drawn here; the cases of one table share them.
"""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from scipy import stats
from sklearn import metrics

HERE = Path(__file__).parent
ROWS = 60
LIBRARIES = {"scikit-learn": vars(metrics), "numpy": vars(np), "scipy": {"stats": stats}}


class Table(NamedTuple):
    """Predictions and targets, what the calls name, and the arguments of the program for all cases."""

    preds: pl.DataFrame
    targets: pl.DataFrame
    scope: dict[str, Any]
    arguments: tuple[str, ...] = ()


def made_labels(rng: np.random.Generator) -> Table:
    """Probabilities `q` of a positive class: `y`, labels `p` above one half, `s` of the true label."""
    y = (rng.random(ROWS) < 0.4) * 1
    p = np.round(np.clip(0.3 * y + rng.uniform(0.0, 0.8, ROWS), 0.0, 1.0), 3)
    return Table(
        *_frames({"p": p}, {"y": y}), {"y": y, "p": (p > 0.5) * 1, "q": p, "s": np.where(y == 1, p, 1 - p)}
    )


def made_outputs(rng: np.random.Generator) -> Table:
    """Two outputs of unequal variance, `y` and `p` (n, 2), with weights; `a`, `b` are the first of each."""
    y = np.round(rng.normal(size=(ROWS, 2)) * [1.0, 5.0] + [4.0, 30.0], 3)
    p, w = np.round(y + rng.normal(size=y.shape), 3), np.round(rng.gamma(2.0, size=ROWS), 3)
    sides = ({f"{name}_{i}": each[:, i] for i in range(2)} for name, each in (("y_pred", p), ("y_true", y)))
    preds, targets = _frames(*sides)
    scope = {"y": y, "p": p, "w": w, "a": y[:, 0], "b": p[:, 0]}
    return Table(preds, targets.with_columns(w=pl.Series(w)), scope)


def made_classes(rng: np.random.Generator) -> Table:
    """Probabilities of four classes, one of which is never predicted: `y`, labels `p`, probabilities `s`."""
    names = np.array(["ant", "bird", "cat", "dog"])
    code = rng.integers(0, 4, ROWS)
    s = rng.dirichlet([1.0] * 4, ROWS) + 0.4 * np.eye(4)[code]
    s[:, 3] = 0.0
    s = np.round(s / s.sum(axis=1, keepdims=True), 6)
    s[:, 0] = 1.0 - s[:, 1:].sum(axis=1)
    scores = {name: s[:, i] for i, name in enumerate(names)}
    weight = np.round(rng.gamma(2.0, size=ROWS), 3)
    scope = {"y": names[code], "p": names[s.argmax(axis=1)], "s": s, "w": weight}
    return Table(*_frames(scores, {"label": names[code], "w": weight}), scope, ("-w", "w"))


def made_several_labels(rng: np.random.Generator) -> Table:
    """Probabilities `s` of three labels: `y` and the labels `p` above one half (n, 3)."""
    y = (rng.random((ROWS, 3)) < [0.2, 0.5, 0.7]) * 1
    p = np.round(np.clip(0.3 * y + rng.uniform(0.0, 0.7, y.shape), 0.0, 1.0), 3)
    sides = ({name: each[:, i] for i, name in enumerate(("news", "sport", "tech"))} for each in (p, y))
    return Table(*_frames(*sides), {"y": y, "p": (p > 0.5) * 1, "s": p}, ("--task", "multilabel"))


def made_forecasts(rng: np.random.Generator) -> Table:
    """Forecasts `p` of `y`, naive ones `naive`, intervals, and the scale `s` of each of three series."""
    y = np.round(10 + rng.normal(size=ROWS).cumsum(), 3)
    p, naive = (np.round(y + rng.normal(size=ROWS), 3) for _ in range(2))
    s = np.repeat([0.7, 1.3, 2.1], ROWS // 3)
    lower, upper = p - 1.0, p + 0.5
    scope = {"y": y, "p": p, "naive": naive, "s": s, "lower": lower, "upper": upper}
    sides = {"y_pred": p, "lower": lower, "upper": upper}, {"y_true": y, "scale": s, "naive": naive}
    return Table(*_frames(*sides), scope)


def made_ranking(rng: np.random.Generator) -> Table:
    """Six `groups` of ten items, each as grades from 0 to 3 and scores; `hits` has 0 and 1 for grades."""
    group = np.repeat(np.arange(6), ROWS // 6)
    grade, s = rng.integers(0, 4, ROWS), rng.normal(size=ROWS)
    scope = {
        "groups": [(grade[group == g], s[group == g]) for g in range(6)],
        "hits": [(np.minimum(grade, 1)[group == g], s[group == g]) for g in range(6)],
    }
    sides = {"score": s}, {"group": group, "relevance": grade, "hit": np.minimum(grade, 1)}
    return Table(*_frames(*sides), scope, ("--group", "group"))


def made_values(rng: np.random.Generator) -> Table:
    """Numbers `y` and their predictions `p`, some of which are equal."""
    y = np.round(rng.gamma(2.0, size=ROWS), 1)
    p = np.round(y * rng.gamma(10.0, 0.1, ROWS), 1)
    return Table(*_frames({"y_pred": p}, {"y_true": y}), {"y": y, "p": p})


def made_times(rng: np.random.Generator) -> Table:
    """Times `t`, with an event or censored, and predictions `p` of their logarithms; some are equal."""
    t, e = np.round(rng.gamma(2.0, size=ROWS) + 0.1, 1), rng.random(ROWS) < 0.6
    p = np.round(np.log(t) + rng.normal(size=ROWS), 1)
    bounds = {"lower": t, "upper": np.where(e, t, np.inf)}
    before = e[:, None] & ((t[:, None] < t) | ((t[:, None] == t) & ~e))
    return Table(*_frames({"log_time": p}, bounds), {"before": before, "p": p})


def _frames(*sides: dict[str, Any]) -> list[pl.DataFrame]:
    return [pl.DataFrame({"id": np.arange(ROWS), **side}) for side in sides]


TABLES: dict[str, Callable[[np.random.Generator], Table]] = {
    "labels": made_labels,
    "outputs": made_outputs,
    "classes": made_classes,
    "several_labels": made_several_labels,
    "forecasts": made_forecasts,
    "ranking": made_ranking,
    "values": made_values,
    "times": made_times,
}


def rates(prefix: str, more: str, averages: tuple[str, ...]) -> list[tuple[str, str]]:
    """The cases of the rates of classes, by each average."""
    found = []
    for average in averages:
        named = "binary" if average == "positive" else average
        given = f"average='{named}', zero_division=0{more}"
        calls = {
            "precision": f"precision_score(y, p, {given})",
            "recall": f"recall_score(y, p, {given})",
            "f_beta": f"f1_score(y, p, {given})",
            "f_beta:beta=2": f"fbeta_score(y, p, beta=2, {given})",
            "jaccard_index": f"jaccard_score(y, p, {given})",
            "false_negative_rate": f"1 - recall_score(y, p, {given.replace('=0', '=1')})",
            "false_discovery_rate": f"1 - precision_score(y, p, {given.replace('=0', '=1')})",
        }
        for loss, call in calls.items():
            mark = "," if ":" in loss else ":"
            found.append((f"{prefix}{loss}{mark}average={average}", call))
    return found


def of_negatives(y: str, p: str) -> dict[str, str]:
    """The calls of the rates of negatives for one class, whose rows are where `y` is 1."""
    return {
        "specificity": f"recall_score({y}, {p}, pos_label=0)",
        "false_positive_rate": f"1 - recall_score({y}, {p}, pos_label=0)",
        "negative_predictive_value": f"precision_score({y}, {p}, pos_label=0)",
        "false_omission_rate": f"1 - precision_score({y}, {p}, pos_label=0)",
    }


COUNTS = {
    "true_positives": "1, 1",
    "false_positives": "0, 1",
    "false_negatives": "1, 0",
    "true_negatives": "0, 0",
}
"""Where the confusion matrix of scikit-learn has each count."""

CASES: dict[str, list[tuple[str, str]]] = {
    "labels": [
        ("accuracy", "accuracy_score(y, p)"),
        ("balanced_accuracy", "balanced_accuracy_score(y, p)"),
        ("matthews_correlation", "matthews_corrcoef(y, p)"),
        ("cohen_kappa", "cohen_kappa_score(y, p)"),
        ("spherical_score", "mean(s / sqrt(s**2 + (1 - s) ** 2))"),
        *rates("", "", ("positive", "macro", "micro", "weighted")),
        *of_negatives("y", "p").items(),
        ("roc_auc", "roc_auc_score(y, q)"),
        ("gini", "2 * roc_auc_score(y, q) - 1"),
        ("partial_auc:max_fpr=0.2", "roc_auc_score(y, q, max_fpr=0.2)"),
        ("average_precision", "average_precision_score(y, q)"),
        ("ks_statistic", "stats.ks_2samp(q[y == 1], q[y == 0]).statistic"),
        ("lift", "mean(y[argsort(-q)][:6]) / mean(y)"),
        (
            "recall_at_precision:precision=0.6",
            "max([r for p, r, _ in zip(*precision_recall_curve(y, q)) if p >= 0.6])",
        ),
        *((name, f"confusion_matrix(y, p)[{place}]") for name, place in COUNTS.items()),
        ("g_mean", "sqrt(recall_score(y, p) * recall_score(y, p, pos_label=0))"),
        (
            "equitable_threat_score",
            "1 / (2 / cohen_kappa_score(y, p) - 1)",
        ),
    ],
    "outputs": [
        ("r2:average=variance", "r2_score(y, p, multioutput='variance_weighted')"),
        ("r2:average=variance -w w", "r2_score(y, p, sample_weight=w, multioutput='variance_weighted')"),
        (
            "explained_variance:average=variance -w w",
            "explained_variance_score(y, p, sample_weight=w, multioutput='variance_weighted')",
        ),
        *(
            (f"{loss} -p y_pred_0 -y y_true_0", call)
            for loss, call in {
                "adjusted_r2:predictors=5": "1 - (1 - r2_score(a, b)) * 59 / 54",
                "mean_percentage_error": "mean((b - a) / a)",
                "geometric_mean_absolute_error": "stats.gmean(abs(b - a))",
                "kling_gupta_efficiency": "1 - sqrt((corrcoef(a, b)[0, 1] - 1) ** 2"
                " + (b.std() / a.std() - 1) ** 2 + (b.mean() / a.mean() - 1) ** 2)",
                "kling_gupta_efficiency:spread=variation": "1 - sqrt((corrcoef(a, b)[0, 1] - 1) ** 2"
                " + (stats.variation(b) / stats.variation(a) - 1) ** 2 + (b.mean() / a.mean() - 1) ** 2)",
            }.items()
        ),
    ],
    "classes": [
        *(
            (
                f"multiclass_{name}",
                f"multilabel_confusion_matrix(y, p, sample_weight=w)[:, {place}].sum()",
            )
            for name, place in COUNTS.items()
        ),
        ("multiclass_accuracy", "accuracy_score(y, p, sample_weight=w)"),
        ("multiclass_balanced_accuracy", "balanced_accuracy_score(y, p, sample_weight=w)"),
        ("multiclass_matthews_correlation", "matthews_corrcoef(y, p, sample_weight=w)"),
        ("multiclass_cohen_kappa", "cohen_kappa_score(y, p, sample_weight=w)"),
        *(
            (
                f"multiclass_cohen_kappa:weighting={w}",
                f"cohen_kappa_score(y, p, weights='{w}', sample_weight=w)",
            )
            for w in ("linear", "quadratic")
        ),
        (
            "multiclass_spherical_score",
            "average((s * (y[:, None] == ['ant', 'bird', 'cat', 'dog'])).sum(axis=1)"
            " / sqrt((s**2).sum(axis=1)), weights=w)",
        ),
        *(
            (
                f"multiclass_roc_auc:average={average}",
                f"roc_auc_score(y, s, multi_class='ovr', average='{average}', sample_weight=w)",
            )
            for average in ("macro", "weighted")
        ),
        *(
            (
                f"multiclass_average_precision:average={average}",
                f"average_precision_score(y, s, average='{average}', sample_weight=w)",
            )
            for average in ("macro", "weighted")
        ),
        ("top_k_accuracy:k=2", "top_k_accuracy_score(y, s, k=2, sample_weight=w)"),
        *rates("multiclass_", ", sample_weight=w", ("macro", "micro", "weighted")),
        *(
            (f"multiclass_{loss}", f"mean([{call[:-1]}, sample_weight=w) for c in unique(y)])")
            for loss, call in of_negatives("y == c", "p == c").items()
        ),
    ],
    "several_labels": [
        *(
            (f"multilabel_{name}", f"multilabel_confusion_matrix(y, p)[:, {place}].sum()")
            for name, place in COUNTS.items()
        ),
        ("subset_accuracy", "accuracy_score(y, p)"),
        *(
            (f"multilabel_{score}:average={average}", f"{score}_score(y, s, average='{average}')")
            for score in ("roc_auc", "average_precision")
            for average in ("macro", "weighted", "micro")
        ),
        *rates("multilabel_", "", ("macro", "micro", "weighted")),
        *(
            (f"{name}{division}", f"{call}(y, p, {more}average='samples', zero_division={number})")
            for name, call, more in (
                ("precision_samples", "precision_score", ""),
                ("recall_samples", "recall_score", ""),
                ("f_beta_samples", "f1_score", ""),
                ("f_beta_samples:beta=2", "fbeta_score", "beta=2, "),
                ("jaccard_samples", "jaccard_score", ""),
            )
            for division, number in (("", 0), *([] if ":" in name else [(":zero_division=one", 1)]))
        ),
        *(
            (f"multilabel_{loss}", f"mean([{call} for i in range(3)])")
            for loss, call in of_negatives("y[:, i]", "p[:, i]").items()
        ),
    ],
    "forecasts": [
        ("mean_absolute_scaled_error --scale-by scale", "mean_absolute_error(y / s, p / s)"),
        (
            "mean_absolute_scaled_error --naive naive",
            "mean_absolute_error(y, p) / mean_absolute_error(y, naive)",
        ),
        ("root_mean_squared_scaled_error --scale-by scale", "root_mean_squared_error(y / s, p / s)"),
        (
            "root_mean_squared_scaled_error --naive naive",
            "root_mean_squared_error(y, p) / root_mean_squared_error(y, naive)",
        ),
        *(
            (f"mean_scaled_interval_score:alpha=0.1 {flags}", f"20 * {call}")
            for flags, call in {
                "--scale-by scale": "(mean_pinball_loss(y / s, lower / s, alpha=0.05)"
                " + mean_pinball_loss(y / s, upper / s, alpha=0.95))",
                "--naive naive": "(mean_pinball_loss(y, lower, alpha=0.05)"
                " + mean_pinball_loss(y, upper, alpha=0.95)) / mean_absolute_error(y, naive)",
            }.items()
        ),
        ("interval_coverage", "mean((lower <= y) & (y <= upper))"),
        ("interval_width", "mean(upper - lower)"),
        (
            "mean_relative_absolute_error --naive naive",
            "mean_absolute_error(y / (y - naive), p / (y - naive))",
        ),
        (
            "geometric_mean_relative_absolute_error --naive naive",
            "stats.gmean(abs(y - p) / abs(y - naive))",
        ),
    ],
    "ranking": [
        (
            "discounted_cumulative_gain:k=4 -y relevance",
            "mean([dcg_score([r], [s], k=4) for r, s in groups])",
        ),
        (
            "discounted_cumulative_gain:gain=exponential -y relevance",
            "mean([dcg_score([2**r - 1], [s]) for r, s in groups])",
        ),
        ("precision_at_k:k=4 -y hit", "mean([r[argsort(-s)][:4].sum() / 4 for r, s in hits])"),
        ("recall_at_k:k=4 -y hit", "mean([r[argsort(-s)][:4].sum() / r.sum() for r, s in hits])"),
        ("hit_rate_at_k:k=1 -y hit", "mean([r[argsort(-s)][:1].any() for r, s in hits])"),
        ("mean_reciprocal_rank -y hit", "mean([1 / (1 + r[argsort(-s)].argmax()) for r, s in hits])"),
        (
            "rank_biased_precision:persistence=0.7 -y hit",
            "mean([stats.geom.pmf(1 + flatnonzero(r[argsort(-s)]), 0.3).sum() for r, s in hits])",
        ),
        (
            "expected_reciprocal_rank:max_relevance=3 -y relevance",
            "mean([(g * append(1, cumprod(1 - g)[:-1]) / arange(1, 11)).sum()"
            " for g in [(2.0 ** r[argsort(-s)] - 1) / 8 for r, s in groups]])",
        ),
        (
            "list_mle -y relevance",
            "mean([sum([logaddexp.reduce(o[i:]) - o[i] for i in range(10)])"
            " for o in [s[argsort(-r, kind='stable')] for r, s in groups]])",
        ),
    ],
    "values": [
        ("quantile_absolute_error:q=0.9", "quantile(abs(p - y), 0.9, method='averaged_inverted_cdf')"),
        ("concordance_index", "(1 + stats.somersd(y, p).statistic) / 2"),
    ],
    "times": [
        ("survival_concordance_index", "mean((sign(p - p[:, None])[before] + 1) / 2)"),
    ],
}
"""The requests of losses by table, and the call that gives the number."""


def main() -> None:
    """Write the data and `made.json`."""
    entries = []
    for name, make in TABLES.items():
        table = make(np.random.default_rng([*name.encode()]))
        folder = HERE / "made" / name
        folder.mkdir(parents=True, exist_ok=True)
        table.preds.write_parquet(folder / "preds.parquet")
        table.targets.write_parquet(folder / "targets.parquet")
        entries += [entry_of(name, table, *case) for case in CASES[name]]
    text = ",\n".join(json.dumps(entry) for entry in entries)
    (HERE / "made.json").write_text(f"[\n{text}\n]\n")
    print(f"{len(entries)} cases")


def entry_of(data: str, table: Table, request: str, call: str) -> dict[str, Any]:
    """A case as `made.json` holds it."""
    scope = {"range": range, **{k: v for own in LIBRARIES.values() for k, v in own.items()}, **table.scope}
    known = (
        name
        for name, own in LIBRARIES.items()
        if any(f"{each}(" in call or f"{each}." in call for each in own)
    )
    library = next(known)
    files = ["preds.parquet", "targets.parquet", "--on", "id"]
    request, *more = request.split()
    return {
        "name": "_".join([request.replace(":", "__").replace(",", "_").replace("=", "_"), *more[1:]]),
        "data": data,
        "loss": request.partition(":")[0],
        "arguments": ["evaluate", *files, "-l", request, *more, *table.arguments],
        "expected": float(eval(call, scope)),
        "rtol": 1e-12,
        "atol": 0.0,
        "library": library,
        "version": importlib.metadata.version(library),
        "call": call,
    }


if __name__ == "__main__":
    main()
