"""Losses that compare rows with each other: groups by a column, or all rows."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

import losscli
from losscli.errors import DataError, UsageError

RNG = np.random.default_rng(6)
N = 120
P = pl.DataFrame({"id": range(N), "log_hazard": RNG.normal(size=N)})
T = pl.DataFrame(
    {
        "id": range(N),
        "time": RNG.integers(1, 30, N),
        "event": RNG.integers(0, 2, N),
        "site": RNG.permutation(N) % 8,
    }
)
VECTORS = pl.DataFrame({f"e{i}": RNG.normal(size=N) for i in range(4)})
LABELS = pl.DataFrame({"label": RNG.choice(["cat", "dog"], N), "batch": np.arange(N) // 10})


def test_all_rows_are_one_group_without_an_interval():
    report = losscli.evaluate(P, T.drop("site"), loss="cox_partial_likelihood", on="id")
    (result,) = report.results
    assert (result.rows, result.se, result.ci_low) == (1, None, None)
    assert "one-group" in [note.code for note in report.findings]


def test_strata_are_the_groups():
    report = losscli.evaluate(P, T, loss="cox", on="id", group="site")
    both = P.join(T, on="id")
    parts = [both.filter(pl.col("site") == site) for site in range(8)]
    alone = [losscli.evaluate(part.drop("site"), loss="cox").results[0].value for part in parts]
    events = np.array([part["event"].sum() for part in parts])
    assert report.results[0].rows == 8
    assert report.results[0].value == pytest.approx(np.average(alone, weights=events), rel=1e-14)
    assert report.results[0].se > 0


@pytest.mark.parametrize("threads", [1, 2])
def test_one_group_is_read_whole_whatever_the_blocks(threads, monkeypatch):
    whole = losscli.evaluate(VECTORS, LABELS["label"], loss="ntxent", on="position").results[0].value
    monkeypatch.setattr("losscli.plan.plan.BLOCK_NUMBERS", 1 << 4)
    monkeypatch.setattr("losscli.plan.plan.MIN_ROWS", 16)
    found = losscli.evaluate(VECTORS, LABELS["label"], loss="ntxent", on="position", threads=threads)
    assert found.results[0].value == whole


def test_batches_are_groups_and_the_mean_is_over_pairs():
    options = {"on": "position", "loss": "ntxent:temperature=0.5", "target": "label"}
    report = losscli.evaluate(VECTORS, LABELS, group="batch", **options)
    assert report.results[0].rows == N // 10
    values, pairs = [], []
    for i in range(0, N, 10):
        part = LABELS[i : i + 10].drop("batch")
        values.append(losscli.evaluate(VECTORS[i : i + 10], part, **options).results[0].value)
        counts = part["label"].value_counts()["count"].to_numpy()
        pairs.append((counts * (counts - 1)).sum())
    assert report.results[0].value == pytest.approx(np.average(values, weights=pairs), rel=1e-14)


def test_a_vector_of_zeros_has_no_direction():
    zeros = VECTORS.with_columns(pl.lit(0.0).alias(f"e{i}") for i in range(4))
    with pytest.raises(DataError, match="vectors that are not zero"):
        losscli.evaluate(zeros, LABELS["label"], loss="circle", on="position")


def test_slices_take_whole_groups():
    assert losscli.evaluate(P, T, loss="cox", on="id", group="site", by="site").results[0].rows == 8
    with pytest.raises(DataError, match="in another slice by site than the first of their group"):
        losscli.evaluate(P, T, loss="cox", on="id", by="site")


def test_losses_of_rows_and_of_groups_are_of_different_tasks():
    with pytest.raises(UsageError, match="choose losses of one task"):
        losscli.evaluate(P, T, loss=["cox", "aft_nll"], on="id")


def test_models_are_compared_and_saved_as_one_group(losscli):
    better = P.with_columns(log_hazard=pl.col("log_hazard") - T["time"])
    losscli.write(p=P, q=better, t=T.drop("site"))
    done = losscli("compare", "p.csv", "q.csv", "-t", "t.csv", "-l", "cox", "--json")
    values = [entry["value"] for entry in json.loads(done.out)["results"]]
    assert values[1] < values[0]
    done = losscli("evaluate", "p.csv", "t.csv", "-l", "cox", "-o", "a.json")
    done = losscli("evaluate", "q.csv", "t.csv", "-l", "cox", "--baseline", "a.json", "-g", "cox <= base")
    assert done.status == 0, done.err
    losscli("rank", "p.csv", "q.csv", "-t", "t.csv", "-l", "cox")
