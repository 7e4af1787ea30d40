"""The curve of a loss: its value for one row as a function of the residual, the probability or the margin.

The loss itself computes it on synthetic rows, which are read like those of a file.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from losscli.catalog import registry
from losscli.catalog.loss import Choice, Loss
from losscli.data.stream import Roles
from losscli.explanation import formula
from losscli.numeric.arrays import Array, np, pl
from losscli.tasks.block import Block
from losscli.tasks.catalog import TASKS

CLASSES = 3
"""The number of classes of a multiclass curve; all but the true one share the remaining probability."""
REFERENCE_LOSSES = {
    ("regression", "residual"): ("mean_squared_error", "mean_absolute_error"),
    ("binary", "probability"): ("binary_cross_entropy", "brier"),
    ("binary", "margin"): ("soft_margin", "zero_one"),
    ("multiclass", "probability"): ("categorical_cross_entropy", "multiclass_brier"),
    ("multiclass", "margin"): ("categorical_cross_entropy", "multiclass_zero_one"),
}
"""The losses that a curve is compared with, by task and axis."""
HALF_SQUARE = "half_squared_error"
"""Replaces the squared error as the reference of a loss that is half of it near zero."""
AXES = {
    "residual": "residual: prediction - target",
    "probability": "probability of the true class",
    "margin": "margin of the score",
}
_PROBES = (-3.25, -1.5, -0.375, -0.125, 0.0, 0.125, 0.375, 1.5, 3.25)


class Curve(Struct, frozen=True):
    """A line of a drawing: its label, and its values."""

    label: str
    values: tuple[float, ...]


class Drawing(Struct, frozen=True):
    """The curves of a loss and of its references, at evenly spaced positions between two bounds."""

    axis: str
    low: float
    high: float
    own: tuple[Curve, ...]
    beside: tuple[Curve, ...]


def has_curve(choice: Choice) -> bool:
    """Whether the loss is a mean of row losses that depend only on the position of a row on the axis."""
    entry = choice.loss
    if not entry.has_row_loss or (entry.task, entry.batch.axis) not in REFERENCE_LOSSES:
        return False
    if entry.batch.axis != "residual":
        return True
    # Sums and differences of these numbers are exact: a function of the residual returns identical bits.
    positions = np.array(_PROBES)
    return all(
        np.array_equal(values_at(choice, positions, target=0.0), values_at(choice, positions, target=t))
        for t in (1.0, 64.0)
    )


def drawing(choice: Choice, samples: int, reach: float | None = None) -> Drawing | None:
    """The curves of a loss at `samples` positions; None if it has no curve.

    `reach` is the largest residual or margin; by default it follows from the parameters.
    """
    if not has_curve(choice):
        return None
    axis = choice.loss.batch.axis
    low, high = (0.0, 1.0) if axis == "probability" else (-1.0, 1.0)
    if axis != "probability":
        reach = reach or _reach(choice)
        low, high = -reach, reach
    positions = low + (np.arange(samples) + 0.5) * ((high - low) / samples)
    curves = [_curve(str(choice), choice, positions)]
    if choice.loss.task == "binary":
        negative = _curve(f"{choice}, of the negative class", choice, positions, target=0.0)
        if not np.allclose(curves[0].values, negative.values):
            curves = [replace(curves[0], label=f"{choice}, of the positive class"), negative]
    return Drawing(
        axis, low, high, tuple(curves), _branches(choice, positions) or _references(choice, positions)
    )


def _branches(choice: Choice, positions: Array) -> tuple[Curve, ...]:
    """The curves of both formulas of a piecewise loss of residuals, over the whole axis; () for others."""
    names = formula.numbers(choice) | {"e": positions, "prediction": positions, "y": np.zeros(len(positions))}
    branches = formula.branches(choice.loss)
    if choice.loss.batch.axis != "residual" or len(branches) < 2 or "e" not in branches[0].text:
        return ()
    values = [formula.value(branch.text, names) for branch in branches]
    return tuple(
        Curve(branch.text, tuple(np.broadcast_to(branch_values, positions.shape).tolist()))
        for branch, branch_values in zip(branches, values, strict=True)
        if branch_values is not None
    )


def _references(choice: Choice, positions: Array) -> tuple[Curve, ...]:
    """The reference curves: well-known losses of the same task and axis."""
    names = REFERENCE_LOSSES[choice.loss.task, choice.loss.batch.axis]
    if names[0] == "mean_squared_error" and _is_half_square(choice):
        names = (HALF_SQUARE, *names[1:])
    choices = [registry.choose(registry.find(name)[0], {}, {}) for name in names]
    link = _link(choice.loss)
    return tuple(
        _curve(str(reference), reference, positions, link=link)
        for reference in choices
        if reference.loss is not choice.loss
    )


def _is_half_square(choice: Choice) -> bool:
    """Whether a loss is half the squared error near zero."""
    if choice.loss.name == HALF_SQUARE:
        return False
    positions = np.array([-1e-3, 1e-3])
    return bool(np.allclose(values_at(choice, positions), 0.5 * positions**2, rtol=0.02))


def _reach(choice: Choice) -> float:
    """The default reach: twice the largest parameter, to show the shape of the curve."""
    numbers = [v for v in choice.params.values() if isinstance(v, int | float) and not isinstance(v, bool)]
    return max(4.0, 2.0 * max(map(abs, numbers), default=0.0))


def _curve(label: str, choice: Choice, positions: Array, target: float = 1.0, link: str = "") -> Curve:
    return Curve(label, tuple(values_at(choice, positions, target, link).tolist()))


def _link(entry: Loss) -> str:
    """The type of predictions of a loss, by its axis, or else by its task."""
    axis = entry.batch.axis or ("residual" if entry.task == "regression" else "probability")
    return {"residual": "value", "probability": "probability", "margin": "logit"}[axis]


def values_at(choice: Choice, positions: Array, target: float = 1.0, link: str = "") -> Array:
    """The row losses (n,) at these positions (n,) on the axis, for a target if the task has one."""
    link = link or _link(choice.loss)
    make_columns = {"regression": _regression, "binary": _binary, "multiclass": _multiclass}[choice.loss.task]
    columns, roles = make_columns(positions, target, link)
    block = Block(pl.DataFrame(columns), 0, roles)
    task = TASKS[choice.loss.task]
    with np.errstate(all="ignore"):
        rows = task.read(block, np, frozenset([choice.loss.batch]), task.pilot(block))
        (part,) = rows.parts[choice.loss.batch]
        (values,) = choice.loss.columns(part, choice.params)
    return values


Columns = tuple[Mapping[str, Array], Roles]


def _regression(positions: Array, target: float, link: str) -> Columns:
    return {"p:x": positions + target, "t:y": np.full(len(positions), target)}, Roles(
        "regression", ("p:x",), ("t:y",), link, names=("x",)
    )


def _binary(positions: Array, target: float, link: str) -> Columns:
    opposite = -positions if link == "logit" else 1.0 - positions
    return {"p:x": positions if target else opposite, "t:y": np.full(len(positions), target)}, Roles(
        "binary", ("p:x",), ("t:y",), link, names=("0", "1")
    )


def _multiclass(positions: Array, target: float, link: str) -> Columns:
    """The columns of rows whose first class is true; the other classes share the rest equally."""
    other = np.zeros(len(positions)) if link == "logit" else (1.0 - positions) / (CLASSES - 1)
    names = tuple(map(str, range(CLASSES)))
    columns = {f"p:{name}": positions if name == "0" else other for name in names}
    roles = Roles("multiclass", tuple(columns), ("t:y",), link, target_form="label", names=names)
    return columns | {"t:y": np.zeros(len(positions), dtype=np.int64)}, roles
