"""Contrasts of cells with the rest of the rows: nothing is subtracted, and shared clusters count."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from losscli.states import clusters
from losscli.states.cells import Cells
from losscli.states.clusters import Clusters, Rest
from losscli.states.complement import collapsed, pooled, rests
from losscli.states.contrasts import contrasts, p_values
from losscli.states.moments import Moments
from losscli.states.multiple import benjamini_hochberg
from losscli.states.reductions import BoundReduction, mean, root

LEVEL = 0.95


def moments(x, code, cells, weight=None):
    return Moments.of(Cells(np, len(x), weight, 0, code, cells), [x])


def rests_of(state):
    """The rests of the cells of one group."""
    return rests(state, np.zeros(len(state.n), dtype=int))


@pytest.mark.parametrize("cells", [2, 3, 4, 5, 7, 8, 33])
def test_rests_are_the_other_cells(cells):
    rng = np.random.default_rng(cells)
    x, code, weight = rng.normal(1e9, 1, 500), rng.integers(0, cells, 500), rng.random(500) + 0.1
    code[code == 1] = 0  # an empty cell
    state = moments(x, code, cells, weight)
    found = rests_of(state)
    for cell in range(cells):
        others = code != cell
        alone = moments(x[others], np.zeros(others.sum(), dtype=int), 1, weight[others])
        for name in ("n", "weight", "total", "spread", "third", "low", "high"):
            own, expected = getattr(found, name)[cell], getattr(alone, name)[0]
            assert own == pytest.approx(expected, rel=1e-9, abs=1e-5), name
    assert collapsed(state).mean == pytest.approx(np.average(x, weights=weight), rel=1e-15)


def test_groups_of_cells_are_merged_apart():
    rng = np.random.default_rng(8)
    x, code = rng.normal(5, 1, 900), rng.integers(0, 9, 900)
    groups = np.array([0, 0, 0, 0, 0, 1, 2, 2, 2])
    state = moments(x, code, 9)
    found, others = pooled(state, groups), rests(state, groups)
    for group in range(3):
        assert found.mean[group] == pytest.approx(x[groups[code] == group].mean(), rel=1e-14)
    for cell in range(9):
        rest = x[(groups[code] == groups[cell]) & (code != cell)]
        assert others.n[cell] == len(rest)
        if len(rest):
            assert others.mean[cell] == pytest.approx(rest.mean(), rel=1e-14)


def test_a_small_rest_keeps_its_digits():
    x = np.concatenate([np.full(10**5, 1e12), [1.0, 2.0, 4.0]])
    code = np.concatenate([np.zeros(10**5, dtype=int), np.ones(3, dtype=int)])
    assert rests_of(moments(x, code, 2)).mean[0] == pytest.approx(7 / 3, rel=1e-15)


def test_a_contrast_is_the_test_of_welch_where_nothing_is_skewed():
    rng = np.random.default_rng(1)
    x = rng.normal(size=4_000)
    code = (rng.random(4_000) < 0.1).astype(int)
    x[code == 1] *= 2
    a, b = x[code == 1], x[code == 0]
    x = np.concatenate([a, 2 * a.mean() - a, b, 2 * b.mean() - b])  # symmetric
    code = np.repeat([1, 0], [2 * len(a), 2 * len(b)])
    state = moments(x, code, 2)
    (_, found) = contrasts(BoundReduction(mean, {}), state, rests_of(state), LEVEL, score=False)
    expected = stats.ttest_ind(x[code == 1], x[code == 0], equal_var=False, alternative="greater")
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-6)
    assert found.df == pytest.approx(expected.df, rel=1e-9)
    low, high = stats.ttest_ind(x[code == 1], x[code == 0], equal_var=False).confidence_interval(LEVEL)
    assert (found.ci_low, found.ci_high) == pytest.approx((low, high), rel=1e-6)
    assert stats.norm.sf(found.certainty) == pytest.approx(found.p_value, rel=1e-3)


def test_p_values_of_sums_are_those_of_welch():
    rng = np.random.default_rng(7)
    x, code = rng.normal(size=2_000), np.repeat([0, 1, 2, 3], [200, 500, 600, 700])
    x[code == 0] += 0.2
    estimates = moments(x, code, 4).estimates(BoundReduction(mean, {}), LEVEL)
    ((against_one, against_two, alone),) = p_values(
        estimates, [(1, -1, 0, 0), (1, -1, -1, 1), (1, 0, 0, 0)], LEVEL, score=False
    )
    a, b, c, d = (x[code == cell] for cell in range(4))
    expected = stats.ttest_ind(a, b, equal_var=False, alternative="greater").pvalue
    assert against_one == pytest.approx(expected, rel=0.05)  # skewness counts
    se = np.sqrt(sum(part.var(ddof=1) / len(part) for part in (a, b, c, d)))
    assert against_two == pytest.approx(
        stats.norm.sf((a.mean() - b.mean() - c.mean() + d.mean()) / se), rel=0.05
    )
    assert alone == pytest.approx(stats.ttest_1samp(a, 0, alternative="greater").pvalue, rel=0.1)


@pytest.mark.parametrize("score", [False, True])
def test_of_a_score_less_is_worse(score):
    x, code = np.r_[np.arange(50.0), np.arange(50.0) + 9], np.repeat([0, 1], 50)
    state = moments(x, code, 2)
    low, high = contrasts(BoundReduction(mean, {}), state, rests_of(state), LEVEL, score)
    assert (low.p_value < 0.01) == score
    assert (high.p_value < 0.01) != score
    assert low.p_value + high.p_value == pytest.approx(1.0, abs=0.01)


def test_rows_of_one_loss_may_vary_as_the_others():
    x, code = np.r_[np.full(40, 9.0), np.arange(160.0) % 8], np.repeat([0, 1], [40, 160])
    state = moments(x, code, 2)
    (found, _) = contrasts(BoundReduction(mean, {}), state, rests_of(state), LEVEL, score=False)
    error = np.std(x[40:], ddof=1)
    assert found.se == pytest.approx(error * np.hypot(40**-0.5, 160**-0.5), rel=1e-9)
    assert found.p_value < 1e-9


def test_two_constants_are_apart_for_sure():
    x, code = np.repeat([1.0, 2.0], 40), np.repeat([0, 1], 40)
    state = moments(x, code, 2)
    low, high = contrasts(BoundReduction(mean, {}), state, rests_of(state), LEVEL, score=False)
    assert (low.p_value, high.p_value, high.ci_low, high.ci_high) == (1.0, 0.0, 1.0, 1.0)
    state = moments(np.ones(80), code, 2)
    assert contrasts(BoundReduction(mean, {}), state, rests_of(state), LEVEL, score=False) == [None, None]


@pytest.mark.parametrize("reduction", [mean, root])
@pytest.mark.parametrize("weighted", [False, True])
def test_clusters_with_rows_on_both_sides_are_linearised_together(reduction, weighted):
    rng = np.random.default_rng(3)
    n, groups, cells = 2_000, 60, 4
    group = rng.integers(0, groups, n)
    # Cells 2 and 3 share no cluster with the others.
    code = np.where(group < 40, rng.integers(0, 2, n), 2 + group % 2)
    x = rng.random(n) + 3 + rng.normal(size=groups)[group]
    weight = rng.random(n) + 0.5 if weighted else None
    state = moments(x, code, cells, weight)
    own = Clusters.of(group.astype(np.int64))
    block = clusters.Block(clusters.pairs_of(own, {0: None, 1: code}))
    for way in (0, 1):
        block.add(way, [x], weight, None)
    totals = block.totals()
    inside = clusters.between(state, totals[1], 0)
    rest = clusters.rest_of(inside, rests_of(state), totals[1], totals[0], 0)
    assert isinstance(rest, Rest)
    found = contrasts(BoundReduction(reduction, {}), inside, rest, LEVEL, score=False)
    w = np.ones(n) if weight is None else weight
    slope = (lambda m: 1.0) if reduction is mean else (lambda m: 0.5 / np.sqrt(m))
    for cell in range(cells):
        u, counts, parts = np.zeros(groups), [], []
        for sign, rows in ((1, code == cell), (-1, code != cell)):
            m = np.average(x[rows], weights=w[rows])
            t = np.bincount(group[rows], w[rows] * (x[rows] - m), groups) * slope(m) / w[rows].sum()
            g = len(np.unique(group[rows]))
            t *= np.sqrt(g / (g - 1))
            u += sign * t
            counts.append(g)
            parts.append(np.sqrt(t @ t))
        assert rest.moments.units[cell] == counts[1]
        assert found[cell].se == pytest.approx(np.sqrt(u @ u), rel=1e-6)
        if cell < 2:
            assert found[cell].se < 0.8 * np.hypot(*parts)  # common noise cancels


def test_adjusted_p_values_are_those_of_scipy():
    p = np.random.default_rng(5).random(200) ** 3
    assert benjamini_hochberg(p.tolist()) == pytest.approx(stats.false_discovery_control(p).tolist())
    assert benjamini_hochberg([0.01, 0.04], tests=4) == pytest.approx([0.04, 0.08])
    assert benjamini_hochberg([]) == []
