"""The columns of the aligned stream and their roles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from losscli.data.numbers import Spelling
from losscli.data.slicing import Slicing
from losscli.numeric.cached import cached_property
from losscli.numeric.ranges import Range

STANDARD_INPUT = "standard input"
"""What messages call the input -."""
PREDICTION_ROW, TARGET_ROW = "p#", "t#"
"""Columns of a joined stream: the row of each side in its own file, from 0."""
NO_ROW = -1
"""The number of a row that has none, as the rows of a cluster, which are in no order."""
MATCHED = "matched"
"""The column of a joined stream that is false if a prediction has no target."""

ALL_ROWS = "all#"
"""The group column of a stream whose rows are one group: it is in no file."""

Keys = tuple[tuple[float | str, ...], ...]
"""The sort keys of the columns of a family: the numbers in each name."""


class Roles(Struct, frozen=True, dict=True):
    """The roles of columns, and the meaning of their values.

    `predictions` and `targets` are columns of the aligned stream ('p:NAME' and 't:NAME').  `link` is the
    kind of prediction: value, probability, logit, log_prob or label.  `target_form` is value, label, or
    matrix (one column per class or label).  `names` are the classes, labels or outputs, in the order of the
    prediction columns.  `eps` is the clip of probabilities, and `clips` says whether a loss may clip them;
    `normalize` rescales each row of them to sum to one, and `like` is the library whose conventions apply.
    `held` are the types of floating-point numbers in which files hold predictions and targets.  Class weights
    are divided by `class_unit`, a power of two, where they weigh rows; with `spreads_class_weight` each part
    of a soft or smoothed label has the weight of its own class, else all of it the weight of the most
    probable class.
    `conditions` are the columns that --where reads, `slicings` the ways to cut rows into slices, `group` the
    column of rows that are evaluated together, ALL_ROWS if these are all rows, `cluster` the column of rows
    with correlated noise.
    Errors are divided by the column `scale`, or by those of the forecast in the column `naive`.
    `parts` are the columns of each batch, in tasks whose batches name theirs; `widths` are the lengths of
    lists and arrays, by column.  `spellings` say how the text of predictions and of targets writes numbers.
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
    class_unit: float = 1.0
    spreads_class_weight: bool = True
    ignore_label: str | None = None
    eps: float = 0.0
    clips: bool = False
    held: tuple[str, str] = ("float64", "float64")
    normalize: bool = False
    like: str | None = None
    drop_missing: bool = False
    drop_unmatched: bool = False
    drop_undefined: bool = False
    files: tuple[str, str] = ("", "")
    conditions: tuple[str, ...] = ()
    slicings: tuple[Slicing, ...] = ()
    group: str | None = None
    cluster: str | None = None
    scale: str | None = None
    naive: str | None = None
    parts: tuple[Part, ...] = ()
    widths: Mapping[str, int] = field(default_factory=dict)
    spellings: tuple[Spelling, Spelling] = (Spelling(), Spelling())

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """The columns that hold numbers, or lists of them; in text formats their values are parsed."""
        predictions = () if self.link == "label" else self.predictions
        targets = () if self.target_form == "label" else self.targets
        weight = (self.weight,) if self.weight else ()
        binned = [column for slicing in self.slicings for column in slicing.binned]
        found = dict.fromkeys((*predictions, *targets, *weight, *self.scales, *binned))
        return tuple(column for column in found if column not in self.texts)

    @property
    def notes_clips(self) -> bool:
        """Whether probabilities that are clipped are counted."""
        return self.clips and self.link == "probability" and self.eps > 0

    @property
    def by_time(self) -> dict[str, str]:
        """The unit of time of each column of dates, as the files name them."""
        return {name: unit for slicing in self.slicings for name, unit in slicing.by_time.items()}

    @cached_property
    def units(self) -> tuple[tuple[str, str], ...]:
        """The columns of dates that cut rows into slices, each with its unit of time."""
        return tuple(dict.fromkeys(own for slicing in self.slicings for own in slicing.units))

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The columns that are evaluated as text."""
        return tuple(dict.fromkeys(column for part in self.parts for column in part.texts))

    @property
    def scales(self) -> tuple[str, ...]:
        """The columns that scale errors."""
        return tuple(filter(None, (self.scale, self.naive)))

    @property
    def row_factors(self) -> tuple[float, ...] | None:
        """By what each class multiplies the weight of its rows, in units."""
        weights = self.class_weight
        return None if weights is None else tuple(weight / self.class_unit for weight in weights)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is read, once."""
        others = filter(None, (self.weight, *self.group_columns, self.cluster))
        own = (*self.predictions, *self.targets, *others, *self.scales, *self.ids)
        return tuple(dict.fromkeys(own))

    @cached_property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """The columns in groups of one role, each of which is read together."""
        weight = (self.weight,) if self.weight else ()
        group = self.group_columns
        arrays = [own for part in self.parts for own in part.arrays.values()]
        sides = dict.fromkeys(arrays or (self.predictions, self.targets))
        cluster = (self.cluster,) if self.cluster else ()
        scales = ((name,) for name in self.scales)
        return tuple(filter(None, (*sides, weight, group, cluster, *scales, *self.id_groups)))

    @property
    def group_columns(self) -> tuple[str, ...]:
        """The column of groups; none if all rows are one group."""
        return (self.group,) if self.group and self.group != ALL_ROWS else ()

    @cached_property
    def id_groups(self) -> tuple[tuple[str, ...], ...]:
        """The key columns, each by itself."""
        return tuple((name,) for name in self.ids)

    @property
    def read(self) -> tuple[str, ...]:
        """Every column that is read, once: those that are evaluated, and those of conditions and slices."""
        slices = [column for slicing in self.slicings for column in slicing.columns]
        return tuple(dict.fromkeys((*self.columns, *self.conditions, *slices)))

    def place(self, *columns: str) -> str:
        """The place of columns of one side in messages: 'preds.csv, column p'."""
        shown = ", ".join(column[2:] for column in columns[:8]) + (", ..." if len(columns) > 8 else "")
        file = self.files[columns[0].startswith("t:")]
        return f"{file}, column{'s' if len(columns) > 1 else ''} {shown}"


class Part(Struct, frozen=True):
    """The columns of one Named batch: for each field its columns of the aligned stream.

    `keys` are the numbers in the names of a family's columns, in their order.  `cells` names the cells of
    the batch, such as one per quantile level; empty if there is only one.  `variances` are the fields whose
    column holds the square of their numbers.  `ranges` replace those of fields.  `classes` are those that
    the names of columns hold, with the weight of each in `class_weight`, None for ones.  `texts` are the
    columns that hold text.
    """

    batch: type[Any]
    arrays: Mapping[str, tuple[str, ...]]
    keys: Mapping[str, Keys] = field(default_factory=dict)
    cells: tuple[str, ...] = ()
    variances: tuple[str, ...] = ()
    ranges: Mapping[str, Range] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    class_weight: tuple[float, ...] | None = None
    texts: tuple[str, ...] = ()


def row_name(row: int, ids: str) -> str:
    """The name of a row in messages: 'row 17 (id p017)', or its key alone if it has no number."""
    if row == NO_ROW:
        return ids
    return f"row {row + 1}" + (f" ({ids})" if ids else "")
