"""The data of charts: summaries of rows, from the same pass as the losses, and the charts drawn from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from types import ModuleType

from losscli.evaluation.block import Taken
from losscli.evaluation.views.base import ChartBlock, Drawing
from losscli.plan.plan import Plan
from losscli.report.charts import Chart
from losscli.states.base import Summary

_PREFIX = "chart"
_VIEWS: Mapping[str, tuple[str, ...]] = {
    "regression": ("regression",),
    "binary": ("binary",),
    "multiclass": ("multiclass",),
    "multilabel": ("multilabel",),
    "quantile": ("quantiles",),
    "distribution": ("distributions",),
    "ensemble": ("ensembles",),
    "grouped_ranking": ("ranking",),
}
"""The modules with the charts of each task."""
_EVERY = ("losses",)
"""The modules with charts of all tasks."""


def _views(plan: Plan) -> Iterator[tuple[str, ModuleType]]:
    for name in (*_VIEWS.get(plan.roles.task, ()), *_EVERY):
        yield name, import_module(f"{__name__}.{name}")


def taken(block: Taken) -> dict[str, Summary]:
    """The summaries of the rows of a block for charts, by name."""
    rows = ChartBlock.of(block)
    return {
        f"{_PREFIX}.{view}.{name}": summary
        for view, module in _views(block.plan)
        for name, summary in module.taken(rows).items()
    }


def drawn(
    plan: Plan, extras: Mapping[str, Summary], model: str | None = None, unit: float = 1.0
) -> tuple[Chart, ...]:
    """The charts of all rows from their summaries; `unit` is that of the weights."""
    charts: list[Chart] = []
    for view, module in _views(plan):
        start = f"{_PREFIX}.{view}."
        summaries = {name[len(start) :]: each for name, each in extras.items() if name.startswith(start)}
        if summaries:
            charts += module.drawn(Drawing(plan, summaries, model, unit))
    return tuple(charts)
