"""The chart of quantiles: the share of targets at or below each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from losscli.evaluation.views.base import ChartBlock, Drawing, Table, plain, ratio
from losscli.report.charts import Chart
from losscli.states.base import Summary
from losscli.tasks.quantile import Quantile


def taken(block: ChartBlock) -> dict[str, Summary]:
    """For each level, the counts of targets above and at or below the forecast."""
    batches = next(
        (parts for kind, parts in block.block.rows.parts.items() if issubclass(kind, Quantile)), ()
    )
    summaries: dict[str, Summary] = {}
    for batch in batches:
        assert isinstance(batch, Quantile)
        below = block.every(batch.target <= batch.prediction).astype(np.int64)
        summaries[repr(batch.level)] = block.every.grid((2,), below)
    return summaries


def drawn(drawing: Drawing) -> Iterator[Chart]:
    """The coverage of all levels."""
    levels = sorted(map(float, drawing.summaries))
    if not levels:
        return
    tables = [drawing.grid(repr(level))[1] for level in levels]
    below = np.array([table.weight[1] for table in tables])
    table = Table.joined([table.sum(0) for table in tables])
    observed = ratio(below, table.weight)
    columns = {
        "nominal": plain(np.array(levels)),
        "observed": plain(observed),
        **drawing.share_intervals(observed, table),
        **drawing.counted(table),
    }
    yield drawing.chart("coverage", columns)
