"""The functions that run in Spark tasks: they read rows, spread them by key, align and fold them.

Each task passes streams of aligned rows to the local fold; a part of the keys is a small run of the local
engine, with all its checks.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache, partial
from itertools import groupby
from operator import itemgetter
from typing import Any

import polars as pl
import pyarrow as pa
from msgspec import Struct
from msgspec.structs import replace

from losscli._version import __version__
from losscli.data import cluster, groups
from losscli.data.align import Aligned
from losscli.data.batches import batches as batches_of
from losscli.data.filter import together
from losscli.data.folder import Parts
from losscli.data.keys import as_key
from losscli.data.pieces import Piece
from losscli.data.table import RereadError, Table, UnparsedError, reading
from losscli.data.writer import Writer
from losscli.engines.fold import Counter
from losscli.engines.job import Codec, Job, S, codec_of
from losscli.engines.local import fold
from losscli.engines.spark import answers
from losscli.engines.spark.answers import Answer
from losscli.engines.spark.frames import of_bytes, spread, to_bytes
from losscli.errors import LossCliError, UsageError
from losscli.report.findings import Finding, Tally

Batches = Iterable[pa.RecordBatch]
ANSWERS = "task int, piece int, data binary"
"""The schema of answers."""
MOVED = "part int, place int, side int, data binary"
"""The schema of frames sent to a part; `place` is the number by which Spark partitions them."""
ANSWER = -1
"""The side of an answer among frames: an error, or the findings of a task."""
FAN_IN = 32
"""Number of answers that a task merges."""
READ = 64 << 20
"""Bytes of rows of a DataFrame that a task folds or spreads at a time."""


class Work(Struct, frozen=True):
    """A job as sent: the name of its codec, its text, and the version of losscli that wrote it.

    `rows` are the files for the results of single rows, if these are written.
    """

    codec: str
    text: str
    rows: Parts | None = None
    version: str = __version__

    def read(self) -> tuple[Codec, Job[Any], Any]:
        """The codec, the job, and what the first block fixed.  Raises UsageError for another version."""
        if self.version != __version__:
            raise UsageError(
                f"the workers have losscli {__version__}, and the driver has {self.version}",
                remedy="install the same version on all of them",
            )
        codec = codec_of(self.codec)
        return codec, *_read(self.codec, self.text)

    def writer(self, number: int) -> AbstractContextManager[Writer | None]:
        """The writer of the results of single rows of a part, if these are written."""
        return nullcontext() if self.rows is None else self.rows.writer(number)


@cache
def _read(codec: str, text: str) -> tuple[Job[Any], Any]:
    return codec_of(codec).of_text(text)


class Side(Struct, frozen=True, eq=False):
    """A table to spread by key: the columns to read, and the types in which keys are compared."""

    table: Table
    columns: tuple[str, ...]
    key_types: dict[str, Any]

    def keys_of(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The keys of rows in the types in which they are compared."""
        return frame.select(
            as_key(pl.col(name), self.table.dtype(name), dtype) for name, dtype in self.key_types.items()
        )

    @property
    def source_columns(self) -> tuple[str, ...]:
        """The columns of the source behind the columns to read."""
        return self.table.source_columns(self.columns)

    def read(self, batches: Batches) -> Iterator[pl.DataFrame]:
        """The rows of a DataFrame that arrive in a task, some blocks at a time."""
        waiting, size = list[pl.DataFrame](), 0
        for frame in cluster.read(batches, self.source_columns):
            waiting.append(frame)
            size += int(frame.estimated_size())
            if size >= READ:
                yield self._unnested(waiting)
                waiting, size = [], 0
        if waiting:
            yield self._unnested(waiting)

    def _unnested(self, frames: list[pl.DataFrame]) -> pl.DataFrame:
        scan = pl.concat(frames, rechunk=True).lazy()
        return self.table.without_structs(scan).select(self.columns).collect()

    @property
    def empty(self) -> pl.DataFrame:
        """The table without rows."""
        return pl.DataFrame(schema={name: self.table.dtype(name) for name in self.columns})


Stream = tuple[int, Aligned]
"""The number of a task, and the rows to evaluate."""
Source = Callable[[Batches], Iterator[Stream]]


# Sources of rows


def of_pieces(stream: Aligned, pieces: Sequence[Sequence[bytes]], numbers: Batches) -> Iterator[Stream]:
    """The rows of pieces of the tables of a stream, in turn; `numbers` are the numbers of the pieces."""
    for number in _column(numbers, 0):
        task_pieces: list[Piece] = [pickle.loads(piece) for piece in pieces[number]]
        tables = [table.of_rows(piece.scan) for table, piece in zip(stream.tables, task_pieces, strict=True)]
        yield number, replace(stream.of_tables(tables), first_row=task_pieces[0].first_row)


