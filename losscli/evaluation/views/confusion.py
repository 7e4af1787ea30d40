"""The confusion matrix of classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from losscli.evaluation.views.base import ChartBlock, Drawing, Table, plain, ratio
from losscli.numeric.arrays import Array
from losscli.report.charts import Chart
from losscli.states.counts import Counts

MOST_CLASSES = 20
"""Maximum number of classes whose confusion is shown in full; with more, the number of errors shown."""


def pairs(block: ChartBlock, actual: Array, predicted: Array, classes: int) -> Counts:
    """The counts of the pairs of true and predicted class (n,), numbered actual * classes + predicted."""
    numbers = actual.astype(np.int64) * classes + predicted.astype(np.int64)
    every = block.every
    return Counts.of(block.xp, every(numbers), every.counted)


def confusion(drawing: Drawing, names: Sequence[str], numbers: Array, table: Table) -> Chart:
    """The confusion matrix of pairs (m,) of true and predicted class, numbered as by `pairs`."""
    classes = len(names)
    actual, predicted = numbers // classes, numbers % classes
    total = np.bincount(actual, table.weight, classes)
    if classes <= MOST_CLASSES:
        cells = table.grouped(numbers, classes * classes)
        actual, predicted = np.divmod(np.arange(classes * classes), classes)
    else:
        wrong = np.flatnonzero(actual != predicted)
        at = wrong[np.argsort(-table.weight[wrong], kind="stable")[:MOST_CLASSES]]
        cells, actual, predicted = table[at], actual[at], predicted[at]
    columns = {
        "actual": [names[place] for place in actual.tolist()],
        "predicted": [names[place] for place in predicted.tolist()],
        **drawing.counted(cells),
        "share": plain(ratio(cells.weight, total[actual])),
    }
    return drawing.chart("confusion", columns)
