"""Read a query batch by batch: the only module that calls an unstable API of Polars."""

from __future__ import annotations

from collections.abc import Iterator

from losscli.numeric.arrays import pl


def batches(query: pl.LazyFrame, ordered: bool = True) -> Iterator[pl.DataFrame]:
    """The rows of a query batch by batch, with back-pressure, in order unless `ordered` is false.

    Raises the errors of Polars.
    """
    return iter(query.collect_batches(maintain_order=ordered, engine="streaming"))
