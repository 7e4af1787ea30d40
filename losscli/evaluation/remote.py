"""Jobs and their results for the workers of an engine: the `Codec` of evaluations and comparisons.

A loss in a file is sent with the source of the file, so that workers need not have it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from losscli.catalog import request as requests
from losscli.catalog.custom import file as custom_file
from losscli.catalog.loss import Loss
from losscli.evaluation.block import Fixed
from losscli.evaluation.codec import fixed_of, job_of, packed, plain_fixed, plain_job, unpacked
from losscli.evaluation.pairs import ComparisonJob, Scores
from losscli.evaluation.partial import EvaluationJob, Partial
from losscli.evaluation.rows import RowsJob
from losscli.plan.codec import find_without_code, from_plain, to_plain
from losscli.states import archive

Job = EvaluationJob | ComparisonJob


class _Sent(Struct, frozen=True):
    """A job as sent: plain data, with what the first block fixes, and the source of each file.

    `written` and `worst` belong to a `RowsJob`.
    """

    job: Any
    fixed: Any
    sources: Mapping[str, str]
    written: bool = False
    worst: int = 0


def to_text(job: Job, fixed: Fixed) -> str:
    """A job and what the first block fixes.  Raises UsageError for a loss that workers cannot find."""
    loss_names = [choice.loss.request for plan in job.plans for choice in plan.choices]
    paths = {_path(name) for name in loss_names if requests.is_code(name)}
    sources = {path: custom_file.source_of(path).decode("latin-1") for path in paths}
    rows = (job.written, job.worst) if isinstance(job, RowsJob) else ()
    return json.dumps(to_plain(_Sent(plain_job(job), plain_fixed(fixed), sources, *rows)), allow_nan=False)


def of_text(text: str) -> tuple[Job, Fixed]:
    """The job and what the first block fixes.

    Runs the source that was sent.  Raises UsageError if it is not that of the plan.
    """
    sent = from_plain(json.loads(text), _Sent)

    def find(name: str) -> tuple[Loss, ...]:
        if not requests.is_code(name):
            return find_without_code(name)
        path, function = _path(name), name.rpartition(":")[2]
        return (custom_file.find(path, function, sent.sources[path].encode("latin-1")),)

    job = job_of(sent.job, find)
    if sent.written or sent.worst:
        assert isinstance(job, EvaluationJob)
        job = RowsJob(job.plan, job.kept, written=sent.written, worst=sent.worst)
    return job, fixed_of(sent.fixed)


def to_bytes(folded: Partial | Scores) -> bytes:
    """The result for some rows."""
    return archive.dump(*packed(folded))


def of_bytes(job: Job, data: bytes) -> Any:
    """The result for some rows of a job.  Raises DataError for other bytes."""
    return unpacked(job, *archive.load(data))


def _path(name: str) -> str:
    """The path in the name of a loss in a file: 'path/to/file.py:name'."""
    return name.rpartition(":")[0]
