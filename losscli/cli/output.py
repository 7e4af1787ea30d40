"""Results to stdout and files; a file is written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from losscli.errors import DataError, Problem, UsageError, all_of, near
from losscli.records import frozen
from losscli.render import format_of_suffix, render
from losscli.report import Report

if TYPE_CHECKING:
    from rich.console import Console


COLORS = ("auto", "always", "never")
"""When the table has colour: on a terminal that shows it, or whatever there is."""


def check_color(color: str) -> None:
    """Raise UsageError for a word that is not in COLORS."""
    if color not in COLORS:
        raise UsageError(f"--color must be {' or '.join(COLORS)}, got {color!r}.{near(color, COLORS)}")


def console(color: str) -> Console:
    """Where the table goes; what is asked for outweighs NO_COLOR and FORCE_COLOR."""
    from rich.console import Console  # imported by the commands that draw

    if color == "auto":
        return Console(highlight=False)
    if color == "never":
        return Console(highlight=False, color_system=None)
    return Console(highlight=False, force_terminal=True, color_system="standard", no_color=False)


GITHUB = "github"
"""Among outputs it is no file: the summary and annotations of the job that runs."""


@frozen(eq=True)
class Outputs:
    """Where a report is written besides stdout."""

    files: tuple[Path, ...] = ()
    github: Path | None = None


def outputs(names: Sequence[str]) -> Outputs:
    """The outputs that names ask for.

    Raises UsageError, before any work, for a suffix that is not known, a folder that is not there, and
    for github outside of its jobs.
    """
    files = tuple(Path(name) for name in names if name != GITHUB)
    *_, summary = all_of(
        *(partial(_check_output, path) for path in files), lambda: _summary() if GITHUB in names else None
    )
    return Outputs(files, summary)


def _summary() -> Path:
    named = os.environ.get("GITHUB_STEP_SUMMARY")
    if not named:
        raise UsageError(
            "-o github: GITHUB_STEP_SUMMARY is not set", remedy="it is in jobs of GitHub Actions"
        )
    return Path(named)


def _check_output(path: Path) -> None:
    format_of_suffix(path)
    if path.parent.exists() and not path.parent.is_dir():
        raise UsageError(f"-o {path}: {path.parent} is not a folder")
    if not path.parent.exists():
        raise UsageError(f"-o {path}: there is no folder {path.parent}", remedy=f"mkdir -p {path.parent}")
    if path.is_dir():
        raise UsageError(f"-o {path}: is a folder", remedy="name a file")


def write_files(report: Report, paths: Sequence[Path]) -> None:
    """Write the report to each path in the format of its suffix: all of them, or none."""
    write([(path, render(report, format_of_suffix(path))) for path in paths])


def write(contents: Sequence[tuple[Path, str]]) -> None:
    """Write each text to its path: all of them, or none.  Raises DataError."""
    made: list[tuple[str, Path]] = []
    path = Path()
    try:
        for path, content in contents:
            # Beside the file itself, also where a link leads to it: then a rename is all or nothing.
            real = path.resolve()
            handle, temporary = tempfile.mkstemp(dir=real.parent, prefix=".losscli.")
            made.append((temporary, real))
            with open(handle, "w", encoding="utf-8") as file:
                file.write(content)
                file.flush()
                os.fsync(handle)
        umask = os.umask(0)
        os.umask(umask)
        for temporary, path in made:
            os.chmod(temporary, 0o666 & ~umask)
            os.replace(temporary, path)
    except OSError as error:
        raise DataError(Problem(f"cannot be written: {error.strerror}", str(path))) from error
    finally:
        for temporary, _ in made:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)


def to_github(report: Report, path: Path) -> None:
    """Add to the summary of the step, and print annotations on stderr, where they spoil no result.

    Raises DataError where the summary cannot be written.
    """
    from losscli.render import github

    try:
        room = github.SUMMARY_BYTES - (path.stat().st_size if path.exists() else 0)
        with path.open("a", encoding="utf-8") as file:
            file.write(github.summary(report, room))
    except OSError as error:
        raise DataError(Problem(f"cannot be written: {error.strerror}", str(path))) from error
    sys.stderr.write(github.commands(report))


def bare(report: Report) -> str:
    """The overall value of each loss with every digit, one a line; nan where it is not defined.

    Of models that are compared, their differences; of a leaderboard, the values from the best one on.
    """
    values = [result.value for result in report.results if not result.cell and result.model is None]
    values = values or [each.value for each in report.board if each.place is not None and not each.cell]
    values = values or [each.difference for each in report.comparisons if not each.cell]
    return "".join(f"{'nan' if value is None else repr(value)}\n" for value in values)


def warn(lines: Sequence[str]) -> None:
    """Notes on stderr."""
    for line in lines:
        print(f"losscli: note: {line}", file=sys.stderr)
