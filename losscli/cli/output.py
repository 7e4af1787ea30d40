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

import typer
from msgspec import Struct

from losscli.errors import DataError, Problem, Status, UsageError, all_of
from losscli.render import ALL, format_of_suffix, render
from losscli.render.formats import all_formats
from losscli.report.model import Report
from losscli.text import near

if TYPE_CHECKING:
    from rich.console import Console

    from losscli.evaluation.compare_plan import Models
    from losscli.plan.resolve import Run


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


class Outputs(Struct, frozen=True):
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


def write_files(report: Report, paths: Sequence[Path], cells: int | None = None) -> None:
    """Write the report to each path in the format of its suffix: all of them, or none."""
    write([(path, render(report, format_of_suffix(path), cells)) for path in paths])


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


def to_github(report: Report, path: Path, cells: int | None = None) -> None:
    """Add to the summary of the step, and print annotations on stderr, where they spoil no result.

    Raises DataError if the summary cannot be written.
    """
    from losscli.render import github

    try:
        room = github.SUMMARY_BYTES - (path.stat().st_size if path.exists() else 0)
        with path.open("a", encoding="utf-8") as file:
            file.write(github.summary(report, room, cells))
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


def is_kept(form: str, outputs: Outputs) -> bool:
    """Whether a report is written in a form that can be read again."""
    return "json" in (form, *map(format_of_suffix, outputs.files))


def emit(
    report: Report,
    form: str,
    outputs: Outputs,
    quiet: bool,
    color: str = "auto",
    cells: int | None = None,
    verbose: bool = False,
) -> None:
    """Write a judged report to its outputs and to stdout.  Ends the program if its gates do not pass."""
    from losscli import gates

    put(report, form, outputs, quiet, color, cells, verbose)
    status = gates.status(report.gates)
    if status != Status.OK:
        raise typer.Exit(int(status))


def put(
    report: Report,
    form: str,
    outputs: Outputs,
    quiet: bool,
    color: str = "auto",
    cells: int | None = None,
    verbose: bool = False,
) -> None:
    """Write a report to its outputs and to stdout."""
    from losscli.cli import output as out

    out.write_files(report, outputs.files, cells)
    if outputs.github is not None:
        out.to_github(report, outputs.github, cells)
    silent = not quiet and form in ("bare", "csv", "flat")
    if silent:
        out.warn([*map(str, report.findings), *_reasons(report)])
    _print(report, form, color, cells, verbose)
    if silent:
        out.warn([f"gate {v.status}: {v.title}{f' ({v.reason})' if v.reason else ''}" for v in report.gates])


def cells_of(text: str | None) -> int | None:
    """The number of cells that --cells asks for, None without it.  Raises UsageError."""
    if text is None:
        return None
    if text == "all":
        return ALL
    if not text.isdecimal() or not int(text):
        raise UsageError(f"--cells must be all or a number from 1 on, got {text!r}")
    return int(text)


def form_of(asked: str | None, json: bool, bare: bool) -> str:
    """The format of stdout: one of those of the renderers, or bare.  Raises UsageError."""
    known = all_formats()
    if asked is not None and asked not in known:
        raise UsageError(f"--format must be {' or '.join(known)}, got {asked!r}.{near(asked, known)}")
    wanted = {asked} - {None} | ({"json"} if json else set()) | ({"bare"} if bare else set())
    if len(wanted) > 1:
        flags = ["--format " + asked] if asked else []
        flags += ["--json"] if json else []
        flags += ["--bare"] if bare else []
        raise UsageError(f"{' and '.join(flags)} exclude each other", remedy="-o FILE writes another format")
    return wanted.pop() or "table" if wanted else "table"


def _reasons(report: Report) -> list[str]:
    return [
        f"{result.loss}: {note}"
        for result in report.results
        if not result.cell and result.value is None
        for note in result.notes
    ]


def _print(report: Report, form: str, color: str, cells: int | None, verbose: bool) -> None:
    from losscli.cli import output as out
    from losscli.render import print_tables, render

    if form == "bare":
        sys.stdout.write(out.bare(report))
    elif form == "table":
        print_tables(report, out.console(color), cells, verbose)
    else:
        sys.stdout.write(render(report, form, cells, verbose))


def show_plan(run: Run | Models) -> None:
    """The plan on stderr, as flags that can be pasted, and how the files are aligned."""
    read = [table.files.how for table in dict.fromkeys(run.tables) if table.files and table.files.how]
    for line in (
        f"plan: {run.plan.flags()}",
        *read,
        f"aligned {run.alignment.how}",
        *run.plan.place.notes,
    ):
        say(line)
    for note in run.notes:
        say(f"note: {note}")


def say(text: str) -> None:
    """Tell the user something besides the results."""
    print(f"losscli: {text}", file=sys.stderr)
