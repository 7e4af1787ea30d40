"""Every task, by name: the only list of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module

from losscli.tasks.task import Task

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
