"""Run custom code: its exceptions become usage errors, and its output is kept out of the results.

Several threads may run a loss at once.  This is no sandbox: custom code has the rights of the user.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from losscli.errors import UsageError

streams: list[Callable[[], tuple[Any, Any]]] = []
"""Functions that return the stdout and stderr to restore around custom code, set by the command line."""


class _Inside(threading.local):
    depth = 0


_inside = _Inside()


def is_running() -> bool:
    """Whether this thread is running custom code."""
    return _inside.depth > 0


class Guard:
    """Runs custom code: `with Guard(describe): ...`.

    Any exception, including SystemExit, becomes a UsageError with the text that `describe` returns; only an
    interrupt by the user passes through.
    """

    def __init__(self, describe: Callable[[BaseException], str], remedy: str = "") -> None:
        self._describe, self._remedy = describe, remedy
        self._before: Any = None
        self._interrupted = False

    def __enter__(self) -> None:
        _keep_streams()
        _inside.depth += 1
        if threading.current_thread() is threading.main_thread():  # only this thread receives signals
            self._before = signal.getsignal(signal.SIGINT)
            if callable(self._before):
                signal.signal(signal.SIGINT, self._interrupt)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self._interrupted = True
        self._before(number, frame)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if callable(self._before):
            signal.signal(signal.SIGINT, self._before)
        _inside.depth -= 1
        _keep_streams()
        if error is not None and not self._interrupted:
            raise UsageError(self._describe(error), remedy=self._remedy) from error


def _keep_streams() -> None:
    for current_streams in streams:
        sys.stdout, sys.stderr = current_streams()
