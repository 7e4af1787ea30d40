"""A leaderboard of submissions, each read alone, so that a broken one does not affect the others."""

from __future__ import annotations

import glob
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from losscli._version import __version__
from losscli.catalog.loss import Choice
from losscli.catalog.request import LossSpec
from losscli.data import limits, scratch, sources
from losscli.data.formats import memory
from losscli.data.load import tables
from losscli.data.scratch import ScratchError
from losscli.data.sources import STDIN
from losscli.data.stream import Roles
from losscli.data.table import Source, Table, paths_of, reading
from losscli.data.threads import Once, in_order
from losscli.engines import devices
from losscli.engines.job import Progress
from losscli.errors import DeviceError, LossCliError, Problem, UsageError
from losscli.evaluation import run as running
from losscli.evaluation import ties
from losscli.evaluation.hooks import SILENT, Hooks
from losscli.evaluation.models import Model, models_of
from losscli.evaluation.partial import finished, require_means
from losscli.evaluation.results import notes, results_of
from losscli.evaluation.ties import Cut, Entry, Lines, Stored, SubmissionJob
from losscli.numeric.arrays import Array
from losscli.plan import columns, comparability
from losscli.plan.approximate import require_rows
from losscli.plan.candidates import AUTO
from losscli.plan.distributed import refuse
from losscli.plan.options import COMPARE, LEVEL, ON_CLUSTER
from losscli.plan.resolve import Run, prepare, reading_of
from losscli.plan.slices import parted
from losscli.plan.values import listed
from losscli.report.findings import Code, Note, note
from losscli.report.model import Placing, Report, Result
from losscli.text import enumerated, join_names, split_names

_OF_TARGETS = ("weight", "scale_by", "naive", "group")
"""Options that, like --by, name a column of the targets."""
HELD = 1 << 28
"""Maximum size in bytes of targets held in memory."""
_SHOWN = 3
"""Maximum number of problems in the reason of a broken submission."""


def ranked(
    submissions: Sequence[Source],
    targets: Source | None,
    loss: LossSpec | Sequence[LossSpec] | None,
    options: dict[str, Any],
    hooks: Hooks = SILENT,
) -> Report:
    """The leaderboard of submissions: see `losscli.rank`, and what it raises."""
    hooks.check()
    if targets is None:
        raise UsageError("a leaderboard needs targets", remedy="losscli rank SUBMISSIONS -t TARGETS")
    if not submissions:
        raise UsageError("no submissions", remedy="losscli rank submissions/*.csv -t TARGETS")
    if arrays := memory.split_arrays(options)[1]:
        option = next(iter(arrays))
        raise UsageError(
            f"{option}= names a column of the targets", remedy="add the array to the targets as a column"
        )
    refuse((targets, *submissions), ON_CLUSTER, COMPARE)
    models = models_of(submissions, options)
    with scratch.folder(Path(tempfile.gettempdir())) as folder:
        (host, _) = tables(targets, None, reading_of(options))
        hooks.reads([*paths_of([host]), *(str(each) for each in submissions if isinstance(each, str | Path))])
        loaded = _loaded(host, folder)
        n = loaded.count()
        scratch.require_free(folder.parent, 8 * len(models) * n * (1 + bool(options.get("by"))))
        options = _with_key(models, host, _with_target_columns(host, options))
        league = _League(loaded, n, len(models), loss, options, folder)
        league.enter(models, hooks)
        league.require_used(host)
        return league.report()


def _with_target_columns(targets: Table, options: dict[str, Any]) -> dict[str, Any]:
    """The options with column names resolved to the targets, as submissions may have the same columns."""

    def sliced(part: str) -> str:
        known = parted(part, targets, targets)[0] in (*targets.schema, AUTO)
        return f"targets.{part}" if known else part

    named = {name: options[name] for name in _OF_TARGETS if isinstance(options.get(name), str)}
    resolved: dict[str, Any] = {
        name: f"targets.{column}" for name, column in named.items() if column in targets.schema
    }
    if by := listed(options.get("by")):
        resolved["by"] = [join_names(map(sliced, split_names(each))) for each in by]
    return {**options, **resolved}


def _with_key(models: Sequence[Model], targets: Table, options: dict[str, Any]) -> dict[str, Any]:
    """The options with the key of all submissions: the first that one of them shares with the targets."""
    if options.get("on") or not columns.shared_keys(targets, targets):
        return options
    for model in models:
        if str(model.source) == STDIN:
            continue  # it can be read only once
        with suppress(LossCliError):  # a broken submission is reported later
            table = tables(model.source, None, reading_of(options))[0]
            if key := columns.key_of(table, targets, one_file=False):
                return {**options, "on": list(key)}
    return options


