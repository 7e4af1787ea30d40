"""Judge a report by gates: the estimate decides, and its standard error says how certain the verdict is."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from losscli.errors import Status
from losscli.gates import paired, within
from losscli.gates.parse import Gate, Limit
from losscli.gates.select import results
from losscli.numeric.independent import Error
from losscli.numeric.student import normalised, quantile
from losscli.report.model import Comparison, Outcome, Report, Result, Verdict, by_columns, cell_name

OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}


class Rules(Struct, frozen=True):
    """How gates are judged.

    A weak verdict is unsure with `confident`, and fails with `strict`.  A cell with fewer than `min_n` rows
    is skipped: shown but not judged.  With `skips_base`, a gate that refers to a missing baseline is skipped
    too.
    """

    confident: bool = False
    strict: bool = False
    min_n: int = 0
    skips_base: bool = False

    @property
    def sure(self) -> bool:
        """Whether weak verdicts are not accepted."""
        return self.confident or self.strict


PLAIN = Rules()
"""Every cell is judged, and weak verdicts are accepted."""


class _Assessment(Struct, frozen=True):
    """A verdict on the estimate alone, with the noise of value - limit: `se` with `df` degrees of freedom.

    `errors` are the standard errors below and above the value, which differ for skewed losses.
    """

    verdict: Verdict
    se: float | None = None
    df: float = math.inf
    level: float | None = None
    errors: tuple[float, float] = (0.0, 0.0)
    exact: bool = False

    def side(self, below: bool, level: float | None) -> float:
        """The distance from the value to the lower or the upper end of the interval at a level."""
        return self.errors[0 if below else 1] * _deviate(level, self.df)


_Key: TypeAlias = tuple[object, ...]
"""A loss with its parameters, followed by the cell if there is one."""


class _References(Struct, frozen=True):
    """What limits may refer to: overall results by loss, results and comparisons by loss and cell."""

    overall: Mapping[_Key, Result]
    bases: Mapping[_Key, Result]
    pairs: Mapping[_Key, Comparison]

    def overall_of(self, result: Result) -> Result | None:
        """The overall result of the same loss."""
        return self.overall.get(_loss_key(result))


def _deviate(level: float | None, df: float) -> float:
    """The two-sided quantile of Student's t distribution; 1 if the interval of a report has no level."""
    return 1.0 if level is None else quantile(level, df)


def judge(
    gates: Iterable[Gate], report: Report, base: Report | None = None, rules: Rules = PLAIN
) -> tuple[Verdict, ...]:
    """The verdicts of the gates on a report, one per cell that a gate selects.

    A limit that refers to `base` is the value of the same loss and cell in that report, taken as an
    independent sample: the variances add up.  If the report itself compares models on the same rows, the base
    is the first model, and the noise is that of paired rows.  Several cells of one gate are judged by the
    method of Holm (1979), doi:10.2307/4615733, which controls the probability that any of their verdicts is
    wrongly not weak.  The bounds lo and hi are those of the report.
    """
    return tuple(
        _as_severe(gate, replace(verdict, model=name, name=gate.name))
        for gate in gates
        for name, part in paired.by_model(gate, report)
        for verdict in ([part] if isinstance(part, Verdict) else _judge(gate, part, base, rules))
    )


def _as_severe(gate: Gate, verdict: Verdict) -> Verdict:
    """The verdict, in which the failure of a gate that only warns becomes a warning."""
    if gate.severity == "warn" and verdict.status in ("fail", "error"):
        return replace(verdict, status="warn")
    return verdict


def status(verdicts: Iterable[Verdict]) -> Status:
    """The exit status of verdicts: an error outweighs a failure, and unsure is a warning."""
    statuses = {verdict.status for verdict in verdicts}
    if statuses - {"pass", "fail", "unsure", "skipped", "warn"}:
        return Status.DATA
    return Status.GATE_FAILED if "fail" in statuses else Status.OK


