"""What a report can do in Python: show itself, check its gates, and become a frame."""

from __future__ import annotations

import pickle
import subprocess
import sys

import polars as pl
import pytest
from msgspec.structs import replace

import losscli
from losscli import Report, Result, Verdict
from losscli.report.findings import Note

RESULTS = (
    Result(loss="huber", label="huber:delta=2", params={"delta": 2.0}, value=0.5, se=0.1, rows=9, weight=9.0),
    Result(
        loss="huber",
        cell={"region": "eu"},
        value=None,
        rows=0,
        weight=0.0,
        notes=(Note("no-rows", "no rows"),),
    ),
)


def judged(*statuses):
    return Report(RESULTS, tuple(Verdict(f"huber <= {i}", status) for i, status in enumerate(statuses)))


def test_a_report_prints_as_its_table():
    text = str(Report(RESULTS))
    assert "huber" in text
    assert "overall" in text
    assert not text.endswith("\n")


def test_a_report_prints_in_another_process():
    code = "import pickle, sys; print(pickle.load(sys.stdin.buffer))"
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(Report(RESULTS)), capture_output=True, check=False
    )
    assert done.stdout.decode().rstrip() == str(Report(RESULTS)), done.stderr.decode()


def test_a_notebook_shows_html():
    assert "<table" in Report(RESULTS)._repr_html_()


def test_a_notebook_shows_the_worst_slices_with_their_intervals():
    slices = [
        replace(RESULTS[0], cell={"store": f"{place}"}, value=1.0 + place, se=0.1, ci_low=0.5, ci_high=2e3)
        for place in range(1000)
    ]
    shown = Report((*RESULTS, *slices))._repr_html_()
    assert len(shown) < 25_000
    assert shown.count("<svg") == 20
    assert "... 980 more; report.to_dict() has all" in shown
    assert "<script" not in shown
    assert ">999<" in shown


@pytest.mark.parametrize(
    ("statuses", "passed"),
    [
        ([], True),
        (["pass", "warn", "unsure", "skipped"], True),
        (["pass", "fail"], False),
        (["pass", "error"], False),
    ],
)
def test_a_report_passes_as_the_program_does(statuses, passed):
    assert judged(*statuses).passed is passed


def test_checking_returns_the_report_or_raises_its_gates():
    report = judged("pass")
    assert report.check() is report
    with pytest.raises(losscli.GateError) as caught:
        judged("pass", "fail").check()
    text = str(caught.value)
    assert "huber <= 1" in text
    assert "fail" in text
    assert caught.value.status == 1


def test_checking_without_gates_is_an_error():
    with pytest.raises(losscli.UsageError, match="no gates"):
        Report(RESULTS).check()


def test_a_frame_has_a_row_for_each_result():
    frame = Report(RESULTS).to_frame()
    assert frame.columns == [*Result.__struct_fields__, "cell.region"]
    assert frame["params"].to_list() == ["delta=2.0", ""]
    assert frame["cell"].to_list() == ["", "region=eu"]
    assert frame["cell.region"].to_list() == [None, "eu"]
    assert frame["value"].to_list() == [0.5, None]
    assert frame["notes"].to_list() == ["", "no rows"]
    assert frame.schema["rows"] == pl.Int64
    assert Report(()).to_frame().height == 0