def _loaded(table: Table, folder: Path) -> Table:
    """The targets, read once into memory, or if they are large into a file that each submission reads."""
    path = folder / "targets.arrow"
    with reading(table), scratch.writing(folder.parent):
        table.scan.sink_ipc(path, compression="uncompressed")
    scan, rows = pl.scan_ipc(path), None
    if path.stat().st_size <= HELD:
        rows = scan.collect(engine="in-memory")
        scan = rows.lazy()
    loaded = replace(
        table, name="targets", scan=scan, rows=rows, files=None, quick=frozenset(), shared=Once()
    )
    table.require_rows(loaded.count())
    table.require_whole()
    return loaded


class _Scored(Struct, frozen=True):
    """A submission that was scored."""

    entry: Entry
    run: Run
    job: SubmissionJob
    notes: tuple[Note, ...]


class _League:
    """The submissions scored so far.

    The first sound one sets what the others must match.  These are scored in parallel, one thread each, so
    that memory holds a few blocks of as many submissions as there are threads.
    """

    def __init__(
        self,
        targets: Table,
        rows: int,
        submissions: int,
        loss: LossSpec | Sequence[LossSpec] | None,
        options: dict[str, Any],
        folder: Path,
    ) -> None:
        self.targets, self.rows, self.loss, self.options = targets, rows, loss, options
        self.lines = Lines(folder, submissions, rows)
        self.entries: list[Entry] = []
        self.inputs: list[Table] = []
        self.errors: list[LossCliError] = []
        self.run: Run | None = None
        self.job: SubmissionJob | None = None
        self.notes: list[Note] = []
        self._folder, self._free, self._numbers = folder, list[Stored](), count()
        self._done, self._lock = 0, Lock()

    def enter(self, models: Sequence[Model], hooks: Hooks) -> None:
        """Score submissions, or record why they are broken."""
        waiting = iter(enumerate(models))
        for line, model in waiting:
            self._add(model.name, *self._attempt(line, model, None, hooks), hooks)
            if self.run is not None:
                self._fix_slices(self.run)
                break
        rest = list(waiting)
        calls = (partial(self._attempt, line, model, 1, hooks) for line, model in rest)
        for (_, model), attempt in zip(rest, in_order(calls, self._workers()), strict=True):
            self._add(model.name, *attempt, hooks)

    def require_used(self, targets: Table) -> None:
        """Raise UsageError for an option of text that neither the targets nor a submission needs.

        A broken submission may have needed it.
        """
        files = [each.files for each in (targets, *self.inputs) if each.files is not None]
        if len(files) == len(self.entries) + 1 and not self.errors:
            sources.require_used(reading_of(self.options), files)

    def _fix_slices(self, run: Run) -> None:
        """Cut the other submissions as the first sound one, without resolving the columns again.

        The text columns of the targets are dictionary-encoded once.
        """
        if by := run.plan.request.by:
            self.options = {**self.options, "by": [join_names(parts) for parts in by]}
        roles = run.plan.roles
        labelled = {column for slicing in roles.slicings for column in slicing.labelled}
        self.targets = self.targets.coded([column[2:] for column in labelled.difference(roles.columns)])

    def _workers(self) -> int:
        """The number of submissions scored at once; one on a GPU, whose memory holds the blocks of one."""
        if self.run is None or self.run.plan.device != devices.CPU:
            return 1
        return devices.workers(self.run.threads)

    def _attempt(
        self, line: int, model: Model, threads: int | None, hooks: Hooks
    ) -> tuple[_Scored | LossCliError, list[str]]:
        """Score a submission, or return its error; and the messages about it."""
        messages = [f"scoring {model.name}"]
        try:
            return self._scored(line, model, threads, hooks, messages.append), messages
        except (DeviceError, ScratchError):
            raise  # not a fault of the submission
        except LossCliError as error:
            return error, messages

    def _scored(
        self, line: int, model: Model, threads: int | None, hooks: Hooks, say: Callable[[str], None]
    ) -> _Scored:
        run = prepare(model.source, self.targets, self.loss, are_all=False, **self.options)
        self._check(run)
        for text in run.plan.place.notes:
            say(text)
        job = self._job(run)
        try:
            folded, _ = running.fold_all(run, self._progress(hooks), say, job, threads=threads)
            part = finished(run.plan, folded)
            self.lines.add(line, job, part)
        except LossCliError:
            self._free.append(job.stored)
            raise
        results = tuple(results_of(run.plan, part, model.name))
        entry = Entry(model.name, results, line, predicted=_predicted(run.plan.roles))
        named = (replace(each, text=f"{model.name}: {each}") for each in notes(part.tallies))
        return _Scored(entry, run, job, tuple(named))

    def _progress(self, hooks: Hooks) -> Progress:
        """A callback for the rows done of a submission, which reports those of all."""
        before = 0

        def update(rows: int) -> None:
            nonlocal before
            with self._lock:
                self._done, before = self._done + rows - before, rows
                hooks.progress(self._done)

        return update

    def _add(self, name: str, attempt: _Scored | LossCliError, messages: Sequence[str], hooks: Hooks) -> None:
        """Add a submission or its error, and pass on its messages."""
        for text in messages:
            hooks.say(text)
        try:
            if isinstance(attempt, LossCliError):
                raise attempt
            self._require_same_rows(attempt)
        except LossCliError as error:
            self.errors.append(error)
            self.entries.append(Entry(name, reason=_reason(error)))
            return
        self.entries.append(attempt.entry)
        self.inputs.append(attempt.run.tables[0])
        self.notes += attempt.notes
        if self.run is None or len(attempt.entry.predicted) > len(_predicted(self.run.plan.roles)):
            self.run = attempt.run

    def _require_same_rows(self, scored: _Scored) -> None:
        """Raise LossCliError unless the same rows are evaluated as of the previous submissions.

        If this one has all of their rows and more, the previous ones are broken, so that nobody wins by
        dropping rows.
        """
        job, first = scored.job, self.job
        if first is None:
            self.job = job
            return
        mine, theirs = job.stored.weights > 0, first.stored.weights > 0
        if np.array_equal(mine, theirs):
            self._free.append(job.stored)
            return
        if not mine[theirs].all():
            self._free.append(job.stored)
            what = "other rows are evaluated than of the submissions before"
            raise LossCliError(Problem(what, scored.entry.name, "submit every row"))
        reason = f"fewer rows are evaluated than of {scored.entry.name}"
        self.entries = [each if each.reason else replace(each, reason=reason) for each in self.entries]
        self._free.append(first.stored)
        self.job = job

    def _check(self, run: Run) -> None:
        """Raise UsageError if slices or weights come from the submission, or its losses differ."""
        require_means(run.plan.choices[:1], "a leaderboard", "choose another loss to rank by")
        require_rows(run.plan, "a leaderboard")
        roles = run.plan.roles
        row_columns = [*(column for slicing in roles.slicings for column in slicing.columns), roles.weight]
        row_columns += roles.scales
        ids = {name[2:] for name in roles.ids}
        names = [name[2:] for name in row_columns if name and name.startswith("p:") and name[2:] not in ids]
        if names:
            raise UsageError(
                f"column {', '.join(names)} is the submission's: slices, weights and scales are the targets'",
                remedy=f"columns of the targets: {enumerated(self.targets.schema)}",
            )
        if self.run is None:
            return
        mine, theirs = ([str(choice) for choice in each.plan.choices] for each in (run, self.run))
        if mine != theirs:
            raise UsageError(f"its columns show other losses than those before: {', '.join(mine)}")
        if run.alignment.key != self.run.alignment.key:
            raise UsageError(f"aligned {run.alignment.how}, and those before {self.run.alignment.how}")
        if {*roles.targets} != {*self.run.plan.roles.targets}:
            raise UsageError("its columns show other targets than those before")

    def _job(self, run: Run) -> SubmissionJob:
        """The job of evaluating a submission, with files for its rows."""
        slicings = len(run.plan.roles.slicings)
        with self._lock:
            number = next(self._numbers) if not self._free else None
            stored = self._free.pop() if number is None else None
        if stored is None:
            stored = Stored(self._folder / f"rows-{number}", self.rows, slicings)
        stored.clear()
        return SubmissionJob(run.plan, False, stored=stored, numbers=tuple({} for _ in range(slicings)))

    def report(self) -> Report:
        """The leaderboard.  Raises the error of the first submission if all are broken."""
        if self.run is None or self.job is None:
            raise self.errors[0]
        entries = _checked_complete(self.entries)
        sound = [entry for entry in entries if not entry.reason]
        plan = self.run.plan
        placed = [placing for board in self._placed(sound) for placing in board]
        broken = [Placing(model=each.name, reason=each.reason) for each in entries if each.reason]
        lines = [*self.run.notes, *self.notes]
        if len(plan.choices) > 1:
            lines.append(note(Code.RANKED_BY, loss=plan.choices[0]))
        return Report(
            results=tuple(result for entry in sound for result in entry.results),
            board=tuple(replace(each, label=plan.choices[0].label) for each in (*placed, *broken)),
            findings=tuple(lines),
            signature=plan.signature,
            losscli=__version__,
            names=self.run.names,
            provenance=comparability.of(plan, None),
            times=plan.roles.by_time,
        )

    def _placed(self, sound: Sequence[Entry]) -> Iterator[list[Placing]]:
        assert self.run is not None
        assert self.job is not None
        plan = self.run.plan
        choice = plan.choices[0]
        best = sorted(sound, key=lambda entry: _overall(entry, choice.loss.score))[: ties.MOST]
        if len(sound) > len(best):
            self.notes.append(note(Code.TIES_LIMITED, most=ties.MOST))
        entries = [replace(e, results=tuple(r for r in e.results if _is_result_of(r, choice))) for e in best]
        lines, stored = [entry.line for entry in best], self.job.stored
        ways: list[tuple[Array | None, list[dict[str, str]]]] = [(None, [{}])]
        for place, slicing in enumerate(plan.roles.slicings):
            keys = self.job.numbers[place]
            cells = [dict(zip(slicing.names, key, strict=True)) for key in keys]
            ways.append((stored.cells[place], cells))
        for way, (codes, cells) in enumerate(ways):
            noise = iter([ties.Pairs.none(len(best))] * len(cells))
            if plan.level is not None and not choice.loss.reduction.extreme:
                cut = Cut(lines, stored.weights, codes, len(cells))
                noise = self.lines.noise(cut, way, devices.workers(self.run.threads))
            level, score = plan.level or LEVEL, choice.loss.score
            boards = [
                ties.places(entries, cell, pairs, level, score)
                for cell, pairs in zip(cells, noise, strict=True)
            ]
            yield from sorted(boards, key=lambda placings: list(placings[0].cell.values()))