def _judge(gate: Gate, report: Report, base: Report | None, rules: Rules) -> Sequence[Verdict]:
    if gate.min_n is not None:
        rules = replace(rules, min_n=gate.min_n)
    limit = _fixed(gate.limit)
    selected = results(gate.subject, report.results)
    if gate.limit.base and base is None and not report.comparisons:
        selected = "no baseline"
        if rules.skips_base:
            return [Verdict(gate.text, "skipped", reason="no baseline yet")]
    if isinstance(selected, str):
        return [Verdict(gate.text, "error", limit=limit, reason=selected)]
    min_n, too_few = 0 if gate.subject.field == "rows" else rules.min_n, f"fewer than {rules.min_n} rows"
    enough = [result for result in selected if result.rows >= min_n]
    if not enough:
        # A gate that judged nothing must not pass.
        return [_unjudged(gate, result, too_few, "error") for result in selected]
    references = _references(gate, report, base)
    if gate.subject.gap:
        assessment = _assess_gap(gate, selected, enough, references)
        return [_verdict(assessment, bool(_weak(gate, [assessment])), rules)]
    assessments = [
        _assess(gate, result, references)
        if result.rows >= min_n
        else _Assessment(_unjudged(gate, result, too_few, "skipped"))
        for result in selected
    ]
    weak = _weak(gate, assessments)
    return [_verdict(assessment, index in weak, rules) for index, assessment in enumerate(assessments)]


def _references(gate: Gate, report: Report, base: Report | None) -> _References:
    """What the limit may refer to: the base, the comparisons with the first model, or the overall values."""
    overall = {_loss_key(result): result for result in reversed(report.overall)}
    if not gate.limit.base:
        return _References(overall, {}, {})
    columns = [column for column, _ in gate.subject.cell]
    bases = () if base is None else by_columns(base.results, columns)
    return _References(
        overall,
        {_key(result): result for result in bases},
        {_key(comparison): comparison for comparison in reversed(report.comparisons)},
    )


def _key(result: Result | Comparison) -> _Key:
    return *_loss_key(result), tuple(sorted(result.cell.items()))


def _loss_key(result: Result | Comparison) -> _Key:
    return result.loss, tuple(sorted((name, repr(value)) for name, value in result.params.items()))


def _unjudged(gate: Gate, result: Result, reason: str, status: Outcome) -> Verdict:
    limit = _fixed(gate.limit)
    value = _finite(getattr(result, gate.subject.field))
    return Verdict(gate.text, status, dict(result.cell), value=value, limit=limit, reason=reason)


def _assess(gate: Gate, result: Result, references: _References) -> _Assessment:
    value = getattr(result, gate.subject.field)
    unjudged = _unjudged(gate, result, "", "error")
    if value is None:
        missing = "no value" if result.value is None else "no interval"
        reasons = [str(note) for note in result.notes]
        if not reasons or not reasons[0].startswith(missing):
            reasons.insert(0, missing)
        return _Assessment(replace(unjudged, reason=": ".join(reasons)))
    if not math.isfinite(value):
        # A report holds finite numbers only, and every comparison with NaN is false.
        return _Assessment(replace(unjudged, value=None, reason=f"the value is {value}"))
    if gate.limit.within:
        return _assess_within(gate, result, float(value), references.overall_of(result))
    base, limit, pair = None, gate.limit.offset, None
    if gate.limit.base:
        base = references.bases.get(_key(result))
        if base is None:
            pair = references.pairs.get(_key(result))
            base = None if pair is None else paired.base_of(pair)
        if base is None:
            cell = cell_name(result.cell)
            reason = f"the base has no {result.loss} with these parameters{' in ' + cell if cell else ''}"
            return _Assessment(replace(unjudged, reason=reason))
        base_value = _finite(base.rows if gate.subject.field == "rows" else base.value)
        if base_value is None:
            return _Assessment(
                replace(unjudged, reason=": ".join(["the base has no value", *map(str, base.notes)]))
            )
        limit = _limit(gate.limit, base_value)
        unjudged = replace(unjudged, base=base_value)
        if not math.isfinite(limit):
            return _Assessment(replace(unjudged, reason=f"the limit is {limit}"))
    status = "pass" if OPERATORS[gate.operator](value, limit) else "fail"
    verdict = replace(unjudged, status=status, value=float(value), limit=float(limit))
    if gate.subject.field != "value":
        return _Assessment(verdict, exact=True)
    if pair is not None:
        return _against_pair(verdict, pair, _slope(gate.limit, pair.value_a or 0.0))
    if base is not None:
        return _against_sample(verdict, result, base, gate.limit)
    return _Assessment(verdict, result.se, result.df or math.inf, result.level, _errors(result))


