"""A job can be sent: it names losses, and another process finds them by their names."""

from __future__ import annotations

import pickle

import numpy as np
import polars as pl
import pytest
from support.cases import CASES
from support.elsewhere import fold_all, fold_elsewhere
from support.ranks import median_error

from losscli.catalog import registry
from losscli.custom import Regression
from losscli.errors import UsageError
from losscli.evaluation.compare_plan import plan_models
from losscli.evaluation.partial import EvaluationJob
from losscli.plan.resolve import prepare

SHORT = {"l": "loss", "w": "weight", "y": "target", "p": "pred"}
ONE_A_LOSS = {case.loss: case for case in CASES if not case.name.endswith("shuffled")}
ONE_A_TASK = {registry.named(loss).task: loss for loss in ONE_A_LOSS}.values()
RNG = np.random.default_rng(8)
Y, P = RNG.normal(size=(2, 600))
TARGETS = pl.DataFrame({"y_true": Y, "group": RNG.choice(["a", "b", "c"], 600), "w": RNG.uniform(1, 2, 600)})
PREDICTIONS = pl.DataFrame({"y_pred": P})
OWN = """
from losscli.custom import Positive, Regression, loss, ratio
@loss(reduction=ratio, best=0.0)
def relative(batch: Regression, *, power: Positive = 1.0):
    return abs(batch.error) ** power, abs(batch.target) ** power
"""


def tasks_of(run):
    """The job of a run with its rows in two blocks, as an engine elsewhere gets them."""
    job = EvaluationJob(run.plan, kept=True)
    frame = pl.concat(run.alignment.frames())
    group = run.plan.roles.group
    half = frame.height // 2
    if group is not None:
        starts = (frame[group].rle_id().diff() > 0).arg_true()
        half = starts[0] if len(starts) else frame.height
    return job, job.begin(frame), [(0, frame[:half]), (half, frame[half:])]


def run_of(case):
    """The planned run of a reference case."""
    words = iter(case.arguments[3:])
    options = {}
    for word in words:
        name = word.lstrip("-").replace("-", "_")
        flag = name in ("from_logits", "from_log_probs")
        options[SHORT.get(name, name)] = True if flag else next(words)
    return prepare(case.folder / "preds.parquet", case.folder / "targets.parquet", **options)


def custom_runs(folder):
    path = folder / "own.py"
    path.write_text(OWN)
    losses = [
        f"{path}:relative:power=1.5",
        "expr: abs(e)**1.5",
        "tail = expr: abs(e) > 1",
        median_error,
        "huber",
    ]
    yield prepare(PREDICTIONS, TARGETS, losses, weight="w", by="group")
    yield prepare(PREDICTIONS, TARGETS, "mae", cluster="group", like="sklearn")
    binary = pl.DataFrame({"y_true": (Y > 0) * 1})
    yield prepare(pl.DataFrame({"y_prob": 1 / (1 + np.exp(-P))}), binary, ["expr: (y - p)**2", "log_loss"])


def states(part):
    """The states of a part, those of slices in the order of their keys: that of places differs."""
    found = [each for each in (*part.overall, *part.cells, part.totals, part.cell_totals) if each is not None]
    for slices in part.slices:
        order = np.array([slices.places[key] for key in sorted(slices.places)])
        found += [state.select(order) for state in slices.states]
    return found


def assert_same_bits(found, expected, losses=""):
    assert (found.rows, found.tallies, found.pilots) == (expected.rows, expected.tallies, expected.pilots)
    assert found.fingerprint == expected.fingerprint
    for mine, theirs in zip(states(found), states(expected), strict=True):
        own, other = mine.to_arrays(), theirs.to_arrays()
        assert own.keys() == other.keys()
        for name, array in other.items():
            assert own[name].tobytes() == array.tobytes(), (losses, name, own[name], array)


@pytest.mark.parametrize(
    "losses",
    [
        pytest.param(ONE_A_TASK, id="one of each task"),
        pytest.param([entry.name for entry in registry.list_losses()], id="all", marks=pytest.mark.slow),
    ],
)
def test_another_process_folds_every_loss_to_the_same_bits(losses, tmp_path):
    runs = [run_of(ONE_A_LOSS[loss]) for loss in losses]
    tasks = [tasks_of(run) for run in (*runs, *custom_runs(tmp_path))]
    folded = zip(tasks, fold_elsewhere(tasks, tmp_path), fold_all(tasks), strict=True)
    for (job, *_), found, expected in folded:
        assert_same_bits(found, expected, str(job.plan.choices))


def test_a_comparison_can_be_sent(tmp_path):
    others = pl.DataFrame({"y_pred": P + 0.1})
    models = plan_models([PREDICTIONS, others], TARGETS, ["huber", "rmse"], names=["a", "b"], changed=3)
    frame = pl.concat(models.alignment.frames())
    task = (models.job, models.job.begin(frame), [(0, frame[:300]), (300, frame[300:])])
    (found,), (expected,) = fold_elsewhere([task], tmp_path), fold_all([task])
    for mine, theirs in zip((*found.models, *found.pairs), (*expected.models, *expected.pairs), strict=True):
        assert_same_bits(mine, theirs)
    assert found.counts.tolist() == expected.counts.tolist()
    assert found.changed[0].frame.equals(expected.changed[0].frame)


def test_no_function_is_sent():
    (choice,) = prepare(PREDICTIONS, TARGETS, "huber:delta=2").plan.choices
    sent = pickle.dumps(choice)
    assert b"losscli.losses" not in sent
    assert pickle.loads(sent).loss is choice.loss


def test_a_file_that_has_changed_is_an_error(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(OWN)
    sent = pickle.dumps(prepare(PREDICTIONS, TARGETS, f"{path}:relative").plan)
    assert pickle.loads(sent).choices[0].params == {"power": 1.0}
    path.write_text(OWN.replace("abs(batch.target)", "1 + abs(batch.target)"))
    with pytest.raises(UsageError, match="relative is not what it was when the evaluation was planned"):
        pickle.loads(sent)


def test_a_function_that_cannot_be_imported_is_an_error():
    def local(batch: Regression):
        return abs(batch.error)

    plan = prepare(PREDICTIONS, TARGETS, local).plan
    with pytest.raises(UsageError, match="local cannot be sent to another process"):
        pickle.dumps(plan)
