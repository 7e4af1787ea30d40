"""Gates on models compared on the same rows."""

from __future__ import annotations

import math
import string
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from losscli.gates.parse import Gate
from losscli.report.model import Comparison, Report, Result, Verdict, representatives
from losscli.text import near


def by_model(gate: Gate, report: Report) -> Iterator[tuple[str | None, Report | Verdict]]:
    """The models that a gate judges, each with its part of the report; or an error verdict.

    A gate that names no model judges all of them; with a limit relative to the base, all but the base.
    """
    models_of_results = (result.model for result in representatives(report.results))
    names = list(dict.fromkeys(name for name in models_of_results if name is not None))
    model, base_model = gate.subject.model, gate.limit.model
    if not names:
        models = [name for name in (model, base_model) if name is not None]
        yield None, _error(gate, f"no model {models[0]!r}: the report has only one") if models else report
        return
    requested = [_model_name(name, names) for name in (model, base_model) if name is not None]
    if unknown := [name for name in requested if name not in names]:
        known = ", ".join(f"{letter} is {name}" for letter, name in zip(_LETTERS, names, strict=False))
        yield None, _error(gate, f"no model {unknown[0]!r}.{near(unknown[0], names)} {known}")
        return
    first = names[0] if base_model is None else _model_name(base_model, names)
    judged = names if model is None else [_model_name(model, names)]
    if gate.limit.base:
        judged = [name for name in judged if name != first]
    if not judged:
        # A gate that judged nothing must not pass.
        yield None, _error(gate, f"{first} is the base: it would be judged against itself")
    for name in judged:
        results = tuple(replace(r, model=None) for r in report.results if r.model == name)
        pairs = tuple(
            pair for comparison in report.comparisons if (pair := _between(comparison, first, name))
        )
        yield name, replace(report, results=results, comparisons=pairs)


_LETTERS = string.ascii_lowercase


def _error(gate: Gate, reason: str) -> Verdict:
    return Verdict(gate.text, "error", reason=reason)


def _model_name(name: str, names: Sequence[str]) -> str:
    """The name of a model that is given by its name or letter."""
    index = _LETTERS.find(name) if len(name) == 1 else -1
    return names[index] if name not in names and 0 <= index < len(names) else name


def _between(comparison: Comparison, a: str, b: str) -> Comparison | None:
    """The comparison, oriented as b against a; None if it is between other models."""
    if (comparison.a, comparison.b) == (a, b):
        return comparison
    if (comparison.b, comparison.a) != (a, b):
        return None
    return replace(
        comparison,
        a=a,
        b=b,
        value_a=comparison.value_b,
        value_b=comparison.value_a,
        se_a=comparison.se_b,
        se_b=comparison.se_a,
        difference=None if comparison.difference is None else -comparison.difference,
        ci_low=None if comparison.ci_high is None else -comparison.ci_high,
        ci_high=None if comparison.ci_low is None else -comparison.ci_low,
    )


def base_of(pair: Comparison) -> Result:
    """The result of the first model of a comparison."""
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
    """The standard error of value_b - slope * value_a; None if a standard error is missing.

    The covariance of both values follows from the variance of their difference.
    """
    if pair.se is None or pair.se_a is None or pair.se_b is None:
        return None
    a, b, d = pair.se_a**2, pair.se_b**2, pair.se**2
    return math.sqrt(max(0.0, (1 - slope) * b + (slope * slope - slope) * a + slope * d))
