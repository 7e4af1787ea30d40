"""A bar on stderr: only on a terminal, only after a second."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any


class Progress:
    """Rows done, and rows a second, once a run has lasted a second on a terminal."""

    def __init__(self, quiet: bool) -> None:
        self._shown = not quiet and sys.stderr.isatty()
        self._start = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, rows: int) -> None:
        """Say how many rows are done."""
        if not self._shown or time.monotonic() - self._start < 1.0:
            return
        if self._bar is None:
            from rich.console import Console  # imported by the few runs that last
            from rich.progress import Progress as Bar
            from rich.progress import SpinnerColumn, TextColumn

            columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} rows, {task.fields[speed]}"))
            self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task("", total=None, speed="")
        seconds = time.monotonic() - self._start
        self._bar.update(self._task, completed=rows, speed=f"{rows / seconds:,.0f} rows/s, {seconds:.0f} s")