def _fixed(limit: Limit) -> float | None:
    """A limit that is a number; None if it depends on a value."""
    return None if limit.base or limit.within else limit.offset


def _assess_within(gate: Gate, result: Result, value: float, overall: Result | None) -> _Assessment:
    """The verdict on a slice against all rows of the same report, or against the rest of them."""
    unjudged, kind = _unjudged(gate, result, "", "error"), gate.limit.within
    if overall is None or overall.value is None:
        return _Assessment(replace(unjudged, reason="the report has no overall value"))
    counts_rows = gate.subject.field == "rows"
    base, base_error = float(overall.rows if counts_rows else overall.value), within.error_of(overall)
    if kind == "rest":
        if (rest := within.rest_of(result, overall)) is None:
            reason = "the rest does not follow from the values of this loss: compare with overall"
            if within.has_all_rows(result, overall):
                reason = "no rows are outside of this slice"
            return _Assessment(replace(unjudged, reason=reason))
        base, base_error = rest
    limit, slope = _limit(gate.limit, base), _slope(gate.limit, base)
    status: Outcome = "pass" if OPERATORS[gate.operator](value, limit) else "fail"
    verdict = replace(unjudged, status=status, value=value, limit=limit, base=base)
    if gate.subject.field != "value":
        return _Assessment(verdict, exact=True)
    error_of_slice = within.error_of(result)
    if error_of_slice is None or base_error is None:
        return _Assessment(verdict)
    share = result.weight / overall.weight if overall.weight else 1.0
    if within.has_all_rows(result, overall):
        error = error_of_slice.times(1 - slope)
    elif share >= 1:  # outputs and labels are no parts of the rows
        error = error_of_slice.minus_correlated(base_error.times(slope))
    elif kind == "overall":
        error = within.against_all(error_of_slice, base_error, share, slope)
    else:
        error = error_of_slice.minus(base_error.times(slope))
    return _Assessment(verdict, error.se, error.df, result.level, (error.below, error.above))


def _assess_gap(
    gate: Gate, selected: Sequence[Result], judged: Sequence[Result], references: _References
) -> _Assessment:
    """The verdict on the gap between the selected cells that are judged, since they have enough rows."""
    unjudged = Verdict(gate.text, "error", limit=_fixed(gate.limit))
    missing = [cell_name(r.cell) for r in judged if r.value is None or not math.isfinite(r.value)]
    if missing:
        return _Assessment(replace(unjudged, reason=f"no value in {missing[0]}"))
    if len(judged) < 2:
        suffix = " with enough rows" if len(judged) < len(selected) else ""
        return _Assessment(replace(unjudged, reason=f"fewer than two slices{suffix}, which have no gap"))
    limit, overall = gate.limit.offset, references.overall_of(judged[0])
    if gate.limit.within:
        if overall is None or overall.value is None:
            return _Assessment(replace(unjudged, reason="the report has no overall value"))
        limit = _limit(gate.limit, overall.value)
    level = judged[0].level
    gap = within.gap(judged, level, within.share_rows(judged, overall))
    status: Outcome = "pass" if OPERATORS[gate.operator](gap.value, limit) else "fail"
    reason = f"from {cell_name(gap.low.cell)} to {cell_name(gap.high.cell)}"
    verdict = replace(unjudged, status=status, value=gap.value, limit=limit, reason=reason)
    if gap.error is None:
        return _Assessment(verdict)
    deviate = _deviate(level, gap.error.df)
    errors = (gap.value - gap.ends[0]) / deviate, (gap.ends[1] - gap.value) / deviate
    return _Assessment(verdict, gap.error.se, gap.error.df, level, errors)


def _errors(estimate: Result | Comparison) -> tuple[float, float]:
    """The standard errors below and above a value or a difference, from the ends of its interval."""
    value = estimate.value if isinstance(estimate, Result) else estimate.difference
    if value is None or estimate.ci_low is None or estimate.ci_high is None:
        return 0.0, 0.0
    deviate = _deviate(estimate.level, estimate.df or math.inf)
    return (value - estimate.ci_low) / deviate, (estimate.ci_high - value) / deviate


def _against_pair(verdict: Verdict, pair: Comparison, slope: float) -> _Assessment:
    """The verdict with the noise of value - limit, for a base on the same rows, whose noise cancels."""
    se = paired.error(pair, slope)
    # The skewness is that of the difference itself; the width follows from the slope of the limit.
    ratio = se / pair.se if se is not None and pair.se else 1.0
    below, above = _errors(pair)
    return _Assessment(verdict, se, pair.df or math.inf, pair.level, (below * ratio, above * ratio))


