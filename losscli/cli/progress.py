"""A progress bar on stderr: only on a terminal, and only after a second."""

from __future__ import annotations

import sys
from collections.abc import Callable
from threading import Lock, Timer
from types import TracebackType
from typing import Any

DELAY = 1.0
"""The seconds before the bar appears."""


class Progress:
    """Shows the number of rows read, the rate, and the remaining time if `expected()` knows the total."""

    def __init__(self, quiet: bool, expected: Callable[[], int | None]) -> None:
        self._expected = expected
        self._total: int | None = None
        self._rows = 0
        self._bar: Any = None
        self._over = False
        self._lock = Lock()
        self._timer = None if quiet or not sys.stderr.isatty() else Timer(DELAY, self._show)

    def __enter__(self) -> Progress:
        if self._timer is not None:
            self._total = self._expected()
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            self._over = True
            if self._bar is not None:
                self._bar.stop()

    def update(self, rows: int) -> None:
        """Set the number of rows read so far."""
        self._rows = rows
        if self._bar is not None:
            self._bar.update(0, completed=rows)

    def _show(self) -> None:
        """Draw the bar; called by a timer thread, since a run may wait for its first rows."""
        from rich.console import Console  # imported by the few runs that last
        from rich.progress import (
            BarColumn,
            ProgressColumn,
            SpinnerColumn,
            Task,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as Bar
        from rich.text import Text

        class Speed(ProgressColumn):
            def render(self, task: Task) -> Text:
                return Text(f"{task.speed or 0:,.0f} rows/s" if task.completed else "")

        total = self._total
        rows = TextColumn("{task.completed:,.0f} rows" + ("" if total is None else f" of about {total:,}"))
        known = (BarColumn(), rows, Speed(), TimeRemainingColumn())
        columns = (SpinnerColumn(), rows, Speed(), TimeElapsedColumn()) if total is None else known
        with self._lock:
            if self._over:
                return
            self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
            self._bar.add_task("", total=total, completed=self._rows)
            self._bar.start()
