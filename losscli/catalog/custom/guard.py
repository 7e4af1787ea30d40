"""Code of users: whatever it raises is an error of this code, and what it prints is no result.

A loss may be run by several threads at once.  Nothing here is a wall: code of users can do what its user can.
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
"""What gives stdout and stderr before and after code of a user runs, if the command line keeps them."""


class _Inside(threading.local):
    depth = 0


_inside = _Inside()


def is_running() -> bool:
    """Whether this thread is running code of a user."""
    return _inside.depth > 0


class Guard:
    """Runs code of a user: `with Guard(describe): ...`.

    Raises UsageError with the text that `describe` makes of any exception, SystemExit among them.  Only an
    interrupt that the user of the program sent stays what it is.
    """

    def __init__(self, describe: Callable[[BaseException], str], remedy: str = "") -> None:
        self._describe, self._remedy = describe, remedy
        self._before: Any = None
        self._interrupted = False

    def __enter__(self) -> None:
        _keep_streams()
        _inside.depth += 1
        if threading.current_thread() is threading.main_thread():  # the only one that signals interrupt
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
    for kept in streams:
        sys.stdout, sys.stderr = kept()
