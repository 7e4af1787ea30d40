"""Losses of order of more rows than are sorted at once: the same values, from passes over temporary files."""

from __future__ import annotations

import errno
import gc
import os
import shutil
import tempfile
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from support.samples import LOSSES, chosen

import losscli
from losscli.data import limits, spool
from losscli.data.scratch import ScratchError
from losscli.errors import DataError
from losscli.evaluation import ordered
from losscli.plan import plan as plans
from losscli.states import inference, passes, sketch
from losscli.states.cells import Cells
from losscli.states.ranks import Ranks

BINNED = [name for name, entry in LOSSES.items() if entry.order is not None and entry.order.binned]


@pytest.fixture
def few(monkeypatch):
    """Of more than 300 rows in memory, the rest is in files; 40 bins, and 128 rows of a block."""
    monkeypatch.setattr(passes, "MAX_ROWS", 300)
    monkeypatch.setattr(passes, "STEP", 100)
    monkeypatch.setattr(sketch, "MAX_BINS", 40)
    monkeypatch.setattr(plans, "BLOCK_NUMBERS", 8 * 128)
    monkeypatch.setattr(plans, "MIN_ROWS", 128)


def sample(seed, n=2000):
    """Values of several distributions: without ties, with some, of many scales, most of them equal."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=n)
    values = (
        values,
        np.round(values, 1),
        np.sign(values) * np.exp(20 * values),
        np.where(rng.random(n) < 0.7, 0.5, values),
        0.5 + 1e-9 * values,
    )[seed % 5]
    return values, rng.random(n) < 1 / (1 + np.exp(-np.clip(values, -5, 5))), rng.uniform(0.1, 3.0, n)


def state_of(name, values, positive, weight=None):
    """The state of many blocks, whose rows are in files."""
    columns = (values, positive) if LOSSES[name].task == "binary" else (np.abs(values),)
    parts = []
    for start in range(0, len(values), 128):
        own = slice(start, start + 128)
        part = None if weight is None else weight[own]
        cells = Cells(np, len(values[own]), part, start)
        parts.append(Ranks.of(cells, [column[own] for column in columns]))
    whole = parts[0]
    for part in parts[1:]:
        whole = ordered.spilled(whole.merge(part))
    return whole


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("name", BINNED)
def test_values_in_passes_are_those_of_memory(name, weighted, few):
    bound = chosen(name).reduction.with_pilots((None,))
    for seed in range(10):
        values, positive, weight = sample(seed)
        state = state_of(name, values, positive, weight if weighted else None)
        assert passes.takes_passes(state, bound)
        assert sum(isinstance(part.columns[0], np.memmap) for part in state.parts) >= 4
        found = inference.value_of(bound, passes.settled(state, bound, 0.95))[0]
        expected = inference.value_of(bound, state.settled(bound, 0.95))[0]
        assert found == pytest.approx(expected, rel=1e-13, abs=1e-15)


def frame(n=2500, seed=7):
    rng = np.random.default_rng(seed)
    y = rng.random(n) < 0.3
    group = np.where(np.arange(n) % 10 < 8, 0, np.arange(n) % 10)
    return pl.DataFrame({"score": rng.normal(size=n) + y, "y": y * 1, "group": group, "user": group})


def test_a_report_is_the_same_but_for_bins_in_standard_errors(monkeypatch, request):
    losses = ["roc_auc", "average_precision", "lift"]
    expected = losscli.evaluate(frame(), loss=losses, by="group").results
    request.getfixturevalue("few")
    found = losscli.evaluate(frame(), loss=losses, by="group").results
    for mine, theirs in zip(found, expected, strict=True):
        assert (mine.cell, mine.rows, mine.max_error) == (theirs.cell, theirs.rows, None)
        assert mine.value == pytest.approx(theirs.value, rel=1e-12)
        # Slices that fit in memory are settled as ever.
        assert mine.se == pytest.approx(theirs.se, rel=1e-9 if theirs.cell and theirs.rows < 300 else 0.1)


@pytest.mark.parametrize("name", ["roc_auc", "lift"])
def test_comparisons_pair_rows_of_files(name, monkeypatch, request):
    targets, one = frame().select("y", "group"), frame().select("score")
    two = one.with_columns(pl.col("score") + np.random.default_rng(11).normal(size=2500) / 2)
    given = {"targets": targets, "loss": name, "names": ["a", "b"], "by": "group", "on": "position"}
    expected = losscli.compare(one, two, **given)
    request.getfixturevalue("few")
    monkeypatch.setattr(limits, "free_memory", lambda: 1000)
    found = losscli.compare(one, two, **given)
    for mine, theirs in zip(found.comparisons, expected.comparisons, strict=True):
        assert (mine.cell, mine.rows) == (theirs.cell, theirs.rows)
        assert mine.difference == pytest.approx(theirs.difference, rel=1e-12, abs=1e-15)
        assert mine.se == pytest.approx(theirs.se, rel=0.1)


def test_several_outputs_are_settled_in_passes(monkeypatch, request):
    p, y = np.random.default_rng(12).normal(size=(2, 1200, 2))
    expected = losscli.evaluate(p, y, loss="mae@p90")
    request.getfixturevalue("few")
    monkeypatch.setattr(limits, "free_memory", lambda: 1000)
    found = losscli.evaluate(p, y, loss="mae@p90")
    for mine, theirs in zip(found.results, expected.results, strict=True):
        assert mine.value == pytest.approx(theirs.value, rel=1e-13)
        assert mine.se == pytest.approx(theirs.se, rel=0.2)


def test_clusters_and_leaderboards_need_all_rows_in_memory(few, monkeypatch):
    targets, one, two = frame().select("y"), frame().select("score"), frame(seed=9).select("score")
    monkeypatch.setattr(limits, "free_memory", lambda: 1000)
    with pytest.raises(DataError, match="roc_auc has 2,500 rows to sort, which takes"):
        losscli.rank(one, two, targets=targets, loss="roc_auc", names=["a", "b"], on="position")
    with pytest.raises(DataError, match="roc_auc has 2,500 rows to sort"):
        losscli.evaluate(frame(), loss="roc_auc", cluster="user")
    assert losscli.evaluate(frame(), loss="roc_auc").results[0].value > 0


def test_losses_of_two_orders_say_what_memory_they_need(few, monkeypatch):
    p, y = np.random.default_rng(3).normal(size=(2, 1000))
    assert losscli.evaluate(p, y, loss="spearman").results[0].rows == 1000
    monkeypatch.setattr(limits, "free_memory", lambda: 1000)
    with pytest.raises(DataError, match="spearman_correlation has 1,000 rows to sort") as error:
        losscli.evaluate(p, y, loss="spearman")
    assert "--approximate" not in str(error.value)
    monkeypatch.setattr(limits, "free_memory", lambda: None)
    assert losscli.evaluate(p, y, loss="spearman").results[0].rows == 1000


def open_files():
    return sorted(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="open files are listed in /proc")
def test_temporary_files_have_no_names_and_go_with_the_rows(few, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    losscli.evaluate(frame(), loss="roc_auc")
    gc.collect()
    before = open_files()
    seen = []
    store = spool.stored
    monkeypatch.setattr(spool, "stored", lambda values: seen.append(os.listdir(tmp_path)) or store(values))
    losscli.evaluate(frame(), loss="roc_auc")
    assert len(seen) >= 8
    assert not any(seen)
    gc.collect()
    assert open_files() == before

    def interrupt(values):
        store(values)
        raise KeyboardInterrupt

    monkeypatch.setattr(spool, "stored", interrupt)
    with pytest.raises(KeyboardInterrupt):
        losscli.evaluate(frame(), loss="roc_auc")
    gc.collect()
    assert os.listdir(tmp_path) == []


def test_a_full_disk_is_an_error_that_names_the_folder(few, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(spool.np, "memmap", full)
        with pytest.raises(ScratchError, match="temporary files cannot be written: No space left"):
            spool.stored(np.zeros(10))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(ScratchError, match="GB of temporary files are needed") as error:
        losscli.evaluate(frame(), loss="roc_auc")
    assert error.value.problems[0].where == str(tmp_path)


def test_the_free_memory_is_that_of_the_system_or_the_container(monkeypatch, tmp_path):
    texts = {
        "/proc/meminfo": "MemTotal: 9000 kB\nMemAvailable:    5000 kB\n",
        "/sys/fs/cgroup/memory.max": "4000000\n",
        "/sys/fs/cgroup/memory.current": "3000000\n",
        "/sys/fs/cgroup/memory.stat": "anon 1\ninactive_file 500000\n",
    }

    def read(path, *_, **__):
        if str(path) not in texts:
            raise FileNotFoundError(path)
        return texts[str(path)]

    monkeypatch.setattr(limits.Path, "read_text", read)
    assert limits.free_memory() == 1_500_000
    texts["/sys/fs/cgroup/memory.max"] = "max\n"
    assert limits.free_memory() == 5_120_000
    texts.clear()
    assert limits.free_memory() is None
