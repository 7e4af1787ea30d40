"""Two rows with their loss, worked out: the numbers in the formula, and what the loss itself gives."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from msgspec import Struct

from losscli.catalog.loss import Choice
from losscli.explanation import formula
from losscli.explanation.curve import CLASSES, values_at
from losscli.numeric.arrays import np

AT_PROBABILITIES, AT_SCORES = (0.8, 0.2), (0.5, -0.5)
"""The two rows of a classification: the probability or score of the true class."""
AGREES = 1e-9
"""How near the formula must come to the loss for its numbers to be shown."""


class Example(Struct, frozen=True):
    """A row by its columns, the formula with its numbers ('' if it is not mere arithmetic), and its loss."""

    row: Mapping[str, float]
    formula: str
    loss: float


class _Row(Struct, frozen=True):
    """A row: its place on the axis of the curve, its target, and its columns.

    `names` are the values that a formula may give its variables, the likelier first.
    """

    at: float
    target: float
    columns: Mapping[str, float]
    names: tuple[Mapping[str, float], ...]


def examples(choice: Choice) -> tuple[Example, ...]:
    """Two rows of a loss that is a mean over rows, each evaluated by the loss itself; none for others."""
    entry = choice.loss
    rows = {"regression": _of_residuals, "binary": _of_labels, "multiclass": _of_classes}.get(entry.task)
    if not entry.has_row_loss or entry.batch.needs or rows is None:
        return ()
    found = []
    for row in rows(choice):
        (loss,) = values_at(choice, np.array([row.at]), row.target)
        if math.isfinite(loss):
            found.append(Example(row.columns, _formula(choice, row, float(loss)), float(loss)))
    return tuple(found)


def _of_residuals(choice: Choice) -> Iterator[_Row]:
    """A prediction that is too high before the tail of the loss, and one that is too low in it."""
    tail = choice.loss.tail
    unit = (choice.params[tail[0]] if tail else 1.0) or 1.0
    small, large = _rounded(0.5 * unit, 1), _rounded(2.0 * unit, 1)
    target = _rounded(1.5 * large, 2)
    for error in (small, -large):
        prediction = target + error
        columns = {"target": target, "prediction": prediction, "e": error}
        yield _Row(
            error, target, columns, ({"e": error, "y": target, "prediction": prediction, "mean": prediction},)
        )


def _rounded(number: float, digits: int) -> float:
    return float(f"{number:.{digits}g}")


def _of_labels(choice: Choice) -> Iterator[_Row]:
    """The same prediction for a row of the positive class and for one of the negative."""
    is_score = choice.loss.batch.axis == "margin"
    places, name = (AT_SCORES, "score") if is_score else (AT_PROBABILITIES, "probability")
    for label, at in zip((1.0, 0.0), places, strict=True):
        # Formulas of margins call the classes -1 and 1, others 0 and 1.
        names = tuple({"y": y, name[0]: places[0]} for y in (label, 2.0 * label - 1.0))
        yield _Row(at, label, {"label": label, name: places[0]}, names)


def _of_classes(choice: Choice) -> Iterator[_Row]:
    """A row whose true class is likely, and one whose true class is not; the others are alike."""
    score = choice.loss.batch.axis == "margin"
    what = f"{'score' if score else 'probability'} of the true class (of {CLASSES})"
    for at in AT_SCORES if score else AT_PROBABILITIES:
        yield _Row(at, 1.0, {what: at}, ({"p_y": at},))


def _formula(choice: Choice, row: _Row, loss: float) -> str:
    """The formula with the numbers of a row, if it comes to the loss that was computed; else nothing."""
    # A weight that is switched off is one.
    switched_off = {name: 1.0 for name, given in choice.params.items() if given is None}
    for own in row.names:
        names = switched_off | formula.numbers(choice) | dict(own)
        for branch in formula.branches(choice.loss):
            found = formula.value(branch.text, names) if branch.holds(names) else None
            if found is not None and math.isclose(float(found), loss, rel_tol=AGREES, abs_tol=AGREES):
                return formula.with_numbers(branch.text, names)
    return ""
