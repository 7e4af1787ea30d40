"""Blocks on a fixed grid of rows, and runs of them where slices are many."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import losscli
from losscli.engines.blocks import blocks, runs_of
from losscli.evaluation import partial
from losscli.plan import plan as plans

FRAME = pl.DataFrame({"row": range(100)})


@pytest.mark.parametrize("cut", [1, 7, 16, 100])
def test_runs_begin_at_multiples_of_their_length_however_frames_are_cut(cut):
    seen = []

    def length(first):
        seen.append(first["row"].to_list())
        return 4

    frames = (FRAME[start : start + cut] for start in range(0, 100, cut))
    runs = list(runs_of(blocks(frames, 8), length))
    assert [first for first, _ in runs] == [0, 32, 64, 96]
    assert pl.concat(run for _, run in runs).equals(FRAME)
    assert seen == [list(range(8))]


def test_one_block_is_a_run_and_nothing_is_asked_of_it():
    assert [first for first, _ in runs_of(blocks(iter([FRAME]), 128), None)] == [0]
    assert list(runs_of(blocks(iter([]), 128), None)) == []


@pytest.mark.parametrize(("slices", "folded"), [(500, [4096] * 4 + [3616]), (50, [1024] * 19 + [544])])
def test_blocks_of_many_slices_are_folded_in_runs(monkeypatch, slices, folded):
    monkeypatch.setattr(plans, "BLOCK_NUMBERS", 8 * 1024)
    rng, rows, heights = np.random.default_rng(3), 20_000, []
    frame = pl.DataFrame(
        {"p": rng.normal(size=rows), "y": rng.normal(size=rows), "s": rng.integers(0, slices, rows)}
    )
    fold = partial.EvaluationJob.fold

    def recorded(self, xp, block, first_row, fixed):
        heights.append(block.height)
        return fold(self, xp, block, first_row, fixed)

    monkeypatch.setattr(partial.EvaluationJob, "fold", recorded)
    given = {"target": "y", "pred": "p", "loss": "mse", "by": "s"}
    found = losscli.evaluate(frame, **given, threads=1)
    assert heights == folded
    expected = (frame["p"] - frame["y"]) ** 2
    means = pl.DataFrame({"s": frame["s"], "e": expected}).group_by("s").agg(pl.col("e").mean())
    by_slice = {str(key): value for key, value in means.rows()}
    for each in found.results:
        want = by_slice[each.cell["s"]] if each.cell else expected.mean()
        assert each.value == pytest.approx(want, rel=1e-13)
    monkeypatch.setattr(partial.EvaluationJob, "fold", fold)
    assert losscli.evaluate(frame, **given, threads=2) == found
