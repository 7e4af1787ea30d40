"""The program as a process: pipes, signals, full disks, closed streams, colour, completion, imports."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from support.process import LOSSCLI, PLAIN, process

from losscli.catalog import registry

FILES = ["p.csv", "t.csv"]


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "p.csv").write_text("id,pred\n1,1.5\n2,2.5\n3,2.0\n")
    (tmp_path / "t.csv").write_text("id,y\n1,1.0\n2,2.0\n3,3.0\n")
    return tmp_path


@pytest.mark.parametrize("flags", [["-OO"], ["-W", "error"]])
def test_flags_of_python_change_no_number(flags, folder):
    pl.read_csv(folder / "p.csv").write_excel(folder / "p.xlsx")
    np.savez(folder / "t.npz", **pl.read_csv(folder / "t.csv").to_dict(as_series=False))
    argv = [sys.executable, *flags, "-m", "losscli", "evaluate", "p.xlsx", "t.npz", "-l", "mae", "--bare"]
    done = subprocess.run(argv, cwd=folder, env=PLAIN, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0.6666666666666666\n", "")


def test_explain_says_why_it_has_nothing_to_show():
    argv = [sys.executable, "-OO", "-m", "losscli", "explain", "huber"]
    done = subprocess.run(argv, env=PLAIN, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert "explain shows docstrings, which python -OO drops" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of open files")
@pytest.mark.parametrize("most", [6, 8, 64])
def test_a_limit_of_open_files_is_kept_or_named(most, folder):
    script = f'ulimit -n {most}; "$@" evaluate p.csv t.csv -l mae --bare'
    done = subprocess.run(
        ["bash", "-c", script, "-", *LOSSCLI],
        cwd=folder,
        env=PLAIN,
        capture_output=True,
        text=True,
        timeout=60,
    )
    if done.returncode:
        assert (done.returncode, done.stdout, most < 64) == (3, "", True)
        assert f"too many open files: the limit is {most}\n  -> ulimit -n 1024" in done.stderr
    else:
        assert done.stdout == "0.6666666666666666\n"


OUTPUTS = {
    "table": ["evaluate", *FILES],
    "json": ["evaluate", *FILES, "--json"],
    "bare": ["evaluate", *FILES, "--bare"],
    "check": ["check", *FILES],
    "explain": ["explain"],
    "help": ["evaluate", "--help"],
    "version": ["--version"],
}
SLOW_OUTPUTS = {"json", "bare", "check"}
every_output = pytest.mark.parametrize(
    "argv",
    [
        pytest.param(argv, id=name, marks=pytest.mark.slow if name in SLOW_OUTPUTS else ())
        for name, argv in OUTPUTS.items()
    ],
)


@every_output
def test_a_closed_pipe_ends_quietly_as_sigpipe_would(argv, folder):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert process(folder, *argv, stdout=writer) == (141, "", "")
    finally:
        os.close(writer)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@every_output
def test_a_full_disk_is_said_and_is_no_failed_gate(argv, folder):
    with open("/dev/full", "w") as full:
        status, _, err = process(folder, *argv, stdout=full)
    assert (status, err) == (3, "losscli: error: output: No space left on device\n")


@pytest.mark.parametrize(("argv", "expected"), [(FILES, 0), ([*FILES, "-g", "mae < 0"], 1), (["no.csv"], 3)])
@pytest.mark.parametrize(
    "streams",
    [
        ">&- 2>&-",
        "2>/dev/full",
        pytest.param(">&-", marks=pytest.mark.slow),
        pytest.param("2>&-", marks=pytest.mark.slow),
    ],
)
def test_the_status_does_not_depend_on_the_streams(argv, expected, streams, folder):
    done = subprocess.run(
        ["bash", "-c", f'"$@" {streams}', "-", *LOSSCLI, "evaluate", *argv, "-l", "mae"],
        cwd=folder,
        env=PLAIN,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == expected
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("shuffled", [False, True])
def test_ctrl_c_ends_at_once_and_leaves_nothing_half_written(shuffled, tmp_path):
    rows = pl.DataFrame({"id": pl.int_range(3_000_000, eager=True)}).with_columns(y=pl.col("id") * 0.5)
    rows.rename({"y": "pred"}).write_parquet(tmp_path / "p.parquet")
    (rows.sample(fraction=1, shuffle=True, seed=1) if shuffled else rows).write_parquet(
        tmp_path / "t.parquet"
    )
    argv = [*LOSSCLI, "evaluate", "p.parquet", "t.parquet", "-v", "-o", "r.json"]
    with subprocess.Popen(argv, cwd=tmp_path, env=PLAIN, stdout=-1, stderr=-1, text=True) as running:
        while "aligned" not in running.stderr.readline():
            assert running.poll() is None
        running.send_signal(signal.SIGINT)
        start = time.monotonic()
        out, err = running.communicate(timeout=30)
    assert (running.returncode, out, err) == (130, "", "losscli: interrupted\n")
    assert time.monotonic() - start < 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.parquet", "t.parquet"]


IMPORTING = """
import sys
class Interrupted:
    def find_spec(self, name, path=None, target=None):
        if name == "{module}":
            raise RuntimeError("Error calling __set_name__") from KeyboardInterrupt()
