"""Custom losses in Python files: '-l path/to/file.py:name', followed by parameters as ':name=value,...'.

A file is run only because a request names it: the path must be that of a .py file, and no module is searched.
"""

from __future__ import annotations

import inspect
import re
import traceback
from functools import cache
from pathlib import Path
from types import ModuleType

from losscli.catalog.custom.function import digest_of, of_function, raised, require_digest
from losscli.catalog.custom.guard import Guard
from losscli.catalog.loss import Loss
from losscli.errors import UsageError
from losscli.text import near


def split(text: str) -> tuple[str, str, str] | None:
    """Path, function and in-line parameters of 'path/to/file.py:name:delta=2'; None for any other text."""
    match = re.fullmatch(r"\s*(.*?\.py)\s*(?::([^:]*)(?::(.*))?)?", text, flags=re.DOTALL)
    return None if match is None else (match[1], (match[2] or "").strip(), match[3] or "")


def source_of(path: str) -> bytes:
    """Read the source of a file without running it.  Raises UsageError if it cannot be read."""
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:  # also for a name with NUL
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"{path}: {(why or 'cannot be read').lower()}", remedy="check the path") from None


def find(path: str, name: str, source: bytes | None = None) -> Loss:
    """The loss defined by a function in a file; `source` is its text if the file is on another machine.

    Raises UsageError if the file or function does not exist, if running the file raises, or if the function
    does not have the signature of a loss.
    """
    source = source_of(path) if source is None else source
    module = _run(path, source)
    functions = [key for key, value in vars(module).items() if inspect.isfunction(value)]
    function = vars(module).get(name)
    if function is None:
        defined = [key for key in functions if vars(module)[key].__module__ == module.__name__]
        listed = f" It has: {', '.join(defined) or 'none'}."
        what = (
            f"no function {name!r} in it.{near(name, defined) or listed}"
            if name
            else f"which function?{listed}"
        )
        raise UsageError(f"{path}: {what}", remedy=f"{path}:{defined[0] if defined else 'NAME'}")
    digest = digest_of(source, name)
    return of_function(function, name, f"{path}:{name}", digest, (unchanged, (path, name, digest)))


def unchanged(path: str, name: str, digest: str) -> Loss:
    """The loss of a function in a file.  Raises UsageError if the digest of the file differs."""
    return require_digest(find(path, name), digest)


_files: set[str] = set()
"""The files that have been run."""


def blamed(error: BaseException) -> str:
    """The message for an exception that code in a loss file raised; empty for any other exception.

    The methods of a custom state are called in many places, which do not guard against exceptions.
    """
    running = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    path = next((name for name in reversed(running) if name in _files), "")
    return f"{path}: {raised(error, path)}" if path else ""


@cache
def _run(path: str, source: bytes) -> ModuleType:
    """Run a source as a module.  Raises UsageError with the line that fails."""
    module = ModuleType(Path(path).stem)
    module.__file__ = path
    _files.add(path)
    with Guard(lambda error: f"{path}: {raised(error, path)}"):
        exec(compile(source, path, "exec"), vars(module))
    return module
