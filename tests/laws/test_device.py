"""Everything that computes runs on a device: here under a stand-in for CuPy, which needs no GPU."""

from __future__ import annotations

import json
import math
import sys
import threading
from collections.abc import Iterator
from operator import attrgetter
from shlex import split
from types import ModuleType
from typing import Any

import numpy as np
import polars as pl
import polars.testing
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import astuple
from support import cupy_stub
from support.cases import CASES, REFERENCE
from support.cupy_stub import COUNTS, RefusedError, Strict
from support.grids import first_of, some
from support.needs import needed
from support.parity import agree, check_case, check_laws, check_loss, report
from support.samples import LOSSES

import losscli as package
from losscli.engines import devices, local
from losscli.errors import DeviceError, UsageError
from losscli.evaluation.partial import EvaluationJob
from losscli.numeric.segments import Runs, binned_sums
from losscli.numeric.two_float import exact_sum
from losscli.plan import plan as plans
from losscli.plan.resolve import prepare

N = 3_000


@pytest.fixture
def xp() -> Iterator[Strict]:
    with cupy_stub.installed(devices=2) as namespace:
        yield namespace


@pytest.mark.parametrize("entry", first_of(attrgetter("batch"), LOSSES.values()))
def test_every_loss_computes_on_a_device(entry, xp):
    check_loss(xp, entry)
    check_loss(xp, entry, perfect=True)


@pytest.mark.parametrize("entry", first_of(attrgetter("task"), LOSSES.values()))
def test_the_laws_hold_for_every_loss_on_a_device(entry, xp):
    check_laws(xp, entry)


@pytest.mark.parametrize("case", first_of(lambda case: LOSSES[case.loss].task, CASES))
def test_every_reference_case_is_computed_on_a_device(case, xp, monkeypatch, capsys):
    monkeypatch.chdir(case.folder)
    check_case(case, capsys)


@pytest.fixture
def files(losscli, xp) -> Any:
    """Rows of every kind of task, with what describes rows: weights that are also zero, slices, clusters."""
    rng = np.random.default_rng(3)
    y = rng.normal(size=(N, 2))
    p = y + rng.normal(size=(N, 2))
    scores = rng.normal(size=(N, 5)).astype(np.float32)
    bits = (rng.uniform(size=(N, 3)) < 0.4).astype(int)
    described = {
        "w": rng.integers(0, 4, N) * 0.5,
        "region": rng.choice(["eu", "us", "as"], N, p=[0.7, 0.29, 0.01]),
        "many": rng.integers(0, 150, N),
        "age": rng.uniform(20, 80, N),
        "who": rng.integers(0, 300, N),
        "qid": np.sort(rng.integers(0, 400, N)),
        "label": rng.integers(0, 5, N),
        "grade": rng.integers(0, 4, N),
        "hit": bits[:, 0],
    }
    targets = {f"y_true_{i}": y[:, i] for i in range(2)} | {f"t{i}": bits[:, i] for i in range(3)}
    losscli.write(t_parquet=pl.DataFrame(described | targets))
    for name, scale in (("p", 1.0), ("q", 0.9)):
        columns = {f"y_pred_{i}": scale * p[:, i] for i in range(2)}
        columns |= {f"logit_{i}": scores[:, i] * np.float32(scale) for i in range(5)}
        columns |= {f"t{i}": scale * rng.uniform(size=N) for i in range(3)}
        columns |= {"score": scale * p[:, 0].round(1), "vector": [*scores]}
        frame = pl.DataFrame(columns).with_columns(pl.col("vector").cast(pl.Array(pl.Float32, 5)))
        losscli.write(**{f"{name}_parquet": frame})
    return losscli


REGRESSION = ["-p", "y_pred_0", "-y", "y_true_0", *(split("-l mae -l r2 -l huber -l max_error"))]
OUTPUTS = ["-p", "y_pred_0,y_pred_1", "-y", "y_true_0,y_true_1", *split("-l rmse -l r2 -l mae")]
LOGITS = split("-p logit_0,logit_1,logit_2,logit_3,logit_4 -y label --classes 0,1,2,3,4 --from-logits")
CLASSES = [*LOGITS, *split("-l log_loss -l brier -l balanced_error -l d2_log_loss -l rps")]
LABELS = split("--task multilabel -p t0,t1,t2 -y t0,t1,t2 -l log_loss -l hamming -l lrap")
GROUPS = split("--task grouped_ranking --group qid -p score -y grade -l ndcg -l ranking_softmax")


