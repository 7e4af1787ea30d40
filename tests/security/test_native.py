"""What damaged files make of Polars is an error of losscli: its panics are shown to whoever asks for them."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow
import pytest
from pyarrow import parquet
from support.process import LOSSCLI, process

FRAME = pl.DataFrame({"id": range(3000)}).with_columns(
    prediction=pl.col("id") * 0.5, target=pl.col("id") + 1.0
)


def lost_page(path: Path) -> None:
    """Write Parquet on whose page Polars panics in a thread of its own: it says that it is shorter."""
    FRAME.write_parquet(path, compression="uncompressed", statistics=False)
    data = bytearray(path.read_bytes())
    header = bytes(data[4 : data.index(0x2C, 4)])  # the kind of page and its size, twice
    data[data.index(header, 4 + len(header)) + len(header) - 1] = 0
    path.write_bytes(data)


def lost_zone(path: Path) -> None:
    """Write Parquet on whose schema Polars panics in the calling thread: there is no such time zone."""
    table = FRAME.to_arrow()
    when = pyarrow.array([0] * len(table), pyarrow.timestamp("us", "Mars/Base"))
    parquet.write_table(table.append_column("when", when), path)


@pytest.fixture
def folder(tmp_path):
    FRAME.write_parquet(tmp_path / "sound.parquet")
    FRAME.drop("prediction").write_parquet(tmp_path / "t.parquet")
    return tmp_path


slow = pytest.mark.slow


@pytest.mark.parametrize(
    ("damage", "command"),
    [
        (lost_page, "evaluate damaged.parquet -l mae"),
        pytest.param(lost_zone, "check damaged.parquet", marks=slow),
        pytest.param(lost_zone, "evaluate damaged.parquet -l mae", marks=slow),
        pytest.param(lost_page, "check damaged.parquet", marks=slow),
        pytest.param(lost_page, "evaluate damaged.parquet -l mae --rows r.csv", marks=slow),
        pytest.param(lost_page, "compare damaged.parquet sound.parquet -t t.parquet", marks=slow),
        pytest.param(lost_page, "rank sound.parquet -t damaged.parquet -l mae --on id", marks=slow),
        pytest.param(lost_page, "explain mae damaged.parquet", marks=slow),
        pytest.param(lost_zone, "init damaged.parquet", marks=slow),
    ],
)
def test_a_panic_is_told_as_an_error_alone(damage, command, folder):
    damage(folder / "damaged.parquet")
    status, out, err = process(folder, *command.split(), RUST_BACKTRACE="1")
    assert (status, out) == (3, "")
    first, *others = err.splitlines()
    assert first.startswith("losscli: error: damaged.parquet: ")
    assert all(line.startswith("  ") for line in others)


@slow
def test_a_panic_on_a_submission_is_told_by_the_leaderboard_alone(folder):
    lost_page(folder / "damaged.parquet")
    argv = ["rank", "damaged.parquet", "sound.parquet", "-t", "t.parquet", "-l", "mae", "--on", "id"]
    status, out, err = process(folder, *argv)
    assert (status, err) == (0, "")
    assert "not ranked\n" in out
    assert out.index("sound.parquet") < out.index("damaged.parquet")


@slow
def test_verbose_runs_show_what_native_code_said(folder):
    lost_page(folder / "damaged.parquet")
    status, _, err = process(folder, "evaluate", "damaged.parquet", "-l", "mae", "-v")
    assert status == 3
    assert err.index("losscli: error: damaged.parquet") < err.index("panicked at ")


NATIVE = """
import os
from losscli.custom import Regression

def own(batch: Regression):
    os.write(2, b"a library\\x1b[31m speaks\\n")
    return batch.error
"""


def test_what_other_native_code_says_is_shown(folder):
    (folder / "own.py").write_text(NATIVE)
    status, _, err = process(folder, "evaluate", "sound.parquet", "-l", "own.py:own")
    assert (status, err) == (0, "a library\\x1b[31m speaks\n")


@pytest.mark.parametrize(
    ("said", "status", "shown"),
    [
        pytest.param("", 70, ["losscli: bug: a library aborted"], marks=slow),
        pytest.param("odd\x1b[31m\nelse", 70, ["losscli: bug: odd\\x1b[31m", "else"], marks=slow),
        (
            "memory allocation of 99 bytes failed",
            3,
            [
                "losscli: error: memory allocation of 99 bytes failed",
                "  -> --threads 1 needs less, or raise the limit of memory",
            ],
        ),
    ],
)
def test_native_code_that_gives_up_ends_with_a_status_and_a_message(said, status, shown, folder):
    code = NATIVE.replace("return", "os.abort()\n    return").replace(
        "a library\\x1b[31m speaks\\n", repr(said)[1:-1]
    )
    (folder / "own.py").write_text(code)
    found, _, err = process(folder, "evaluate", "sound.parquet", "-l", "own.py:own")
    assert (found, err.splitlines()) == (status, shown)


@slow
def test_a_crash_while_losses_are_read_says_which_one_it_was(folder):
    (folder / "own.py").write_text("import os\n\nos.abort()\n")
    status, _, err = process(folder, "evaluate", "sound.parquet", "-l", "own.py:own")
    assert status == -6
    assert err.startswith("Fatal Python error: Aborted")


def test_an_address_space_that_is_too_small_is_status_3(folder):
    script = 'ulimit -v 1200000; exec "$@"'
    status, _, err = process(
        folder, "evaluate", "sound.parquet", "-l", "mae", program=["bash", "-c", script, "-", *LOSSCLI]
    )
    assert status in (0, 3), err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("error", "status", "shown"),
    [
        (pl.exceptions.PanicException("x"), 3, "error: the data cannot be decoded"),
        (MemoryError("2 MiB"), 3, "error: not enough memory: 2 MiB"),
        (RuntimeError("x"), 70, "bug: RuntimeError: x"),
        (type("Odd", (BaseException,), {})("x"), 70, "bug: Odd: x"),
    ],
)
def test_what_no_other_code_answers_has_its_status(error, status, shown, losscli, monkeypatch):
    def fails(**given):
        raise error

    monkeypatch.setattr("losscli.api.evaluate", fails)
    done = losscli("evaluate", "p.csv")
    assert (done.status, done.out) == (status, "")
    assert done.err.startswith(f"losscli: {shown}")
