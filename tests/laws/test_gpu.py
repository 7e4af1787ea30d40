"""What tests/laws/test_device.py shows under the stand-in, on a real GPU: python -m pytest -m gpu."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from support.cases import CASES
from support.parity import agree, check_case, check_laws, check_loss, report
from support.samples import LOSSES, rows

from losscli.engines import devices
from losscli.errors import DeviceError
from losscli.numeric import softmax
from losscli.numeric.segments import Runs, binned_sums

try:
    GPU = devices.by_name("cuda")
except DeviceError as error:
    pytest.skip(f"no GPU: {error.problems[0].what}", allow_module_level=True)

pytestmark = pytest.mark.gpu
N = 300_000


@pytest.fixture
def xp() -> Any:
    return GPU.xp


@pytest.mark.parametrize("entry", LOSSES.values(), ids=LOSSES)
def test_every_loss_computes_on_a_gpu(entry, xp):
    for seed in range(3):
        check_loss(xp, entry, seed)
    check_loss(xp, entry, perfect=True)


@pytest.mark.parametrize("entry", LOSSES.values(), ids=LOSSES)
def test_the_laws_hold_for_every_loss_on_a_gpu(entry, xp):
    check_laws(xp, entry)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_reference_case_is_computed_on_a_gpu(case, monkeypatch, capsys):
    monkeypatch.chdir(case.folder)
    check_case(case, capsys)


def test_the_same_rows_give_the_same_bits_in_every_run(losscli, capsys, monkeypatch):
    """Of many blocks, in slices, weighted and in clusters; whatever the threads."""
    import polars as pl

    monkeypatch.setattr("losscli.plan.plan.DEVICE_NUMBERS", 1 << 15)
    rng = np.random.default_rng(5)
    y = rng.normal(size=N)
    described = {
        "w": rng.integers(0, 4, N) * 0.5,
        "k": rng.integers(0, 2_000, N),
        "who": rng.integers(0, 5_000, N),
    }
    losscli.write(
        p_parquet=pl.DataFrame({"y_pred": y + rng.normal(size=N)}),
        t_parquet=pl.DataFrame({"y_true": y, **described}),
    )
    losses = ["-p", "y_pred", "-y", "y_true", "-l", "huber", "-l", "r2", "-l", "pearson_correlation"]
    for more in ([], ["-w", "w", "--by", "k"], ["--cluster", "who", "--by", "k"]):
        argv = ["evaluate", "p.parquet", "t.parquet", *losses, *more]
        runs = [report(capsys, *argv, "--device", "cuda", "--threads", n) for n in ("1", "2", "2", "5")]
        assert len(set(map(json.dumps, runs))) == 1
        agree(report(capsys, *argv, "--device", "cpu"), runs[0])


@pytest.mark.parametrize("runs", [1, 7, 40_000])
def test_runs_are_reduced_as_numpy_reduces_them(runs, xp):
    rng = np.random.default_rng(runs)
    starts = np.sort(rng.choice(np.arange(1, N), runs - 1, replace=False))
    starts = np.concatenate([[0], starts])
    values = rng.normal(size=(3, N)) * 10.0 ** rng.integers(-8, 8, N)
    values[0, N // 2], values[1, N // 3] = np.nan, np.inf
    there, own = Runs(xp, starts, N), Runs(np, starts, N)
    size = np.add.reduceat(abs(values), starts, axis=-1)
    found, expected = there.sums(xp.asarray(values)).get(), own.sums(values)
    finite = np.isfinite(expected)
    assert np.array_equal(np.isfinite(found), finite)
    assert (abs(found - expected)[finite] <= 1e-13 * size[finite]).all()
    for name in ("minima", "maxima"):
        found = getattr(there, name)(xp.asarray(values)).get()
        assert np.array_equal(found, getattr(own, name)(values), equal_nan=True)
    places = rng.integers(0, runs, N)
    again = [binned_sums(xp, xp.asarray(places), [xp.asarray(values[2])]) for _ in range(3)]
    np.testing.assert_allclose(again[0], binned_sums(np, places, [values[2]]), rtol=1e-9, atol=1e-3)
    assert all(np.array_equal(again[0], other) for other in again)


def test_arithmetic_keeps_what_a_rounding_lost(xp):
    """Were a product and a sum contracted into one operation, two-float numbers would lose their digits."""
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(1_000, 1_000)) * 20
    for own, found in zip(softmax.softmax(np, logits), softmax.softmax(xp, xp.asarray(logits)), strict=True):
        np.testing.assert_allclose(found.get(), own, rtol=1e-14)
    found = softmax.log_softmax(xp, xp.asarray(logits)).get()
    np.testing.assert_allclose(found, softmax.log_softmax(np, logits), rtol=1e-13)


def test_a_gpu_is_called_by_its_name():
    assert GPU.title
    assert rows("huber").xp is np
    with pytest.raises(DeviceError, match="there is no such GPU"):
        devices.by_name("cuda:99")
