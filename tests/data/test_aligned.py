"""The description of aligned rows: it can be sent, read again, and tells the reading to try next."""

from __future__ import annotations

import pickle

import polars as pl
import pytest

from losscli.data.align import Aligned
from losscli.data.groups import ScatteredError
from losscli.data.join import OutOfOrderError
from losscli.data.models import ModelOrderError
from losscli.data.table import UnparsedError
from losscli.evaluation.compare_plan import plan_models
from losscli.plan.resolve import prepare


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pl.DataFrame({"id": [3, 1, 2], "y_pred": [1.0, 2.0, 3.0]}).write_csv("p.csv")
    pl.DataFrame({"id": [1, 2, 9], "y_pred": [2.5, 3.5, 0.5]}).write_parquet("other.parquet")
    pl.DataFrame({"id": [1, 2, 3, 4], "y_true": [1.0, 2.0, 3.0, 4.0]}).write_parquet("t.parquet")


def test_a_description_that_was_sent_reads_the_same_rows(files):
    aligned = prepare("p.csv", "t.parquet", "mae", on="id", where="y_true > 1").alignment
    joined = pickle.loads(pickle.dumps(aligned)).instead(OutOfOrderError())
    assert joined.how == "by key id, which is not in the same order: joined"
    frame = pl.concat(joined.frames())
    assert frame["p:y_pred"].to_list() == [1.0, 3.0]
    assert frame["t:y_true"].to_list() == [3.0, 2.0]


def test_a_second_pass_counts_findings_once(files):
    models = plan_models(["p.csv", "other.parquet"], "t.parquet", "mae", on="id", names=["a", "b"])
    aligned = models.alignment.instead(OutOfOrderError()).instead(ModelOrderError(1))
    assert aligned.how.endswith("joined; looked up: other.parquet")
    counts = []
    for _ in range(2):
        assert sum(frame.height for frame in aligned.frames()) == 2
        counts.append([(kind, tally.count) for kind, tally in aligned.findings.items()])
    assert counts[0] == counts[1] != []


def test_each_reading_leads_to_the_next(files):
    aligned = prepare("p.csv", "t.parquet", "mae", on="id").alignment
    joined = aligned.instead(OutOfOrderError())
    assert (joined.joined, joined.how) == (True, "by key id, which is not in the same order: joined")
    assert joined.instead(OutOfOrderError()) is None
    text = aligned.instead(UnparsedError())
    assert (aligned.predictions.dtype("y_pred"), text.predictions.dtype("y_pred")) == (pl.Float64, pl.String)
    assert aligned.instead(ScatteredError()).sorted_by_group
    assert isinstance(aligned, Aligned)
