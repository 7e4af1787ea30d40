"""Every task, by name: the only list of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any

from msgspec import Struct

from losscli.numeric.arrays import Namespace
from losscli.tasks.base import Batch, Rows
from losscli.tasks.block import Block
from losscli.tasks.named import Named

Reader = Callable[[Block, Namespace, frozenset[type[Batch]], Any], Rows]
"""A task's reader: (block, namespace, types of batch that are wanted, pilot) -> Rows."""
Pilot = Callable[[Block], Any]
"""What a task fixes from the first block for the whole run."""


def no_pilot(block: Block) -> None:
    """Nothing is fixed from the first rows."""


class Task(Struct, frozen=True):
    """What the layers above ask of a task.

    `usual` are the losses where none is chosen, `usual_labels` the same where predictions are labels.
    `unit` is what it counts: rows, or groups of them.  `cell` is what results other than the overall one are
    of: class, label, output, quantile.  `batches` are those of a
    task whose batches name their columns, in the order in
    which --task tries them; of these `shown` are so plain in the names that they need no --task.
    """

    name: str
    read: Reader
    usual: tuple[str, ...]
    usual_labels: tuple[str, ...] = ()
    pilot: Pilot = no_pilot
    cell: str = ""
    unit: str = "rows"
    batches: tuple[type[Named], ...] = ()
    shown: tuple[type[Named], ...] = ()


_MODULES = {
    "regression": "regression",
    "binary": "binary",
    "multiclass": "multiclass",
    "multilabel": "multilabel",
    "quantile": "quantile",
    "distribution": "distribution",
    "ensemble": "ensemble",
    "embedding": "embedding",
    "triplet": "triplet",
    "ranking": "ranking",
    "grouped_ranking": "grouped",
    "segmentation": "segmentation",
}


class _Tasks(Mapping[str, Task]):
    """The tasks, each imported when it is asked for: a run has one."""

    def __getitem__(self, name: str) -> Task:
        task: Task = import_module(f"losscli.tasks.{_MODULES[name]}").TASK
        return task

    def __iter__(self) -> Iterator[str]:
        return iter(_MODULES)

    def __len__(self) -> int:
        return len(_MODULES)


TASKS: Mapping[str, Task] = _Tasks()
