"""The output of results to stdout and files."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from msgspec import Struct

from losscli import gates
from losscli.cli.messages import say
from losscli.cli.origin import origin
from losscli.data.writer import Draft, require_distinct, write, writing
from losscli.errors import Status, UsageError, all_of
from losscli.plan.options import OPTIONS, Use, in_python, request_of
from losscli.plan.values import listed
from losscli.render import (
    format_named,
    format_of_suffix,
    has_charts,
    image_charts,
    picture,
    print_charts,
    print_tables,
    render,
    require,
)
from losscli.render.formats import Data
from losscli.report import saved
from losscli.report.model import Report, Verdict
from losscli.text import enumerated, line_of_log

if TYPE_CHECKING:
    from rich.console import Console

    from losscli.evaluation.compare_plan import Models
    from losscli.plan.resolve import Run


def console(color: str) -> Console:
    """The console for tables; `color` overrides NO_COLOR and FORCE_COLOR."""
    from rich.console import Console  # imported by the commands that draw

    if color == "auto":
        return Console(highlight=False)
    if color == "never":
        return Console(highlight=False, color_system=None)
    return Console(highlight=False, force_terminal=True, color_system="standard", no_color=False)


_NAMED = 3
"""The maximum number of gates that the message on stderr names."""
GITHUB = "github"
"""The output that is not a file: the summary and the annotations of the current GitHub Actions job."""


class Outputs(Struct, frozen=True):
    """Where a report is written in addition to stdout.

    If `to_github`, `summary` is the file of the job's summary; None outside of a job.
    """

    files: tuple[Path, ...] = ()
    to_github: bool = False
    summary: Path | None = None


class Display(Struct, frozen=True):
    """How a report is shown on stdout, and where else it is written."""

    form: str = "table"
    outputs: Outputs = Outputs()
    quiet: bool = False
    color: str = "auto"
    cells: int | None = None
    verbose: bool = False
    formulas: bool | None = None
    plots: tuple[str, ...] = ()
    pictures: Mapping[Path, tuple[str, ...]] = {}

    @property
    def drawn(self) -> list[str]:
        """The charts that are drawn, in the terminal and as images."""
        return [*self.plots, *(name for names in self.pictures.values() for name in names)]

    @property
    def data(self) -> list[Data]:
        """The data formats in which the report is written to stdout or to files."""
        used = {self.form, *map(format_of_suffix, self.outputs.files)} - {"table", "bare"}
        return [format_ for format_ in map(format_named, sorted(used)) if isinstance(format_, Data)]

    @property
    def is_saved(self) -> bool:
        """Whether the report is written in a format that losscli can read back."""
        return "json" in (self.form, *map(format_of_suffix, self.outputs.files))


def display_of(given: Mapping[str, Any]) -> Display:
    """The display that the options request.  Raises UsageError with all their errors."""
    uses = (Use.LOOKS, Use.OUTPUT)
    display_options = {
        name: value for name, value in given.items() if name in OPTIONS and OPTIONS[name].use in uses
    }
    request = request_of(display_options)
    form, destinations = all_of(
        lambda: form_of(request.format, request.json, request.bare), lambda: outputs(request.output)
    )
    require({form, *map(format_of_suffix, destinations.files)} - {"bare"})
    require_distinct(destinations.files, _reports(given))
    if request.plot and form != "table":
        raise UsageError(
            f"--plot draws after tables, and stdout has {form}", remedy="-o FILE writes another format"
        )
    pictures = {path: names for path in destinations.files if (names := image_charts(path, request.plot))}
    settings = (request.quiet, request.color, request.cells, request.verbose, request.formulas)
    return Display(form, destinations, *settings, request.plot, pictures)


def api_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options that the Python API has too, with `charts` set if an output needs charts.

    A plan says itself whether it has charts.
    """
    options = in_python(given)
    if given.get("plan"):
        return options
    if given.get("plot") or any(_draws(name) for name in listed(given.get("output"))):
        options["charts"] = True
    return options


