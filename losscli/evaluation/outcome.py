"""The outcome of a run: its folded result, and all else that a report needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from losscli._version import __version__
from losscli.report.findings import Note

if TYPE_CHECKING:
    from losscli.evaluation.block import Fixed
    from losscli.evaluation.pairs import ComparisonJob, Scores
    from losscli.evaluation.partial import EvaluationJob, Partial
    from losscli.plan.plan import Plan


class Input(Struct, frozen=True):
    """A table that was read: its name in messages, and the digest of its files, empty if it has none."""

    name: str
    digest: str = ""


class Outcome(Struct, frozen=True, eq=False):
    """The result of a job over all of its rows, before losses of order are settled.

    `fixed` is what the first block fixed, `notes` are those of the plan, `names` maps aliases in the request
    to the names of losses.  `sources` are digests of the sources of its rows; outcomes that share one cannot
    be merged.  `part` is the number of this part, from 1, and the number of parts, None for an undivided run;
    `listed` is the number of rows that --worst or --changed lists.  `alone` is the index of the only model
    whose results are reported, the others being baselines; None for all models.
    An outcome that `is_plan` has no rows.  `place` is the file it was loaded from, which `digest` identifies;
    then `folded` may be left in the file.
    """

    job: EvaluationJob | ComparisonJob
    fixed: Fixed
    folded: Partial | Scores | None
    notes: tuple[Note, ...] = ()
    names: Mapping[str, str] = {}
    inputs: tuple[Input, ...] = ()
    sources: tuple[str, ...] = ()
    part: tuple[int, int] | None = None
    listed: int = 0
    losscli: str = __version__
    digest: str = ""
    place: str = ""
    is_plan: bool = False
    alone: int | None = None

    @property
    def plan(self) -> Plan:
        """The plan of the first model."""
        return self.job.plans[0]

    @property
    def title(self) -> str:
        """The name of the table of predictions, for examples of its rows."""
        return self.inputs[0].name if self.inputs else self.place
