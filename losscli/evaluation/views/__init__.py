"""The data of charts: what they see of rows, from the same pass as the losses, and the charts from that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from types import ModuleType

from losscli.evaluation.block import Taken
from losscli.evaluation.views.base import Drawing, Seen
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
"""The modules here that draw charts of a task."""
_EVERY = ("losses",)
"""Those that draw charts of every task."""


def _views(plan: Plan) -> Iterator[tuple[str, ModuleType]]:
    for name in (*_VIEWS.get(plan.roles.task, ()), *_EVERY):
        yield name, import_module(f"{__name__}.{name}")


def taken(block: Taken) -> dict[str, Summary]:
    """What the rows of a block leave behind for charts, by name."""
    seen = Seen.of(block)
    return {
        f"{_PREFIX}.{view}.{name}": summary
        for view, module in _views(block.plan)
        for name, summary in module.taken(seen).items()
    }


def drawn(
    plan: Plan, extras: Mapping[str, Summary], model: str | None = None, unit: float = 1.0
) -> tuple[Chart, ...]:
    """The charts of all rows, from what they left behind; `unit` is that of the weights."""
    charts: list[Chart] = []
    for view, module in _views(plan):
        start = f"{_PREFIX}.{view}."
        own = {name[len(start) :]: each for name, each in extras.items() if name.startswith(start)}
        if own:
            charts += module.drawn(Drawing(plan, own, model, unit))
    return tuple(charts)
