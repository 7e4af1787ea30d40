"""--approximate: which losses of order can be computed from binned rows."""

from __future__ import annotations

from collections.abc import Iterator

from losscli.catalog.loss import Choice
from losscli.errors import Problem, UsageError
from losscli.plan.options import BOOTSTRAP
from losscli.plan.plan import Plan
from losscli.text import enumerated


def require_bins(plan: Plan) -> None:
    """Raise UsageError if there is no loss of order, or if one has no approximation."""
    if plan.request.approximate and (problems := [*_problems(plan)]):
        raise UsageError(problems)


def require_rows(plan: Plan, what: str) -> None:
    """Raise UsageError for approximate losses of order in `what`, which needs their rows in pairs."""
    if plan.request.approximate and (ordered := _ordered(plan)):
        raise UsageError(
            f"{what} pairs the rows of two models, and --approximate keeps no rows for {_names(ordered)}",
            remedy="leave out --approximate; losscli evaluate --approximate gives the value of one model",
        )


def _ordered(plan: Plan) -> list[Choice]:
    return [choice for choice in plan.choices if choice.loss.order is not None]


def _names(choices: list[Choice]) -> str:
    return enumerated(map(str, choices))


def _problems(plan: Plan) -> Iterator[Problem]:
    ordered = _ordered(plan)
    if not ordered:
        what = (
            "--approximate applies to losses of order, and none is chosen: all others are exact in one pass"
        )
        yield Problem(what, remedy="leave it out, or choose a loss of order: -l mae@p95")
    if wrong := [choice for choice in ordered if choice.loss.order is None or not choice.loss.order.binned]:
        what = f"--approximate supports losses of order of one column, not {_names(wrong)}"
        yield Problem(what, remedy="evaluate them without --approximate")
    elif wrong := [choice for choice in ordered if plan.outputs(choice) > 1]:
        what = f"--approximate supports one output, and {_names(wrong)} has {plan.outputs(wrong[0])}"
        yield Problem(what, remedy="choose one with -p and -y")
    if ordered and plan.roles.cluster is not None:
        what = f"--approximate does not support clusters for {_names(ordered)}"
        yield Problem(what, remedy="leave out --approximate or --cluster")
    if ordered and plan.request.ci_method == BOOTSTRAP:
        what = f"--approximate does not support a bootstrap for {_names(ordered)}"
        yield Problem(what, remedy="leave out --approximate or --ci-method bootstrap")