@pytest.mark.parametrize(
    "argv",
    some(
        [
            REGRESSION,
            [*REGRESSION, "-w", "w"],
            [*REGRESSION, "--by", "region", "--by", "many", "--by", "age:4,region"],
            [*REGRESSION, "--by", "many", "-w", "w"],
            [*REGRESSION, "--cluster", "who", "--by", "region", "-w", "w"],
            [*OUTPUTS, "--by", "region"],
            [*OUTPUTS, "--ci", "none"],
            CLASSES,
            [*CLASSES, "-w", "w", "--by", "region", "--class-weight", "1=2,3=0.5"],
            [*CLASSES, "--cluster", "who", "--ignore-label", "2"],
            split("-p vector -y label --classes 0,1,2,3,4 --from-logits -l log_loss -l brier -l zero_one"),
            split("-p t0 -y hit -l log_loss --like torch -w w"),
            split("-p t0 -y hit -l ece -l f1_error -l d2_log_loss -w w --by region"),
            split("-p t0 -y hit -l log_loss --eps 0.2 --by region --where age>30"),
            [*LABELS, "-w", "w"],
            [*LABELS, "--cluster", "who"],
            [*GROUPS, "--group", "qid"],
            ["-p", "y_pred_0", "-y", "y_true_0", "-l", "expr: where(abs(e) < 1, e**2 / 2, w) + min(y, 1, 2)"],
        ]
    ),
    ids=lambda argv: " ".join(argv)[-60:],
)
def test_cells_weights_and_clusters_are_those_of_the_cpu(argv, files, capsys, monkeypatch):
    monkeypatch.setattr("losscli.plan.plan.DEVICE_NUMBERS", 1 << 11)  # several blocks
    own, other = (
        report(capsys, "evaluate", "p.parquet", "t.parquet", *argv, "--device", name)
        for name in ("cpu", "cuda")
    )
    agree(own, other)


@pytest.mark.parametrize(
    "more", some([["-w", "w", "--by", "region", "--changed", "5"], ["--cluster", "who"], []]), ids=str
)
def test_comparisons_are_those_of_the_cpu(more, files, capsys):
    argv = ["compare", "p.parquet", "q.parquet", "-t", "t.parquet", *CLASSES, *more]
    own, other = (report(capsys, *argv, "--device", name) for name in ("cpu", "cuda"))
    agree(own, other)


@pytest.mark.parametrize(
    "command", ["evaluate p.parquet t.parquet", "compare p.parquet q.parquet -t t.parquet"], ids=str
)
def test_replicates_of_a_bootstrap_are_those_of_the_cpu(command, files, capsys):
    more = split("-l mae@p50 -w w --by region --ci-method bootstrap --replicates 100")
    argv = [*split(command), *split("-p y_pred_0 -y y_true_0 -l mae -l r2"), *more]
    own, other = (report(capsys, *argv, "--device", name) for name in ("cpu", "cuda"))
    agree(own, other)


def test_leaderboards_are_those_of_the_cpu(files, capsys):
    argv = ["rank", "p.parquet", "q.parquet", "-t", "t.parquet", *REGRESSION, "--by", "region"]
    own, other = (report(capsys, *argv, "--device", name) for name in ("cpu", "cuda"))
    agree(own, other)


def test_profiles_are_those_of_the_cpu(files, capsys):
    argv = split("explain huber p.parquet t.parquet -p y_pred_0 -y y_true_0 -w w")
    own, other = (report(capsys, *argv, "--device", name) for name in ("cpu", "cuda"))
    agree(own, other)


def test_losses_of_rows_are_those_of_the_cpu(files, capsys):
    found = []
    for name in ("cpu", "cuda"):
        argv = [
            "evaluate",
            "p.parquet",
            "t.parquet",
            *CLASSES[:-8],
            "--worst",
            "4",
            "--rows",
            f"{name}.parquet",
        ]
        found.append((report(capsys, *argv, "--device", name), pl.read_parquet(f"{name}.parquet")))
    agree(found[0][0], found[1][0])
    pl.testing.assert_frame_equal(found[0][1], found[1][1], rel_tol=1e-12)


