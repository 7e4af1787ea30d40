"""The formula of a loss, as its docstring writes it, with numbers: 'e^2 / 2' is '0.5^2 / 2' for e = 0.5.

Formulas are written for people: |e| for a size, ^ for a power, and no sign for a product.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from losscli.catalog.custom import expression
from losscli.catalog.loss import Choice, Loss
from losscli.errors import UsageError
from losscli.numeric.arrays import Array, np

VARIABLES = {"e": "e", "y": "y", "p": "p", "prediction": "p", "mean": "p", "s": "p"}
"""What formulas call the columns of an expression: error, target, and the prediction by several names."""
_TOKEN = re.compile(r"(\s*)(\d+\.?\d*|[A-Za-z_]\w*|<=|>=|.)")
_CLAUSE = re.compile(r"^l = (.*?)\.?$")
_REMARK = re.compile(r"[,;] (?:with|where|over|times|and) .*$|; .*$")
_EITHER = re.compile(r"(.+?) if (.+?), else (.+)")


class Branch(Struct, frozen=True):
    """One of the two formulas of a loss, and the condition under which it holds; negated for the second."""

    text: str
    condition: str = ""
    negated: bool = False

    def holds(self, names: Mapping[str, float]) -> bool:
        """Whether it is the one for a row with these values of its variables and parameters."""
        if not self.condition:
            return True
        met = value(self.condition, names)
        return met is not None and bool(met) != self.negated


def branches(entry: Loss) -> tuple[Branch, ...]:
    """The formula as one branch, or as two if it says 'a if condition, else b'."""
    found = _CLAUSE.match(" ".join(entry.formula.split()))
    if found is None:
        return ()
    text = _REMARK.sub("", found[1])
    if (either := _EITHER.fullmatch(text)) is None:
        return (Branch(text),)
    first, condition, second = either.groups()
    return Branch(first, condition), Branch(second, condition, negated=True)


def numbers(choice: Choice) -> dict[str, float]:
    """The parameters of a loss that are numbers."""
    return {
        name: float(given)
        for name, given in choice.params.items()
        if isinstance(given, int | float) and not isinstance(given, bool)
    }


class _Piece(Struct, frozen=True):
    """A part of a formula: the space before it, its text, and whether it begins or ends a factor."""

    space: str
    text: str
    begins: bool
    ends: bool


def _pieces(text: str) -> list[_Piece]:
    """The parts of a formula; an opening '|' is '|(' and a closing one '|)'."""
    pieces, is_open = [], False
    for space, token in _TOKEN.findall(text):
        if token == "|":
            is_open = not is_open
            pieces.append(_Piece(space, "|(" if is_open else "|)", is_open, not is_open))
            continue
        factor = token[0].isalnum()
        pieces.append(
            _Piece(space, token, factor or token == "(", (factor and not _is_function(token)) or token == ")")
        )
    return pieces


def _is_function(token: str) -> bool:
    return token in expression.FUNCTIONS


def _factors(text: str) -> list[_Piece]:
    """The parts of a formula, with a sign for each product."""
    pieces: list[_Piece] = []
    for piece in _pieces(text):
        if pieces and pieces[-1].ends and piece.begins:
            pieces.append(_Piece(" ", "*", False, False))
            piece = _Piece(" ", piece.text, piece.begins, piece.ends)
        pieces.append(piece)
    return pieces


_PYTHON = {"^": "**", "|(": "abs(", "|)": ")"}


def _word(text: str, names: Mapping[str, float | Array]) -> str:
    """A part of a formula as an expression writes it."""
    if text not in names:
        return _PYTHON.get(text, text)
    return f"({VARIABLES[text] if text in VARIABLES else repr(names[text])})"


def value(text: str, names: Mapping[str, float | Array]) -> Array | None:
    """A formula with the values of its variables and parameters; None for one that is not mere arithmetic.

    Variables may be arrays; the result has their shape.
    """
    words = [_word(piece.text, names) for piece in _factors(text)]
    columns = {VARIABLES[name]: np.asarray(given) for name, given in names.items() if name in VARIABLES}
    # A branch may be a constant, and an expression has to name a column.
    columns |= {"w": np.zeros(())}
    try:
        with np.errstate(all="ignore"):
            return expression.parse(f"{' '.join(words)} + w")(np, columns)
    except (UsageError, KeyError):
        return None


def with_numbers(text: str, names: Mapping[str, float]) -> str:
    """A formula with numbers for its variables and parameters: '1 * (|-2| - 1 / 2)'."""
    written, before = "", ""
    for piece in _factors(text):
        shown = piece.text[0] if piece.text in ("|(", "|)") else piece.text
        if piece.text in names:
            number = f"{names[piece.text]:g}"
            shown = f"({number})" if number.startswith("-") and before != "|(" else number
        written += piece.space + shown
        before = piece.text
    return written.strip()
