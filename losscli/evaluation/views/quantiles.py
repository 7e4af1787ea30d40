"""The chart of quantiles: how many targets lie at or below each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from losscli.evaluation.views.base import Drawing, Seen, Table, plain, ratio
from losscli.report.charts import Chart
from losscli.states.base import Summary
from losscli.tasks.quantile import Quantile


def taken(block: Seen) -> dict[str, Summary]:
    """Whether targets are at most the forecasts of each level, in order."""
    batches = next((own for kind, own in block.block.rows.parts.items() if issubclass(kind, Quantile)), ())
    found: dict[str, Summary] = {}
    for batch in batches:
        assert isinstance(batch, Quantile)
        below = block.every(batch.target <= batch.prediction).astype(np.int64)
        found[repr(batch.level)] = block.every.grid((2,), below)
    return found


def drawn(of: Drawing) -> Iterator[Chart]:
    """The coverage of all levels."""
    levels = sorted(map(float, of.summaries))
    if not levels:
        return
    tables = [of.grid(repr(level))[1] for level in levels]
    below = np.array([own.weight[1] for own in tables])
    table = Table.joined([own.sum(0) for own in tables])
    observed = ratio(below, table.weight)
    columns = {
        "nominal": plain(np.array(levels)),
        "observed": plain(observed),
        **of.share_intervals(observed, table),
        **of.counted(table),
    }
    yield of.chart("coverage", columns)
