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
"""The reader of a task: (block, namespace, wanted types of batch, pilot) -> Rows."""
Pilot = Callable[[Block], Any]
"""The constants that a task takes from the first block for the whole run."""


def no_pilot(block: Block) -> None:
    """No constants."""


class Task(Struct, frozen=True):
    """A task: the reader of its rows, and its defaults.

    `usual` are the default losses, `usual_labels` the default losses if predictions are labels.  `unit` is
    what it counts: rows or groups.  `cell` is the kind of its cells: class, label, output, quantile, or
    empty.  `batches` are the batches that name their columns, in the order in which --task tries them;
    `shown` are those that column names alone identify, without --task.
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
    "contrastive": "contrastive",
    "segmentation": "segmentation",
    "survival": "survival",
    "hazard": "hazard",
    "text": "text",
    "sequence": "sequence",
}


class _Tasks(Mapping[str, Task]):
    """The tasks, imported on first use, since a run needs only one."""

    def __init__(self) -> None:
        self._loaded: dict[str, Task] = {}

    def __getitem__(self, name: str) -> Task:
        if name not in self._loaded:
            self._loaded[name] = import_module(f"losscli.tasks.{_MODULES[name]}").TASK
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_MODULES)

    def __len__(self) -> int:
        return len(_MODULES)


TASKS: Mapping[str, Task] = _Tasks()
