"""Write files completely or not at all: texts, and rows as they arrive."""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import stat
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from losscli.data import scratch
from losscli.errors import DataError, Problem, UsageError
from losscli.numeric.arrays import pl
from losscli.report.findings import Code, problem

_ZSTD_LEVEL = 1
"""Full-precision numbers hardly compress: the default level, 3, takes 1.5 times as long to save 0.1 %."""
_SYNC_SECONDS = 0.2
"""Seconds between flushes to disk of rows being written."""
SINKS: Mapping[str, Callable[[pl.LazyFrame, str], Any]] = {
    ".parquet": lambda rows, path: rows.sink_parquet(path, compression_level=_ZSTD_LEVEL),
    ".csv": lambda rows, path: rows.sink_csv(path),
    ".ndjson": lambda rows, path: rows.sink_ndjson(path),
    ".jsonl": lambda rows, path: rows.sink_ndjson(path),
    ".arrow": lambda rows, path: rows.sink_ipc(path),
    ".feather": lambda rows, path: rows.sink_ipc(path),
    ".ipc": lambda rows, path: rows.sink_ipc(path),
}
"""The writers of rows, by the suffix of the file."""


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an OSError into a DataError that names the file."""
    try:
        yield
    except OSError as error:
        raise unwritable(path, error) from error


def unwritable(path: Path, error: BaseException | str) -> DataError:
    """The error for a file that cannot be written, with the reason."""
    reason = getattr(error, "strerror", None) or error  # errors of Polars have text only
    return DataError(problem(Code.UNWRITABLE_FILE, str(path), reason=reason))


def require_distinct(outputs: Sequence[Path], inputs: Iterable[str]) -> None:
    """Raise UsageError for outputs that would replace an input or each other."""
    read = {_identity(path) for path in inputs}
    counts = Counter(map(_identity, outputs))
    wrong = [f"{path} is read too, and would be replaced" for path in outputs if _identity(path) in read]
    wrong += [f"{path} is written twice" for path in dict.fromkeys(outputs) if counts[_identity(path)] > 1]
    if wrong:
        raise UsageError([Problem(each, remedy="name another file") for each in wrong])


def _identity(path: str | Path) -> object:
    """An identity that all paths of a file share, links included."""
    try:
        status = os.stat(path)
    except OSError:
        return os.path.realpath(path)
    return status.st_dev, status.st_ino


class Draft:
    """A temporary file that replaces `path` when it is complete.  Its methods raise DataError.

    It is in the folder of the file itself, even if `path` is a link, so that a rename is atomic.  A missing
    folder is created, unless `has_folder` says that it exists.  It has the permissions of the file that it
    replaces, or those of a new file.
    """

    def __init__(self, path: Path, has_folder: bool = False) -> None:
        self._path = path
        with writing(path):
            self._final = path.resolve()
            if not has_folder:
                self._final.parent.mkdir(parents=True, exist_ok=True)
            self._replaced, self._kept = self._existing(), ""
            self.name = scratch.name(self._final.parent, self._final.suffix)
            mode = 0o666 if self._replaced is None else stat.S_IMODE(self._replaced.st_mode) | stat.S_IWUSR
            os.close(os.open(self.name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))

    def _existing(self) -> os.stat_result | None:
        """The status of an existing file, None if there is none.  Raises DataError for a folder or a pipe."""
        try:
            status = self._final.stat()
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(status.st_mode):
            raise unwritable(self._path, "it is not a file")
        return status

    def write(self, content: str | bytes) -> None:
        """Write the whole content, text in UTF-8."""
        with writing(self._path):
            Path(self.name).write_bytes(content if isinstance(content, bytes) else content.encode())

    def complete(self) -> None:
        """Flush it to disk, with its final permissions."""
        with writing(self._path):
            with open(self.name, "rb+") as file:
                os.fsync(file)
            if self._replaced is not None:
                with contextlib.suppress(PermissionError):  # a file of another user
                    os.chown(self.name, self._replaced.st_uid, self._replaced.st_gid)
                os.chmod(self.name, stat.S_IMODE(self._replaced.st_mode))

    def replace(self) -> None:
        """Replace the file with it."""
        with writing(self._path):
            os.replace(self.name, self._final)

    def keep(self) -> None:
        """Keep the replaced file under another name, so that `restore` can bring it back."""
        if self._replaced is not None:
            with writing(self._path):
                self._kept = scratch.name(self._final.parent, self._final.suffix)
                try:
                    os.link(self._final, self._kept)
                except OSError:  # a file system without links, or a file of another user
                    shutil.copy2(self._final, self._kept)

    def restore(self) -> None:
        """Undo `replace`, also if it was interrupted."""
        if self._kept:
            os.replace(self._kept, self._final)
        elif self._replaced is None:
            self._final.unlink(missing_ok=True)

    def discard(self) -> None:
        """Delete the draft, unless it replaced the file, and the kept file."""
        scratch.remove(self.name)
        scratch.remove(self._kept)


def publish(drafts: Sequence[Draft]) -> None:
    """Replace all files by their drafts, or none, and discard the drafts.  Raises DataError."""
    with contextlib.ExitStack() as always, contextlib.ExitStack() as undo:
        for draft in drafts:
            always.callback(draft.discard)
            draft.complete()
        for draft in drafts if len(drafts) > 1 else ():
            draft.keep()
        for draft in drafts:
            undo.callback(draft.restore)
            draft.replace()
        undo.pop_all()


def write(contents: Iterable[tuple[Path, str | bytes]], drafts: Sequence[Draft] = ()) -> None:
    """Write each content to its path and publish drafts: all of them or none.  Raises DataError."""
    all_drafts = [*drafts]
    with contextlib.ExitStack() as stack:
        for draft in drafts:
            stack.callback(draft.discard)
        for path, content in contents:
            draft = Draft(path)
            stack.callback(draft.discard)
            draft.write(content)
            all_drafts.append(draft)
        publish(all_drafts)


class Writer:
    """Writes frames to a file as they arrive; a context manager that leaves no file after an exception.

    At the end `done` receives the draft, to publish it now or later.
    """

    def __init__(self, path: Path, done: Callable[[Draft], None]) -> None:
        self.path, self._done = path, done
        self._sink: _Sink | None = None

    @property
    def has_rows(self) -> bool:
        """Whether any rows were written, and so a file."""
        return self._sink is not None

    def put(self, frame: pl.DataFrame) -> None:
        """Write the next rows, if any.  Raises DataError if writing fails."""
        if not frame.height:
            return
        if self._sink is None:
            self._sink = _Sink(self.path, frame.schema)
        self._sink.put(frame)

    def restart(self) -> None:
        """Discard what was written so far: all rows are written again."""
        if self._sink is not None:
            self._sink.discard()
            self._sink = None

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self._sink is not None:
            self._done(self._sink.finish())
        else:
            self.restart()


class _Sink:
    """A draft that Polars writes in its own thread, from a short queue of frames.

    Another thread flushes it to disk meanwhile, so that completing it takes little time.
    """

    def __init__(self, path: Path, schema: pl.Schema) -> None:
        self._path, self._draft = path, Draft(path, has_folder=True)
        self._frames: queue.Queue[pl.DataFrame | None] = queue.Queue(4)
        self._error: BaseException | None = None
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._write, args=(schema,), daemon=True),
            threading.Thread(target=self._sync, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _write(self, schema: pl.Schema) -> None:
        def frames(*_: Any) -> Iterator[pl.DataFrame]:
            while (frame := self._frames.get()) is not None:
                yield frame

        try:
            from polars.io.plugins import register_io_source  # loads Polars

            SINKS[self._path.suffix](register_io_source(frames, schema=schema), self._draft.name)
        except BaseException as error:  # raised again by the next `put` or by `finish`
            self._error = error
        finally:
            self._ended.set()

    def _sync(self) -> None:
        try:
            with open(self._draft.name, "rb+") as file:
                while not self._ended.wait(_SYNC_SECONDS):
                    os.fsync(file)
        except OSError as error:  # the system reports it only once
            self._error = error

    def put(self, frame: pl.DataFrame) -> None:
        """Write the next rows.  Raises DataError if writing failed."""
        while self._error is None:
            with contextlib.suppress(queue.Full):
                self._frames.put(frame, timeout=0.2)
                return
        raise unwritable(self._path, self._error) from self._error

    def finish(self) -> Draft:
        """The draft when all rows are written.  Raises DataError and leaves no file if writing failed."""
        self._end()
        if self._error is not None:
            self._draft.discard()
            raise unwritable(self._path, self._error) from self._error
        return self._draft

    def discard(self) -> None:
        """Stop writing and leave no file."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._frames.get_nowait()
        # The thread ends before the draft is deleted, or Polars could create it again.
        self._end()
        self._draft.discard()

    def _end(self) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(queue.Full):
                self._frames.put(None, timeout=0.2)
                break
        for thread in self._threads:
            thread.join()
