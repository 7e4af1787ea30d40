"""What the command line shows during an evaluation: the plan, a progress bar and messages."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import typer

from losscli import engines
from losscli.cli import interrupt, results
from losscli.cli.messages import say
from losscli.cli.output import Display, display_of, show_plan
from losscli.cli.progress import Progress
from losscli.data.writer import Draft, publish, require_distinct
from losscli.errors import UsageError
from losscli.evaluation.hooks import Hooks
from losscli.plan.values import listed
from losscli.report import charts

if TYPE_CHECKING:
    from losscli.evaluation.compare_plan import Models
    from losscli.plan.resolve import Run


def is_plan(output: object) -> bool:
    """Whether an output is a plan, by its suffix."""
    return isinstance(output, str) and output.endswith(".plan")


class Watch(Hooks):
    """Shows the plan on request, exits after it in a dry run, and draws a bar; results use `display`."""

    def __init__(self, given: dict[str, Any], displays: bool = True) -> None:
        self._given, self._displays = given, displays
        self._bar: Progress | None = None
        self.display = Display()
        self.drafts: list[Draft] = []
        self._plans = [Path(output) for output in listed(given.get("output")) if is_plan(output)]

    @property
    def kept(self) -> bool:
        """Whether the report is written in a format that losscli can read back."""
        return self.display.is_saved or not self._displays

    @property
    def runs_code(self) -> bool:
        """False in a dry run, unless it writes a plan, which identifies losses by their code."""
        return not self._given.get("dry_run") or bool(self._plans)

    @property
    def verbose(self) -> bool:
        """Whether to show more than results."""
        return bool(self._given.get("verbose"))

    def check(self) -> None:
        """Read the display and output options."""
        if self._plans and not self._given.get("dry_run"):
            raise UsageError(f"-o {self._plans[0]}: a plan is written by a dry run", remedy="add --dry-run")
        if self._displays:
            reports = [output for output in listed(self._given.get("output")) if not is_plan(output)]
            self.display = display_of(self._given | ({"output": reports} if self._plans else {}))
        if engines.is_spark(self._given.get("engine") or engines.LOCAL):
            sys.stdout, sys.stderr = results.streams()  # or a JVM could write among the results

    def reads(self, paths: Sequence[str]) -> None:
        """Raise UsageError for an output that would replace an input; from now on inputs are mapped."""
        if interrupt.is_on():
            from losscli.cli import crash  # its imports are loaded by now

            crash.watch()
        outputs = [Path(path) for name in ("rows", "state") if (path := self._given.get(name))]
        require_distinct([*self.display.outputs.files, *self._plans, *outputs], paths)

    def planned(self, run: Run | Models) -> None:
        """Show the plan, and start the bar unless this is a dry run."""
        from losscli.data.batches import read_less_ahead  # imports the engine, which is loaded by now
        from losscli.data.table import paths_of

        if not any(table.files and table.files.remote for table in run.tables):
            read_less_ahead()
        self.reads([*paths_of(run.tables), *filter(None, [self._given.get("plan")])])
        chart_names = [name for name in self.display.drawn if charts.parts_of(name)[0] in charts.KINDS]
        losses = {choice.label: choice.loss.name for choice in run.plan.choices}
        charts.require(chart_names, run.plan.roles.task)
        charts.require_losses(chart_names, losses)
        dry_run = self._given.get("dry_run")
        if self.verbose or dry_run:
            show_plan(run)
        if dry_run:
            if self._plans:
                self._write_plan(run)
            raise typer.Exit
        self.start(run.expected)

    def _write_plan(self, run: Run | Models) -> None:
        from losscli.evaluation.run import unfolded
        from losscli.evaluation.storage import draft_of

        plan = unfolded(run)
        publish([draft_of(plan, path) for path in self._plans])

    def start(self, expected: Callable[[], int | None]) -> Progress:
        """The bar, started on the first call."""
        if self._bar is None:
            self._bar = Progress(bool(self._given.get("quiet")), expected)
            self._bar.__enter__()
        return self._bar

    def say(self, text: str) -> None:
        """Show a message with --verbose."""
        if self.verbose:
            say(text)

    def written(self, draft: Draft) -> None:
        """Collect a draft for `emit`, which publishes it with the reports."""
        self.drafts.append(draft)

    def progress(self, rows: int) -> None:
        """Move the bar."""
        self.start(lambda: None).update(rows)

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.__exit__(kind, error, trace)
        if kind is not None:
            for draft in self.drafts:
                draft.discard()
