"""Charts as data: the table behind each chart, which terminals, HTML pages and notebooks draw."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct, field

from losscli.errors import UsageError
from losscli.report.findings import Note
from losscli.text import enumerated, near

Value: TypeAlias = int | float | str | None
"""A number, the name of a class, or None for an undefined number."""


_RANGES = {
    "rows": (0.0, 1e300),
    "weight": (0.0, sys.float_info.max),
    "share": (0.0, 1.0),
    "probability": (0.0, 1.0),
}
"""The minimum and the maximum of a column, by its unit."""
_ROUNDING = 1e-9


class Column(Struct, frozen=True):
    """A column of a chart: its name, its unit and its meaning.

    `unit` may refer to another unit: "target" is the unit of the target.  A column of names has `is_text`.
    """

    name: str
    unit: str
    meaning: str
    is_text: bool = False

    @property
    def range(self) -> tuple[float, float]:
        """The minimum and the maximum of its values, apart from rounding."""
        return _RANGES.get(self.unit, (-sys.float_info.max, sys.float_info.max))

    @property
    def words(self) -> str:
        """Its possible values, in words."""
        low, high = self.range
        if self.is_text:
            return "text"
        return f"numbers from {low:g} to {high:g}" if self.unit in _RANGES else "numbers"

    def may_hold(self, values: Sequence[Value]) -> bool:
        """Whether all of these values are possible."""
        if self.is_text:
            return all(isinstance(value, str) for value in values)
        low, high = self.range
        low, high = low - _ROUNDING, high * (1 + _ROUNDING)
        return all(value is None or (not isinstance(value, str) and low <= value <= high) for value in values)


class Kind(Struct, frozen=True):
    """A kind of chart: its title, the tasks that have it (() for all), its meaning and its columns."""

    title: str
    tasks: tuple[str, ...]
    meaning: str
    columns: tuple[Column, ...]

    @property
    def is_of_loss(self) -> bool:
        """Whether each loss has a chart of its own."""
        return any(column.unit == "loss" for column in self.columns)


def _rows(subject: str) -> tuple[Column, ...]:
    """The columns that count rows."""
    return (
        Column("rows", "rows", f"rows {subject}, of positive weight"),
        Column("weight", "weight", "the sum of their weights; their number if rows have no weights"),
    )


def _bin(name: str, unit: str, meaning: str) -> tuple[Column, ...]:
    """The columns of the bounds of a bin."""
    return (
        Column(f"{name}_low", unit, f"lower bound of the bin: {meaning}"),
        Column(f"{name}_high", unit, "upper bound of the bin"),
    )


def _interval(subject: str, unit: str) -> tuple[Column, ...]:
    """The columns of an interval."""
    return (
        Column("ci_low", unit, f"lower bound of the interval of {subject}"),
        Column("ci_high", unit, f"upper bound of the interval of {subject}"),
    )


_THRESHOLD = Column("threshold", "score", "rows whose score is at least this are predicted positive")
_PROBABILISTIC = ("binary", "multiclass", "multilabel")

KINDS: Mapping[str, Kind] = {
    "residuals": Kind(
        "Residuals against predictions",
        ("regression",),
        "Where residuals depend on the prediction: the rows in bins of both, without empty bins.",
        (
            *_bin("prediction", "target", "prediction"),
            *_bin("residual", "target", "prediction - target"),
            *_rows("in the bin"),
        ),
    ),
    "bias": Kind(
        "Bias by prediction",
        ("regression",),
        "Whether predictions are right on average: the mean residual in bins of the prediction.",
        (
            *_bin("prediction", "target", "prediction"),
            Column("prediction", "target", "mean prediction"),
            Column("residual", "target", "mean of prediction - target"),
            *_interval("the mean residual", "target"),
            *_rows("in the bin"),
        ),
    ),
    "residual_distribution": Kind(
        "Distribution of residuals",
        ("regression",),
        "How residuals are spread.",
        (
            *_bin("residual", "target", "prediction - target"),
            *_rows("in the bin"),
            Column("share", "share", "share of the weight of all rows"),
        ),
    ),
    "loss_distribution": Kind(
        "Distribution of the loss",
        (),
        "How the loss of rows is spread, and what share of it the largest losses make up.  Bins are those "
        "of a logarithmic axis, or of a linear one if a loss is below zero; the first of a logarithmic axis "
        "holds the smallest losses, and rows without loss.  Empty bins are left out.",
        (
            *_bin("loss", "loss", "loss of a row"),
            *_rows("in the bin"),
            Column("share", "share", "share of the weight of all rows"),
            Column("top_share", "share", "share of the weight in rows that lose `loss_low` or more"),
            Column("top_loss_share", "share", "their share of the loss; null if a loss is below zero"),
        ),
    ),
    "reliability": Kind(
        "Reliability diagram",
        _PROBABILISTIC,
        "Whether events happen as often as predicted: the observed frequency in bins of the probability; for "
        "several classes, of the most probable one.",
        (
            *_bin("probability", "probability", "predicted probability"),
            Column("probability", "probability", "mean predicted probability"),
            Column("observed", "probability", "observed frequency"),
            *_interval("the observed frequency", "probability"),
            *_rows("in the bin"),
        ),
    ),
    "roc": Kind(
        "ROC curve",
        ("binary", "multilabel"),
        "How scores separate the classes: the true positive rate against the false positive rate.",
        (
            _THRESHOLD,
            Column("false_positive_rate", "share", "share of the negatives predicted positive"),
            Column("true_positive_rate", "share", "share of the positives predicted positive"),
        ),
    ),
    "precision_recall": Kind(
        "Precision and recall",
        ("binary", "multilabel"),
        "How many of the rows predicted positive are, against how many of the positives are found.",
        (
            _THRESHOLD,
            Column("recall", "share", "share of the positives predicted positive"),
            Column("precision", "share", "share of positives among the rows predicted positive"),
        ),
    ),
    "score_distribution": Kind(
        "Distribution of scores",
        ("binary", "multilabel"),
        "How scores are spread in each class.",
        (
            *_bin("score", "score", "predicted score, a probability if the task has these"),
            Column("class", "", "true class", is_text=True),
            *_rows("of the class in the bin"),
            Column("share", "share", "share of the weight of the class"),
        ),
    ),
    "threshold_cost": Kind(
        "Errors by threshold",
        ("binary", "multilabel"),
        "What each threshold costs: the share of rows that it gets wrong.",
        (
            _THRESHOLD,
            Column("false_positives", "share", "share of all weight: negatives predicted positive"),
            Column("false_negatives", "share", "share of all weight: positives predicted negative"),
            Column("cost", "share", "the sum of both"),
        ),
    ),
    "confusion": Kind(
        "Confusion matrix",
        ("binary", "multiclass"),
        "Which class is predicted as which: all pairs of up to 20 classes, else the 20 most frequent errors.",
        (
            Column("actual", "", "true class", is_text=True),
            Column("predicted", "", "predicted class", is_text=True),
            *_rows("of this pair"),
            Column("share", "share", "share of the weight of the true class"),
        ),
    ),
    "coverage": Kind(
        "Coverage of quantiles",
        ("quantile",),
        "Whether as many targets lie below each predicted quantile as should.",
        (
            Column("nominal", "share", "level of the quantile"),
            Column("observed", "share", "share of the targets at or below the prediction"),
            *_interval("the observed share", "share"),
            *_rows("with this quantile"),
        ),
    ),
    "pit": Kind(
        "PIT histogram",
        ("distribution",),
        "Where targets lie in their predicted distributions: uniform if these are calibrated, a U if they "
        "are too narrow, a dome if too wide, a slope if they are biased.",
        (
            *_bin("pit", "probability", "predicted probability of at most the target"),
            *_rows("in the bin"),
            Column("density", "", "share of the weight, relative to that of a uniform distribution"),
            *_interval("the density", ""),
        ),
    ),
    "rank_histogram": Kind(
        "Rank histogram",
        ("ensemble",),
        "Where targets lie among the members of their ensemble: uniform if it is calibrated, a U if its "
        "spread is too small.  A target has n + 1 ranks among n members, counted here from 0 to 1; one that "
        "ties with members is spread evenly over the ranks that it may have.",
        (
            *_bin("rank", "share", "rank of the target as a share of all ranks"),
            *_rows("in the bin"),
            Column("density", "", "share of the weight, relative to that of a uniform distribution"),
            *_interval("the density", ""),
        ),
    ),
    "gain": Kind(
        "Gain by rank",
        ("grouped_ranking",),
        "How relevant the items at each rank are, against the best order.",
        (
            Column("rank", "rank", "rank of an item in its group by the predicted score, from 1"),
            Column("relevance", "relevance", "mean relevance of the items at this rank"),
            Column("ideal", "relevance", "mean relevance in the best order"),
            *_interval("the mean relevance", "relevance"),
            *_rows("(groups of them) that have this rank"),
        ),
    ),
}
"""Every kind of chart, by name."""


def parts_of(chart_id: str) -> tuple[str, str]:
    """The kind and the loss in the name of a chart, as in 'loss_distribution:mae'; the loss may be empty."""
    name, _, loss = chart_id.partition(":")
    return name, loss


def require(charts: Iterable[str], task: str) -> None:
    """Raise UsageError, which lists the charts of a task, for charts that it does not have."""
    available = [name for name, kind in KINDS.items() if not kind.tasks or task in kind.tasks]
    if missing := [name for name, _ in map(parts_of, charts) if name not in available]:
        raise UsageError(
            f"a {task} task has no chart {enumerated(missing)}", remedy=f"charts: {', '.join(available)}"
        )


def require_losses(charts: Iterable[str], losses: Mapping[str, str]) -> None:
    """Raise UsageError, which lists the available losses, for charts of other losses.

    `losses` maps the label of each available loss to its name in the catalog.
    """
    for name, loss in map(parts_of, charts):
        if loss and not KINDS[name].is_of_loss:
            raise UsageError(
                f"chart {name} is not about a loss, but got {name}:{loss}", remedy=f"--plot {name}"
            )
        if loss and loss not in {*losses, *losses.values()}:
            names = ", ".join(losses)
            raise UsageError(
                f"--plot {name}:{loss}: there is no loss {loss}.{near(loss, losses)}",
                remedy=f"losses: {names}",
            )


class Chart(Struct, frozen=True, kw_only=True):
    """A chart as data.

    `name` is its kind, one of `KINDS`, which says what its columns are.  `model` is that of several, `loss`
    the label of the loss that it is about, empty if about none, `cell` the class, label or output, empty for
    all.  `unit` is what it counts: rows, or groups of rows.  `columns` is the table that is drawn; all
    columns have the same length.
    """

    name: str
    model: str | None = None
    loss: str = ""
    cell: Mapping[str, str] = field(default_factory=dict)
    unit: str = "rows"
    columns: Mapping[str, list[Value]]
    notes: tuple[Note, ...] = ()

    def __post_init__(self) -> None:
        """Raise ValueError for columns of different lengths, or that are not those of the kind."""
        if len({len(values) for values in self.columns.values()}) > 1:
            raise ValueError(f"columns of chart {self.name} have different lengths")
        for column in KINDS[self.name].columns if self.name in KINDS else ():
            if column.name not in self.columns:
                raise ValueError(f"chart {self.name} has no column {column.name}")
            if not column.may_hold(self.columns[column.name]):
                raise ValueError(f"column {column.name} of chart {self.name} does not hold {column.words}")

    @property
    def share_unit(self) -> str:
        """The unit of its shares: rows or groups, or if these have weights, the weight."""
        return self.unit if self.columns["weight"] == self.columns["rows"] else "weight"

    @property
    def kind(self) -> Kind | None:
        """Its kind; None for a kind of a later version."""
        return KINDS.get(self.name)
