"""Losses by expression: 'expr: where(abs(e) < 1, e**2 / 2, abs(e) - 0.5)'.

The text is parsed, and its tree is evaluated on all rows of a block at once, never as Python code.  The tree
may contain only what is listed here: no attributes, no calls except of `FUNCTIONS`, no names except of
columns and `CONSTANTS`, no text; its size and depth are limited.
"""

from __future__ import annotations

import ast
import math
import re
import warnings
from collections.abc import Callable, Mapping
from functools import partial, reduce

from msgspec import Struct

from losscli.catalog.loss import Loss
from losscli.errors import Problem, UsageError
from losscli.numeric.arrays import Array, Namespace
from losscli.numeric.special import softplus, xlogy
from losscli.states import reductions
from losscli.tasks.variables import NAMES, BinaryVariables, RegressionVariables, Variables
from losscli.text import DEEPEST, LONGEST, near

Value = Callable[[Namespace, Mapping[str, Array]], Array]
"""A function from the columns by name, each (n,), to a number or an array (n,)."""

CONSTANTS = {"pi": math.pi}


class Function(Struct, frozen=True):
    """A function of `minimum` to `maximum` arguments, which are numbers or arrays (n,)."""

    minimum: int
    maximum: int
    call: Callable[..., Array]


def _array_function(name: str, count: int = 1) -> Function:
    """The function of the array library with that name."""
    return Function(count, count, lambda xp, *values: getattr(xp, name)(*values))


def _reduced(function: Callable[..., Array]) -> Callable[..., Array]:
    """A function of two arguments, applied to any number of them."""
    return lambda xp, *values: reduce(partial(function, xp), values)


def _array_reduction(name: str) -> Function:
    """The array function of two arguments with that name, applied to any number of them."""
    return Function(2, 20, _reduced(lambda xp, a, b: getattr(xp, name)(a, b)))


def _where(xp: Namespace, condition: Array, value: Array, otherwise: Array) -> Array:
    return xp.where(xp.asarray(condition) != 0, value, otherwise)


def _clip(xp: Namespace, x: Array, low: Array, high: Array) -> Array:
    return xp.minimum(xp.maximum(x, low), high)


FUNCTIONS: Mapping[str, Function] = {
    "where": Function(3, 3, _where),
    "abs": _array_function("abs"),
    "min": _array_reduction("minimum"),
    "max": _array_reduction("maximum"),
    "minimum": _array_reduction("minimum"),
    "maximum": _array_reduction("maximum"),
    "clip": Function(3, 3, _clip),
    "sign": _array_function("sign"),
    "floor": _array_function("floor"),
    "ceil": _array_function("ceil"),
    "sqrt": _array_function("sqrt"),
    "cbrt": _array_function("cbrt"),
    "exp": _array_function("exp"),
    "expm1": _array_function("expm1"),
    "log": _array_function("log"),
    "log1p": _array_function("log1p"),
    "log2": _array_function("log2"),
    "log10": _array_function("log10"),
    "logaddexp": _array_function("logaddexp", 2),
    "softplus": Function(1, 1, softplus),
    "xlogy": Function(2, 2, lambda xp, x, y: xlogy(xp, xp.asarray(x), y)),
    "hypot": _array_function("hypot", 2),
    "sin": _array_function("sin"),
    "cos": _array_function("cos"),
    "tan": _array_function("tan"),
    "arcsin": _array_function("arcsin"),
    "arccos": _array_function("arccos"),
    "arctan": _array_function("arctan"),
    "sinh": _array_function("sinh"),
    "cosh": _array_function("cosh"),
    "tanh": _array_function("tanh"),
}
"""The functions that an expression may call."""


def _power(xp: Namespace, base: Array, exponent: Array) -> Array:
    # Two Python floats would raise on overflow; an array to the power of a float is the fast path.
    return xp.asarray(base) ** exponent


