"""Judge a report by gates: the estimate decides, and its standard error shows how certain that is."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from losscli.errors import Status
from losscli.gates import paired, within
from losscli.gates.parse import Gate, Limit
from losscli.gates.select import results
from losscli.numeric.independent import Error
from losscli.numeric.student import normalised, quantile
from losscli.report.model import Comparison, Outcome, Report, Result, Verdict, cell_name

OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}


class Rules(Struct, frozen=True):
    """How gates are judged.

    A weak verdict is unsure with `confident`, and fails with `strict`.  A cell of fewer than `min_n` rows is
    skipped: shown but not judged.  With `skips_base` a gate that refers to a missing baseline is skipped too.
    """

    confident: bool = False
    strict: bool = False
    min_n: int = 0
    skips_base: bool = False

    @property
    def sure(self) -> bool:
        """Whether a weak verdict is not accepted."""
        return self.confident or self.strict


PLAIN = Rules()
"""Every cell is judged, and weak verdicts are accepted."""


class _Compared(Struct, frozen=True):
    """A verdict on the estimate alone, with the noise of value - limit: `se` with `df` degrees of freedom.

    `errors` are the standard errors of the interval below and above it, which differ for skewed losses.
    """

    verdict: Verdict
    se: float | None = None
    df: float = math.inf
    level: float | None = None
    errors: tuple[float, float] = (0.0, 0.0)
    exact: bool = False

    def side(self, below: bool, level: float | None) -> float:
        """How far the interval at a level reaches below or above the value."""
        return self.errors[0 if below else 1] * _deviate(level, self.df)


def _deviate(level: float | None, df: float) -> float:
    """The two-sided quantile; one if the interval of a report has no level."""
    return 1.0 if level is None else quantile(level, df)


def judge(
    gates: Iterable[Gate], report: Report, base: Report | None = None, rules: Rules = PLAIN
) -> tuple[Verdict, ...]:
    """The verdicts of the gates on a report, one per cell that a gate selects.

    A limit that refers to `base` is taken from the same loss and cell of that report, as an independent
    sample: the variance of the difference is the sum of both.  If the report itself compares models on the
    same rows, the base is the first model, and the noise is that of paired rows.  Several cells of one gate
    are judged by the method of Holm (1979), doi:10.2307/4615733, which keeps the probability that any of
    their verdicts is wrongly not weak.  The bounds lo and hi are those of the report.
    """
    return tuple(
        _as_severe(gate, replace(verdict, model=name, name=gate.name))
        for gate in gates
        for name, own in paired.by_model(gate, report)
        for verdict in ([own] if isinstance(own, Verdict) else _judge(gate, own, base, rules))
    )


def _as_severe(gate: Gate, verdict: Verdict) -> Verdict:
    """The verdict of a gate that only warns: a failure becomes a warning."""
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
    found = results(gate.subject, report.results)
    if gate.limit.base and base is None and not report.comparisons:
        found = "no baseline"
        if rules.skips_base:
            return [Verdict(gate.text, "skipped", reason="no baseline yet")]
    if isinstance(found, str):
        return [Verdict(gate.text, "error", limit=limit, reason=found)]
    if gate.subject.field != "rows":
        few = [result for result in found if result.rows < rules.min_n]
        if few and len(few) == len(found):
            # A gate that judged nothing must not pass.
            return [_unjudged(gate, each, f"fewer than {rules.min_n} rows", "error") for each in few]
    else:
        few = []
    if gate.subject.gap:
        each = _of_gap(gate, found, few, report)
        return [_verdict(each, bool(_weak(gate, [each])), rules)]
    bases = {} if base is None else {_key(result): result for result in base.results}
    skipped = {_key(result) for result in few}
    compared = [
        _Compared(_unjudged(gate, result, f"fewer than {rules.min_n} rows", "skipped"))
        if _key(result) in skipped
        else _compared(gate, result, bases, report)
        for result in found
    ]
    weak = _weak(gate, compared)
    return [_verdict(each, place in weak, rules) for place, each in enumerate(compared)]


def _key(result: Result | Comparison) -> tuple[object, ...]:
    params = sorted((name, repr(value)) for name, value in result.params.items())
    return result.loss, tuple(params), tuple(sorted(result.cell.items()))


def _unjudged(gate: Gate, result: Result, reason: str, status: Outcome) -> Verdict:
    limit = _fixed(gate.limit)
    value = _finite(getattr(result, gate.subject.field))
    return Verdict(gate.text, status, dict(result.cell), value=value, limit=limit, reason=reason)


def _compared(
    gate: Gate,
    result: Result,
    bases: Mapping[tuple[object, ...], Result],
    report: Report,
) -> _Compared:
    value = getattr(result, gate.subject.field)
    failed = _unjudged(gate, result, "", "error")
    if value is None:
        missing = "no value" if result.value is None else "no interval"
        reasons = [str(note) for note in result.notes]
        if not reasons or not reasons[0].startswith(missing):
            reasons.insert(0, missing)
        return _Compared(replace(failed, reason=": ".join(reasons)))
    if not math.isfinite(value):
        # A report holds finite numbers only, and every comparison with NaN is false.
        return _Compared(replace(failed, value=None, reason=f"the value is {value}"))
    if gate.limit.within:
        return _within(gate, result, float(value), report)
    base, limit, pair = None, gate.limit.offset, None
    if gate.limit.base:
        base = bases.get(_key(result))
        if base is None:
            pair = next((each for each in report.comparisons if _key(each) == _key(result)), None)
            base = None if pair is None else paired.base_of(pair)
        if base is None:
            where = cell_name(result.cell)
            reason = f"the base has no {result.loss} with these parameters{' in ' + where if where else ''}"
            return _Compared(replace(failed, reason=reason))
        of_base = _finite(base.rows if gate.subject.field == "rows" else base.value)
        if of_base is None:
            return _Compared(
                replace(failed, reason=": ".join(["the base has no value", *map(str, base.notes)]))
            )
        limit = _limit(gate.limit, of_base)
        failed = replace(failed, base=of_base)
        if not math.isfinite(limit):
            return _Compared(replace(failed, reason=f"the limit is {limit}"))
    status = "pass" if OPERATORS[gate.operator](value, limit) else "fail"
    verdict = replace(failed, status=status, value=float(value), limit=float(limit))
    if gate.subject.field != "value":
        return _Compared(verdict, exact=True)
    if pair is not None:
        return _against_pair(verdict, pair, _slope(gate.limit, pair.value_a or 0.0))
    if base is not None:
        return _against(verdict, result, base, gate.limit)
    return _Compared(verdict, result.se, result.df or math.inf, result.level, _errors(result))


def _fixed(limit: Limit) -> float | None:
    """A limit that is a number; None if it depends on a value."""
    return None if limit.base or limit.within else limit.offset


def _whole(result: Result, report: Report) -> Result | None:
    """The overall result of the same loss."""
    overall = _key(replace(result, cell={}))
    return next((each for each in report.results if _key(each) == overall), None)


def _within(gate: Gate, result: Result, value: float, report: Report) -> _Compared:
    """The verdict on a slice against all rows, or against the rest of them, of the same report."""
    failed, whole, kind = _unjudged(gate, result, "", "error"), _whole(result, report), gate.limit.within
    if whole is None or whole.value is None:
        return _Compared(replace(failed, reason="the report has no overall value"))
    of_rows = gate.subject.field == "rows"
    base, noise = float(whole.rows if of_rows else whole.value), within.error_of(whole)
    if kind == "rest":
        if (rest := within.rest_of(result, whole)) is None:
            why = "the rest does not follow from the values of this loss: compare with overall"
            if within.is_all(result, whole):
                why = "no rows are outside of this slice"
            return _Compared(replace(failed, reason=why))
        base, noise = rest
    limit, slope = _limit(gate.limit, base), _slope(gate.limit, base)
    status: Outcome = "pass" if OPERATORS[gate.operator](value, limit) else "fail"
    verdict = replace(failed, status=status, value=value, limit=limit, base=base)
    if gate.subject.field != "value":
        return _Compared(verdict, exact=True)
    own = within.error_of(result)
    if own is None or noise is None:
        return _Compared(verdict)
    share = result.weight / whole.weight if whole.weight else 1.0
    if within.is_all(result, whole):
        error = own.times(1 - slope)
    elif share >= 1:  # outputs and labels are no parts of the rows
        error = own.minus_correlated(noise.times(slope))
    elif kind == "overall":
        error = within.against_all(own, noise, share, slope)
    else:
        error = own.minus(noise.times(slope))
    return _Compared(verdict, error.se, error.df, result.level, (error.below, error.above))


def _of_gap(gate: Gate, found: Sequence[Result], few: Sequence[Result], report: Report) -> _Compared:
    """The verdict on the gap between the cells that have enough rows."""
    failed, compared = (
        Verdict(gate.text, "error", limit=_fixed(gate.limit)),
        [r for r in found if r not in few],
    )
    missing = [cell_name(r.cell) for r in compared if r.value is None or not math.isfinite(r.value)]
    if missing:
        return _Compared(replace(failed, reason=f"no value in {missing[0]}"))
    if len(compared) < 2:
        left = " with enough rows" if few else ""
        return _Compared(replace(failed, reason=f"fewer than two slices{left}, which have no gap"))
    limit, whole = gate.limit.offset, _whole(compared[0], report)
    if gate.limit.within:
        if whole is None or whole.value is None:
            return _Compared(replace(failed, reason="the report has no overall value"))
        limit = _limit(gate.limit, whole.value)
    level = compared[0].level
    gap = within.gap(compared, level, within.share_rows(compared, whole))
    status: Outcome = "pass" if OPERATORS[gate.operator](gap.value, limit) else "fail"
    reason = f"from {cell_name(gap.low.cell)} to {cell_name(gap.high.cell)}"
    verdict = replace(failed, status=status, value=gap.value, limit=limit, reason=reason)
    if gap.error is None:
        return _Compared(verdict)
    deviate = _deviate(level, gap.error.df)
    errors = (gap.value - gap.ends[0]) / deviate, (gap.ends[1] - gap.value) / deviate
    return _Compared(verdict, gap.error.se, gap.error.df, level, errors)


def _errors(each: Result | Comparison) -> tuple[float, float]:
    """The standard errors of a value or a difference below and above it, from the ends of its interval."""
    value = each.value if isinstance(each, Result) else each.difference
    if value is None or each.ci_low is None or each.ci_high is None:
        return 0.0, 0.0
    deviate = _deviate(each.level, each.df or math.inf)
    return (value - each.ci_low) / deviate, (each.ci_high - value) / deviate


def _against_pair(verdict: Verdict, pair: Comparison, slope: float) -> _Compared:
    """The noise of a value minus a limit from the base on the same rows, whose common noise cancels."""
    se = paired.error(pair, slope)
    # As skewed as the difference itself, and as wide as the noise of a limit of another slope.
    wider = se / pair.se if se is not None and pair.se else 1.0
    below, above = _errors(pair)
    return _Compared(verdict, se, pair.df or math.inf, pair.level, (below * wider, above * wider))


def _limit(limit: Limit, base: float) -> float:
    return limit.factor * base + limit.percent / 100 * abs(base) + limit.offset


def _slope(limit: Limit, base: float) -> float:
    """The derivative of the limit with respect to the base."""
    return limit.factor + limit.percent / 100 * math.copysign(1.0, base)


def _against(verdict: Verdict, result: Result, base: Result, limit: Limit) -> _Compared:
    """The noise of a value minus a limit from an independent sample."""
    new, old = _error(result), _error(base)
    if new is None or old is None:
        return _Compared(verdict)
    error = new.minus(old.times(_slope(limit, verdict.base or 0.0)))
    return _Compared(verdict, error.se, error.df, result.level, (error.below, error.above))


def _error(result: Result) -> Error | None:
    if result.se is None:
        return None
    return Error(result.se, result.df or math.inf, *_errors(result))


def _weak(gate: Gate, compared: Sequence[_Compared]) -> set[int]:
    """The indices of the verdicts whose interval contains the limit."""
    decided = [i for i, each in enumerate(compared) if each.verdict.status in ("pass", "fail")]
    noisy = sorted((i for i in decided if any(compared[i].errors)), key=lambda i: -_distance(compared[i]))
    for step, place in enumerate(noisy):
        if _contains_limit(gate, compared[place], len(noisy) - step):
            return set(noisy[step:])
    return set()


def _distance(each: _Compared) -> float:
    """The distance of value and limit in standard errors, on the scale of the normal distribution."""
    gap = (each.verdict.value or 0.0) - (each.verdict.limit or 0.0)
    error = each.errors[0 if gap > 0 else 1]
    if not error:
        return math.inf  # without noise, no interval contains the limit
    return normalised(abs(gap) / error, each.df) if each.df < math.inf else abs(gap) / error


def _contains_limit(gate: Gate, each: _Compared, cells: int) -> bool:
    """Whether the interval contains the limit, at a level adjusted for this number of cells."""
    value, limit = each.verdict.value or 0.0, each.verdict.limit or 0.0
    level = None if each.level is None else 1.0 - (1.0 - each.level) / cells
    holds = OPERATORS[gate.operator]
    low, high = value - each.side(True, level), value + each.side(False, level)
    return holds(low, limit) != holds(high, limit)


def _verdict(each: _Compared, weak: bool, rules: Rules) -> Verdict:
    verdict = each.verdict
    if verdict.status not in ("pass", "fail"):
        return verdict
    if each.se and verdict.value is not None and verdict.limit is not None:
        apart = abs(verdict.value - verdict.limit) / each.se
        verdict = replace(verdict, margin=apart if verdict.status == "pass" else -apart)
    if rules.sure and each.se is None and not each.exact:
        return replace(verdict, status="error", reason="no interval, which --confident and --strict need")
    if weak and rules.strict:
        return replace(verdict, status="fail", weak=True, reason="unsure, which fails with --strict")
    if weak and rules.confident:
        return replace(verdict, status="unsure", weak=True)
    return replace(verdict, weak=weak)


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
