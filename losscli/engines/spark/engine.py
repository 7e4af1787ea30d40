"""The engine on a Spark cluster: tasks read files, align them by key if necessary, fold and merge them.

It only uses DataFrames, which every kind of session has, and needs no settings.
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from functools import partial, reduce
from typing import Any

import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from losscli.data import cluster
from losscli.data.align import Aligned
from losscli.data.keys import require_plain
from losscli.data.pieces import Piece, pieces
from losscli.data.stream import MATCHED
from losscli.data.table import reading
from losscli.data.writer import Writer
from losscli.engines.blocks import blocks
from losscli.engines.job import Job, Progress, S, Sink, codec_of
from losscli.engines.spark import answers, worker
from losscli.engines.spark.answers import Answer
from losscli.engines.spark.frames import places_of
from losscli.engines.spark.session import large_batches, meaning, session
from losscli.engines.spark.watch import waited
from losscli.engines.spark.worker import ANSWERS, FAN_IN, MOVED, Side, Source, Work
from losscli.report.findings import Code, Finding, Tally

BLOCKS = 32
"""Blocks per task, a power of two, so that states merge as in a single process: see `Counter`.

With 8, the overhead of tasks was half of their work (20M rows: 2.6 s of CPU time, 1.7 s with 32).
"""
HELD_BLOCKS = 8
"""Blocks per task that holds all of its rows in memory, such as those of some keys or groups."""
MOST_TASKS = 1 << 14
"""Maximum number of tasks that read files; beyond it, each reads more."""
TASKS_OF_FRAME = 4 * FAN_IN
"""The assumed number of tasks of a DataFrame, which only Spark knows."""
HEAD = 4
"""Blocks searched for the first rows of the run: --where drops some rows, and some have no match."""


class Spark(Struct, frozen=True):
    """The engine on the cluster of a master; empty for the active session, or one from the environment."""

    master: str = ""

    def run(self, job: Job[S], stream: Aligned, progress: Progress, sink: Sink | None = None) -> S | None:
        """The result of a job over all rows of a stream; None if it has no rows.

        Raises UsageError for errors of Spark, and the errors of tasks.
        """
        codec = codec_of(job.codec)
        if stream.where is not None:
            # A scan that filters would count its rows in one more pass.
            stream = replace(stream, where=replace(stream.where, is_pushed=False))
        require_plain(stream.all_key_types(), *stream.tables)
        frames = [table.frame for table in stream.tables if table.frame is not None]
        spark = frames[0].sparkSession if frames else session(self.master)
        assert not isinstance(sink, Writer)
        rows = None if sink is None else sink.parts
        work = Work(job.codec, codec.to_text(job, fixed_by(job, stream)), rows)
        expected = stream.predictions.expected() or 0
        tasks = Tasks(spark, work, lambda share: progress(int(share * expected)))
        with large_batches(spark) if frames else nullcontext():
            received = tasks.of_keys(job, stream) if is_spread(stream) else tasks.of_rows(job, stream)
        for answer in received:
            answer.require()
        if sink is not None:
            sink.finish(sum(answer.files for answer in received))
        folded, findings = answers.folded_of(codec, job, received)
        stream.findings.clear()
        stream.findings.update(_without_chance_mismatches(findings, 0 if folded is None else folded.rows))
        progress(0 if folded is None else folded.rows)
        return folded


def is_spread(stream: Aligned) -> bool:
    """Whether rows of several tables are matched by key across tasks."""
    return len(stream.tables) > 1 and bool(stream.key)


def fixed_by(job: Job[S], stream: Aligned) -> Any:
    """What the first rows of the run fix; as in the local engine if the heads of the tables match."""
    rows = HEAD * job.block_rows
    with reading(*stream.tables):
        heads = [side.table.scan.select(side.columns).head(rows).collect() for side in sides_of(stream)]
    shortest = min(head.height for head in heads)
    is_whole = max(head.height for head in heads) < rows

    def of_first(rows: int) -> Aligned:
        """The same description of the first rows of each table."""
        tables = zip(stream.tables, heads, strict=True)
        return stream.of_tables([table.of_rows(head.head(rows).lazy()) for table, head in tables])

    def block_of(stream: Aligned) -> pl.DataFrame | None:
        """The first block of a stream."""
        frames, _ = worker.read(stream)
        if is_spread(stream) and not is_whole:
            frames = [frame.filter(MATCHED) if MATCHED in frame.columns else frame for frame in frames]
        return next((block for _, block in blocks(iter(frames), job.block_rows, job.group)), None)

    heads_of_all, paired = of_first(rows), of_first(shortest)
    # If no rows are left, or none match, those of each side still show the size of its numbers.
    streams = (
        heads_of_all,
        replace(heads_of_all, where=None),
        replace(paired, where=None, key=(), key_types={}),
    )
    return job.begin(next(block for each in streams if (block := block_of(each)) is not None))


class Tasks(Struct, frozen=True):
    """The tasks of a job on a Spark session; `progress` is called with the share done."""

    spark: Any
    work: Work
    progress: Callable[[float], None]

    def of_rows(self, job: Job[S], stream: Aligned) -> list[Answer]:
        """The answers for rows of one table, or of several that are the same files."""
        bare, group = replace(without_rows(stream), is_grouped=False), stream.roles.group
        read: Source
        if stream.predictions.frame is not None:
            (side,) = sides_of(stream)
            rows, tasks = cluster.chosen(stream.predictions.frame, side.source_columns), TASKS_OF_FRAME
            read = partial(worker.of_frame, bare, without_table(side))
        else:
            cut = zip(*(pieces(table, size_of(job, stream)) for table in stream.tables), strict=True)
            sent = [[pickle.dumps(piece) for piece in task] for task in cut]
            rows, tasks = self._numbers(len(sent)), len(sent)
            read = partial(worker.of_pieces, bare, sent)
        if group is None:
            return self._answers(mapped(rows, partial(worker.fold_rows, self.work, read), ANSWERS), tasks)
        move = partial(worker.group_rows, read, group, places_of(tasks))
        return self._group_answers(mapped(rows, move, MOVED), group, tasks, tasks)

    def of_keys(self, job: Job[S], stream: Aligned) -> list[Answer]:
        """The answers for the rows of several tables, matched by key."""
        size, sides = size_of(job, stream), sides_of(stream)
        by_side = [None if side.table.frame is not None else pieces(side.table, size) for side in sides]
        parts = max(parts_of(side, cut, size) for side, cut in zip(sides, by_side, strict=True))
        places, bare = places_of(parts), [without_table(side) for side in sides]
        sent = [(place, pickle.dumps(piece)) for place, cut in enumerate(by_side) for piece in cut or ()]
        moved = [
            mapped(
                cluster.chosen(side.table.frame, side.source_columns),
                partial(worker.spread_frame, bare[place], place, places),
                MOVED,
            )
            for place, side in enumerate(sides)
            if side.table.frame is not None
        ]
        if sent:
            spread = partial(worker.spread_pieces, bare, sent, places)
            moved.append(mapped(self._numbers(len(sent)), spread, MOVED))
        united = reduce(lambda one, other: one.union(other), moved).repartition(parts, "place")
        work, group = self.work, stream.roles.group
        plain = replace(without_rows(stream), is_grouped=False)
        if group is None:
            fold = partial(worker.fold_parts, work, plain, bare)
            return self._answers(mapped(united, fold, ANSWERS), parts, len(sent))
        regroup = partial(worker.group_parts, plain, group, bare, places)
        return self._group_answers(mapped(united, regroup, MOVED), group, parts, len(sent) + parts)

    def _group_answers(self, moved: Any, group: str, parts: int, before: int) -> list[Answer]:
        fold = partial(worker.fold_groups, self.work, group)
        return self._answers(mapped(moved.repartition(parts, "place"), fold, ANSWERS), parts, before)

    def _numbers(self, tasks: int) -> Any:
        """A DataFrame of task numbers, each in its own partition."""
        with meaning():
            return self.spark.range(0, tasks, 1, max(tasks, 1))

    def _answers(self, frame: Any, tasks: int, before: int = 0) -> list[Answer]:
        """The answers in the order of the tasks, merged in a tree until the driver can hold them.

        `before` is the number of tasks in earlier stages.
        """
        merge, total = partial(worker.merge_answers, self.work), before + tasks
        with meaning():
            while tasks > FAN_IN:
                tasks = math.ceil(tasks / FAN_IN)
                total += tasks
                partitioned = frame.repartition(tasks, frame["task"] - frame["task"] % FAN_IN)
                frame = mapped(partitioned, merge, ANSWERS)
            rows = waited(self.spark, frame.collect, total, self.progress)
        return [
            answer for _, answer in answers.assembled((row.task, row.piece, bytes(row.data)) for row in rows)
        ]


def mapped(rows: Any, function: Callable[[Any], Any], schema: str) -> Any:
    """The rows that a function returns for the batches of each task."""

    def task(batches: Any) -> Any:  # Spark requires a function with a signature
        return function(batches)

    return rows.mapInArrow(task, schema)


def size_of(job: Job[S], stream: Aligned) -> int:
    """The number of rows per task: a power of two of blocks."""
    rows = stream.predictions.expected() or 0
    is_held = is_spread(stream) or stream.roles.group is not None
    blocks_of_task = max(HELD_BLOCKS if is_held else BLOCKS, rows // (job.block_rows * MOST_TASKS))
    return int(job.block_rows << (blocks_of_task - 1).bit_length())


def sides_of(stream: Aligned) -> list[Side]:
    """The tables of a stream, with the columns that each needs."""
    of_models = [other.columns for other in stream.others]
    read = [stream.roles.read]
    if not stream.is_one_table:
        read = [tuple(name for name in read[0] if name.startswith(side)) for side in ("p:", "t:")]
    types = dict(stream.all_key_types())
    return [
        Side(table, tuple(dict.fromkeys((*stream.key, *(name[2:] for name in columns)))), types)
        for table, columns in zip(stream.tables, (*read, *of_models), strict=True)
    ]


def parts_of(side: Side, cut: Sequence[Piece] | None, size: int) -> int:
    """The number of parts of about `size` rows of a side."""
    if cut is None:
        rows = side.table.count()
    else:
        rows = sum(piece.rows or side.table.expected() or size for piece in cut)
    return max(1, math.ceil(rows / size))


def without_table(side: Side) -> Side:
    """A side without the rows of its table, which only this process can read."""
    return replace(side, table=side.table.of_rows(pl.LazyFrame()))


def without_rows(stream: Aligned) -> Aligned:
    """The description of a stream without the rows of its tables."""
    return stream.of_tables([table.of_rows(pl.LazyFrame()) for table in stream.tables])


def _without_chance_mismatches(findings: dict[Finding, Tally], rows: int) -> Iterable[tuple[Finding, Tally]]:
    """The findings; that no key matched is dropped unless it holds in all parts, not in some by chance."""
    unmatched = [(kind, tally) for kind, tally in findings.items() if kind.code is Code.NO_KEY_MATCHES]
    total = next(
        (int(dict(kind.params)["total"]) for kind in findings if kind.code is Code.FILTERED_ROWS), rows
    )
    others = [(kind, tally) for kind, tally in findings.items() if kind.code is not Code.NO_KEY_MATCHES]
    if unmatched and sum(tally.count for _, tally in unmatched) == total:
        kind, tally = unmatched[0]
        others.append((kind, Tally(total, tally.examples)))
    return others
