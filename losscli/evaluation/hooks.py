"""Callbacks that run while a report is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from losscli.data.writer import publish

if TYPE_CHECKING:
    from losscli.data.writer import Draft
    from losscli.evaluation.compare_plan import Models
    from losscli.plan.resolve import Run


class Hooks:
    """Called while a report is made; these do nothing, and a caller overrides what it needs."""

    @property
    def kept(self) -> bool:
        """Whether the report may be a baseline or have one, so that its targets need a fingerprint."""
        return True

    @property
    def runs_code(self) -> bool:
        """Whether losses in files are run; if they are not, `planned` ends the run."""
        return True

    def check(self) -> None:
        """Raise UsageError for any other fault of the request, before anything is read."""

    def reads(self, paths: Sequence[str]) -> None:
        """Raise UsageError if one of the local files that are read would be written too."""

    def planned(self, run: Run | Models) -> None:
        """Receive the plan, before any row is read."""

    def say(self, text: str) -> None:
        """Receive a message about the run, such as the alignment that was used."""

    def written(self, draft: Draft) -> None:
        """Receive the complete draft of the file of row losses, and publish it."""
        publish([draft])

    def progress(self, rows: int) -> None:
        """Receive the number of rows done so far."""


SILENT = Hooks()