_OPERATORS: Mapping[type[ast.AST], Callable[..., Array]] = {
    ast.Add: lambda xp, a, b: xp.add(a, b),
    ast.Sub: lambda xp, a, b: xp.subtract(a, b),
    ast.Mult: lambda xp, a, b: xp.multiply(a, b),
    ast.Div: lambda xp, a, b: xp.true_divide(a, b),
    ast.FloorDiv: lambda xp, a, b: xp.floor_divide(a, b),
    ast.Mod: lambda xp, a, b: xp.remainder(a, b),
    ast.Pow: _power,
    ast.UAdd: lambda xp, a: a,
    ast.USub: lambda xp, a: xp.negative(a),
}
_LOGIC: Mapping[type[ast.AST], Callable[..., Array]] = {
    ast.Lt: lambda xp, a, b: xp.less(a, b),
    ast.LtE: lambda xp, a, b: xp.less_equal(a, b),
    ast.Gt: lambda xp, a, b: xp.greater(a, b),
    ast.GtE: lambda xp, a, b: xp.greater_equal(a, b),
    ast.Eq: lambda xp, a, b: xp.equal(a, b),
    ast.NotEq: lambda xp, a, b: xp.not_equal(a, b),
    ast.And: lambda xp, a, b: xp.logical_and(a, b),
    ast.Or: lambda xp, a, b: xp.logical_or(a, b),
    ast.Not: lambda xp, a: xp.logical_not(a),
}
_INSTEAD: Mapping[type[ast.AST], str] = {
    ast.BitXor: "** for powers; ^ is not an operator",
    ast.BitAnd: "'and' between conditions: & is not known here",
    ast.BitOr: "'or' between conditions: | is not known here",
    ast.Invert: "'not' before a condition: ~ is not known here",
    ast.IfExp: "where(condition, value, otherwise) in place of if and else",
    ast.Attribute: "a function by its name alone, as in log(p): there are no attributes",
}
"""What to write instead of Python syntax that is not supported."""


def find(text: str) -> tuple[Loss, ...]:
    """The losses of 'expr: ...' or 'name = expr: ...', one per task; empty for any other text.

    Raises UsageError, which points at what is invalid.
    """
    named = split(text)
    if named is None:
        return ()
    name, source = named
    unnamed = f"expr: {source}"
    if name != unnamed and not re.fullmatch(r"[A-Za-z_]\w*", name):
        raise UsageError(f"{text.strip()!r}: a name is one word", remedy="as in 'tail = expr: abs(e) > 3'")
    value = parse(source)
    request = unnamed if name == unnamed else f"{name} = {unnamed}"
    return tuple(_loss(name, request, value, kind) for kind in (RegressionVariables, BinaryVariables))


def named(text: str, task: str) -> Loss:
    """The loss of an expression for one task."""
    (entry,) = (entry for entry in find(text) if entry.task == task)
    return entry


def split(text: str) -> tuple[str, str] | None:
    """The name (by default 'expr: ' and the expression) and the expression; None for any other text."""
    match = re.fullmatch(r"\s*(?:([^=:]*?)\s*=\s*)?expr\s*:(.*)", text, flags=re.DOTALL)
    if match is None:
        return None
    source = " ".join(match[2].split())
    return f"expr: {source}" if match[1] is None else match[1], source


def _loss(name: str, request: str, value: Value, kind: type[Variables]) -> Loss:
    def evaluated(batch: Variables) -> Array:
        # The mean of a condition is the fraction of rows that meet it.
        return 1.0 * value(batch.xp, batch.named)

    evaluated.__annotations__["batch"] = kind
    evaluated.__doc__ = (
        f"A loss by expression.\n\nl = {request.partition('expr: ')[2]}.\n\nThe request itself"
    )
    origin = (named, (request, kind.task))
    return Loss(name, (), evaluated, reductions.mean, None, False, origin, request=request)


def parse(text: str) -> Value:
    """The value of an expression as a function.  Raises UsageError, which points at what is wrong."""
    if len(text) > LONGEST:
        raise _error(text[:60] + "...", 0, f"at most {LONGEST} characters, got {len(text)}")
    if "#" in text:
        raise _error(text, text.index("#"), "no comment")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # syntax that Python only warns about (1or 2) is invalid too
            tree = ast.parse(text, mode="eval")
    except SyntaxError as error:
        at = min(error.offset - 1, len(text)) if error.offset else len(text)
        raise _error(text, at, f"an expression ({error.msg})") from None
    except (ValueError, MemoryError, RecursionError):
        raise _error(text, 0, "less nesting") from None
    value = _Parser(text).value(tree.body)
    if not any(isinstance(node, ast.Name) and node.id in NAMES for node in ast.walk(tree)):
        raise _error(text, 0, "one of y, p, e and w: this is the same in every row")
    return value


