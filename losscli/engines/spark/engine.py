"""The engine on a Spark cluster: files are read by tasks, aligned by key if need be, folded, and merged.

It uses DataFrames alone, which every kind of session has, and needs no settings.
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
"""Blocks of a task, a power of two, so that states merge as in a run of one process: see `Counter`.

With 8 a task took half as long again as its rows (20M rows: 2.6 s of the processor, 1.7 s with 32).
"""
HELD_BLOCKS = 8
"""The same of a task that holds all of its rows in memory, as those of some keys or groups."""
MOST_TASKS = 1 << 14
"""Tasks that read files; beyond that, each reads more."""
TASKS_OF_FRAME = 4 * FAN_IN
"""As many tasks as a DataFrame is supposed to have: only Spark knows their number."""
HEAD = 4
"""Blocks whose rows may be the first of the run: --where drops some, and some have no match among them."""


class Spark(Struct, frozen=True):
    """The engine on the cluster of a master; empty for the active session, or that of the environment."""

    master: str = ""

    def run(self, job: Job[S], stream: Aligned, progress: Progress, sink: Sink | None = None) -> S | None:
        """The result of a job over all rows of a stream; None if it has no rows.

        Raises UsageError for errors of Spark, and the errors of tasks.
        """
        codec = codec_of(job.codec)
        if stream.where is not None:
            # A scan that filters counts its rows apart, in one more pass.
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
            found = tasks.of_keys(job, stream) if is_spread(stream) else tasks.of_rows(job, stream)
        for answer in found:
            answer.require()
        if sink is not None:
            sink.finish(sum(answer.files for answer in found))
        folded, findings = answers.folded_of(codec, job, found)
        stream.findings.clear()
        stream.findings.update(_without_chance(findings, 0 if folded is None else folded.rows))
        progress(0 if folded is None else folded.rows)
        return folded


def is_spread(stream: Aligned) -> bool:
    """Whether rows of several tables meet by their keys."""
    return len(stream.tables) > 1 and bool(stream.key)


def fixed_by(job: Job[S], stream: Aligned) -> Any:
    """What the first rows fix, as in the local engine if these are the first rows of all tables."""
    rows = HEAD * job.block_rows
    with reading(*stream.tables):
        heads = [side.table.scan.select(side.columns).head(rows).collect() for side in sides_of(stream)]
    least = min(head.height for head in heads)
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

    own, paired = of_first(rows), of_first(least)
    # If no rows are left, or none match, those of each side still show how large its numbers are.
    streams = (own, replace(own, where=None), replace(paired, where=None, key=(), key_types={}))
    return job.begin(next(block for each in streams if (block := block_of(each)) is not None))


class Tasks(Struct, frozen=True):
    """The tasks of a job on a session of Spark; `progress` is called with the share that is done."""

    spark: Any
    work: Work
    progress: Callable[[float], None]

    def of_rows(self, job: Job[S], stream: Aligned) -> list[Answer]:
        """The answers for rows of one table, or of several that are the same files."""
        bare, group = replace(without_rows(stream), is_grouped=False), stream.roles.group
        read: Source
        if stream.predictions.frame is not None:
            (side,) = sides_of(stream)
            rows, tasks = cluster.chosen(stream.predictions.frame, side.held), TASKS_OF_FRAME
            read = partial(worker.of_frame, bare, without_table(side))
        else:
            cut = zip(*(pieces(table, size_of(job, stream)) for table in stream.tables), strict=True)
            sent = [[pickle.dumps(piece) for piece in own] for own in cut]
            rows, tasks = self._numbers(len(sent)), len(sent)
            read = partial(worker.of_pieces, bare, sent)
        if group is None:
            return self._answers(mapped(rows, partial(worker.fold_rows, self.work, read), ANSWERS), tasks)
        move = partial(worker.group_rows, read, group, places_of(tasks))
        return self._of_groups(mapped(rows, move, MOVED), group, tasks, tasks)

    def of_keys(self, job: Job[S], stream: Aligned) -> list[Answer]:
        """The answers for the rows of several tables, which meet by their keys."""
        size, sides = size_of(job, stream), sides_of(stream)
        by_side = [None if side.table.frame is not None else pieces(side.table, size) for side in sides]
        parts = max(parts_of(side, own, size) for side, own in zip(sides, by_side, strict=True))
        places, bare = places_of(parts), [without_table(side) for side in sides]
        sent = [(place, pickle.dumps(piece)) for place, own in enumerate(by_side) for piece in own or ()]
        moved = [
            mapped(
                cluster.chosen(side.table.frame, side.held),
                partial(worker.spread_frame, bare[place], place, places),
                MOVED,
            )
            for place, side in enumerate(sides)
            if side.table.frame is not None
        ]
        if sent:
            spread = partial(worker.spread_pieces, bare, sent, places)
            moved.append(mapped(self._numbers(len(sent)), spread, MOVED))
        whole = reduce(lambda one, other: one.union(other), moved).repartition(parts, "place")
        work, group = self.work, stream.roles.group
        plain = replace(without_rows(stream), is_grouped=False)
        if group is None:
            fold = partial(worker.fold_parts, work, plain, bare)
            return self._answers(mapped(whole, fold, ANSWERS), parts, len(sent))
        regroup = partial(worker.group_parts, plain, group, bare, places)
        return self._of_groups(mapped(whole, regroup, MOVED), group, parts, len(sent) + parts)

    def _of_groups(self, moved: Any, group: str, parts: int, before: int) -> list[Answer]:
        fold = partial(worker.fold_groups, self.work, group)
        return self._answers(mapped(moved.repartition(parts, "place"), fold, ANSWERS), parts, before)

    def _numbers(self, tasks: int) -> Any:
        """A DataFrame of the numbers of tasks, each in a partition of its own."""
        with meaning():
            return self.spark.range(0, tasks, 1, max(tasks, 1))

    def _answers(self, found: Any, tasks: int, before: int = 0) -> list[Answer]:
        """The answers in the order of the tasks, merged in a tree until the driver can hold them.

        `before` is the number of tasks before those that answer.
        """
        merge, total = partial(worker.merge_answers, self.work), before + tasks
        with meaning():
            while tasks > FAN_IN:
                tasks = math.ceil(tasks / FAN_IN)
                total += tasks
                own = found.repartition(tasks, found["task"] - found["task"] % FAN_IN)
                found = mapped(own, merge, ANSWERS)
            rows = waited(self.spark, found.collect, total, self.progress)
        return [
            answer for _, answer in answers.assembled((row.task, row.piece, bytes(row.data)) for row in rows)
        ]


def mapped(rows: Any, function: Callable[[Any], Any], schema: str) -> Any:
    """The rows that a function makes of the batches of each task."""

    def task(batches: Any) -> Any:  # Spark asks for a function with a signature
        return function(batches)

    return rows.mapInArrow(task, schema)


def size_of(job: Job[S], stream: Aligned) -> int:
    """The rows of a task: a number of blocks that is a power of two."""
    rows = stream.predictions.expected() or 0
    is_held = is_spread(stream) or stream.roles.group is not None
    blocks_of_task = max(HELD_BLOCKS if is_held else BLOCKS, rows // (job.block_rows * MOST_TASKS))
    return int(job.block_rows << (blocks_of_task - 1).bit_length())


def sides_of(stream: Aligned) -> list[Side]:
    """The tables that meet by their keys, with the columns that each needs."""
    of_models = [other.columns for other in stream.others]
    read = [stream.roles.read]
    if not stream.is_one_table:
        read = [tuple(name for name in read[0] if name.startswith(side)) for side in ("p:", "t:")]
    types = dict(stream.all_key_types())
    return [
        Side(table, tuple(dict.fromkeys((*stream.key, *(name[2:] for name in columns)))), types)
        for table, columns in zip(stream.tables, (*read, *of_models), strict=True)
    ]


def parts_of(side: Side, own: Sequence[Piece] | None, size: int) -> int:
    """The number of parts in which a side has about `size` rows."""
    if own is None:
        rows = side.table.count()
    else:
        rows = sum(piece.rows or side.table.expected() or size for piece in own)
    return max(1, math.ceil(rows / size))


def without_table(side: Side) -> Side:
    """A side without the rows of its table, which only this process can read."""
    return replace(side, table=side.table.of_rows(pl.LazyFrame()))


def without_rows(stream: Aligned) -> Aligned:
    """The description of a stream without the rows of its tables."""
    return stream.of_tables([table.of_rows(pl.LazyFrame()) for table in stream.tables])


def _without_chance(findings: dict[Finding, Tally], rows: int) -> Iterable[tuple[Finding, Tally]]:
    """The findings without parts of the keys in which, by chance, no key matched."""
    unmatched = [(kind, tally) for kind, tally in findings.items() if kind.code is Code.NO_KEY_MATCHES]
    total = next(
        (int(dict(kind.params)["total"]) for kind in findings if kind.code is Code.FILTERED_ROWS), rows
    )
    others = [(kind, tally) for kind, tally in findings.items() if kind.code is not Code.NO_KEY_MATCHES]
    if unmatched and sum(tally.count for _, tally in unmatched) == total:
        kind, tally = unmatched[0]
        others.append((kind, Tally(total, tally.examples)))
    return others
