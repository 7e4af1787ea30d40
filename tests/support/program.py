"""The program, run in this process in a folder of its own."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest

from losscli.cli.app import run

CHECKOUT = {name: value for name, value in os.environ.items() if name == "PYTHONPATH"}
"""The environment with which a process runs the same losscli as the tests, not one installed elsewhere."""


class Done(NamedTuple):
    """The exit status and the output of a run of the program."""

    status: int
    out: str
    err: str


class Program:
    """The program, run in this process in a folder of its own."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys

    def write(self, **files: str | bytes | pl.DataFrame) -> None:
        """Write files: p="..." is p.csv, p_parquet=frame is p.parquet."""
        for key, content in files.items():
            stem, _, suffix = key.partition("_")
            path = self.folder / f"{stem}.{suffix or 'csv'}"
            if isinstance(content, pl.DataFrame):
                content.write_csv(path) if path.suffix == ".csv" else content.write_parquet(path)
            else:
                path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def __call__(self, *argv: str) -> Done:
        status = run(list(argv))
        return Done(status, *self._capsys.readouterr())

    def refuses(self, status: int, *argv: str, said: Sequence[str]) -> None:
        """Assert that a run ends with a status, nothing on stdout, and these words on stderr in order."""
        done = self(*argv)
        assert (done.status, done.out) == (status, ""), done.err
        at = 0
        for part in said:
            assert part in done.err[at:], done.err
            at = done.err.index(part, at) + len(part)
        assert done.err.startswith("losscli: error: ")
        assert "Traceback" not in done.err

    def pastes_back(self, *argv: str) -> str:
        """Assert that the plan of an evaluation, given as its options, makes the same report; the plan."""
        first = self("evaluate", *argv, "--json", "-v")
        plan = first.err.splitlines()[0].removeprefix("losscli: plan: ")
        assert self("evaluate", argv[0], *shlex.split(plan), "--json")[:2] == (0, first.out)
        return plan

    def bare(self, *argv: str) -> list[float]:
        """The overall values that an evaluation prints with --bare."""
        done = self("evaluate", *argv, "--bare")
        assert done.status == 0, done.err
        return [float(line) for line in done.out.splitlines()]
