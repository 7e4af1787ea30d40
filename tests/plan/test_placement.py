"""--device auto: a GPU only where the work is worth the transfer, and why is said."""

from __future__ import annotations

from shlex import split

import numpy as np
import polars as pl
import pytest
from msgspec.structs import replace
from support import cupy_stub
from support.samples import chosen

from losscli.data.stream import Roles
from losscli.plan import placement
from losscli.plan.placement import Load, Place, placed
from losscli.plan.resolve import prepare
from losscli.tasks.catalog import TASKS

CPU = Place("cpu")
HUBER = Load(Roles("regression", ("p:p",), ("t:y",)), (chosen("huber"),), threads=8)
CLASSES = Load(
    Roles("multiclass", tuple(f"p:{c}" for c in range(1000)), ("t:y",), "logit"),
    (chosen("categorical_cross_entropy"), chosen("multiclass_brier")),
    number_bytes=4,
    threads=8,
)
EMBEDDINGS = Load(
    Roles("embedding", ("p:v",), ("t:v",), widths={"p:v": 768, "t:v": 768}),
    (chosen("cosine_distance"), chosen("euclidean_distance")),
    threads=2,
)
ENSEMBLE = Load(
    Roles("ensemble", tuple(f"p:m{i}" for i in range(50)), ("t:y",)), (chosen("crps_ensemble"),), threads=8
)


def where(load: Load, rows: int | None, devices: int | str = 1) -> placement.Place:
    with cupy_stub.installed(devices):
        return placed("auto", load, lambda: rows)


def test_every_task_has_its_cost():
    assert placement.COST.keys() == TASKS.keys()


@pytest.mark.parametrize(
    ("load", "device"), [(HUBER, "cpu"), (CLASSES, "cuda"), (EMBEDDINGS, "cuda"), (ENSEMBLE, "cuda")]
)
def test_it_is_the_gpu_where_there_is_much_to_compute_for_each_byte(load, device):
    assert where(load, 10**9).device == device


def test_many_losses_are_worth_what_one_is_not():
    assert where(HUBER, 10**9).device == "cpu"
    assert where(replace(HUBER, choices=20 * HUBER.choices), 10**9).device == "cuda"


def test_many_models_are_worth_what_one_is_not():
    rows = 3_000_000
    assert where(ENSEMBLE, rows).device == "cpu"
    assert where(replace(ENSEMBLE, models=20), rows).device == "cuda"


def test_few_rows_are_not_worth_the_start():
    computing, copying = CLASSES.computing, CLASSES.copying
    saved = (computing - copying) * 1e-6
    why = f"a GPU would save {saved:.2g} s and take {placement.START:g} s to start"
    assert where(CLASSES, 1_000) == placement.Place("cpu", why)
    enough = round(placement.START / (computing - copying) * 1e9)
    assert where(CLASSES, enough - 1_000).device == "cpu"
    assert where(CLASSES, enough + 1_000).device == "cuda"


def test_the_costs_are_those_of_the_numbers_of_a_row():
    assert HUBER.copying == pytest.approx(16 / placement.RATE)
    assert HUBER.computing == pytest.approx((2 * 2.0 + placement.MOMENTS) / 8)
    assert CLASSES.copying == pytest.approx((4 * 1000 + 8) / placement.RATE)
    assert EMBEDDINGS.copying == pytest.approx(2 * 768 * 8 / placement.RATE)
    weighted = replace(HUBER, roles=replace(HUBER.roles, weight="t:w"))
    assert weighted.copying == pytest.approx(24 / placement.RATE)


@pytest.mark.parametrize(
    ("rows", "devices", "why"),
    [
        (None, 1, "the number of rows is unknown before reading"),
        (10**9, 0, "--device cuda: there is no such GPU, but none"),
        (10**9, "cudaErrorNoDevice: none", "--device cuda found no usable GPU: cudaErrorNoDevice: none"),
    ],
)
def test_where_it_is_the_cpu_it_is_said_why(rows, devices, why):
    assert where(CLASSES, rows, devices).notes == (f"device: cpu ({why})",)


def test_where_it_is_the_gpu_it_is_said_why():
    times = CLASSES.computing / CLASSES.copying
    expected = f"device: cuda (Stand-in: computing on the CPU takes {times:.0f} times as long as the copy)"
    assert where(CLASSES, 10**9).notes == (expected,)


def test_a_device_that_is_named_is_not_looked_at():
    def never() -> int:
        raise AssertionError

    for name in ("cpu", "cuda", "cuda:1"):
        assert placed(name, CLASSES, never) == placement.Place(name)
        assert placed(name, CLASSES, never).notes == ()


@pytest.mark.parametrize(
    ("dtype", "classes", "size"), [(np.float32, 5, 8), (np.float32, 70, 4), (np.float64, 70, 8)]
)
def test_a_plan_knows_how_wide_numbers_are_that_are_copied(dtype, classes, size, monkeypatch):
    rng, found = np.random.default_rng(1), []
    scores = {f"logit_{c}": rng.normal(size=9).astype(dtype) for c in range(classes)}
    frame = pl.DataFrame({"label": rng.integers(0, classes, 9), **scores})
    monkeypatch.setattr(
        "losscli.plan.resolve.placed", lambda *given: found.append(given) or placement.Place("cpu")
    )
    prepare(frame, device="auto")
    ((device, load, _),) = found
    assert (device, load.number_bytes, load.predicted, load.shared) == ("auto", size, classes, 1)


@pytest.mark.parametrize(
    "command", ["evaluate p.csv t.csv", "compare p.csv q.csv -t t.csv", "rank p.csv q.csv -t t.csv"]
)
def test_it_is_told_with_v(command, losscli):
    losscli.write(p="id,y_pred\n1,1\n2,3\n", q="id,y_pred\n1,2\n2,3\n", t="id,y_true\n1,1.5\n2,2\n")
    told = losscli(*split(command), "-l", "huber", "--device", "auto", "-v").err
    assert "losscli: device: cpu (a " in told
    assert "device: cpu" not in losscli(*split(command), "-l", "huber", "--device", "auto").err


def test_it_counts_the_bytes_that_travel(monkeypatch):
    rng = np.random.default_rng(0)
    scores = rng.dirichlet(np.ones(100), size=20).astype(np.float32)
    labels = pl.Series("label", rng.integers(0, 100, 20))
    seen: list[Load] = []
    monkeypatch.setattr("losscli.plan.resolve.placed", lambda device, load, rows: seen.append(load) or CPU)
    for name, options in (("prob", {"normalize": True}), ("logit", {"from_logits": True})):
        frame = pl.DataFrame({f"{name}_{c}": own for c, own in enumerate(scores.T)})
        prepare(frame.with_columns(labels), loss="log_loss", device="auto", **options)
    # Logits stay as a file holds them until they are used; probabilities are checked as float64.
    assert [load.number_bytes for load in seen] == [8, 4]


def test_of_rows_that_a_condition_leaves_out_the_number_is_not_known(tmp_path, monkeypatch):
    file = tmp_path / "d.parquet"
    pl.DataFrame({"p": [1.0, 2.0], "y": [1.0, 3.0]}).write_parquet(file)
    seen: list[int | None] = []
    monkeypatch.setattr("losscli.plan.resolve.placed", lambda device, load, rows: seen.append(rows()) or CPU)
    prepare(file, loss="mae", device="auto")
    prepare(file, loss="mae", device="auto", where="y > 1")
    assert seen == [2, None]
