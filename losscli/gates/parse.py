"""The parser of gates such as 'huber[class=cat] <= base + 1%'."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from losscli.errors import Problem, UsageError
from losscli.numeric.ranges import Range
from losscli.report.model import LOSS_NAME
from losscli.text import near, not_one_of

_QUOTED = r'"(?:[^"\\]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"'
_MODEL = r"[a-z]|[^=,\]\"]*[./][^=,\]\"]*?"
"""A letter or a file name; other model names are quoted."""
SEVERITIES = ("error", "warn")
"""The effect of a failed gate: to set the exit status, or only to warn."""
MIN_N = Range(0, whole=True)
"""The range of min_n, the minimum number of rows."""
_FIELDS = {"lo": "ci_low", "hi": "ci_high"}
_HELP = (
    "as in 'huber <= 0.5', 'huber:delta=2[class=cat] < 0.5', 'hi(mae) <= 2', 'n >= 10000', "
    "'gap(mae[region=*]) <= 10%' or 'mae[region=*] <= overall + 10%'; "
    'quote names with brackets or commas: [class="a ] b"]; and expressions: "expr: e**4" <= 2'
)


class Subject(Struct, frozen=True):
    """The number that a gate judges, and the results that it is taken from.

    `losses` are the names that the loss may have in a report, empty for `n`; `params` select one of several
    variants; a column of `cell` without a value selects each of its cells.  `field` is the field of
    Result that holds the number: value, ci_low, ci_high or rows.  `model` is one of several, by name or
    by letter: a is the first.  With `gap`, the number is the largest difference between two of the cells.
    """

    losses: tuple[str, ...]
    params: tuple[tuple[str, str], ...] = ()
    cell: tuple[tuple[str, str | None], ...] = ()
    field: str = "value"
    model: str | None = None
    gap: bool = False


class Limit(Struct, frozen=True):
    """A limit: base * `factor` + `offset` + `percent` of abs(base); without a base, `offset`.

    `model` is the base model, by name or letter; by default the first one.  With `within`, the base is in the
    same report: the value of all rows ("overall"), or that of the rows outside of the slice ("rest").
    """

    offset: float = 0.0
    base: bool = False
    factor: float = 1.0
    percent: float = 0.0
    model: str | None = None
    within: str = ""


class Gate(Struct, frozen=True):
    """A condition on a report; `text` is the gate as written.

    A table in the settings has optional fields: `min_n`, the minimum number of rows of a judged cell, which
    overrides the option of that name; `severity`, which if "warn" leaves the exit status unchanged; and
    `name`, which is shown instead of the text.
    """

    text: str
    subject: Subject
    operator: str
    limit: Limit
    min_n: int | None = None
    severity: str = "error"
    name: str = ""

    def __post_init__(self) -> None:
        """Raise UsageError for values out of range."""
        if self.severity not in SEVERITIES:
            raise UsageError(not_one_of("severity", self.severity, SEVERITIES))
        if not isinstance(self.name, str):
            raise UsageError(f"name must be text, got {self.name!r}")


def _single_name(name: str) -> tuple[str, ...]:
    return (name,)


def parse(text: str, resolve: Callable[[str], tuple[str, ...]] = _single_name) -> Gate:
    """A gate from its text; `resolve` returns the names that a loss may have in a report.

    Raises UsageError, which points at the error, and what `resolve` raises.
    """
    text = re.sub(r"[\t\n\r\f\v]", " ", text.strip())
    subject, position = _subject(text, 0, resolve)
    sign, position = _match(text, position, r"<=|>=|<(?!=)|>(?!=)", "<=, <, >= or >")
    limit, position = _limit(text, position, subject, resolve)
    _match(text, position, r"$", "the end of the gate")
    return Gate(text, subject, sign, limit)


def parse_gate(given: object, resolve: Callable[[str], tuple[str, ...]] = _single_name) -> Gate:
    """A gate from its text, or from a table: `check` is the text, other keys are optional fields of Gate.

    Raises what `parse` raises, and UsageError for a table without `check` or with an unknown key, and for
    other types.
    """
    if isinstance(given, str):
        return parse(given, resolve)
    if not isinstance(given, Mapping):
        raise UsageError(f"a gate must be text or a table, got {given!r}")
    optional = Gate.__struct_fields__[-len(Gate.__struct_defaults__) :]
    known = ["check", *optional]
    if unknown := [key for key in given if key not in known]:
        raise UsageError(
            [Problem(f"a gate has no {key!r}.{near(key, known)}", remedy=", ".join(known)) for key in unknown]
        )
    if not isinstance(check := given.get("check"), str):
        raise UsageError("a gate in a table needs the key check, as in check = 'huber <= 0.5'")
    fields: dict[str, Any] = {key: value for key, value in given.items() if key != "check"}
    if fields.get("min_n") is not None:
        fields["min_n"] = _min_n(fields["min_n"])
    return replace(parse(check, resolve), **fields)


def _min_n(value: object) -> int:
    try:
        return int(MIN_N.parse(value))
    except ValueError:
        raise UsageError(f"min_n must be {MIN_N}, got {value!r}") from None


# Each of these functions takes the text and a start position, and returns what it parsed and its end.


def _subject(text: str, position: int, resolve: Callable[[str], tuple[str, ...]]) -> tuple[Subject, int]:
    bound = re.compile(r"\s*(lo|hi|gap)\s*\(").match(text, position)
    if bound is None:
        return _metric(text, position, resolve)
    metric, end = _metric(text, bound.end(), resolve)
    is_gap = bound[1] == "gap"
    if metric.field == "rows":
        raise _error(text, bound.end(), f"a loss, since n has no {'noise' if is_gap else 'interval'}")
    if is_gap and all(value is not None for _, value in metric.cell):
        raise _error(text, end, "slices to compare, as in gap(mae[region=*])")
    _, end = _match(text, end, r"\)", "a closing )")
    return replace(metric, gap=True) if is_gap else replace(metric, field=_FIELDS[bound[1]]), end


def _metric(text: str, position: int, resolve: Callable[[str], tuple[str, ...]]) -> tuple[Subject, int]:
    name, position = _match(text, position, rf"{_QUOTED}|{LOSS_NAME}", "the name of a loss, or n")
    params: list[tuple[str, str]] = []
    if name != "n" and text.startswith(":", position):
        params, position = _items(text, position + 1, r"[\w-]+", r"[^\s,<>=\[\])\"]+")
        params = [(key.replace("-", "_"), value) for key, value in params]
    model = re.compile(rf"\[\s*({_QUOTED}|{_MODEL})\s*\]").match(text, position)
    if model is not None:
        position = model.end()
    cell: list[tuple[str, str | None]] = []
    if text.startswith("[", position):
        pairs, position = _items(text, position + 1, r"[^=,\]\"]+", r"[^,\]\"]+")
        cell = [(_unquoted(column), None if value == "*" else _unquoted(value)) for column, value in pairs]
        _, position = _match(text, position, r"\]", "a comma or a closing ]")
    model_name = None if model is None else _unquoted(model[1])
    if name == "n":
        return Subject((), (), tuple(cell), "rows", model_name), position
    unquoted_params = [(key, _unquoted(value)) for key, value in params]
    return Subject(resolve(_unquoted(name)), tuple(unquoted_params), tuple(cell), model=model_name), position


def _items(text: str, position: int, name: str, value: str) -> tuple[list[tuple[str, str]], int]:
    """Parse 'name=value,name=value'; names and values may be quoted as in JSON, and keep their quotes."""
    items: dict[str, str] = {}
    while True:
        start = position
        key, position = _match(text, position, f"{_QUOTED}|{name}", "a name")
        _, position = _match(text, position, "=", f"= and a value after {key}")
        if key in items:
            raise _error(text, start, f"{key} only once")
        items[key], position = _match(text, position, f"{_QUOTED}|{value}", f"a value for {key}")
        if not text.startswith(",", position):
            return list(items.items()), position
        position += 1


def _limit(
    text: str, position: int, subject: Subject, resolve: Callable[[str], tuple[str, ...]]
) -> tuple[Limit, int]:
    base, model, within = re.compile(r"\s*(base|overall|rest)\b").match(text, position), None, ""
    if subject.gap:
        return _limit_of_gap(text, position)
    if base is not None:
        end, within = base.end(), "" if base[1] == "base" else base[1]
        if within and not subject.cell:
            raise _error(
                text, position, f"a slice on the left of {within}, as in mae[region=*] <= {within} + 10%"
            )
        if within == "rest" and subject.field == "rows":
            raise _error(text, position, "overall, since n is judged")
    elif re.compile(rf"\s*({_QUOTED}|{LOSS_NAME})\s*[\[:]").match(text, position):
        metric, end = _metric(text, position, resolve)
        if metric.model is None or replace(metric, model=subject.model, cell=subject.cell) != subject:
            raise _error(text, position, "the same loss of another model, as in huber[b] <= huber[a]")
        if metric.cell not in ((), subject.cell):
            raise _error(text, position, "the same cell of the other model, or no cell")
        model = metric.model
    else:
        number, position = _number(text, position, "a number, or base")
        return Limit(number), position
    plain = Limit(base=not within, model=model, within=within)
    sign = re.compile(r"\s*([-+*])").match(text, end)
    if sign is None:
        return plain, end
    number, position = _number(text, sign.end(), "a number")
    if sign[1] == "*":
        return replace(plain, factor=number), position
    number = -number if sign[1] == "-" else number
    if (after := _percent(text, position)) is not None:
        return replace(plain, percent=number), after
    return replace(plain, offset=number), position


def _limit_of_gap(text: str, position: int) -> tuple[Limit, int]:
    """A number, or a percentage of the overall value."""
    number, end = _number(text, position, "a number, or a percentage of the overall value")
    if (after := _percent(text, end)) is not None:
        return Limit(within="overall", factor=0.0, percent=number), after
    return Limit(number), end


def _percent(text: str, position: int) -> int | None:
    """The position after a percent sign that comes next; None without one."""
    return text.index("%", position) + 1 if text[position:].lstrip().startswith("%") else None


def _number(text: str, position: int, what: str) -> tuple[float, int]:
    digits, end = _match(text, position, r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", what)
    if not math.isfinite(float(digits)):
        raise _error(text, position, "a finite number")
    return float(digits), end


def _match(text: str, position: int, pattern: str, what: str) -> tuple[str, int]:
    """Match a pattern and strip the spaces around it.  Raises UsageError, which names `what` was expected."""
    match = re.compile(rf"\s*({pattern})\s*").match(text, position)
    if match is None:
        raise _error(text, position, what)
    return match[1].strip(), match.end()


def _unquoted(name: str) -> str:
    return str(json.loads(name, strict=False)) if name.startswith('"') else name


def _error(text: str, position: int, what: str) -> UsageError:
    position += len(text[position:]) - len(text[position:].lstrip())
    return UsageError(Problem(f"invalid gate: expected {what}", "", _HELP, (text, " " * position + "^")))