def of_frame(stream: Aligned, side: Side, batches: Batches) -> Iterator[Stream]:
    """The rows of a partition of a DataFrame, in several streams, with the number of the partition."""
    from pyspark import TaskContext

    context = TaskContext.get()
    number = 0 if context is None else context.partitionId()
    for frame in side.read(batches):
        yield number, stream.of_tables([side.table.of_rows(frame.lazy(), is_numbered=False)])


def of_parts(stream: Aligned, sides: Sequence[Side], parts: dict[int, Part]) -> Iterator[Stream]:
    """The rows of parts of the keys."""
    for number, part in parts.items():
        frames = [
            of_bytes(part.frames[place]) if place in part.frames else side.empty
            for place, side in enumerate(sides)
        ]
        tables = [
            side.table.of_rows(frame.lazy(), is_numbered=False)
            for side, frame in zip(sides, frames, strict=True)
        ]
        yield number, stream.of_tables(tables).joined_in_memory()


# Tasks


def spread_pieces(
    sides: Sequence[Side], pieces: Sequence[tuple[int, bytes]], places: Sequence[int], numbers: Batches
) -> Iterator[pa.RecordBatch]:
    """The rows of pieces, each with the index of its side, sent to the parts of their keys."""
    for number in _column(numbers, 0):
        place, data = pieces[number]
        try:
            yield from _sent_frames(_read_piece(sides[place], pickle.loads(data)), place, places)
        except (LossCliError, RereadError) as error:
            yield _sent_answer(Answer.of_error(error), places)


def spread_frame(side: Side, place: int, places: Sequence[int], batches: Batches) -> Iterator[pa.RecordBatch]:
    """The rows of a partition of a DataFrame, sent to the parts of their keys."""
    try:
        yield from _sent_frames(((frame, side.keys_of(frame)) for frame in side.read(batches)), place, places)
    except LossCliError as error:
        yield _sent_answer(Answer.of_error(error), places)


def _read_piece(side: Side, piece: Piece) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """The rows of a piece, and their keys."""
    with reading(side.table):
        frames = list(batches_of(piece.scan.select(side.columns)))
    if frames:
        frame = pl.concat(frames, rechunk=False)
        yield frame, side.keys_of(frame)


def _sent_frames(
    frames: Iterator[tuple[pl.DataFrame, pl.DataFrame]], side: int, places: Sequence[int]
) -> Iterator[pa.RecordBatch]:
    for frame, keys in frames:
        for part, rows in spread(frame, keys, len(places)):
            for data in to_bytes(rows):
                yield _batch(MOVED, part, places[part], side, data)


def _sent_answer(answer: Answer, places: Sequence[int]) -> pa.RecordBatch:
    """An answer sent to the first part."""
    return _batch(MOVED, 0, places[0], ANSWER, answers.to_bytes(answer))


class Part(Struct):
    """The data received for a part: frames as bytes by side, and answers."""

    frames: dict[int, list[bytes]]
    answers: list[Answer]

    @property
    def failed(self) -> Answer | None:
        """The first error of an earlier task, if any."""
        return next((each for each in self.answers if each.error), None)


def arrived(batches: Batches) -> dict[int, Part]:
    """The data received by a task, by part."""
    parts: dict[int, Part] = {}
    for batch in batches:
        for number, _, side, data in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            received = parts.setdefault(number, Part({}, []))
            if side == ANSWER:
                received.answers.append(answers.of_bytes(data))
            else:
                received.frames.setdefault(side, []).append(data)
    return dict(sorted(parts.items()))


def fold_rows(work: Work, read: Source, batches: Batches) -> Iterator[pa.RecordBatch]:
    """The answers for streams of rows, one for all streams with the same number."""
    for number, streams in groupby(read(batches), key=itemgetter(0)):
        yield from _answer_rows(number, [], partial(_folded, work, number, (stream for _, stream in streams)))


def fold_parts(
    work: Work, stream: Aligned, sides: Sequence[Side], batches: Batches
) -> Iterator[pa.RecordBatch]:
    """The answers for parts of the keys."""
    parts = arrived(batches)
    for number, part_stream in of_parts(stream, sides, parts):
        yield from _answer_rows(number, parts[number].answers, partial(_folded, work, number, [part_stream]))


def group_rows(read: Source, group: str, places: Sequence[int], batches: Batches) -> Iterator[pa.RecordBatch]:
    """Rows sent to the parts of their groups."""
    for _, stream in read(batches):
        yield from _sent_groups(stream, group, places)


def group_parts(
    stream: Aligned, group: str, sides: Sequence[Side], places: Sequence[int], batches: Batches
) -> Iterator[pa.RecordBatch]:
    """The rows of parts of the keys, sent to the parts of their groups."""
    parts = arrived(batches)
    for number, part_stream in of_parts(stream, sides, parts):
        for answer in parts[number].answers:
            yield _sent_answer(answer, places)
        if not parts[number].failed:
            yield from _sent_groups(part_stream, group, places)


