"""losscli evaluates loss functions: predictions and targets in, exact numbers with their noise out.

    >>> import losscli
    >>> report = losscli.evaluate("preds.csv", "targets.csv", loss="huber", delta=1.0)
    >>> report["huber"].value

Importing it loads no engine: neither polars nor numpy.
"""

from __future__ import annotations

# First the subpackage losscli.losses, then the function of the same name, which is what users mean.
from losscli.losses.own import loss
from losscli.losses.registry import losses
from losscli.report import Comparison, Placing, Report, Result, Verdict

__version__ = "0.1.0"
__all__ = [
    "Comparison",
    "Placing",
    "Report",
    "Result",
    "Verdict",
    "compare",
    "evaluate",
    "loss",
    "losses",
    "rank",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from losscli.api import compare, evaluate
    from losscli.leaderboard import rank


def __getattr__(name: str) -> object:
    if name in ("compare", "evaluate"):
        from losscli import api

        return getattr(api, name)
    if name == "rank":
        from losscli.leaderboard import rank

        return rank
    raise AttributeError(f"module 'losscli' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
