"""Every task, by name: the only list of them."""

from __future__ import annotations

from losscli.tasks import (
    binary,
    distribution,
    embedding,
    ensemble,
    grouped,
    multiclass,
    multilabel,
    quantile,
    ranking,
    regression,
    segmentation,
    triplet,
)
from losscli.tasks.task import Task

TASKS: dict[str, Task] = {
    module.TASK.name: module.TASK
    for module in (
        regression,
        binary,
        multiclass,
        multilabel,
        quantile,
        distribution,
        ensemble,
        embedding,
        triplet,
        ranking,
        grouped,
        segmentation,
    )
}