class _Parser:
    """Converts the nodes of one expression to functions."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._depth = 0

    def value(self, node: ast.expr) -> Value:
        """The function of a node.  Raises UsageError for a node that is not listed."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._error(node, f"at most {DEEPEST} levels of nesting")
        match node:
            case ast.Constant():
                value = self._constant(node)
            case ast.Name():
                value = self._name(node)
            case ast.Call():
                value = self._call(node)
            case ast.BinOp(op=op) if type(op) not in _OPERATORS:
                raise self._error(node.left, _INSTEAD.get(type(op), "another operator"), after=True)
            case ast.BinOp(left=left, op=op, right=right):
                value = self._numeric(op, left, right)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                value = _composed(_LOGIC[ast.Not], [self.value(operand)])
            case ast.UnaryOp(op=op, operand=operand) if type(op) in _OPERATORS:
                value = self._numeric(op, operand)
            case ast.BoolOp(op=op, values=values):
                value = _composed(_reduced(_LOGIC[type(op)]), [self.value(operand) for operand in values])
            case ast.Compare():
                value = self._comparison(node)
            case ast.Attribute():
                raise self._error(node.value, _INSTEAD[ast.Attribute], after=True)
            case ast.UnaryOp(op=op):
                raise self._error(node, _INSTEAD[type(op)])
            case _:
                raise self._error(node)
        self._depth -= 1
        return value

    def _constant(self, node: ast.Constant) -> Value:
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            raise self._error(node)
        try:
            number = float(node.value)
        except OverflowError:
            number = math.inf
        if math.isinf(number):
            raise self._error(node, "a number that a float can hold")
        return lambda xp, columns: number

    def _name(self, node: ast.Name) -> Value:
        name = node.id
        if name in CONSTANTS:
            return lambda xp, columns: CONSTANTS[name]
        if name in NAMES:
            return lambda xp, columns: columns[name]
        if name in FUNCTIONS:
            raise self._error(node, f"arguments: {name}(...) is a function")
        raise self._error(node, f"a name that is known, not {name}.{near(name, [*FUNCTIONS, *CONSTANTS])}")

    def _call(self, node: ast.Call) -> Value:
        if not isinstance(node.func, ast.Name):
            self.value(node.func)
            raise self._error(node.func, "a function's name before the (")
        name = node.func.id
        if name not in FUNCTIONS:
            raise self._error(node.func, f"a function that is known, not {name}.{near(name, FUNCTIONS)}")
        if node.keywords:
            raise self._error(node.keywords[0].value, "arguments without names")
        function, count = FUNCTIONS[name], len(node.args)
        low, high = function.minimum, function.maximum
        if not low <= count <= high:
            wanted = f"{low}" if low == high else f"{low} to {high}"
            plural = "" if wanted == "1" else "s"
            raise self._error(node, f"{wanted} argument{plural} of {name}, got {count}")
        return _composed(function.call, [_number(self.value(argument)) for argument in node.args])

    def _numeric(self, operator: ast.AST, *operands: ast.expr) -> Value:
        return _composed(_OPERATORS[type(operator)], [_number(self.value(operand)) for operand in operands])

    def _comparison(self, node: ast.Compare) -> Value:
        operands = [self.value(operand) for operand in (node.left, *node.comparators)]
        pairs: list[Value] = []
        for i, operator in enumerate(node.ops):
            if type(operator) not in _LOGIC:
                before = (node.left, *node.comparators)[i]
                raise self._error(before, "one of < <= > >= == !=", after=True)
            pairs.append(_composed(_LOGIC[type(operator)], operands[i : i + 2]))
        return _composed(_reduced(_LOGIC[ast.And]), pairs)

    def _error(self, node: ast.expr, what: str | None = None, after: bool = False) -> UsageError:
        """The error at the first character of a node, or at the first character after it."""
        bytes_before = node.end_col_offset if after else node.col_offset  # of UTF-8
        at = len(self._text.encode()[:bytes_before].decode())
        if after:
            rest = self._text[at:]
            at += len(rest) - len(rest.lstrip(" )"))
        default = "a number, y, p, e, w, an operator or a function"
        return _error(self._text, at, what or _INSTEAD.get(type(node), default))


def _composed(function: Callable[..., Array], values: list[Value]) -> Value:
    return lambda xp, columns: function(xp, *(value(xp, columns) for value in values))


def _number(value: Value) -> Value:
    """The value as numbers: a condition becomes 1 or 0, so that the sum of two can be 2."""

    def number(xp: Namespace, columns: Mapping[str, Array]) -> Array:
        result = value(xp, columns)
        return result if isinstance(result, float) or result.dtype.kind != "b" else result * 1.0

    return number


def _error(text: str, at: int, what: str) -> UsageError:
    functions = ", ".join(FUNCTIONS)
    help_text = f"""y is the target, p the prediction, e = p - y, w the weight, pi a number;
     operators: + - * / // % ** < <= > >= == != and or not;
     functions: {functions}"""
    return UsageError(Problem(f"invalid expression: expected {what}", "", help_text, (text, " " * at + "^")))
