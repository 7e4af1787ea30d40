"""Ranking in groups: values against scikit-learn and the definitions, and what a group is to the engine."""

from __future__ import annotations

import json
import math
import shlex
from itertools import permutations
from statistics import fmean

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import average_precision_score, ndcg_score
from support.grids import some

import losscli
from losscli.engines import blocks
from losscli.errors import DataError, UsageError
from losscli.plan.resolve import prepare

GROUPS = 60


def ranked(seed: int = 0, ties: bool = False, binary: bool = False, keys: bool = False) -> pl.DataFrame:
    """Groups of 2 to 9 items, each with a relevant one."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 10, GROUPS)
    n = int(sizes.sum())
    relevance = rng.integers(0, 2 if binary else 4, n)
    relevance[np.cumsum(sizes) - sizes] = 1
    score = rng.integers(0, 4, n) / 2 if ties else rng.normal(size=n)
    names = [f"q{i}" for i in rng.permutation(GROUPS)] if keys else rng.permutation(GROUPS)
    return pl.DataFrame({"group": np.repeat(names, sizes), "score": score, "relevance": relevance})


def value(frame: pl.DataFrame, loss: str, **options) -> float:
    return losscli.evaluate(frame, loss=loss, group="group", **options).results[0].value


def by_group(frame: pl.DataFrame) -> list[tuple[np.ndarray, np.ndarray]]:
    """Relevance and score of each group."""
    return [
        (own["relevance"].to_numpy().astype(float), own["score"].to_numpy())
        for own in frame.partition_by("group", maintain_order=True)
    ]


@pytest.mark.parametrize("ties", [False, True], ids=["no ties", "ties"])
@pytest.mark.parametrize("k", some([3, 1, 20, None], 4))
def test_ndcg_is_that_of_scikit_learn_also_with_ties(ties, k):
    frame = ranked(1, ties)
    groups = by_group(frame)
    linear = fmean(ndcg_score([r], [s], k=k) for r, s in groups)
    steep = fmean(ndcg_score([2**r - 1], [s], k=k) for r, s in groups)
    cut = "" if k is None else f":k={k}"
    assert value(frame, f"ndcg{cut}") == pytest.approx(linear, rel=1e-14)
    assert value(frame, f"ndcg_exponential_gain{cut}") == pytest.approx(steep, rel=1e-14)


@pytest.mark.parametrize("ties", [False, True], ids=["no ties", "ties"])
def test_average_precision_is_that_of_scikit_learn_also_with_ties(ties):
    frame = ranked(2, ties, binary=True)
    expected = fmean(average_precision_score(r, s) for r, s in by_group(frame))
    assert value(frame, "map") == pytest.approx(expected, rel=1e-14)


def average_precision(relevance, score, k):
    order = np.argsort(-score)
    hits = np.cumsum(relevance[order])
    return math.fsum(hits[i] / (i + 1) for i in range(len(order)) if relevance[order[i]] and i < k) / hits[-1]


@pytest.mark.parametrize("k", [1, 2, 5])
def test_average_precision_of_the_first_ranks_is_over_all_relevant_items(k):
    frame = ranked(3, binary=True)
    expected = fmean(average_precision(r, s, k) for r, s in by_group(frame))
    assert value(frame, "map", k=k) == pytest.approx(expected, rel=1e-14)


def test_items_of_equal_scores_are_worth_the_mean_over_their_orders():
    relevance, score = np.array([3.0, 0.0, 1.0, 2.0]), np.array([1.0, 1.0, 1.0, 2.0])
    frame = pl.DataFrame({"group": 1, "score": score, "relevance": relevance})
    discount = 1 / np.log2(np.arange(4) + 2)
    found = [
        relevance[3] * discount[0] + relevance[list(order)][:2] @ discount[1:3]
        for order in permutations(range(3))
    ]
    ideal = np.array([3.0, 2.0, 1.0]) @ discount[:3]
    assert value(frame, "ndcg:k=3") == pytest.approx(np.mean(found) / ideal, rel=1e-15)


def test_softmax_losses_are_sums_of_log_softmax():
    frame = ranked(4)
    sums = []
    for r, s in by_group(frame):
        log_sum = math.log(math.fsum(math.exp(x) for x in s))
        sums.append(math.fsum(a * (log_sum - x) for a, x in zip(r, s, strict=True)))
    assert value(frame, "ranking_softmax") == pytest.approx(fmean(sums), rel=1e-14)
    total = math.fsum(sums) / frame["relevance"].sum()
    assert value(frame, "query_softmax") == pytest.approx(total, rel=1e-14)


def test_softmax_keeps_the_digits_of_a_small_loss_and_does_not_overflow():
    sure = pl.DataFrame({"group": 1, "score": [50.0, 0.0], "relevance": [1, 0]})
    assert value(sure, "ranking_softmax") == pytest.approx(math.exp(-50), rel=1e-15)
    wide = pl.DataFrame({"group": 1, "score": [1e308, -1e308], "relevance": [1, 0]})
    assert value(wide, "ranking_softmax") == 0
    steep = pl.DataFrame({"group": 1, "score": [1.0, 2.0], "relevance": [5000, 4999]})
    assert value(steep, "ndcg_exponential_gain") == pytest.approx(
        (0.5 + 1 / math.log2(3)) / (1 + 0.5 / math.log2(3)), rel=1e-15
    )


def test_query_rmse_takes_the_mean_error_out_of_each_group():
    frame = ranked(5)
    squares = [(s - r - np.mean(s - r)) ** 2 for r, s in by_group(frame)]
    assert value(frame, "query_rmse") == pytest.approx(math.sqrt(np.concatenate(squares).mean()), rel=1e-14)
    shifted = frame.with_columns(pl.col("score") + pl.col("group") * 1e3)
    assert value(shifted, "query_rmse") == pytest.approx(value(frame, "query_rmse"), rel=1e-10)


def test_interval_of_query_rmse_is_that_of_groups():
    # The same items ten times in each group: no more groups, so no more certainty.
    frame = ranked(6)
    tenfold = pl.concat([frame] * 10).sort("group", maintain_order=True)
    one, ten = (
        losscli.evaluate(each, loss="query_rmse", group="group")["query_rmse"] for each in (frame, tenfold)
    )
    assert (one.rows, ten.rows) == (GROUPS, GROUPS)
    assert ten.value == pytest.approx(one.value, rel=1e-13)
    assert ten.se == pytest.approx(one.se, rel=1e-12)


def test_interval_is_that_of_a_bootstrap_of_groups():
    frame = ranked(7)
    sums = np.array([[np.sum((s - r - np.mean(s - r)) ** 2), len(s)] for r, s in by_group(frame)])
    rng = np.random.default_rng(0)
    drawn = sums[rng.integers(0, GROUPS, (4000, GROUPS))].sum(axis=1)
    expected = np.sqrt(drawn[:, 0] / drawn[:, 1]).std()
    found = losscli.evaluate(frame, loss="query_rmse", group="group")["query_rmse"]
    assert found.se == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("loss", ["ndcg", "ndcg_exponential_gain", "mean_average_precision"])
def test_groups_without_a_relevant_item_count_as_asked(loss):
    frame = ranked(8, binary=True)
    empty = pl.DataFrame({"group": [97, 97, 98, 99], "score": [1.0, 2.0, 3.0, 4.0], "relevance": [0] * 4})
    both = pl.concat([frame, empty], how="vertical_relaxed")
    alone = value(frame, loss)
    assert value(both, loss) == pytest.approx(alone * GROUPS / (GROUPS + 3), rel=1e-14)
    assert value(both, loss, empty="one") == pytest.approx((alone * GROUPS + 3) / (GROUPS + 3), rel=1e-14)
    assert value(both, loss, empty="skip") == pytest.approx(alone, rel=1e-14)
    report = losscli.evaluate(both, loss=loss, group="group")
    assert "3 groups without a relevant item, e.g. group 97" in map(str, report.findings)
    (nothing,) = losscli.evaluate(empty, loss=loss, group="group", empty="skip").results
    assert nothing.value is None
    assert "no group has a relevant item" in nothing.notes[0].text


def test_results_count_groups_and_say_so():
    report = losscli.evaluate(ranked(9), group="group")
    assert [(r.loss, r.rows) for r in report.results] == [("ndcg", GROUPS), ("ranking_softmax", GROUPS)]
    assert "the column rows counts groups of group" in map(str, report.findings)


def test_weights_are_of_groups():
    frame = ranked(10)
    weight = pl.col("group") % 3
    twice = pl.concat(
        [frame.filter(weight > 0), frame.filter(weight == 2).with_columns(pl.col("group") + 1000)]
    )
    weighted = frame.with_columns(w=weight)
    for loss in ("ndcg", "query_rmse", "query_softmax"):
        assert value(weighted, loss, weight="w") == pytest.approx(value(twice, loss), rel=1e-13)
    with pytest.raises(DataError, match="weights that differ within a group"):
        value(frame.with_row_index("w").with_columns(pl.col("w") + 1), "ndcg", weight="w")


@pytest.mark.parametrize("keys", [False, True], ids=["numbers", "text"])
def test_scattered_groups_are_sorted(keys, tmp_path):
    frame = ranked(11, keys=keys)
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=1)
    for loss in ("ndcg", "query_rmse", "ranking_softmax"):
        assert value(shuffled, loss) == pytest.approx(value(frame, loss), rel=1e-13)


def test_sorting_is_told_and_rows_keep_their_numbers(losscli):
    losscli.write(p="qid,score,relevance\na,1,1\nb,2,0\na,3,x\n".replace("x", "-1"))
    losscli.refuses(3, "evaluate", "p.csv", "-l", "ndcg", said=["not a number >= 0", "row 3: -1.0"])
    losscli.write(p="qid,score,relevance\na,1,1\nb,2,1\na,3,0\n")
    done = losscli("evaluate", "p.csv", "-l", "ndcg", "-v")
    assert "groups are not contiguous: sorted by qid, in memory" in done.err
    assert done.status == 0


def test_files_in_another_order_are_joined_and_then_sorted(losscli):
    frame = ranked(12).with_row_index("id")
    preds, targets = frame.select("id", "group", "score"), frame.select("id", "relevance")
    expected = value(frame, "ndcg")
    for seed, order in enumerate((preds, preds.sample(fraction=1.0, shuffle=True, seed=3))):
        losscli.write(p=order, t=targets.sample(fraction=1.0, shuffle=True, seed=seed))
        assert losscli.bare("p.csv", "t.csv", "-l", "ndcg") == [pytest.approx(expected, rel=1e-13)]


@pytest.mark.parametrize("pieces", [1, 7, 100, 5000])
@pytest.mark.parametrize("size", [1, 16, 100, 1 << 20])
def test_blocks_end_with_a_group_wherever_frames_are_cut(pieces, size):
    frame = ranked(13).with_row_index("row")
    found = list(blocks.blocks(iter(frame.iter_slices(pieces)), size, "group"))
    assert pl.concat([block for _, block in found]).equals(frame)
    assert [first for first, _ in found] == [block["row"][0] for _, block in found]
    ends = [block["row"][-1] for _, block in found]
    borders = [i for i in range(len(frame) - 1) if frame["group"][i] != frame["group"][i + 1]]
    expected, at = [], 0
    while nearest := [b for b in borders if b + 1 >= (at // size + 1) * size]:
        expected.append(nearest[0])
        at = nearest[0] + 1
    assert ends == [*expected, len(frame) - 1]


def test_a_group_may_be_larger_than_a_block(monkeypatch):
    frame = pl.concat([ranked(14), ranked(15).with_columns(group=pl.lit(5000, pl.Int64)), ranked(16)])
    frame = frame.with_columns(pl.col("group") + (pl.int_range(pl.len()) > len(ranked(14)) + 100) * 10_000)
    expected = [value(frame, loss) for loss in ("ndcg", "query_rmse")]
    monkeypatch.setattr("losscli.plan.plan.BLOCK_NUMBERS", 8 * 256)
    assert prepare(frame, loss="ndcg", group="group").plan.block_rows == 256
    for threads in (1, 3):
        found = [value(frame, loss, threads=threads) for loss in ("ndcg", "query_rmse")]
        assert found == pytest.approx(expected, rel=1e-14)


def test_slices_take_whole_groups():
    frame = ranked(17).with_columns(
        region=pl.when(pl.col("group") < 20).then(pl.lit("eu")).otherwise(pl.lit("us"))
    )
    report = losscli.evaluate(frame, loss="ndcg", group="group", by="region")
    for region in ("eu", "us"):
        own = losscli.evaluate(frame.filter(pl.col("region") == region), loss="ndcg", group="group")["ndcg"]
        cut = report["ndcg", {"region": region}]
        assert (cut.rows, cut.value) == (own.rows, pytest.approx(own.value, rel=1e-14))
    split = frame.with_columns(region=pl.int_range(pl.len()) % 2)
    with pytest.raises(DataError, match="another slice by region than the first of their group"):
        losscli.evaluate(split, loss="ndcg", group="group", by="region")


def test_missing_keys_are_missing_values(losscli):
    losscli.write(p="qid,score,relevance\na,1,1\n,2,1\na,3,0\n")
    losscli.refuses(3, "evaluate", "p.csv", "-l", "ndcg", said=["column qid: 1 missing value", "row 2"])
    done = losscli("evaluate", "p.csv", "-l", "ndcg", "--missing", "drop", "--json")
    assert json.loads(done.out)["results"][0]["rows"] == 1


@pytest.mark.parametrize("name", ["group", "query", "query_id", "qid"])
def test_groups_are_found_by_name_where_a_loss_of_groups_is_asked_for(name):
    frame = ranked(18)
    named = frame.rename({"group": name})
    assert losscli.evaluate(named, loss="ndcg").results[0].value == value(frame, "ndcg")
    assert prepare(named, loss="ndcg").plan.roles.group == f"t:{name}"


def test_a_column_named_group_alone_is_no_ranking():
    frame = ranked(19).rename({"relevance": "target"})
    assert prepare(frame).plan.roles.task == "regression"
    assert prepare(frame, group="group").plan.roles.task == "grouped_ranking"


def test_flags_give_the_same_run_again(losscli):
    argv = ["p.csv", "--group", "user id", "-p", "s", "-l", "ndcg:k=5", "-l", "map", "-l", "query_rmse"]
    losscli.write(p=ranked(20, binary=True).rename({"group": "user id", "score": "s"}))
    first = losscli("evaluate", *argv, "--dry-run")
    assert "--group 'user id'" in first.err
    plan = next(line for line in first.err.splitlines() if "plan: " in line).split("plan: ")[1]
    again = losscli("evaluate", "p.csv", *shlex.split(plan), "--bare")
    assert again.out.splitlines() == losscli("evaluate", *argv, "--bare").out.splitlines()
    assert len(again.out.splitlines()) == 3


def test_explain_tells_ties_and_groups_without_a_relevant_item(losscli):
    told = " ".join(losscli("explain", "ndcg").out.split())
    assert "Tied items share the mean discount of their ranks, or rank in file order" in told
    assert "A group without a relevant item counts as 0 or 1, or is left out, by empty." in told
    assert "reads the group, score, the target (a number >= 0)" in told


def test_check_counts_groups(losscli):
    losscli.write(p=ranked(21))
    done = losscli("check", "p.csv", "-l", "ndcg")
    assert done.out.startswith(f"{GROUPS} groups can be evaluated")
    assert "--group group" in done.out


def test_the_group_is_part_of_the_signature():
    frame = ranked(22).with_columns(other=pl.col("group") // 2)
    one, two = (losscli.evaluate(frame, target="relevance", loss="ndcg", group=g) for g in ("group", "other"))
    assert one.signature != two.signature


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"loss": "ndcg", "group": "grup"}, "--group: no column 'grup'. Did you mean group?"),
        ({"loss": "mae", "group": "group"}, "--group names groups of rows"),
        ({"loss": "ndcg", "group": "score"}, "no column score"),
        ({"loss": "ndcg", "group": "relevance", "target": "relevance"}, "the column has another role"),
        ({"loss": "ndcg:k=0", "group": "group"}, "k must be a whole number >= 1, or none"),
        ({"loss": "ndcg:empty=two", "group": "group"}, "empty must be zero, one or skip"),
    ],
)
def test_what_makes_no_sense_is_refused(options, said):
    with pytest.raises(UsageError) as error:
        losscli.evaluate(ranked(), **options)
    assert said in str(error.value)


def test_no_column_of_groups_or_several_are_refused():
    with pytest.raises(UsageError, match="no group column"):
        losscli.evaluate(ranked().rename({"group": "user"}), loss="ndcg")
    with pytest.raises(UsageError, match="several columns could be the group: group, qid"):
        losscli.evaluate(ranked().with_columns(qid=1), loss="ndcg")


def test_relevance_has_its_range():
    with pytest.raises(DataError, match="not 0 or 1"):
        value(ranked(), "map")
    with pytest.raises(DataError, match="not a number >= 0"):
        value(ranked().with_columns(relevance=-pl.col("relevance")), "ndcg")
    assert value(ranked().with_columns(relevance=-pl.col("relevance")), "query_rmse") > 0


def test_an_interval_stays_within_what_a_score_can_be():
    frame = pl.DataFrame(
        {"group": [1, 1, 2, 2, 3, 3], "score": [1, 2, 1, 2, 0, 1], "relevance": [1, 0, 1, 1, 0, 1]}
    )
    for loss in ("ndcg", "ndcg_exponential_gain", "dcg"):
        found = losscli.evaluate(frame, loss=loss, group="group").results[0]
        assert 0 <= found.ci_low <= found.value <= found.ci_high
