"""The aligned stream: its columns, and what they hold."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from msgspec import Struct, field

from losscli.data.slicing import Slicing

STANDARD_INPUT = "standard input"
"""What messages call the input that is written -."""
PREDICTION_ROW, TARGET_ROW = "p#", "t#"
"""Columns of a joined stream that say in which row of its file each side stands, from 0."""
MATCHED = "matched"
"""The column of a joined stream that is false where a prediction has no target."""

Keys = tuple[tuple[float | str, ...], ...]
"""What puts the columns of a family in their order: the numbers in each name."""


class Roles(Struct, frozen=True, dict=True):
    """Which columns hold what, and what their values mean.

    `predictions` and `targets` are columns of the aligned stream ('p:NAME' and 't:NAME').  `link` says
    what a prediction is: value, probability, logit, log_prob or label.  `target_form` is value, label,
    or matrix (a column a class or label).  `names` are the classes, labels or outputs, in the order of
    the prediction columns.  `eps` is the clip of probabilities, `normalize` rescales rows of them.
    `like` is the library whose conventions hold.
    `conditions` are columns by which rows are left out before they are evaluated, `slicings` the ways to
    cut the others into slices, `group` the column that tells which rows are evaluated together, `cluster` the
    column of those whose noise is shared.
    `parts` say which columns each batch reads, in tasks whose batches name theirs; `widths` are the
    lengths of lists and arrays, by column.
    """

    task: str
    predictions: tuple[str, ...]
    targets: tuple[str, ...]
    link: str = "value"
    target_form: str = "value"
    names: tuple[str, ...] = ()
    weight: str | None = None
    ids: tuple[str, ...] = ()
    class_weight: tuple[float, ...] | None = None
    ignore_label: str | None = None
    eps: float = 0.0
    normalize: bool = False
    like: str | None = None
    drop_missing: bool = False
    drop_unmatched: bool = False
    files: tuple[str, str] = ("", "")
    conditions: tuple[str, ...] = ()
    slicings: tuple[Slicing, ...] = ()
    group: str | None = None
    cluster: str | None = None
    parts: tuple[Part, ...] = ()
    widths: Mapping[str, int] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is read, once."""
        others = filter(None, (self.weight, self.group, self.cluster))
        return tuple(dict.fromkeys((*self.predictions, *self.targets, *others, *self.ids)))

    @cached_property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """The columns in groups of one type, which are read together."""
        weight = (self.weight,) if self.weight else ()
        group = (self.group,) if self.group else ()
        arrays = [own for part in self.parts for own in part.arrays.values()]
        sides = dict.fromkeys(arrays or (self.predictions, self.targets))
        cluster = (self.cluster,) if self.cluster else ()
        return tuple(filter(None, (*sides, weight, group, cluster, *self.id_groups)))

    @cached_property
    def id_groups(self) -> tuple[tuple[str, ...], ...]:
        """The key columns, each by itself."""
        return tuple((name,) for name in self.ids)

    @property
    def read(self) -> tuple[str, ...]:
        """Every column that is read, once: those that are evaluated, those of conditions and of slices."""
        slices = [column for slicing in self.slicings for column in slicing.columns]
        return tuple(dict.fromkeys((*self.columns, *self.conditions, *slices)))

    def place(self, *columns: str) -> str:
        """Where columns of one side stand, in words: 'preds.csv, column p'."""
        shown = ", ".join(column[2:] for column in columns[:8]) + (", ..." if len(columns) > 8 else "")
        file = self.files[columns[0].startswith("t:")]
        return f"{file}, column{'s' if len(columns) > 1 else ''} {shown}"


class Part(Struct, frozen=True):
    """The columns of one Named batch: for each field its columns of the aligned stream.

    `keys` are the numbers in the names of a family's columns, in their order.  `cells` name what the batch
    comes in several of: one for each quantile level; empty where there is one.
    """

    batch: type[Any]
    arrays: Mapping[str, tuple[str, ...]]
    keys: Mapping[str, Keys] = field(default_factory=dict)
    cells: tuple[str, ...] = ()
