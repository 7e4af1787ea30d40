"""Tables by several columns hold the slices by each pair of them."""

from __future__ import annotations

from itertools import combinations
from math import prod

import numpy as np
import polars as pl
import pytest

import losscli
from losscli.data.slicing import Slicing
from losscli.evaluation import weak as searching
from losscli.evaluation.crossed import tables_of


@pytest.mark.parametrize("most", [1, 40, 1_000])
def test_each_pair_is_in_one_table(most):
    sizes = {(f"p:{number}", None): 2 + number % 5 for number in range(12)}
    pairs = [Slicing.of_parts(pair) for pair in combinations(sizes, 2)]
    tables = [*tables_of(pairs, sizes, most)]
    held = [pair for table in tables for pair in table.pairs]
    assert sorted(held, key=pairs.index) == pairs
    for table in tables:
        columns = table.slicing.parts
        assert all(set(pair.parts) <= set(columns) for pair in table.pairs)
        assert len(set(columns)) == len(columns)
        assert len(columns) == 2 or prod(sizes[column] for column in columns) <= most
    assert len(tables) == {1: 66, 40: 33, 1_000: 10}[most]


def weak(monkeypatch, most_cells, most_joint, **options):
    """The segments of a search in which much is weak."""
    rng, rows = np.random.default_rng(1), 6_000
    data = pl.DataFrame(
        {
            "region": rng.choice(["eu", "us", "東京"], rows),
            "size": rng.choice([1.5, 2.0, np.nan], rows),
            "kind": rng.choice(["a", "b", "?"], rows),
            "new": rng.random(rows) < 0.3,
            "rare": rng.random(rows) < 0.002,
            "day": np.datetime64("2024-01-01") + rng.integers(0, 100, rows),
            "w": rng.choice([0.0, 0.5, 1.0, 3.0], rows),
        }
    )
    kind = pl.when(pl.col("kind") != "?").then(pl.col("kind"))
    data = data.with_columns(kind=kind.cast(pl.Categorical))
    bad = (pl.col("region") == "eu") & pl.col("new") | (pl.col("kind") == "a").fill_null(False)
    target, error = (pl.Series(rng.normal(size=rows)) for _ in range(2))
    error *= data.select(pl.when(bad).then(2.0).otherwise(1.0)).to_series()
    data = data.with_columns(target=target, prediction=target + error)
    monkeypatch.setattr(searching, "MOST_CELLS", most_cells)
    monkeypatch.setattr(searching, "MOST_JOINT", most_joint)
    found = losscli.weak(data, by=["region", "size", "kind", "new", "rare", "day:month"], **options)
    return {tuple(segment.cell.items()): segment for segment in found.segments}


@pytest.mark.parametrize("loss", ["mae", "rmse", "r2"])
@pytest.mark.parametrize("options", [{}, {"weight": "w"}, {"min_n": 200}], ids=str)
def test_segments_do_not_depend_on_tables(monkeypatch, loss, options):
    joint = weak(monkeypatch, 1 << 17, 1 << 10, loss=loss, **options)
    assert len(joint) > 1
    # Tables of two columns; and no tables, but pairs with the slices that occur.
    for most_cells, most_joint in ((1 << 17, 1), (1, 1)):
        others = weak(monkeypatch, most_cells, most_joint, loss=loss, **options)
        assert others.keys() == joint.keys()
        for cell, segment in joint.items():
            for name in ("value", "rest", "se", "p_value", "ci_low", "ci_high", "rows", "weight"):
                rel = 1e-7 if loss == "r2" else 1e-10  # r2 has a numerical gradient
                expected = pytest.approx(getattr(segment, name), rel=rel)
                assert getattr(others[cell], name) == expected, (cell, name)