def test_a_row_that_is_wrong_is_told_as_on_the_cpu(losscli, xp):
    losscli.write(p="id,p\n1,0.5\n2,1.5\n3,inf\n", t="id,y\n1,1\n2,0\n3,2\n")
    told = [losscli("evaluate", "p.csv", "t.csv", "--device", name) for name in ("cpu", "cuda")]
    assert told[0] == told[1]
    assert told[0].status == 3


# What the stand-in refuses: each of the mistakes that would break on CuPy, so that none of the tests is idle.

HOST = np.arange(3.0)
MISTAKES = {
    "an operand of NumPy": lambda xp, a: a + HOST,
    "an operand of NumPy on the left": lambda xp, a: HOST * a,
    "an operand in a list": lambda xp, a: a - [1.0, 2.0, 3.0],
    "in place with NumPy": lambda xp, a: a.__iadd__(HOST),
    "a comparison with NumPy": lambda xp, a: a < HOST,
    "an equality with NumPy": lambda xp, a: a == HOST,
    "a function of NumPy": lambda xp, a: np.log(a),
    "a reduction of NumPy": lambda xp, a: np.sum(a),
    "stacked by NumPy": lambda xp, a: np.stack([a, a]),
    "an implicit conversion": lambda xp, a: np.asarray(a),
    "a list of numbers to NumPy": lambda xp, a: np.array([a, a]),
    "a conversion to many": lambda xp, a: float(a),
    "an index of NumPy": lambda xp, a: a[np.array([0, 1])],
    "a mask of NumPy": lambda xp, a: a[HOST > 1],
    "an index that is a list": lambda xp, a: a[[0, 1]],
    "an index of NumPy's arrays": lambda xp, a: HOST[a.astype(int)],
    "a number of the device as an index": lambda xp, a: [1, 2, 3][a.astype(int)[1]],
    "filled with NumPy": lambda xp, a: a.__setitem__(slice(None), HOST),
    "a mask filled with an array": lambda xp, a: a.__setitem__(a > 0, a[a > 0]),
    "an argument of NumPy": lambda xp, a: xp.maximum(a, HOST),
    "a function of an array of NumPy alone": lambda xp, a: xp.exp(HOST),
    "stacked with NumPy": lambda xp, a: xp.stack([a, HOST]),
    "where of NumPy": lambda xp, a: xp.where(HOST > 1, a, 0.0),
    "a method that CuPy lacks": lambda xp, a: a.setflags(write=False),
    "a function that CuPy lacks": lambda xp, a: xp.insert(a, 0, 1.0),
    "errstate, which CuPy lacks": lambda xp, a: xp.errstate(all="ignore"),
    "an argument of a method that CuPy lacks": lambda xp, a: a.max(initial=0.0),
    "an argument of a function that CuPy lacks": lambda xp, a: xp.sum(a, where=a > 0),
    "an argument of a ufunc that CuPy lacks": lambda xp, a: xp.log(a, where=a > 0),
    "sums by run": lambda xp, a: xp.add.reduceat(a, xp.asarray([0, 1])),
    "extremes by run": lambda xp, a: xp.minimum.reduceat(a, xp.asarray([0, 1])),
    "sums in any order": lambda xp, a: xp.bincount(a.astype(int), weights=a),
    "sums in any order by index": lambda xp, a: xp.add.at(a, xp.asarray([0, 0]), 1.0),
    "repeated by an array": lambda xp, a: xp.repeat(a, np.array([1, 2, 3])),
    "a special function of NumPy's arrays": lambda xp, a: __import__("cupyx.scipy.special").scipy.special.erf(
        HOST
    ),
    "text on the device": lambda xp, a: xp.asarray(["a", "b"]),
    "a difference of conditions": lambda xp, a: (a > 0) - (a > 1),
    "the sign of a condition": lambda xp, a: xp.sign(a > 0),
    "narrowed in place": lambda xp, a: a.astype(int).__iadd__(0.5),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_the_stand_in_refuses(mistake, xp):
    with pytest.raises((RefusedError, AttributeError, TypeError)):
        mistake(xp, xp.asarray(HOST))


def test_the_stand_in_computes_otherwise(xp):
    a = xp.asarray(HOST)
    total = (2.0 * a + np.float64(1.0)).sum()
    assert isinstance(total, xp.ndarray)
    assert isinstance(np.float64(2.0) * a, xp.ndarray)
    before = COUNTS.syncs
    assert (float(total), int(total), bool(total > 1)) == (9.0, 9, True)
    assert COUNTS.syncs == before + 3
    assert a[a > 0].get().tolist() == [1.0, 2.0]
    a += 1.0
    assert a.get().tolist() == [1.0, 2.0, 3.0]
    assert [row.shape for row in xp.stack([a, a])] == [(3,), (3,)]


def test_the_stand_in_knows_the_cupy_that_is_installed():
    needed("cupy")
    sys.path.insert(0, str(REFERENCE.parent / "support" / "cupy"))
    import record

    found = record.recorded()
    for kind in ("functions", "methods"):
        for name, arguments in cupy_stub.RECORD[kind].items():
            assert name in found[kind]
            assert set(arguments or ()) <= set(found[kind][name] or arguments or ())
    for name, types in cupy_stub.RECORD["ufuncs"].items():
        assert set(types) <= set(found["ufuncs"][name])


# Runs of rows, as a device reduces them.


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_runs_are_reduced_as_numpy_reduces_them(data):
    sizes = data.draw(st.lists(st.integers(1, 4_000) | st.integers(1, 5), min_size=1, max_size=40))
    rng = np.random.default_rng(data.draw(st.integers(0, 9)))
    starts, n = np.cumsum([0, *sizes[:-1]]), sum(sizes)
    values = rng.normal(size=(2, n)) * 10.0 ** rng.integers(-8, 8, n)
    extremes = values.copy()
    extremes[0, rng.integers(n)] = data.draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    with cupy_stub.installed() as xp:
        runs, own = Runs(xp, starts, n), Runs(np, starts, n)
        there = xp.asarray(extremes)
        size = np.add.reduceat(abs(values), starts, axis=-1)
        assert (abs(runs.sums(xp.asarray(values)).get() - own.sums(values)) <= 1e-14 * size).all()
        assert np.array_equal(runs.sums(xp.asarray(np.rint(values))).get(), own.sums(np.rint(values)))
        # What is not finite stays in its run.
        finite = np.isfinite(own.sums(extremes))
        assert np.array_equal(np.isfinite(runs.sums(there).get()), finite)
        assert np.array_equal(runs.minima(there).get(), own.minima(extremes), equal_nan=True)
        assert np.array_equal(runs.maxima(there).get(), own.maxima(extremes), equal_nan=True)
        hit = values == own.per_row(own.maxima(values))
        assert np.array_equal(runs.first_hits(xp.asarray(hit)).get(), own.first_hits(hit))
        assert np.array_equal(runs.per_row(xp.asarray(size)).get(), own.per_row(size))


def test_sums_by_place_are_those_of_bincount(xp):
    rng = np.random.default_rng(1)
    places, column = rng.integers(0, 50, 999) * 3, rng.normal(size=999)
    own = binned_sums(np, places, [column, abs(column)], 200)
    found = binned_sums(xp, xp.asarray(places), [xp.asarray(column), xp.asarray(abs(column))], 200)
    assert found.shape == own.shape == (2, 200)
    np.testing.assert_allclose(found, own, atol=1e-12)
    assert binned_sums(xp, xp.asarray(places[:0]), [xp.asarray(column[:0])], 4).tolist() == [[0.0] * 4]


@pytest.mark.parametrize("k", [0, 1, 2, 7, 1000])
def test_sums_of_a_row_have_twice_the_digits_on_a_device_too(k, xp):
    rng = np.random.default_rng(k)
    rows = rng.normal(size=(30, k)) * 10.0 ** rng.integers(-12, 12, (30, k))
    total, rest = (part.get() for part in exact_sum(xp, xp.asarray(rows), start=-1.0))
    for row, found in zip(rows, total + rest, strict=True):
        assert found == pytest.approx(math.fsum([-1.0, *row]), rel=1e-15)


# How a device is used.


def evaluated(files: Any) -> Any:
    return prepare(
        "p.parquet", "t.parquet", ["mae", "mse"], pred="y_pred_0", target="y_true_0", device="cuda"
    )


def test_each_thread_has_a_stream_of_its_own(files, xp, monkeypatch):
    """Two by default, so that one block is copied while another is computed."""
    run, used = evaluated(files), []
    frame = pl.concat(list(run.alignment.frames()))
    together = threading.Barrier(devices.STREAMS)

    class Watched(EvaluationJob):
        @property
        def block_rows(self):
            return N // 2

        def fold(self, namespace, *given):
            assert namespace is xp
            together.wait(timeout=10)  # both are at work at once
            used.append((threading.get_ident(), xp.cuda.local.stream, xp.cuda.local.device))
            return super().fold(namespace, *given)

    local.fold(Watched(run.plan, kept=False), iter([frame]))
    assert len({thread for thread, _, _ in used}) == len({stream for _, stream, _ in used}) == devices.STREAMS
    assert {device for *_, device in used} == {0}


def test_results_do_not_depend_on_threads_or_on_how_frames_are_cut(files, xp):
    run = evaluated(files)
    frame = pl.concat([pl.concat(list(run.alignment.frames()))] * 2)

    class Small(EvaluationJob):
        @property
        def block_rows(self):
            return 512

    whole = [frame], [frame[i : i + 700] for i in range(0, frame.height, 700)]
    found = [
        local.fold(Small(run.plan, kept=False), iter(frames), threads)
        for frames in whole
        for threads in (None, 1, 5)
    ]
    for other in found[1:]:
        for mine, theirs in zip(found[0].overall, other.overall, strict=True):
            assert all(np.array_equal(a, b) for a, b in zip(astuple(mine), astuple(theirs), strict=True))


def test_blocks_are_larger_on_a_device_and_part_of_the_plan(files):
    on_cpu = prepare("p.parquet", "t.parquet", ["mae", "mse"], pred="y_pred_0", target="y_true_0").plan
    on_gpu = evaluated(files).plan
    assert (on_cpu.block_rows, on_gpu.block_rows) == (plans.BLOCK_NUMBERS // 8, 1 << 23)
    assert on_cpu.signature == on_gpu.signature
    assert on_gpu.options()["device"] == "cuda"


@pytest.mark.parametrize(
    "argv", [REGRESSION, [*REGRESSION, "--by", "region"], CLASSES], ids=["one", "by", "classes"]
)
def test_only_moments_leave_the_device(argv, files, xp, capsys):
    COUNTS.reset()
    report(capsys, "evaluate", "p.parquet", "t.parquet", *argv, "--device", "cuda")
    assert 0 < COUNTS.copied < N * 8
    # A thread waits some times for each loss, whatever the rows: not for each row, cell or column.
    losses = argv.count("-l")
    assert COUNTS.syncs < 16 * (losses + 2)


def test_float32_travels_as_it_is(files, xp, capsys, monkeypatch):
    copied, asarray = [], xp.asarray
    monkeypatch.setattr(
        xp, "asarray", lambda a, *more: copied.append(getattr(a, "dtype", None)) or asarray(a, *more)
    )
    lists = split("-p vector -y label --classes 0,1,2,3,4 --from-logits --device cuda")
    for losses in (["-l", "log_loss"], ["-l", "log_loss", "-l", "brier", "-l", "zero_one"]):
        copied.clear()
        report(capsys, "evaluate", "p.parquet", "t.parquet", *lists, *losses)
        assert np.float32 in copied


# Which device, and what is said where there is none.


@pytest.fixture
def small(losscli) -> Any:
    losscli.write(p="id,y_pred\n1,1\n2,3\n", t="id,y_true\n1,1.5\n2,2\n")
    return losscli


HUBER = ("evaluate", "p.csv", "t.csv", "-l", "huber", "--bare")


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "cuda:-1", "CPU", "cuda:1:2"])
def test_a_device_that_is_none_is_a_usage_error(name, small):
    small.refuses(
        2, *HUBER, "--device", name, said=["--device must be cpu, cuda, cuda:N or auto", repr(name)]
    )


