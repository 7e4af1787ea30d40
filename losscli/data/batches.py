"""The rows of a query, batch by batch: the one place that calls what Polars marks as unstable."""

from __future__ import annotations

from collections.abc import Iterator

from losscli.numeric.arrays import pl


def batches(query: pl.LazyFrame, ordered: bool = True) -> Iterator[pl.DataFrame]:
    """The rows of a query batch by batch, with back-pressure; in their order, unless that does not matter.

    Raises what Polars raises while it reads.
    """
    return iter(query.collect_batches(maintain_order=ordered, engine="streaming"))
