"""Run the program in this process, and record everything by which it could end."""

from __future__ import annotations

import functools
import gc
import io
import os
import resource
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer.main

from losscli.cli import app
from losscli.cli.parser import Command
from losscli.errors import Status

from .case import Done

MEMORY = 6 << 30
"""Bytes of memory that a process may use."""


def keep_commands() -> None:
    """Make the commands and their options once for this process: a third of the time of a small run.

    Garbage is collected as seldom as in the program.
    """
    gc.set_threshold(100_000)
    typer.main.get_command = functools.cache(typer.main.get_command)
    make = Command._take_options

    @functools.cache
    def options_of(command: Command) -> list[object]:
        make(command)
        return command.params

    def take(self: Command, described: bool = False) -> None:
        self.params = [*options_of(self)]

    Command._take_options = take


class _Kept(io.BytesIO):
    """Bytes that are still there after a custom loss has closed stdout."""

    def close(self) -> None:
        pass


def executed(argv: Sequence[str]) -> Done:
    """How the program ends with these arguments."""
    written = _Kept(), _Kept()
    escaped, status, traces, trace = "", -1, list[str](), app._trace
    with tempfile.TemporaryFile() as native:
        start = time.monotonic()
        with _streams(*written), _stderr_of_libraries(native.fileno()):
            app._trace = lambda argv: traces.append(traceback.format_exc())
            try:
                status = app.run([*argv])
            except BaseException:  # whatever ends the program otherwise than by its status
                escaped = traceback.format_exc()
            finally:
                app._trace = trace
        seconds = time.monotonic() - start
        native.seek(0)
        own = native.read(1 << 20).decode(errors="replace")
    out, err = (each.getvalue().decode(errors="surrogateescape") for each in written)
    return Done(status, out, err, own, escaped or "".join(traces) * (status == Status.BUG), seconds)


def alone(folder: str, argv: Sequence[str]) -> Done:
    """How the program ends with these arguments as a process of its own, as users run it."""
    start = time.monotonic()
    command = [sys.executable, "-m", "losscli", *argv]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=60, preexec_fn=limit_memory)
    out, err = (each.decode(errors="surrogateescape") for each in (done.stdout, done.stderr))
    return Done(done.returncode, out, err, seconds=time.monotonic() - start)


def limit_memory() -> None:
    """Let what asks for much memory fail in this process, not on the machine."""
    # Addresses alone may be more: what draws charts reserves many.
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))


@contextmanager
def _streams(*written: io.BytesIO) -> Iterator[None]:
    """Let stdout and stderr write there, as `losscli.cli.app.main` has them."""
    kept = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (
        io.TextIOWrapper(each, "utf-8", "replace", newline="", write_through=True) for each in written
    )
    try:
        yield
    finally:
        sys.stdout, sys.stderr = kept


@contextmanager
def _stderr_of_libraries(target: int) -> Iterator[None]:
    """Send what is written to the file descriptor of stderr elsewhere, as Rust does when it panics."""
    kept = os.dup(2)
    os.dup2(target, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files of an input."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def files_in(folder: Path) -> dict[str, bytes]:
    """The files in a folder and below it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
