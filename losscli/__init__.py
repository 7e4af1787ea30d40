"""losscli evaluates loss functions: predictions and targets in, exact numbers with their noise out.

    >>> import losscli
    >>> report = losscli.evaluate("preds.csv", "targets.csv", loss="huber", delta=1.0)
    >>> report["huber"].value

Importing it loads nothing else: what a name stands for is imported when it is used.
"""

from __future__ import annotations

from importlib import import_module

from losscli._version import __version__ as __version__

__all__ = [
    "Comparison",
    "DataError",
    "Explanation",
    "GateError",
    "Placing",
    "Report",
    "Result",
    "Segment",
    "UsageError",
    "Verdict",
    "compare",
    "evaluate",
    "explain",
    "gate",
    "init",
    "list_losses",
    "load",
    "loss",
    "merge",
    "rank",
    "report_schema",
    "weak",
]

_HOMES = {
    "Comparison": "losscli.report.model",
    "DataError": "losscli.errors",
    "Explanation": "losscli.explanation.explanation",
    "GateError": "losscli.errors",
    "Placing": "losscli.report.model",
    "Report": "losscli.api",
    "Result": "losscli.report.model",
    "Segment": "losscli.report.model",
    "UsageError": "losscli.errors",
    "Verdict": "losscli.report.model",
    "compare": "losscli.api",
    "evaluate": "losscli.api",
    "explain": "losscli.api",
    "gate": "losscli.api",
    "init": "losscli.api",
    "list_losses": "losscli.catalog.registry",
    "load": "losscli.api",
    "loss": "losscli.catalog.custom.function",
    "merge": "losscli.api",
    "rank": "losscli.api",
    "report_schema": "losscli.api",
    "weak": "losscli.api",
}
"""Where each name is, which is imported when it is used."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from losscli.api import compare, evaluate, explain, gate, init, load, merge, rank, report_schema, weak
    from losscli.catalog.custom.function import loss
    from losscli.catalog.registry import list_losses
    from losscli.errors import DataError, GateError, UsageError
    from losscli.explanation.explanation import Explanation
    from losscli.report.model import Comparison, Placing, Report, Result, Segment, Verdict


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'losscli' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
