"""Two worked examples: rows with the formula in numbers, and with the loss that the code computes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from msgspec import Struct

from losscli.catalog.loss import Choice
from losscli.explanation import formula
from losscli.explanation.curve import CLASSES, values_at
from losscli.numeric.arrays import np

AT_PROBABILITIES, AT_SCORES = (0.8, 0.2), (0.5, -0.5)
"""The probabilities or scores of the true class in the two examples of a classification."""
TOLERANCE = 1e-9
"""The tolerance within which the formula must agree with the loss to be shown."""


class Example(Struct, frozen=True):
    """The columns of a row, the formula with its numbers ('' if it is not plain arithmetic), and its loss."""

    row: Mapping[str, float]
    formula: str
    loss: float


class _Row(Struct, frozen=True):
    """A row: its position on the axis of the curve, its target, and its columns.

    `names` are candidates for the values of a formula's variables, the most likely first.
    """

    position: float
    target: float
    columns: Mapping[str, float]
    names: tuple[Mapping[str, float], ...]


def examples(choice: Choice) -> tuple[Example, ...]:
    """Two examples of a loss that is a mean over rows; () for other losses."""
    entry = choice.loss
    rows = {"regression": _of_residuals, "binary": _of_labels, "multiclass": _of_classes}.get(entry.task)
    if not entry.has_row_loss or entry.batch.needs or rows is None:
        return ()
    worked = []
    for row in rows(choice):
        (loss,) = values_at(choice, np.array([row.position]), row.target)
        if math.isfinite(loss):
            worked.append(Example(row.columns, _formula(choice, row, float(loss)), float(loss)))
    return tuple(worked)


def _of_residuals(choice: Choice) -> Iterator[_Row]:
    """A prediction that is too high by less than the tail of the loss begins, and one too low within it."""
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
    """The same prediction for a row of the positive class and for one of the negative class."""
    is_score = choice.loss.batch.axis == "margin"
    predictions, name = (AT_SCORES, "score") if is_score else (AT_PROBABILITIES, "probability")
    for label, position in zip((1.0, 0.0), predictions, strict=True):
        # Formulas of margins encode the classes as -1 and 1, others as 0 and 1.
        names = tuple({"y": y, name[0]: predictions[0]} for y in (label, 2.0 * label - 1.0))
        yield _Row(position, label, {"label": label, name: predictions[0]}, names)


def _of_classes(choice: Choice) -> Iterator[_Row]:
    """A row whose true class is likely, and one whose true class is not; other classes are equal."""
    is_score = choice.loss.batch.axis == "margin"
    column = f"{'score' if is_score else 'probability'} of the true class (of {CLASSES})"
    for position in AT_SCORES if is_score else AT_PROBABILITIES:
        yield _Row(position, 1.0, {column: position}, ({"p_y": position},))


def _formula(choice: Choice, row: _Row, loss: float) -> str:
    """The formula with the numbers of a row, if its value agrees with the computed loss; else ''."""
    # A weight that is switched off equals 1.
    switched_off = {name: 1.0 for name, value in choice.params.items() if value is None}
    for variables in row.names:
        names = switched_off | formula.numbers(choice) | dict(variables)
        for branch in formula.branches(choice.loss):
            result = formula.value(branch.text, names) if branch.holds(names) else None
            if result is not None and math.isclose(float(result), loss, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
                return formula.with_numbers(branch.text, names)
    return ""
