"""The chart of distributions: where targets lie in them."""

from __future__ import annotations

from collections.abc import Iterator

from losscli.evaluation.views import cdf
from losscli.evaluation.views.base import Drawing, Seen
from losscli.evaluation.views.uniform import BINS, histogram, spread
from losscli.report.charts import Chart
from losscli.states.base import Summary


def taken(block: Seen) -> dict[str, Summary]:
    """The histogram of the PIT, of the first distribution whose function is known."""
    for kind, (batch, *_) in block.block.rows.parts.items():
        if (pit := cdf.at_target(batch)) is not None:
            low, high = (block.xp.clip(block(each), 0.0, 1.0) for each in pit)
            return {kind.__name__: spread(block, low, high, BINS)}
    return {}


def drawn(of: Drawing) -> Iterator[Chart]:
    """The histogram of the PIT."""
    for name in of.summaries:
        yield histogram(of, "pit", name)