def _draws(output: object) -> bool:
    """Whether an output has charts; an invalid output is reported elsewhere."""
    try:
        return isinstance(output, str) and has_charts(format_of_suffix(output))
    except UsageError:
        return False


def _reports(given: Mapping[str, Any]) -> list[str]:
    """The files of saved reports among the inputs."""
    names = [name for key in ("report", "base", "reports", "baseline") for name in listed(given.get(key))]
    return [name for name in names if isinstance(name, str) and saved.is_report(name)]


def outputs(names: Sequence[str]) -> Outputs:
    """The outputs with these names.

    Raises UsageError, before any work, for an unknown suffix and for a path that cannot be a file.
    """
    if remote := [name for name in names if "://" in name]:
        raise UsageError(f"-o {remote[0]}: an output is a local file", remedy="write it here, then upload it")
    files = tuple(Path(name) for name in names if name != GITHUB)
    all_of(*(partial(_check_output, path) for path in files))
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    return Outputs(files, GITHUB in names, Path(summary) if summary else None)


def _check_output(path: Path) -> None:
    format_of_suffix(path)
    existing = next(folder for folder in path.parents if folder.exists())
    if not existing.is_dir():
        raise UsageError(f"-o {path}: {existing} is not a folder")
    if path.is_dir():
        raise UsageError(f"-o {path}: is a folder", remedy="name a file")


def write_files(report: Report, display: Display, drafts: Sequence[Draft] = ()) -> None:
    """Write the report to each output in the format of its suffix, and publish drafts: all or none."""
    # Names on a leaderboard come from the submitters: they must not run as formulas.
    formulas = not report.board if display.formulas is None else display.formulas
    forms = [(path, format_of_suffix(path)) for path in display.outputs.files]
    written_by = origin() if "html" in dict(forms).values() else None
    contents = (
        (path, picture(report, path, display.pictures[path]))
        if path in display.pictures
        else (path, render(report, form, display.cells, False, formulas, written_by))
        for path, form in forms
    )
    write(contents, drafts)


def to_github(report: Report, path: Path | None, cells: int | None = None) -> None:
    """Append to the summary of the step, and print annotations on stderr, separate from the results.

    Outside of a job, the summary is printed on stderr too.  Raises DataError if it cannot be written.
    """
    from losscli.render import github

    if path is None:
        warn(["GITHUB_STEP_SUMMARY is not set, so this is no job of GitHub Actions; it would get:"])
        sys.stderr.write(github.summary(report, cells=cells))
    else:
        _add_summary(report, path, cells)
    sys.stderr.write(github.commands(report))


def _add_summary(report: Report, path: Path, cells: int | None) -> None:
    """Append the report to the summary of a step."""
    from losscli.render import github

    with writing(path), path.open("ab+") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 1))
        start = "" if file.read(1) in (b"", b"\n") else "\n"
        text = github.summary(report, github.SUMMARY_BYTES - size - len(start), cells)
        try:
            file.write(f"{start}{text}".encode() if text else b"")
            file.flush()
        except OSError:
            file.truncate(size)
            raise
    if not text:
        warn([f"{path} has no room for a summary: GitHub shows 1 MiB of a step"])


def _bare_values(report: Report) -> list[float | None]:
    """The overall value of each loss, None if it is undefined.

    A comparison has differences instead, and a leaderboard its values, the best one first.
    """
    values = [result.value for result in report.overall if result.model is None]
    values = values or [each.value for each in report.board if each.place is not None and not each.cell]
    return values or [each.difference for each in report.comparisons if not each.cell]


def bare(report: Report) -> str:
    """The overall values of a report with every digit, one per line; nan for an undefined value."""
    return "".join(f"{'nan' if value is None else repr(value)}\n" for value in _bare_values(report))


def warn(lines: Sequence[str]) -> None:
    """Print notes on stderr."""
    for line in lines:
        say(f"note: {line}")


