"""Laws of what travels: every plan through JSON, and states through bytes, change nothing."""

from __future__ import annotations

import json

import numpy as np
import pytest
from msgspec.structs import replace
from support.cases import CASES

from losscli.catalog import registry
from losscli.cli import watch
from losscli.cli.app import run as program
from losscli.engines.blocks import blocks
from losscli.engines.fold import Counter
from losscli.evaluation import codec
from losscli.evaluation.partial import EvaluationJob, finished
from losscli.evaluation.results import results_of
from losscli.plan import codec as plans
from losscli.plan.resolve import Run
from losscli.states import archive


def _first_of_each_kind() -> set[str]:
    """A case of each task and state."""
    found = dict[tuple[str, type], str]()
    for case in CASES:
        entry = registry.named(case.loss)
        found.setdefault((entry.task, entry.state), case.name)
    return set(found.values())


FEW = _first_of_each_kind()
every_case = pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=() if case.name in FEW else pytest.mark.slow, id=case.name) for case in CASES],
)


def planned(case, monkeypatch) -> Run:
    """The run of a reference case."""
    runs = list[Run]()
    monkeypatch.setattr(watch, "show_plan", runs.append)
    monkeypatch.chdir(case.folder)
    assert program([*case.arguments, "--dry-run"]) == 0
    return runs[0]


def through_json(data):
    return json.loads(json.dumps(data, allow_nan=False))


@every_case
def test_a_plan_through_json_is_the_same(case, monkeypatch):
    plan = planned(case, monkeypatch).plan
    again = plans.plan_of(through_json(plans.plain(plan)))
    assert (again.roles, again.choices, again.place) == (plan.roles, plan.choices, plan.place)
    assert again.options() == plan.options()
    assert again.signature == plan.signature


@every_case
def test_parts_through_bytes_merge_to_the_whole(case, monkeypatch):
    run = planned(case, monkeypatch)
    job = EvaluationJob(run.plan, kept=True)
    again = codec.job_of(through_json(codec.plain_job(job)))
    alignment = replace(run.alignment, joined=not run.alignment.is_one_table)
    cut = list(blocks(alignment.frames(), 50, job.group))
    fixed = codec.fixed_of(through_json(codec.plain_fixed(job.begin(cut[0][1]))))
    whole, restored = Counter(job.merge), Counter(again.merge)
    for first, frame in cut:
        part = job.fold(np, frame, first, fixed)
        whole.add(part)
        restored.add(codec.unpacked(again, *archive.load(archive.dump(*codec.packed(part)))))
    found = results_of(again.plan, finished(again.plan, restored.merged()))
    assert repr(found) == repr(results_of(job.plan, finished(job.plan, whole.merged())))
