"""Runs that are killed at random leave nothing behind but what SECURITY.md says."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import polars as pl
import pytest
from support.process import LOSSCLI, PLAIN

from losscli.data import scratch

ROWS, RUNS = 200_000, 30
COMMANDS = (
    "evaluate p.parquet t.parquet -l mae --on id -o r.json -o r.md --rows rows.csv",
    "evaluate p.parquet t.parquet -l mae --on id --rows rows.parquet -o r.xml",
    "rank s -t t.parquet -l mae --on id --by part -o board.csv -o board.json",
    "compare p.parquet s/0.parquet -t t.parquet -l mae --on id -o r.json -o r.txt",
)
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


@pytest.fixture
def folder(tmp_path):
    """Inputs, and places for what is temporary."""
    number = pl.int_range(ROWS, eager=True)
    frame = pl.DataFrame({"id": number, "prediction": number * 0.5, "part": (number % 3).cast(pl.String)})
    frame.rename({"prediction": "target"}).write_parquet(tmp_path / "t.parquet")
    for name in ("s", "tmp", "home"):
        (tmp_path / name).mkdir()
    for name, shift in (("p", 1), ("s/0", 2), ("s/1", 3), ("s/2", 4)):
        own = frame.select("id", prediction=pl.col("prediction") + number % shift)
        own.write_parquet(tmp_path / f"{name}.parquet")
    return tmp_path


def started(folder: Path, command: str) -> subprocess.Popen[str]:
    environment = PLAIN | {"TMPDIR": str(folder / "tmp"), "HOME": str(folder / "home")}
    argv = [*LOSSCLI, *command.split(), "-q"]
    return subprocess.Popen(
        argv, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def run(folder: Path, command: str) -> float:
    """Run a command to its end, and return the seconds that it took."""
    begin = time.monotonic()
    with started(folder, command) as running:
        assert running.wait() == 0, running.stderr.read()
    return time.monotonic() - begin


def killed(folder: Path, command: str, sent: signal.Signals, after: float) -> None:
    """Start a command, and kill it after some seconds, unless it is over by then."""
    with started(folder, command) as running:
        time.sleep(after)
        running.send_signal(sent)
        said = running.stderr.read()
    # Python itself shows a trace if it is interrupted before it can run any program.
    assert "Traceback" not in said or "losscli" not in said, said


def left(folder: Path) -> list[Path]:
    """What is temporary, wherever it is."""
    return [each for each in folder.rglob("*") if scratch._NAME.fullmatch(each.name)]


def found(folder: Path, names: Iterable[str]) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in names if (folder / name).exists()}


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_runs_that_are_killed_at_random(folder, command):
    chance, seen = random.Random(command), Counter[str]()
    outputs = re.findall(r"(?:-o|--rows) (\S+)", command)
    inputs = {path.name for path in folder.iterdir()}
    seconds = run(folder, command)
    new = found(folder, outputs)
    for _ in range(RUNS):
        for path in folder.iterdir():
            if path.name not in inputs:
                path.unlink()
        old = {name: b"old" for name in outputs if chance.random() < 0.5}
        for name, content in old.items():
            (folder / name).write_bytes(content)
        sent = chance.choice(SIGNALS)
        killed(folder, command, sent, chance.uniform(0, 1.1 * seconds))
        now, temporary = found(folder, outputs), left(folder)
        assert all(content in (new[name], old.get(name)) for name, content in now.items())
        assert {path.name for path in folder.iterdir()} - inputs <= {*now, *(path.name for path in temporary)}
        assert [*(folder / "home").iterdir()] == []
        if sent != signal.SIGKILL:
            assert temporary == []
            assert now in (old, new)
        what = "left something" if temporary else "wrote all" if now == new else "wrote nothing"
        seen[f"{sent.name} {what}"] += 1
        for path in temporary:
            for each in (*path.rglob("*"), path):
                os.utime(each, times=(time.time() - scratch.OLD - 60,) * 2)
        if temporary:
            run(folder, command)
            assert left(folder) == []
    print(dict(seen))
