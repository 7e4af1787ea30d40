"""A session of Spark in this process: what the engine uses of DataFrames, without Spark or Java.

Functions of tasks are pickled and unpickled as Spark would, so that what cannot be sent fails here too.
"""

from contextlib import nullcontext
from types import SimpleNamespace

import pyarrow as pa

from support.needs import needed


class Column:
    """A column, or arithmetic on it."""

    def __init__(self, of):
        self.of = of

    def __sub__(self, other):
        return Column(lambda row: self.of(row) - other.of(row))

    def __mod__(self, number):
        return Column(lambda row: self.of(row) % number)


class Frame:
    """Batches of Arrow by partition."""

    def __init__(self, partitions):
        self.partitions = partitions

    def __getitem__(self, name):
        return Column(lambda row: row[name])

    def mapInArrow(self, function, schema):  # noqa: N802  # Spark's name
        cloudpickle = needed("cloudpickle")
        sent = cloudpickle.loads(cloudpickle.dumps(function))
        return Frame([list(sent(iter(partition))) for partition in self.partitions])

    def repartition(self, count, column):
        of = self[column] if isinstance(column, str) else column
        found = [[] for _ in range(count)]
        for row in self._rows():
            arrays = [
                pa.array([value], pa.binary() if isinstance(value, bytes) else pa.int32())
                for value in row.values()
            ]
            found[hash(of.of(row)) % count].append(pa.RecordBatch.from_arrays(arrays, names=list(row)))
        return Frame(found)

    def collect(self):
        return [SimpleNamespace(**row) for row in self._rows()]

    def _rows(self):
        return [row for partition in self.partitions for batch in partition for row in batch.to_pylist()]


class Session:
    """A session."""

    def range(self, start, end, step, partitions):
        assert partitions == end - start
        return Frame([[pa.RecordBatch.from_arrays([pa.array([i])], names=["id"])] for i in range(start, end)])


def use(monkeypatch):
    """Let the engine run in this process."""
    from losscli.engines.spark import engine

    monkeypatch.setattr(engine, "session", lambda master: Session())
    monkeypatch.setattr(engine, "meaning", nullcontext)
    monkeypatch.setattr(engine, "waited", lambda spark, work, tasks, progress: work())
