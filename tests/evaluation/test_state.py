"""A loss with a state of its own: the program evaluates it as any other, and says where it cannot."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from support.ranks import median_error

import losscli
from losscli.errors import UsageError
from losscli.plan import plan as plans
from losscli.states.moments import Moments

RNG = np.random.default_rng(3)
N = 5001
Y, P = RNG.normal(size=N), RNG.normal(size=N)
GROUP = RNG.choice(["a", "b", "c"], N)
TARGETS = pl.DataFrame({"y_true": Y, "group": GROUP, "w": RNG.integers(1, 4, N)})
PREDICTIONS = pl.DataFrame({"y_pred": P})


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(plans, "BLOCK_NUMBERS", 8 * 1024)


def values(report, name="median_error"):
    return {tuple(result.cell.values()): result for result in report.results if result.loss == name}


def test_the_median_is_that_of_numpy_overall_and_by_slice():
    report = losscli.evaluate(PREDICTIONS, TARGETS, [median_error, "mae"], by="group")
    found = values(report)
    assert found[()].value == np.median(np.abs(P - Y))
    assert (found[()].rows, found[()].weight, found[()].se, found[()].share) == (N, N, None, None)
    for key in "abc":
        own = np.sort(np.abs(P - Y)[key == GROUP])
        assert found[(key,)].value == own[(len(own) - 1) // 2]
        assert found[(key,)].rows == len(own)
    others = losscli.evaluate(PREDICTIONS, TARGETS, "mae", by="group")
    assert values(report, "mean_absolute_error") == values(others, "mean_absolute_error")


def test_a_weight_counts_as_that_many_rows():
    weighted = losscli.evaluate(PREDICTIONS, TARGETS, median_error, weight="w").results[0]
    repeated = np.sort(np.repeat(np.abs(P - Y), TARGETS["w"]))
    assert weighted.value == repeated[(len(repeated) - 1) // 2]
    assert weighted.weight == len(repeated)


def test_outputs_have_medians_of_their_own():
    y, p = RNG.normal(size=(2, N, 2))
    report = losscli.evaluate(p, y, median_error)
    medians = np.median(np.abs(p - y), axis=0)
    assert [each.value for each in report.results] == [medians.mean(), *medians]


def test_a_loss_in_a_file_names_its_state(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(
        "from support.ranks import Ranks\n"
        "from losscli.custom import Regression, loss\n"
        "@loss(state=Ranks)\n"
        "def med(batch: Regression):\n"
        "    return batch.xp.abs(batch.error)\n"
    )
    report = losscli.evaluate(PREDICTIONS, TARGETS, f"{path}:med")
    assert report.results[0].value == np.median(np.abs(P - Y))


def test_what_needs_means_refuses_other_states(tmp_path):
    with pytest.raises(UsageError, match="a comparison takes losses of means, not median_error"):
        losscli.compare(PREDICTIONS, PREDICTIONS, targets=TARGETS, loss=median_error, names=["a", "b"])
    with pytest.raises(UsageError, match="--cluster takes losses of means, not median_error"):
        losscli.evaluate(PREDICTIONS, TARGETS, median_error, cluster="group")
    with pytest.raises(UsageError, match="a leaderboard takes losses of means, not median_error"):
        losscli.rank(PREDICTIONS, targets=TARGETS, loss=median_error)
    with pytest.raises(UsageError, match="median_error has no value of a single row"):
        losscli.evaluate(PREDICTIONS, TARGETS, median_error, worst=3)


def test_losses_with_the_same_columns_share_their_states(monkeypatch):
    """As mse and rmse, which are functions of the same sums: overall and in slices, made and merged once."""
    made, merged, of, merge = [], [], Moments.of.__func__, Moments.merge

    def counted_of(cls, cells, columns, interval=True):
        made.append(cells)
        return of(cls, cells, columns, interval)

    def counted_merge(self, later, places=None):
        merged.append(1)
        return merge(self, later, places)

    monkeypatch.setattr(Moments, "of", classmethod(counted_of))
    monkeypatch.setattr(Moments, "merge", counted_merge)
    losses = ["mse", "rmse", "mae"]
    together = losscli.evaluate(PREDICTIONS, TARGETS, losses, by="group", threads=1)
    assert (len(made), len(merged)) == (2 * 2 * 5, 2 * 2 * 4)
    alone = [losscli.evaluate(PREDICTIONS, TARGETS, name, by="group") for name in losses]
    assert together.results == tuple(result for report in alone for result in report.results)
