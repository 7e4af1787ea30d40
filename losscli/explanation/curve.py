"""The curve of a loss: its value for one row as a function of the residual, the probability or the margin.

It is computed by the loss itself on synthetic rows, which are read like those of a file.
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
"""The classes of a multiclass curve: those that are not true share the remaining probability."""
BESIDE = {
    ("regression", "residual"): ("mean_squared_error", "mean_absolute_error"),
    ("binary", "probability"): ("binary_cross_entropy", "brier"),
    ("binary", "margin"): ("soft_margin", "zero_one"),
    ("multiclass", "probability"): ("categorical_cross_entropy", "multiclass_brier"),
    ("multiclass", "margin"): ("categorical_cross_entropy", "multiclass_zero_one"),
}
"""The losses with which a curve of a task and an axis is compared."""
HALF_SQUARE = "half_squared_error"
"""Replaces the squared error if a loss is half of it near zero."""
AXES = {
    "residual": "residual: prediction - target",
    "probability": "probability of the true class",
    "margin": "margin of the score",
}
_PROBES = (-3.25, -1.5, -0.375, -0.125, 0.0, 0.125, 0.375, 1.5, 3.25)


class Curve(Struct, frozen=True):
    """A line of a drawing: its label, and its value at each place."""

    label: str
    values: tuple[float, ...]


class Drawing(Struct, frozen=True):
    """The curves of a loss and of those that it is compared with, at evenly spaced places."""

    axis: str
    low: float
    high: float
    own: tuple[Curve, ...]
    beside: tuple[Curve, ...]


def has_curve(choice: Choice) -> bool:
    """Whether the loss is a mean over rows, whose losses depend only on their place on an axis."""
    entry = choice.loss
    if not entry.has_row_loss or (entry.task, entry.batch.axis) not in BESIDE:
        return False
    if entry.batch.axis != "residual":
        return True
    # Sums and differences of these numbers are exact: a loss of the residual gives the same bits.
    at = np.array(_PROBES)
    return all(
        np.array_equal(values_at(choice, at, target=0.0), values_at(choice, at, target=t))
        for t in (1.0, 64.0)
    )


def drawing(choice: Choice, samples: int, reach: float | None = None) -> Drawing | None:
    """The curves of a loss at a number of places, or None if it has none.

    `reach` is the largest residual or margin drawn; by default it follows from the parameters.
    """
    if not has_curve(choice):
        return None
    axis = choice.loss.batch.axis
    low, high = (0.0, 1.0) if axis == "probability" else (-1.0, 1.0)
    if axis != "probability":
        reach = reach or _reach(choice)
        low, high = -reach, reach
    at = low + (np.arange(samples) + 0.5) * ((high - low) / samples)
    own = [_curve(str(choice), choice, at)]
    if choice.loss.task == "binary":
        other = _curve(f"{choice}, of the negative class", choice, at, target=0.0)
        if not np.allclose(own[0].values, other.values):
            own = [replace(own[0], label=f"{choice}, of the positive class"), other]
    return Drawing(axis, low, high, tuple(own), _branches(choice, at) or _compared(choice, at))


def _branches(choice: Choice, at: Array) -> tuple[Curve, ...]:
    """The two formulas of a loss of residuals, each drawn over the whole axis; none if it has one."""
    names = formula.numbers(choice) | {"e": at, "prediction": at, "y": np.zeros(len(at))}
    found = formula.branches(choice.loss)
    if choice.loss.batch.axis != "residual" or len(found) < 2 or "e" not in found[0].text:
        return ()
    values = [formula.value(each.text, names) for each in found]
    return tuple(
        Curve(each.text, tuple(np.broadcast_to(own, at.shape).tolist()))
        for each, own in zip(found, values, strict=True)
        if own is not None
    )


def _compared(choice: Choice, at: Array) -> tuple[Curve, ...]:
    """The curves of well-known losses of the same task and axis."""
    names = BESIDE[choice.loss.task, choice.loss.batch.axis]
    if names[0] == "mean_squared_error" and _is_half_square(choice):
        names = (HALF_SQUARE, *names[1:])
    known = [registry.choose(registry.find(name)[0], {}, {}) for name in names]
    link = _link(choice.loss)
    return tuple(_curve(str(other), other, at, link=link) for other in known if other.loss is not choice.loss)


def _is_half_square(choice: Choice) -> bool:
    """Whether a loss is half the squared error near zero."""
    if choice.loss.name == HALF_SQUARE:
        return False
    near = np.array([-1e-3, 1e-3])
    return bool(np.allclose(values_at(choice, near), 0.5 * near**2, rtol=0.02))


def _reach(choice: Choice) -> float:
    """Twice the largest parameter: far enough to show the shape of the curve."""
    numbers = [v for v in choice.params.values() if isinstance(v, int | float) and not isinstance(v, bool)]
    return max(4.0, 2.0 * max(map(abs, numbers), default=0.0))


def _curve(label: str, choice: Choice, at: Array, target: float = 1.0, link: str = "") -> Curve:
    return Curve(label, tuple(values_at(choice, at, target, link).tolist()))


def _link(entry: Loss) -> str:
    """What the predictions of a loss are, by its axis, or else by its task."""
    axis = entry.batch.axis or ("residual" if entry.task == "regression" else "probability")
    return {"residual": "value", "probability": "probability", "margin": "logit"}[axis]


def values_at(choice: Choice, at: Array, target: float = 1.0, link: str = "") -> Array:
    """The loss (n,) of rows at these places (n,) with this target, if the task has one."""
    link = link or _link(choice.loss)
    made = {"regression": _regression, "binary": _binary, "multiclass": _multiclass}[choice.loss.task]
    columns, roles = made(at, target, link)
    block = Block(pl.DataFrame(columns), 0, roles)
    task = TASKS[choice.loss.task]
    with np.errstate(all="ignore"):
        rows = task.read(block, np, frozenset([choice.loss.batch]), task.pilot(block))
        (part,) = rows.parts[choice.loss.batch]
        (values,) = choice.loss.columns(part, choice.params)
    return values


Made = tuple[Mapping[str, Array], Roles]


def _regression(at: Array, target: float, link: str) -> Made:
    return {"p:x": at + target, "t:y": np.full(len(at), target)}, Roles(
        "regression", ("p:x",), ("t:y",), link, names=("x",)
    )


def _binary(at: Array, target: float, link: str) -> Made:
    opposite = -at if link == "logit" else 1.0 - at
    return {"p:x": at if target else opposite, "t:y": np.full(len(at), target)}, Roles(
        "binary", ("p:x",), ("t:y",), link, names=("0", "1")
    )


def _multiclass(at: Array, target: float, link: str) -> Made:
    """The first class is true; the others share the rest equally."""
    rest = np.zeros(len(at)) if link == "logit" else (1.0 - at) / (CLASSES - 1)
    names = tuple(map(str, range(CLASSES)))
    columns = {f"p:{name}": at if name == "0" else rest for name in names}
    roles = Roles("multiclass", tuple(columns), ("t:y",), link, target_form="label", names=names)
    return columns | {"t:y": np.zeros(len(at), dtype=np.int64)}, roles