def _sent_groups(stream: Aligned, group: str, places: Sequence[int]) -> Iterator[pa.RecordBatch]:
    try:
        frames, stream = read(stream)
        yield from _sent_frames(((frame, frame.select(group)) for frame in frames), 0, places)
        yield _sent_answer(Answer.of(b"", stream.findings.items()), places)
    except (LossCliError, RereadError) as error:
        yield _sent_answer(Answer.of_error(error), places)


def fold_groups(work: Work, group: str, batches: Batches) -> Iterator[pa.RecordBatch]:
    """The answers for parts of the groups."""
    for number, part in arrived(batches).items():
        yield from _answer_rows(number, part.answers, partial(_folded_groups, work, group, number, part))


def _folded_groups(work: Work, group: str, number: int, part: Part) -> Answer:
    codec, job, fixed = work.read()
    frames = [of_bytes(pieces) for pieces in part.frames.values()]
    with work.writer(number) as sink:
        folded = fold(job, groups.gathered(iter(frames), group), 1, sink=sink, fixed=fixed)
    return Answer.of(b"" if folded is None else codec.to_bytes(folded), (), _files(sink))


def _folded(work: Work, number: int, streams: Iterable[Aligned]) -> Answer:
    """The answer for the rows of streams, each reread until a reading succeeds."""
    codec, job, fixed = work.read()
    states, findings = Counter(job.merge), list[tuple[Finding, Tally]]()
    with work.writer(number) as sink:
        for stream in streams:
            folded, stream = _folded_stream(job, fixed, stream, sink)
            findings += stream.findings.items()
            if folded is not None:
                states.add(folded)
    merged = states.merged()
    state = b"" if merged is None else codec.to_bytes(merged)
    return Answer.of(state, together(findings).items(), _files(sink))


def _files(sink: Writer | None) -> int:
    return int(sink is not None and sink.has_rows)


def _folded_stream(job: Job[S], fixed: Any, stream: Aligned, sink: Writer | None) -> tuple[S | None, Aligned]:
    """The result for the rows of a stream, and the stream as read in the end."""
    while True:
        try:
            folded = fold(job, stream.frames(), 1, sink=sink, fixed=fixed, first_row=stream.first_row)
            return folded, stream
        except UnparsedError:
            raise
        except RereadError as error:
            stream = stream.again(error)
            if sink is not None:
                sink.restart()  # only a part of one stream is read again


def read(stream: Aligned) -> tuple[list[pl.DataFrame], Aligned]:
    """The rows of a stream, held in memory, and the stream as read in the end.

    Raises UnparsedError if text has to be read in another way.
    """
    while True:
        try:
            return [frame for frame in stream.frames() if frame.height], stream
        except UnparsedError:
            raise
        except RereadError as error:
            stream = stream.again(error)


def merge_answers(work: Work, batches: Batches) -> Iterator[pa.RecordBatch]:
    """The answers of FAN_IN tasks each, in the order of the tasks, as one answer."""
    tasks: dict[int, list[Answer]] = {}
    for task, answer in answers.assembled(rows_of(batches)):
        tasks.setdefault(task // FAN_IN, []).append(answer)
    for number, received in sorted(tasks.items()):
        yield from _answer_rows(number, [], partial(_merged, work, received))


def _merged(work: Work, received: list[Answer]) -> Answer:
    codec, job, _ = work.read()
    return answers.merged(codec, job, received)


def _answer_rows(number: int, before: list[Answer], answer: Callable[[], Answer]) -> Iterator[pa.RecordBatch]:
    """The rows of an answer, with the findings or the error of earlier tasks."""
    complete = next((each for each in before if each.error), None)
    if complete is None:
        try:
            complete = answer()
        except (LossCliError, RereadError) as error:
            complete = Answer.of_error(error)
        complete = complete.after(before)
    for piece, data in answers.cut(answers.to_bytes(complete)):
        yield _batch(ANSWERS, number, piece, data)


# Batches of Arrow


def rows_of(batches: Batches) -> Iterator[tuple[Any, ...]]:
    """The rows of batches."""
    for batch in batches:
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _column(batches: Batches, place: int) -> Iterator[Any]:
    for batch in batches:
        yield from batch.column(place).to_pylist()


_TYPES = {"int": pa.int32(), "binary": pa.binary()}


def _batch(schema: str, *row: object) -> pa.RecordBatch:
    """A batch of one row, with the column names and types of a schema."""
    columns = [each.split() for each in schema.split(", ")]
    arrays = [pa.array([value], _TYPES[kind]) for value, (_, kind) in zip(row, columns, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, names=[name for name, _ in columns])
