"""What a caller hears while a report is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from losscli.evaluation.compare_plan import Models
    from losscli.plan.resolve import Run


class Hooks:
    """Called while a report is made; these do nothing, and a caller overrides what it needs.

    A report that is not `kept` cannot be a baseline, or have one: its targets get no fingerprint.
    """

    kept = True

    def check(self) -> None:
        """Raise UsageError for what else is wrong with the request, before anything is read."""

    def planned(self, run: Run | Models) -> None:
        """The plan is made, and no row is read yet."""

    def say(self, text: str) -> None:
        """Something turned out while rows were read."""

    def progress(self, rows: int) -> None:
        """So many rows are done."""


SILENT = Hooks()
