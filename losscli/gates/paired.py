"""Gates on models compared on the same rows."""

from __future__ import annotations

import math
import string
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from losscli.gates.parse import Gate
from losscli.report.model import Comparison, Report, Result, Verdict
from losscli.text import near


def by_model(gate: Gate, report: Report) -> Iterator[tuple[str | None, Report | Verdict]]:
    """The models that a gate judges, each with its part of the report, or an error verdict.

    A gate that names no model judges all of them; one that refers to the base, all but the base.
    """
    names = list(dict.fromkeys(result.model for result in report.results if result.model is not None))
    wanted, base = gate.subject.model, gate.limit.model
    if not names:
        asked = [name for name in (wanted, base) if name is not None]
        yield None, _error(gate, f"no model {asked[0]!r}: the report is of one") if asked else report
        return
    found = [_named(name, names) for name in (wanted, base) if name is not None]
    if unknown := [name for name in found if name not in names]:
        known = ", ".join(f"{letter} is {name}" for letter, name in zip(_LETTERS, names, strict=False))
        yield None, _error(gate, f"no model {unknown[0]!r}.{near(unknown[0], names)} {known}")
        return
    first = names[0] if base is None else _named(base, names)
    judged = names if wanted is None else [_named(wanted, names)]
    if gate.limit.base:
        judged = [name for name in judged if name != first]
    if not judged:
        # A gate that judged nothing must not pass.
        yield None, _error(gate, f"{first} is the base: it would be judged against itself")
    for name in judged:
        results = tuple(replace(r, model=None) for r in report.results if r.model == name)
        pairs = tuple(pair for each in report.comparisons if (pair := _between(each, first, name)))
        yield name, replace(report, results=results, comparisons=pairs)


_LETTERS = string.ascii_lowercase


def _error(gate: Gate, reason: str) -> Verdict:
    return Verdict(gate.text, "error", reason=reason)


def _named(name: str, names: Sequence[str]) -> str:
    """A model by its name or letter."""
    place = _LETTERS.find(name) if len(name) == 1 else -1
    return names[place] if name not in names and 0 <= place < len(names) else name


def _between(each: Comparison, a: str, b: str) -> Comparison | None:
    """The comparison as that of b with a; None if it is of other models."""
    if (each.a, each.b) == (a, b):
        return each
    if (each.b, each.a) != (a, b):
        return None
    return replace(
        each,
        a=a,
        b=b,
        value_a=each.value_b,
        value_b=each.value_a,
        se_a=each.se_b,
        se_b=each.se_a,
        difference=None if each.difference is None else -each.difference,
        ci_low=None if each.ci_high is None else -each.ci_high,
        ci_high=None if each.ci_low is None else -each.ci_low,
    )


def base_of(pair: Comparison) -> Result:
    """The first model of a comparison as a result."""
    return Result(
        loss=pair.loss,
        params=pair.params,
        cell=pair.cell,
        value=pair.value_a,
        se=pair.se_a,
        rows=pair.rows,
        weight=pair.weight,
        notes=pair.notes,
    )


def error(pair: Comparison, slope: float) -> float | None:
    """The standard error of value_b - slope value_a; None if one is missing.

    The covariance of both follows from the variance of their difference.
    """
    if pair.se is None or pair.se_a is None or pair.se_b is None:
        return None
    a, b, d = pair.se_a**2, pair.se_b**2, pair.se**2
    return math.sqrt(max(0.0, (1 - slope) * b + (slope * slope - slope) * a + slope * d))