def test_without_cupy_it_is_said_how_to_install_it(small, monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    monkeypatch.setattr(devices.importlib, "import_module", missing)
    small.refuses(
        2, *HUBER, "--device", "cuda", said=["needs CuPy", "-> pip install 'losscli[gpu]'", "cuda12x"]
    )


def missing(name: str) -> Any:
    if name == "cupy":
        raise ModuleNotFoundError("No module named 'cupy'", name="cupy")
    return __import__(name)


def test_a_cupy_that_cannot_be_imported_is_said(small, monkeypatch):
    def broken(name: str) -> Any:
        if name == "cupy":
            raise ImportError("libcudart.so.13: cannot open shared object file")
        return __import__(name)

    monkeypatch.setattr(devices.importlib, "import_module", broken)
    small.refuses(2, *HUBER, "--device", "cuda", said=["cannot be imported: libcudart", "-> pip install"])


@pytest.mark.parametrize(
    ("there", "name", "said"),
    [
        (
            "cudaErrorInsufficientDriver: too old",
            "cuda",
            ["no usable GPU: cudaErrorInsufficientDriver", "nvidia-smi"],
        ),
        ("cudaErrorNoDevice: no device", "cuda:0", ["no usable GPU: cudaErrorNoDevice", "--device cpu"]),
        (0, "cuda", ["there is no such GPU, but none"]),
        (1, "cuda:1", ["--device cuda:1: there is no such GPU, but cuda:0 alone"]),
        (3, "cuda:3", ["there is no such GPU, but cuda:0 to cuda:2", "nvidia-smi"]),
    ],
)
def test_a_gpu_that_is_not_there_is_a_usage_error(there, name, said, small):
    with cupy_stub.installed(there):
        small.refuses(2, *HUBER, "--device", name, said=said)


def test_a_gpu_for_which_no_code_can_be_compiled_is_a_usage_error(small, xp, monkeypatch):
    def fails(*_: Any) -> Any:
        raise RuntimeError("CuPy failed to load libnvrtc.so.13")

    monkeypatch.setattr(xp, "asarray", fails)
    small.refuses(
        2, *HUBER, "--device", "cuda", said=["cannot compute on Stand-in", "libnvrtc", "pip install"]
    )


def test_the_second_gpu_is_used_where_it_is_named(small, xp, monkeypatch):
    used, whole = set(), xp.cuda.Device
    monkeypatch.setattr(xp.cuda, "Device", lambda index: used.add(index) or whole(index))
    assert small(*HUBER, "--device", "cuda:1").status == 0
    assert used == {1}


def test_the_environment_names_the_device_where_no_flag_does(small, xp, monkeypatch):
    monkeypatch.setenv("LOSSCLI_DEVICE", "cuda:1")
    (small.folder / "losscli.toml").write_text('device = "cuda:7"\n')
    plan = small(*HUBER, "-v").err
    assert "--device cuda:1" in plan
    assert "not device" in plan
    assert "--device" not in small(*HUBER, "-v", "--device", "cpu").err.partition("plan:")[2]
    assert package.evaluate("p.csv", "t.csv", config="losscli.toml", loss="huber").results
    monkeypatch.setenv("LOSSCLI_DEVICE", "tpu")
    small.refuses(2, *HUBER, said=["environment, LOSSCLI_DEVICE: --device must be", "'tpu'"])
    monkeypatch.setenv("LOSSCLI_DEVICE", "")
    small.refuses(2, *HUBER, said=["--device cuda:7: there is no such GPU"])


def test_python_takes_the_device_too(small, xp):
    one, other = (package.evaluate("p.csv", "t.csv", "huber", device=name) for name in ("cpu", "cuda"))
    assert one == other
    with pytest.raises(UsageError, match="cuda:9"):
        package.evaluate("p.csv", "t.csv", "huber", device="cuda:9")


# Out of memory.


class Full(EvaluationJob):
    """Runs out of memory in the third block, on a device alone."""

    block_rows = 700

    def fold(self, namespace, frame, first, fixed):
        if first >= 1400 and isinstance(namespace, ModuleType) and namespace.__name__ == "cupy":
            raise cupy_stub.OutOfMemoryError("Out of memory allocating 1 bytes")
        return super().fold(namespace, frame, first, fixed)


def test_out_of_memory_is_said_with_what_helps(files):
    run = evaluated(files)
    with pytest.raises(DeviceError) as error:
        local.fold(Full(run.plan, kept=False), run.alignment.frames())
    assert str(error.value).startswith("--device cuda: out of memory on Stand-in\n  -> --threads 1")
    assert error.value.status == 2


def test_a_driver_that_fails_is_no_bug(files, monkeypatch):
    def fails(*_: Any) -> Any:
        raise cupy_stub.CUDARuntimeError("cudaErrorECCUncorrectable: uncorrectable ECC error")

    run = evaluated(files)
    monkeypatch.setattr(Full, "fold", fails)
    with pytest.raises(DeviceError, match="failed: cudaErrorECCUncorrectable"):
        local.fold(Full(run.plan, kept=False), run.alignment.frames())


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (cupy_stub.CUBLASError("CUBLAS_STATUS_ALLOC_FAILED"), "out of memory on Stand-in"),
        (cupy_stub.CUBLASError("CUBLAS_STATUS_NOT_INITIALIZED"), "failed: CUBLAS_STATUS_NOT_INITIALIZED"),
        (cupy_stub.CUDADriverError("CUDA_ERROR_OUT_OF_MEMORY: out of memory"), "out of memory on Stand-in"),
    ],
)
def test_what_the_libraries_of_a_device_say_is_no_bug(files, monkeypatch, error, said):
    def fails(*_: Any) -> Any:
        raise error

    run = evaluated(files)
    monkeypatch.setattr(Full, "fold", fails)
    with pytest.raises(DeviceError, match=said):
        local.fold(Full(run.plan, kept=False), run.alignment.frames())