def _limit(limit: Limit, base: float) -> float:
    return limit.factor * base + limit.percent / 100 * abs(base) + limit.offset


def _slope(limit: Limit, base: float) -> float:
    """The derivative of the limit with respect to the base."""
    return limit.factor + limit.percent / 100 * math.copysign(1.0, base)


def _against_sample(verdict: Verdict, result: Result, base: Result, limit: Limit) -> _Assessment:
    """The verdict with the noise of value - limit, for a base that is an independent sample."""
    new, old = _error(result), _error(base)
    if new is None or old is None:
        return _Assessment(verdict)
    error = new.minus(old.times(_slope(limit, verdict.base or 0.0)))
    return _Assessment(verdict, error.se, error.df, result.level, (error.below, error.above))


def _error(result: Result) -> Error | None:
    if result.se is None:
        return None
    return Error(result.se, result.df or math.inf, *_errors(result))


def _weak(gate: Gate, assessments: Sequence[_Assessment]) -> set[int]:
    """The indices of the verdicts whose interval contains the limit."""
    decided = [i for i, assessment in enumerate(assessments) if assessment.verdict.status in ("pass", "fail")]
    noisy = sorted(
        (i for i in decided if any(assessments[i].errors)), key=lambda i: -_distance(assessments[i])
    )
    for step, index in enumerate(noisy):
        cell = assessments[index]
        if not _is_far(cell, len(noisy)) and _contains_limit(gate, cell, len(noisy) - step):
            return set(noisy[step:])
    return set()


def _distance(assessment: _Assessment) -> float:
    """The distance of value and limit, on the scale of the normal distribution."""
    errors = _distance_in_errors(assessment)
    return normalised(errors, assessment.df) if max(errors, assessment.df) < math.inf else errors


def _distance_in_errors(assessment: _Assessment) -> float:
    """The distance of value and limit in standard errors."""
    gap = (assessment.verdict.value or 0.0) - (assessment.verdict.limit or 0.0)
    if not gap:
        return 0.0  # also of an end of the range, beyond which there is no noise
    error = assessment.errors[0 if gap > 0 else 1]
    return abs(gap) / error if error else math.inf  # without noise, no interval contains the limit


def _is_far(assessment: _Assessment, cells: int) -> bool:
    """Whether an interval that is at least as wide as that for any number up to `cells` excludes the limit.

    It has fewer degrees of freedom, a power of two, so that many cells share a quantile: one takes as long as
    all else about a cell.
    """
    fewer_df = math.ldexp(0.5, math.frexp(assessment.df)[1])
    return _distance_in_errors(assessment) > _deviate(_adjusted(assessment.level, cells), fewer_df)


def _adjusted(level: float | None, cells: int) -> float | None:
    """The level for one of this number of cells."""
    return None if level is None else 1.0 - (1.0 - level) / cells


def _contains_limit(gate: Gate, assessment: _Assessment, cells: int) -> bool:
    """Whether the interval contains the limit, at a level adjusted for this number of cells."""
    value, limit = assessment.verdict.value or 0.0, assessment.verdict.limit or 0.0
    level = _adjusted(assessment.level, cells)
    holds = OPERATORS[gate.operator]
    low, high = value - assessment.side(True, level), value + assessment.side(False, level)
    return holds(low, limit) != holds(high, limit)


def _verdict(assessment: _Assessment, weak: bool, rules: Rules) -> Verdict:
    verdict = assessment.verdict
    if verdict.status not in ("pass", "fail"):
        return verdict
    if assessment.se and verdict.value is not None and verdict.limit is not None:
        distance = abs(verdict.value - verdict.limit) / assessment.se
        verdict = replace(verdict, margin=distance if verdict.status == "pass" else -distance)
    if rules.sure and assessment.se is None and not assessment.exact:
        return replace(verdict, status="error", reason="no interval, which --confident and --strict need")
    if weak and rules.strict:
        return replace(verdict, status="fail", weak=True, reason="unsure, which fails with --strict")
    if weak and rules.confident:
        return replace(verdict, status="unsure", weak=True)
    return replace(verdict, weak=weak)


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
