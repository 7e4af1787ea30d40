"""Ranking in groups: the scores of the items of each query, and their relevance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from losscli.data.stream import Part
from losscli.errors import EXAMPLES
from losscli.numeric.arrays import Array, Namespace, to_numpy
from losscli.numeric.cached import cached_property
from losscli.numeric.ranges import Range
from losscli.numeric.segments import Runs, run_of
from losscli.report.findings import Code, Tally, finding
from losscli.tasks.base import Batch, Rows
from losscli.tasks.block import Block
from losscli.tasks.catalog import Task
from losscli.tasks.groups import Grouped, read_groups
from losscli.tasks.named import Column

NAMES = ("group", "query", "query_id", "qid")
"""Names of group columns, without a flag."""
ALSO_TARGET = ("relevance",)
Score = Annotated[Array, Column(also=("prediction", "pred", "y_pred", "yhat"))]


class Groups(Grouped, frozen=True):
    """Scores and targets (n,), any number, of items in contiguous groups.

    `starts` (groups,) are the first items of the groups; no group is empty.  Ranks count the items of a group
    from 0, highest score first; arrays by rank hold group after group, like those by item.
    """

    task: ClassVar[str] = "grouped_ranking"
    other_columns: ClassVar[tuple[str, ...]] = ("the group",)
    score: Score
    target: Annotated[Array, Column(role="target", also=ALSO_TARGET)]

    @property
    def items(self) -> int:
        """The number of items of all groups."""
        return len(self.score)


class Relevance(Groups, frozen=True):
    """As Groups; targets are the relevance of items, >= 0."""

    target: Annotated[Array, Column(Range(0), role="target", also=ALSO_TARGET)]

    with_negative: ClassVar[Range] = Range(-1, gap=(-1, 0))
    """Relevance with -1 for items that are not relevant."""

    @classmethod
    def check(cls, block: Block, part: Part, values: Mapping[str, Array]) -> None:
        """Count items with a relevance of -1, if that is allowed."""
        if part.ranges:
            negative = values["target"][:, 0] == -1
            block.flag(negative, Code.NEGATIVE_RELEVANCE, leave_out=False)

    @classmethod
    def made(cls, xp: Namespace, part: Part, values: Mapping[str, Array]) -> tuple[Batch, ...]:
        """The batch, with a relevance of -1 replaced by 0."""
        target = xp.maximum(values["target"], 0.0) if part.ranges else values["target"]
        return (cls(xp, **{**values, "target": target}),)

    @cached_property
    def by_score(self) -> Array:
        """The item at each rank (n,); ties in the order of the file."""
        return self._order(self.score)

    @cached_property
    def by_target(self) -> Array:
        """The item at each rank (n,) of the ideal order: by relevance."""
        return self._order(self.target)

    def _order(self, values: Array) -> Array:
        # Two stable sorts, by value and then by group, keep the order by value within groups.
        order = self.xp.argsort(-values, kind="stable")
        return order[self.xp.argsort(self.group[order], kind="stable")]

    @cached_property
    def tie_starts(self) -> Array:
        """The first rank of each run of equal scores (runs,), as an index into arrays by rank."""
        score = self.score[self.by_score]
        changed = self.xp.ones(len(score), dtype=bool)
        changed[1:] = score[1:] != score[:-1]
        changed[self.starts] = True
        return self.xp.flatnonzero(changed)

    @cached_property
    def _tie_runs(self) -> Runs:
        return Runs(self.xp, to_numpy(self.tie_starts), len(self.score))

    @cached_property
    def tie(self) -> Array:
        """The index of the run of equal scores at each rank (n,)."""
        return run_of(self.xp, self.tie_starts, len(self.score))

    @cached_property
    def tie_sizes(self) -> Array:
        """The number of items of each run of equal scores (runs,)."""
        return self.xp.bincount(self.tie, minlength=len(self.tie_starts))

    def tie_sums(self, values: Array) -> Array:
        """The sums of values (n,) by rank over each run of equal scores (runs,)."""
        return self._tie_runs.sums(values)

    def shared(self, values: Array) -> Array:
        """The mean of values (n,) by rank over the ranks of tied scores: the expected value of each item."""
        if len(self.tie_starts) == len(values):
            return values
        return (self.tie_sums(values) / self.tie_sizes)[self.tie]

    def within(self, k: int | None) -> Array:
        """1 at each of the first k ranks (n,), then 0; all ranks if k is None."""
        xp = self.xp
        return xp.ones(len(self.score)) if k is None else xp.where(self.rank < k, 1.0, 0.0)

    @cached_property
    def relevant(self) -> Array:
        """The sum of relevance of each group (groups,)."""
        return self.sums(self.target)

    @property
    def any_relevant(self) -> Array:
        """1 for each group with a relevant item, 0 for the others (groups,)."""
        return self.xp.where(self.relevant > 0, 1.0, 0.0)


class BinaryRelevance(Relevance, frozen=True):
    """As Relevance, with 1 for relevant items and 0 for others."""

    target: Annotated[
        Array,
        Column(Range(0, 1, whole=True), role="target", words="0 or 1", also=ALSO_TARGET),
    ]
    with_negative: ClassVar[Range] = Range(-1, 1, whole=True)


def read_ranking(block: Block, xp: Namespace, wanted: frozenset[type[Batch]], pilot: Any) -> Rows:
    """The wanted batches of the groups in the block; notes groups without a relevant item."""
    rows, group = read_groups(block, xp, wanted, pilot), block.roles.group
    for batch in (batches[0] for batches in rows.parts.values()):
        if isinstance(batch, Relevance) and group is not None and rows.starts is not None:
            _note_irrelevant_groups(block, group, rows.starts[to_numpy(batch.relevant == 0)])
            break
    return rows


def _note_irrelevant_groups(block: Block, group: str, rows: Array) -> None:
    if len(rows):
        shown = [f"{group[2:]} {block.frame[group][i]}" for i in rows[:EXAMPLES].tolist()]
        block.tallies.setdefault(finding(Code.NO_RELEVANT_ITEM), Tally()).add(Tally(len(rows), shown))


TASK = Task(
    "grouped_ranking",
    read_ranking,
    usual=("ndcg", "ranking_softmax", "mean_average_precision", "query_rmse"),
    unit="groups",
    batches=(Relevance, BinaryRelevance, Groups),
    shown=(Relevance,),
)
