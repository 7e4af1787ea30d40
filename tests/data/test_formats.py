"""Every format, one file or several, gives the same bits; what is not needed is not read."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow
import pytest
from support.grids import some

import losscli
from losscli.data import load
from losscli.data.request import Reading

N = 150_000
"""More rows than two blocks hold."""
RNG = np.random.default_rng(17)
Y = RNG.normal(size=N)
FRAME = pl.DataFrame(
    {
        "id": np.arange(N),
        "pred": Y + RNG.normal(scale=0.5, size=N),
        "y": Y,
        "w": RNG.uniform(0.5, 2.0, size=N),
        "region": RNG.choice(["eu", "us", "ap"], N),
    }
)
SMALL = FRAME.head(12)


def pieces() -> list[pl.DataFrame]:
    """Three files' rows: cut where neither blocks nor row groups end."""
    return [FRAME[:70_001], FRAME[70_001:70_005], FRAME[70_005:]]


def arrays(frame: pl.DataFrame) -> dict[str, np.ndarray]:
    return {name: frame[name].to_numpy() for name in ("pred", "y", "w")}


WRITERS = {
    "d.csv": FRAME.write_csv,
    "d.tsv": lambda path: FRAME.write_csv(path, separator="\t"),
    "d.csv.gz": lambda path: FRAME.write_csv(path, compression="gzip"),
    "d.csv.zst": lambda path: FRAME.write_csv(path, compression="zstd"),
    "small_groups.parquet": lambda path: FRAME.write_parquet(path, row_group_size=1_000),
    "large_groups.pq": lambda path: FRAME.write_parquet(path, row_group_size=1_000_000),
    "d.arrow": lambda path: FRAME.write_ipc(path, record_batch_size=999),
    "d.feather": lambda path: FRAME.write_ipc(path, compression="zstd"),
    "d.arrows": FRAME.write_ipc_stream,
    "pyarrow.arrows": lambda path: pyarrow_stream(path, FRAME.to_arrow()),
    "stream.arrow": lambda path: FRAME.write_ipc_stream(path, compression="zstd"),
    "d.ndjson": FRAME.write_ndjson,
    "d.jsonl.gz": lambda path: FRAME.write_ndjson(path, compression="gzip"),
    "d.jsonl.zst": lambda path: FRAME.write_ndjson(path, compression="zstd"),
    "d.npz": lambda path: np.savez(path, **arrays(FRAME)),
    "compressed.npz": lambda path: np.savez_compressed(path, **arrays(FRAME)),
    "parts/*.parquet": lambda path: each_piece(path, pl.DataFrame.write_parquet),
    "parts/*.csv.gz": lambda path: each_piece(path, lambda f, p: f.write_csv(p, compression="gzip")),
    "parts/*.npz": lambda path: each_piece(path, lambda f, p: np.savez(p, **arrays(f))),
    "folder/": lambda path: each_piece(path / "x*.arrow", pl.DataFrame.write_ipc),
}


def pyarrow_stream(path: Path, table: pyarrow.Table) -> None:
    """Write an Arrow stream as other programs do: their messages leave out what has its default."""
    with pyarrow.ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=999)


def each_piece(pattern: Path, write) -> None:
    pattern.parent.mkdir(exist_ok=True)
    for i, piece in enumerate(pieces()):
        write(piece, pattern.with_name(pattern.name.replace("*", f"part-{i}")))


@pytest.fixture(scope="module")
def expected():
    return losscli.evaluate(FRAME, loss=["huber", "r2"], pred="pred", target="y", weight="w").results


@pytest.mark.parametrize("name", some(WRITERS))
def test_the_same_data_give_the_same_bits_in_every_format(name, expected, tmp_path):
    WRITERS[name](tmp_path / name)
    for threads in (1, 2):
        report = losscli.evaluate(
            f"{tmp_path}/{name}", loss=["huber", "r2"], pred="pred", target="y", weight="w", threads=threads
        )
        assert report.results == expected