def test_a_block_of_logits_from_which_every_row_is_left_out(files):
    files.write(lg="id,label,logit_0,logit_1\n1,0,1,2\n2,0,3,1\n")
    argv = split("evaluate lg.csv --classes 0,1 --ignore-label 0 -l log_loss -l brier --from-logits")
    for device in ("cpu", "cuda"):
        files.refuses(3, *argv, "--device", device, said=["no rows are left to evaluate"])


def test_a_device_that_fails_is_no_fault_of_a_submission(files, hasty):
    argv = split("rank p.parquet q.parquet -t t.parquet -p y_pred_0 -y y_true_0 -l mae --device cuda")
    files.refuses(2, *argv, said=["out of memory on Stand-in"])


@pytest.fixture
def hasty(monkeypatch) -> None:
    """A GPU that is worth its start at once, and whose memory is spent in the middle of a run."""
    from losscli.evaluation import block as block_reading
    from losscli.plan import placement

    monkeypatch.setattr(placement, "START", 0.0)
    monkeypatch.setattr(placement, "MARGIN", 0.0)
    taken = block_reading.take

    def take(plan, namespace, frame, first, fixed):
        if namespace.__name__ == "cupy" and first:
            raise cupy_stub.OutOfMemoryError("Out of memory allocating 1 bytes")
        return taken(plan, namespace, frame, first, fixed)

    monkeypatch.setattr(block_reading, "take", take)
    monkeypatch.setattr("losscli.plan.plan.DEVICE_NUMBERS", 1 << 10)


