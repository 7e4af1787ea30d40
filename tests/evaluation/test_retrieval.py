"""Scores of the first ranks of groups: against their definitions, over every order that ties leave open."""

from __future__ import annotations

from itertools import pairwise, permutations
from statistics import fmean

import numpy as np
import polars as pl
import pytest

import losscli
from losscli.errors import DataError

GRADES = 3


def value(loss: str, groups, **options) -> float | None:
    """The value over groups of relevance and scores."""
    parts = [
        pl.DataFrame({"group": [i] * len(r), "score": s, "relevance": np.asarray(r, float)}).cast(
            {"score": pl.Float64}
        )
        for i, (r, s) in enumerate(groups)
    ]
    return losscli.evaluate(pl.concat(parts), loss=loss, group="group", **options).results[0].value


def drawn(seed: int, binary: bool = True, ties: bool = True) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(seed)
    groups = []
    for size in rng.integers(1, 7, 8):
        r = rng.integers(0, 2 if binary else GRADES + 1, size)
        groups.append((r, rng.integers(0, 3, size) / 2 if ties else rng.normal(size=size)))
    return groups


def orders(s: np.ndarray):
    """Every order of items by score, ties broken in every way."""
    return [o for o in permutations(range(len(s))) if all(s[a] >= s[b] for a, b in pairwise(o))]


def first(r) -> int | None:
    hits = np.flatnonzero(r)
    return int(hits[0]) if len(hits) else None


DEFINITIONS = {
    "precision_at_k:k=2": lambda r: sum(r[:2]) / 2,
    "precision_at_k:k=4,divisor=min_k": lambda r: sum(r[:4]) / min(4, len(r)),
    "recall_at_k:k=2": lambda r: sum(r[:2]) / sum(r) if sum(r) else 0.0,
    "recall_at_k:k=2,divisor=min_k,empty=one": lambda r: sum(r[:2]) / min(2, sum(r)) if sum(r) else 1.0,
    "hit_rate_at_k:k=2": lambda r: float(any(r[:2])),
    "hit_rate_at_k:k=3,empty=one": lambda r: float(any(r[:3]) or not any(r)),
    "mean_reciprocal_rank": lambda r: 0.0 if first(r) is None else 1 / (1 + first(r)),
    "mean_reciprocal_rank:k=2": lambda r: 1 / (1 + first(r)) if any(r[:2]) else 0.0,
    "rank_biased_precision:persistence=0.6": lambda r: 0.4 * sum(x * 0.6**i for i, x in enumerate(r)),
}
GRADED = {
    "dcg:k=3": lambda r: sum(x / np.log2(i + 2) for i, x in enumerate(r[:3])),
    "dcg:gain=exponential": lambda r: sum((2.0**x - 1) / np.log2(i + 2) for i, x in enumerate(r)),
}


@pytest.mark.parametrize(("loss", "definition"), [*DEFINITIONS.items(), *GRADED.items()])
def test_a_tie_counts_as_if_broken_at_random(loss, definition):
    groups = [group for seed in range(6) for group in drawn(seed, binary=loss in DEFINITIONS)]
    expected = fmean(fmean(definition(r[list(o)]) for o in orders(s)) for r, s in groups)
    assert value(loss, groups) == pytest.approx(expected, rel=1e-13, abs=1e-15)


@pytest.mark.parametrize(("loss", "definition"), [*DEFINITIONS.items(), *GRADED.items()])
def test_ties_may_stand_in_the_order_of_rows(loss, definition):
    groups = [group for seed in range(6) for group in drawn(seed, binary=loss in DEFINITIONS)]
    expected = fmean(definition(r[np.argsort(-s, kind="stable")]) for r, s in groups)
    found = value(f"{loss}{',' if ':' in loss else ':'}ties=rows", groups)
    assert found == pytest.approx(expected, rel=1e-13, abs=1e-15)


def err(r, k=None) -> float:
    found, going = 0.0, 1.0
    for i, grade in enumerate(r[:k]):
        stop = (2.0**grade - 1) / 2.0**GRADES
        found, going = found + going * stop / (i + 1), going * (1 - stop)
    return found


@pytest.mark.parametrize("k", [None, 2])
def test_the_expected_reciprocal_rank_follows_a_reader_down_the_list(k):
    cut = "" if k is None else f",k={k}"
    for seed in range(6):
        groups = drawn(seed, binary=False)
        expected = fmean(err(r[np.argsort(-s, kind="stable")], k) for r, s in groups)
        found = value(f"expected_reciprocal_rank:max_relevance={GRADES}{cut}", groups)
        assert found == pytest.approx(expected, rel=1e-13)


def test_a_relevance_above_the_maximum_counts_as_that_and_is_noted():
    rows = pl.DataFrame({"group": [1, 1], "score": [0.2, 0.1], "relevance": [3, 0], "w": [2.0, 2.0]})
    report = losscli.evaluate(rows, loss="err:max_relevance=2", group="group", weight="w")
    assert report.results[0].value == 0.75
    (found,) = (str(note) for note in report.findings if note.code == "replaced-value")
    assert "counts a relevance above max_relevance=2.0 as that" in found


@pytest.mark.parametrize("width", [1.0, 1000.0])
def test_list_mle_is_the_likelihood_of_the_order_by_relevance(width):
    for seed in range(6):
        groups = [(r, width * s) for r, s in drawn(seed, binary=False, ties=False)]
        expected = fmean(
            sum(np.logaddexp.reduce(o[i:]) - o[i] for i in range(len(o)))
            for o in (s[np.argsort(-r, kind="stable")] for r, s in groups)
        )
        assert value("list_mle", groups) == pytest.approx(expected, rel=1e-12)


def test_a_group_without_a_relevant_item_may_be_left_out():
    groups = [([0, 1], [0.9, 0.1]), ([0, 0], [0.9, 0.1])]
    for loss, one in (("mrr", 0.5), ("hit_rate_at_k:k=2", 1.0), ("recall_at_k:k=2", 1.0)):
        found = {
            empty: value(f"{loss}{',' if ':' in loss else ':'}empty={empty}", groups)
            for empty in ("zero", "one", "skip")
        }
        assert found == {"zero": one / 2, "one": (one + 1) / 2, "skip": one}


def test_a_relevance_of_minus_one_is_not_relevant_where_that_is_asked_for():
    groups = [([-1, 1, 0], [0.9, 0.5, 0.1])]
    for loss in ("precision_at_k:k=2", "mrr:k=2", "rank_biased_precision:persistence=0.5", "dcg:k=3"):
        with pytest.raises(DataError, match=r"row 1: -1"):
            value(loss, groups)
        plain = value(loss, [([0, 1, 0], [0.9, 0.5, 0.1])])
        assert value(f"{loss},negative=zero", groups) == plain


def test_many_items_of_one_score_have_the_expected_rank_of_the_first_hit():
    n, hits = 400, 3
    r = np.zeros(n)
    r[:hits] = 1
    # P(the first of r hits among n is the j-th)
    none = np.cumprod([1.0, *((n - hits - j) / (n - j) for j in range(n - hits))])
    chance = [none[j] * hits / (n - j) for j in range(n - hits + 1)]
    expected = sum(p / (j + 1) for j, p in enumerate(chance))
    assert value("mrr", [(r, np.zeros(n))]) == pytest.approx(expected, rel=1e-12)
    assert value("hit_rate_at_k:k=10", [(r, np.zeros(n))]) == pytest.approx(sum(chance[:10]), rel=1e-12)