def emit(report: Report, display: Display, drafts: Sequence[Draft] = ()) -> None:
    """Write a judged report to its outputs and to stdout, and publish drafts.

    Exits with a nonzero status if the gates do not pass, or if a value that --bare prints is undefined.
    """
    put(report, display, drafts)
    status = gates.status(report.gates)
    message = "" if status == Status.OK else _failure_message(report.gates, status)
    if not message and display.form == "bare" and None in _bare_values(report):
        status, message = Status.DATA, "a value is not defined"
    if message:
        sys.stdout.flush()
        with contextlib.suppress(OSError):  # if stderr is full or closed, only the exit status remains
            say(message)
        raise typer.Exit(int(status))


def put(report: Report, display: Display, drafts: Sequence[Draft] = ()) -> None:
    """Write a report to its outputs and to stdout, and publish drafts."""
    form, cells = display.form, display.cells
    write_files(report, display, drafts)
    if display.outputs.to_github:
        to_github(report, display.outputs.summary, cells)
    if not display.quiet:
        warn([line for format_ in display.data for line in format_.notes(report)])
    if form in ("bare", "csv", "flat") and not display.quiet:
        warn([*map(str, report.findings), *_reasons(report)])
    _print(report, display)


def _failure_message(verdicts: Sequence[Verdict], status: Status) -> str:
    """The message about the gates that cause an exit status, on one line."""
    passing = ("pass", "unsure", "skipped", "warn")
    statuses, predicate = (("fail",), "failed") if status == Status.GATE_FAILED else ((), "cannot be judged")
    failures = [
        v for v in verdicts if (v.status in statuses if statuses else v.status not in (*passing, "fail"))
    ]
    first = "; ".join(map(_verdict_text, failures[:_NAMED]))
    more = f"; and {len(failures) - _NAMED} more" if len(failures) > _NAMED else ""
    return f"{len(failures)} of {len(verdicts)} gates {predicate}: {first}{more}"


def _verdict_text(verdict: Verdict) -> str:
    value = "" if verdict.value is None else f"{verdict.value:.4g}"
    details = ", ".join(filter(None, (" ".join(filter(None, (verdict.place, value))), verdict.reason)))
    return f"{verdict.title}" + (f" ({details})" if details else "")


def form_of(format_: str | None, json: bool, bare: bool) -> str:
    """The format of stdout: that of a renderer, or 'bare'.  Raises UsageError if more than one is given."""
    forms = {format_} - {None} | ({"json"} if json else set()) | ({"bare"} if bare else set())
    if len(forms) > 1:
        flags = ["--format " + format_] if format_ else []
        flags += ["--json"] if json else []
        flags += ["--bare"] if bare else []
        raise UsageError(f"{' and '.join(flags)} exclude each other", remedy="-o FILE writes another format")
    return forms.pop() or "table" if forms else "table"


def _reasons(report: Report) -> list[str]:
    return [
        f"{result.loss}: {note}" for result in report.overall if result.value is None for note in result.notes
    ]


def _print(report: Report, display: Display) -> None:
    form, cells, verbose = display.form, display.cells, display.verbose
    if form == "bare":
        sys.stdout.write(bare(report))
    elif form == "table":
        out = console(display.color)
        print_tables(report, out, cells, verbose)
        if missing := print_charts(report, display.plots, out):
            available = enumerated(dict.fromkeys(chart.name for chart in report.charts)) or "none"
            warn([f"--plot {name}: this run has no such chart; it has {available}" for name in missing])
    else:
        written_by = origin() if form == "html" else None
        print_data(render(report, form, cells, verbose, display.formulas is not False, written_by))


def print_data(text: str) -> None:
    """Write data for programs to stdout, in UTF-8 regardless of the locale, like files."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    sys.stdout.write(text)


def print_lines(*lines: str) -> None:
    """Write lines with text from files to stdout."""
    print("\n".join(map(line_of_log, lines)))


def show_plan(run: Run | Models) -> None:
    """Print the plan on stderr, as flags ready to paste, and how the files are aligned."""
    for title, plan in run.plans:
        say(f"{title}: {plan.flags()}")
    reading = [table.files.how for table in dict.fromkeys(run.tables) if table.files and table.files.how]
    for line in (*reading, f"aligned {run.alignment.how}", *run.plan.place.notes):
        say(line)
    for note in run.notes:
        say(f"note: {note}")