OUT = "device: cpu, from the first row on: --device cuda: out of memory on Stand-in"


def test_where_auto_chose_the_gpu_its_run_begins_again_on_the_cpu(files, hasty, capsys):
    losses = split("-p y_pred_0 -y y_true_0 -l mae -l huber --rows rows.parquet --worst 3")
    argv = ["evaluate", "p.parquet", "t.parquet", *losses]
    expected = json.loads(files(*argv, "--json").out)
    rows = pl.read_parquet("rows.parquet")
    done = files(*argv, "--json", "--device", "auto", "-v")
    assert "losscli: device: cuda (Stand-in: computing on the CPU takes" in done.err
    assert OUT in done.err
    assert json.loads(done.out) == expected
    assert pl.read_parquet("rows.parquet").equals(rows)
    assert sorted(path.name for path in files.folder.iterdir() if path.name.startswith(".")) == []
    files.refuses(2, *argv, "--device", "cuda", said=["out of memory on Stand-in", "--threads 1"])


@pytest.mark.parametrize("command", ["compare", "rank"])
def test_comparisons_and_leaderboards_begin_again_too(command, files, hasty):
    argv = [command, "p.parquet", "q.parquet", "-t", "t.parquet", *REGRESSION, "--json"]
    done, other = files(*argv, "--device", "auto", "-v"), files(*argv)
    assert OUT in done.err
    assert json.loads(done.out) == json.loads(other.out)
