"""The formula in the docstring of a loss, with numbers: 'e^2 / 2' becomes '0.5^2 / 2' for e = 0.5.

Formulas are written for people: |e| is an absolute value, ^ a power, and products have no operator.
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
"""The variables of formulas and their columns in an expression: error, target, and prediction."""
_TOKEN_PATTERN = re.compile(r"(\s*)(\d+\.?\d*|[A-Za-z_]\w*|<=|>=|.)")
_CLAUSE = re.compile(r"^l = (.*?)\.?$")
_REMARK = re.compile(r"[,;] (?:with|where|over|times|and) .*$|; .*$")
_EITHER = re.compile(r"(.+?) if (.+?), else (.+)")


class Branch(Struct, frozen=True):
    """A formula of a piecewise loss, and the condition under which it holds, negated for the second one."""

    text: str
    condition: str = ""
    negated: bool = False

    def holds(self, names: Mapping[str, float]) -> bool:
        """Whether the condition holds for a row with these values of variables and parameters."""
        if not self.condition:
            return True
        met = value(self.condition, names)
        return met is not None and bool(met) != self.negated


def branches(entry: Loss) -> tuple[Branch, ...]:
    """The formula as one branch, or as two if it says 'a if condition, else b'."""
    match = _CLAUSE.match(" ".join(entry.formula.split()))
    if match is None:
        return ()
    text = _REMARK.sub("", match[1])
    if (cases := _EITHER.fullmatch(text)) is None:
        return (Branch(text),)
    first, condition, second = cases.groups()
    return Branch(first, condition), Branch(second, condition, negated=True)


def numbers(choice: Choice) -> dict[str, float]:
    """The numeric parameters of a loss."""
    return {
        name: float(value)
        for name, value in choice.params.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


class _Token(Struct, frozen=True):
    """A token of a formula: the space before it, its text, and whether it begins or ends a factor."""

    space: str
    text: str
    begins: bool
    ends: bool


def _tokens(text: str) -> list[_Token]:
    """The tokens of a formula; an opening '|' becomes '|(' and a closing one '|)'."""
    tokens, is_open = [], False
    for space, symbol in _TOKEN_PATTERN.findall(text):
        if symbol == "|":
            is_open = not is_open
            tokens.append(_Token(space, "|(" if is_open else "|)", is_open, not is_open))
            continue
        is_factor = symbol[0].isalnum()
        tokens.append(
            _Token(
                space,
                symbol,
                is_factor or symbol == "(",
                (is_factor and not _is_function(symbol)) or symbol == ")",
            )
        )
    return tokens


def _is_function(token: str) -> bool:
    return token in expression.FUNCTIONS


def _factors(text: str) -> list[_Token]:
    """The tokens of a formula, with an operator for each product."""
    tokens: list[_Token] = []
    for token in _tokens(text):
        if tokens and tokens[-1].ends and token.begins:
            tokens.append(_Token(" ", "*", False, False))
            token = _Token(" ", token.text, token.begins, token.ends)
        tokens.append(token)
    return tokens


_PYTHON = {"^": "**", "|(": "abs(", "|)": ")"}


def _word(text: str, names: Mapping[str, float | Array]) -> str:
    """A token of a formula in the syntax of expressions."""
    if text not in names:
        return _PYTHON.get(text, text)
    return f"({VARIABLES[text] if text in VARIABLES else repr(names[text])})"


def value(text: str, names: Mapping[str, float | Array]) -> Array | None:
    """The value of a formula for its variables and parameters; None if it is not plain arithmetic.

    Variables may be arrays; the result has their shape.
    """
    words = [_word(token.text, names) for token in _factors(text)]
    columns = {VARIABLES[name]: np.asarray(number) for name, number in names.items() if name in VARIABLES}
    # A branch may be constant, but an expression must name a column.
    columns |= {"w": np.zeros(())}
    try:
        with np.errstate(all="ignore"):
            return expression.parse(f"{' '.join(words)} + w")(np, columns)
    except (UsageError, KeyError):
        return None


def with_numbers(text: str, names: Mapping[str, float]) -> str:
    """A formula with numbers for its variables and parameters: '1 * (|-2| - 1 / 2)'."""
    result, previous = "", ""
    for token in _factors(text):
        symbol = token.text[0] if token.text in ("|(", "|)") else token.text
        if token.text in names:
            number = f"{names[token.text]:g}"
            symbol = f"({number})" if number.startswith("-") and previous != "|(" else number
        result += token.space + symbol
        previous = token.text
    return result.strip()