def _predicted(roles: Roles) -> frozenset[str]:
    """The names of the values predicted for each row: classes, levels, or numbered members of a list."""
    if not roles.parts:
        return frozenset(roles.names)
    predicted = set[str]()
    for part in roles.parts:
        for field, names in part.arrays.items():
            width = roles.widths.get(names[0], 1) if len(names) == 1 else len(names)
            predicted.update(part.cells or (f"{field} {number}" for number in range(1, width + 1)))
    return frozenset(predicted)


def _checked_complete(entries: Sequence[Entry]) -> list[Entry]:
    """The submissions; those that predict fewer or other values than the rest become broken.

    The largest set of predicted values is required, whatever the order of the submissions; of several equally
    large sets, the most common: leaving out a column never wins.
    """
    sound = [entry for entry in entries if not entry.reason]
    sets = Counter(entry.predicted for entry in sound)
    required = max(sets, key=lambda each: (len(each), sets[each]))
    (first, *_) = (entry.name for entry in sound if entry.predicted == required)
    return [
        entry
        if entry.reason or entry.predicted == required
        else replace(entry, reason=_missing_predictions(sorted(required - entry.predicted), first))
        for entry in entries
    ]


def _missing_predictions(missing: Sequence[str], other: str) -> str:
    return f"no prediction of {enumerated(missing, 5)}, which {other} has; -p names the columns that count"


def _is_result_of(result: Result, choice: Choice) -> bool:
    return (result.loss, result.params) == (choice.loss.name, choice.recorded)


def _overall(entry: Entry, score: bool) -> float:
    value = entry.results[0].value
    return float("inf") if value is None else -value if score else value


def _reason(error: LossCliError) -> str:
    """Why a submission is broken, without examples, which may reveal targets."""
    texts = [problem.what for problem in error.problems]
    more = f"; and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return "; ".join(texts[:_SHOWN]) + more


def expanded(names: Sequence[str]) -> list[str]:
    """The files that patterns and folders expand to, one per submission."""
    files: list[str] = []
    for name in names:
        if os.path.isdir(name):
            files += sorted(str(path) for path in Path(name).iterdir() if _is_submission(path))
        elif glob.has_magic(name) and not os.path.exists(name):
            files += limits.matching(name) or [name]
        else:
            files.append(name)
    return files


def _is_submission(path: Path) -> bool:
    """Whether a path in a folder is a submission: hidden files, such as those of killed runs, are not."""
    return path.is_file() and not path.name.startswith(".")