sys.meta_path.insert(0, Interrupted())
from losscli.cli import main
main()
"""
"""Python 3.11 is interrupted while it creates a class of a module."""


@pytest.mark.parametrize("module", ["losscli.cli.app", "losscli.plan.resolve"])
def test_ctrl_c_ends_an_import(module):
    argv = [sys.executable, "-c", IMPORTING.format(module=module), "evaluate", "p.csv"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "losscli: interrupted\n")


DEAF = """
import ctypes, os, signal
from losscli.cli import interrupt
interrupt.watch()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
print("ready", flush=True)
ctypes.CDLL(None).read(os.pipe()[0], ctypes.create_string_buffer(1), 1)
"""
"""Waits in a call that goes on when a signal comes, as a join in Polars does: Python cannot raise."""


def test_ctrl_c_ends_a_call_that_python_cannot_leave():
    with subprocess.Popen([sys.executable, "-c", DEAF], stdout=-1, stderr=-1, text=True) as running:
        assert running.stdout.readline() == "ready\n"
        time.sleep(1)  # for the call itself to begin
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=20)
    assert (running.returncode, out, err) == (130, "", "losscli: interrupted\n")


def test_not_a_terminal_has_no_colour_unless_forced(folder):
    for argv in (["evaluate", *FILES, "-g", "mae < 9"], ["explain", "huber"], ["evaluate", "--help"]):
        assert "\x1b[" not in process(folder, *argv)[1]
    gated = ["evaluate", *FILES, "-g", "mae < 9"]
    assert "\x1b[" in process(folder, *gated, FORCE_COLOR="1")[1]
    colours = [f"\x1b[{code}m" for code in range(30, 50)]
    forced = process(folder, *gated, FORCE_COLOR="1", NO_COLOR="1")[1]
    assert not any(colour in forced for colour in colours)


def test_python_m_and_the_script_are_one_program(folder):
    script = Path(sys.executable).parent / "losscli"
    done = subprocess.run([script, "--version"], env=PLAIN, capture_output=True, text=True, timeout=60)
    assert process(folder, "--version") == (0, done.stdout, "")
    assert done.stdout.startswith("losscli 0.")


def test_help_and_the_catalog_load_no_engine(folder):
    for argv in (["evaluate", "--help"], ["explain"], ["explain", "--json"], ["--version"]):
        code = (
            f"import sys; from losscli.cli.app import run; assert run({argv}) == 0;"
            "assert not {'numpy', 'polars'} & set(sys.modules)"
        )
        subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL, timeout=60)


@pytest.mark.parametrize(
    ("words", "at", "expected"),
    [
        ("losscli evaluate p.csv --loss hub", 4, ["huber"]),
        ("losscli explain top", 2, ["top_k"]),
        ("losscli evaluate p.csv --del", 3, ["--delta"]),
    ],
)
def test_the_shell_completes_losses_and_options(words, at, expected, folder):
    asked = {"_LOSSCLI_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(at)}
    status, out, err = process(folder, **asked)
    assert (status, err) == (0, "")
    assert set(expected) <= set(out.split())
    if expected[0] in registry.names():
        assert set(out.split()) <= set(registry.names())