def test_numpy_files_are_what_arrays_are(tmp_path):
    p, y = FRAME["pred"].to_numpy(), FRAME["y"].to_numpy()
    expected = losscli.evaluate(p, y, loss="mse").results
    np.save(tmp_path / "y.npy", y)
    for i, stored in enumerate((p, p[:, None], p.astype(">f8"), np.asfortranarray(p[:, None]))):
        np.save(tmp_path / f"{i}.npy", stored)
        assert losscli.evaluate(tmp_path / f"{i}.npy", tmp_path / "y.npy", loss="mse").results == expected
    np.savez(tmp_path / "p.npz", p)
    assert losscli.evaluate(tmp_path / "p.npz", FRAME.select("y"), loss="mse").results == expected


@pytest.mark.parametrize("order", "CF")
def test_a_matrix_file_is_a_column_of_arrays_or_a_column_an_output(order, tmp_path):
    probability = np.array(RNG.dirichlet([1, 2, 3], 500), order=order)
    label = RNG.integers(0, 3, 500)
    np.save(tmp_path / "p.npy", probability)
    np.save(tmp_path / "y.npy", label)
    np.save(tmp_path / "hot.npy", np.eye(3)[label])
    np.savez(tmp_path / "both.npz", probability=probability, label=label)
    one = losscli.evaluate(probability, label, loss="log_loss").results
    assert losscli.evaluate(tmp_path / "p.npy", tmp_path / "y.npy", loss="log_loss").results == one
    assert losscli.evaluate(tmp_path / "p.npy", tmp_path / "hot.npy", loss="log_loss").results == one
    assert losscli.evaluate(tmp_path / "both.npz", loss="log_loss").results == one
    several = losscli.evaluate(tmp_path / "p.npy", tmp_path / "p.npy", loss="mse", task="regression")
    assert [each.cell.get("output") for each in several.results] == [None, "y_pred_0", "y_pred_1", "y_pred_2"]


