"""The chart of predicted distributions: where targets lie in them."""

from __future__ import annotations

from collections.abc import Iterator

from losscli.evaluation.views import cdf
from losscli.evaluation.views.base import ChartBlock, Drawing
from losscli.evaluation.views.uniform import BINS, histogram, spread
from losscli.report.charts import Chart
from losscli.states.base import Summary
from losscli.tasks.distribution import distribution_of


def taken(block: ChartBlock) -> dict[str, Summary]:
    """The histogram of the PIT, for the distribution of the first loss that names one."""
    for choice in block.plan.choices:
        name = distribution_of(choice.loss.name, choice.loss.batch)
        if name is not None:
            pit = cdf.FUNCTIONS[name](block.batch(choice.loss.batch))
            low, high = (block.xp.clip(block(each), 0.0, 1.0) for each in pit)
            return {choice.loss.batch.__name__: spread(block, low, high, BINS)}
    return {}


def drawn(drawing: Drawing) -> Iterator[Chart]:
    """The histogram of the PIT."""
    for name in drawing.summaries:
        yield histogram(drawing, "pit", name)