MEMORY = """
import sys, threading, time, numpy, polars, losscli

def anonymous():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("RssAnon"))

numpy.save("small.npy", numpy.zeros(10))
losscli.evaluate("small.npy", "small.npy", loss="mse")
start, peak, done = anonymous(), 0, threading.Event()

def watch():
    global peak
    while not done.wait(0.005):
        peak = max(peak, anonymous())

watcher = threading.Thread(target=watch)
watcher.start()
report = losscli.evaluate(sys.argv[1], sys.argv[1], loss="mse", threads=1)
done.set()
watcher.join()
assert report["mse"].rows == 40_000_000, report
print((peak - start) // 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells the memory of a process")
def test_an_array_file_is_mapped_and_not_read_into_memory(tmp_path):
    np.lib.format.open_memmap(tmp_path / "big.npy", "w+", np.float64, (40_000_000,)).flush()
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, "big.npy"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 160, "half of the 320 MB file"


@pytest.mark.parametrize(("separator", "sign"), [(";", ";"), ("tab", "\t"), ("pipe", "|"), ("\\t", "\t")])
def test_a_separator(separator, sign, losscli):
    SMALL.select("id", "pred").write_csv("p.txt", separator=sign)
    SMALL.select("id", "y").write_csv("t.csv", separator=sign)
    SMALL.write_parquet("d.parquet")
    expected = losscli.bare("d.parquet", "-p", "pred", "-y", "y", "-l", "mse")
    assert losscli.bare("p.txt", "t.csv", "-l", "mse", "--separator", separator) == expected


def test_sides_in_different_formats(losscli):
    SMALL.select("id", "pred").write_ndjson("p.ndjson")
    SMALL.select("id", "y").reverse().write_ipc("t.arrow")
    SMALL.write_csv("d.csv")
    expected = losscli.bare("d.csv", "-p", "pred", "-y", "y", "-l", "mse")
    assert losscli.bare("p.ndjson", "t.arrow", "-l", "mse") == expected


# Several files


def test_files_are_read_in_the_order_of_their_names_as_text(losscli):
    for i in (1, 2, 10):
        pl.DataFrame({"pred": [float(i)] * 2}).write_csv(f"p-{i}.csv")
    pl.DataFrame({"y": [1, 1, 10, 10, 2, 2]}).write_csv("t.csv")
    assert losscli.bare("p-*.csv", "t.csv", "-l", "mse") == [0.0]


def test_a_file_whose_name_looks_like_a_pattern_is_itself(losscli):
    for write, suffix in ((pl.DataFrame.write_csv, "csv"), (pl.DataFrame.write_ndjson, "ndjson")):
        write(SMALL, f"d[1]*.{suffix}")
        write(SMALL.head(1), f"d1x.{suffix}")
        report = losscli("evaluate", f"d[1]*.{suffix}", "-p", "pred", "-y", "y", "-l", "mse", "--json")
        assert '"rows": 12' in report.out, report.err


@pytest.mark.parametrize("suffix", some(["csv", "parquet", "arrow", "ndjson.gz", "arrows", "npz"]))
@pytest.mark.parametrize("named", ["d", "d/region=*/*/*"])
def test_folders_key_value_are_columns(suffix, named, losscli):
    for (region,), rows in SMALL.group_by("region"):
        folder = Path("lr=0.1") / "d" / f"region={region}" / "day=7"
        folder.mkdir(parents=True)
        write = {
            "csv": pl.DataFrame.write_csv,
            "parquet": pl.DataFrame.write_parquet,
            "arrow": pl.DataFrame.write_ipc,
            "arrows": pl.DataFrame.write_ipc_stream,
            "npz": lambda frame, path: np.savez(path, **arrays(frame)),
            "ndjson.gz": lambda frame, path: frame.write_ndjson(path, compression="gzip"),
        }[suffix]
        write(rows.drop("region"), folder / f"part-0.{suffix}")
    (Path("lr=0.1") / "d" / "_SUCCESS").touch()
    arguments = ["-p", "pred", "-y", "y", "-l", "mse"]
    SMALL.filter(region="eu").write_csv("eu.csv")
    expected = losscli.bare("eu.csv", *arguments)
    found = losscli.bare(f"lr=0.1/{named}", *arguments, "--where", "region = 'eu' AND day = 7")
    assert found == pytest.approx(expected, rel=1e-14)
    weighted = losscli.bare(f"lr=0.1/{named}", *arguments, "-w", "day")
    SMALL.write_csv("all.csv")
    assert weighted == pytest.approx(losscli.bare("all.csv", *arguments), rel=1e-14)
    unknown = losscli("evaluate", f"lr=0.1/{named}", *arguments, "--where", "lr = 0.1")
    assert unknown.status == 2, "a folder above the one that is named is no part of the data"


def test_verbose_says_which_files_are_read(losscli):
    for i in range(3):
        SMALL.write_parquet(f"part-{i}.parquet")
    said = losscli("evaluate", "part-*.parquet", "-p", "pred", "-y", "y", "-l", "mse", "-v").err
    assert "part-*.parquet: 3 files of parquet, in the order of their names" in said


# Pipes


def piped(content: bytes, *argv: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "losscli", "evaluate", *argv]
    return subprocess.run(command, input=content, capture_output=True, timeout=60)


def bytes_of(name: str) -> bytes:
    Path("made").mkdir(exist_ok=True)
    path = Path("made") / f"d.{name}"
    write = {
        "csv": SMALL.write_csv,
        "tsv": lambda p: SMALL.write_csv(p, separator="\t"),
        "csv.gz": lambda p: SMALL.write_csv(p, compression="gzip"),
        "parquet": SMALL.write_parquet,
        "arrow": SMALL.write_ipc,
        "arrows": SMALL.write_ipc_stream,
        "ndjson": SMALL.write_ndjson,
        "ndjson.zst": lambda p: SMALL.write_ndjson(p, compression="zstd"),
        "npz": lambda p: np.savez(p, **arrays(SMALL)),
    }[name]
    write(path)
    return path.read_bytes()


COLUMNS = ("-p", "pred", "-y", "y", "-l", "mse", "--bare")


@pytest.mark.parametrize(
    ("name", "format_"),
    {
        "csv": "csv",
        "tsv": "tsv",
        "csv.gz": "csv",
        "parquet": "parquet",
        "arrow": "ipc",
        "arrows": "ipc_stream",
        "ndjson": "ndjson",
        "ndjson.zst": "ndjson",
        "npz": "npz",
    }.items(),
)
def test_standard_input_is_told_by_its_content(name, format_, losscli, monkeypatch):
    SMALL.write_parquet("expected.parquet")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(bytes_of(name))))
    done = losscli("evaluate", "-", *COLUMNS, "-v")
    assert done.status == 0, done.err
    assert [float(done.out)] == losscli.bare("expected.parquet", *COLUMNS)
    assert f"standard input: read as {format_}" in done.err


def test_input_format_says_what_content_does_not_tell(losscli, monkeypatch):
    text = "pred\ty,1\n1\t2\n3\t4\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert losscli.bare("-", "--input-format", "tsv", "-l", "mse") == [1.0]
    Path("table.dat").write_text("pred,y\n1,2\n")
    assert losscli.bare("table.dat", "--input-format", "csv", "-l", "mse") == [1.0]


def test_a_pipe_is_read_again_where_a_key_is_joined(losscli):
    SMALL.select("id", "pred").sample(fraction=1.0, shuffle=True, seed=3).write_csv("p.csv")
    SMALL.select("id", "y").write_parquet("t.parquet")
    expected = losscli.bare("p.csv", "t.parquet", "-l", "mse")
    done = piped(Path("t.parquet").read_bytes(), "p.csv", "-", "-l", "mse", "--bare")
    assert [float(done.stdout)] == expected


def test_process_substitution_and_named_pipes(tmp_path):
    SMALL.select("id", "pred").write_csv(tmp_path / "p.csv.gz", compression="gzip")
    SMALL.select("id", "y").write_parquet(tmp_path / "t.parquet")
    os.mkfifo(tmp_path / "pipe.parquet")
    script = (
        "cat t.parquet > pipe.parquet &\n"
        f'"{sys.executable}" -m losscli evaluate <(gzip -dc p.csv.gz) pipe.parquet -l mse --bare'
    )
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == losscli.evaluate(SMALL, pred="pred", target="y", loss="mse")["mse"].value


def test_a_link_and_a_file_without_a_suffix(losscli):
    SMALL.write_parquet("d.parquet")
    Path("link.parquet").symlink_to("d.parquet")
    Path("link").symlink_to("d.parquet")
    assert losscli.bare("link.parquet", *COLUMNS) == losscli.bare("link", *COLUMNS)


def test_nothing_is_left_of_a_pipe(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert piped(b"pred,y\n1,2\n", "-").returncode == 0
    assert piped(b"pred,y\nx,2\n1,1\n", "-", "-p", "pred").returncode == 3
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_while_a_pipe_is_read_ends_at_once_and_leaves_nothing(tmp_path):
    command = [sys.executable, "-m", "losscli", "evaluate", "-"]
    env = os.environ | {"TMPDIR": str(tmp_path)}
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=env, **streams) as running:
        running.stdin.write(b"pred,y\n" + b"1,2\n" * 1_000_000)
        running.stdin.flush()
        time.sleep(0.2)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=30)
    assert (running.returncode, out, err) == (130, b"", b"losscli: interrupted\n")
    assert list(tmp_path.iterdir()) == []


def test_check_shows_how_to_run_again(losscli, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"pred,y\n1,2\n")))
    assert "\nlosscli evaluate - --task regression -p pred -y y" in losscli("check", "-").out


# Only what is needed is read


@pytest.mark.parametrize("suffix", ["csv", "parquet", "arrow", "ndjson"])
def test_only_the_columns_that_are_needed_are_read(suffix, tmp_path):
    write = {"csv": FRAME.write_csv, "parquet": FRAME.write_parquet, "arrow": FRAME.write_ipc}
    write.get(suffix, FRAME.write_ndjson)(tmp_path / f"d.{suffix}")
    table, _ = load.tables(tmp_path / f"d.{suffix}", None, Reading())
    plan = table.with_numbers(["pred"]).scan.select(pl.col("pred").alias("p:pred")).explain()
    assert "PROJECT 1/5 COLUMNS" in plan
