"""Losses that compare the rows of a group with each other, against mpmath."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from mpmath import mpf
from test_exact import check

from losscli.catalog import registry
from losscli.tasks import contrastive
from losscli.tasks.contrastive import LabeledVectors
from losscli.tasks.hazard import Cohort

RNG = np.random.default_rng(5)
SIZES = [6, 1, 4, 9]
STARTS = np.cumsum([0, *SIZES[:-1]])
N = sum(SIZES)


def row_columns(name, batch, **params):
    (entry,) = (entry for entry in registry.list_losses() if entry.name == name)
    return entry.columns(batch, registry.choose(entry, params, {}).params)


def softplus(x):
    return mpmath.log1p(mpmath.exp(x)) if x != -mpmath.inf else mpf(0)


def log_sum(terms):
    return mpmath.log(mpmath.fsum(map(mpmath.exp, terms))) if terms else -mpmath.inf


def groups():
    return [range(start, start + size) for start, size in zip(STARTS, SIZES, strict=True)]


def cosines(vector):
    rows = [[mpf(x) for x in row] for row in vector]
    lengths = [mpmath.sqrt(mpmath.fsum(x * x for x in row)) for row in rows]
    return [
        [mpmath.fsum(map(mpmath.fmul, a, b)) / (la * lb) for b, lb in zip(rows, lengths, strict=True)]
        for a, la in zip(rows, lengths, strict=True)
    ]


@pytest.mark.parametrize("pairs", [1, 10, contrastive.PAIRS])
@pytest.mark.parametrize("scale", [1.0, 1e-200, 1e200])
def test_contrastive_losses(scale, pairs, monkeypatch):
    monkeypatch.setattr(contrastive, "PAIRS", pairs)
    vector, label = scale * RNG.normal(size=(N, 3)), RNG.integers(0, 3, N)
    batch, s = LabeledVectors(np, vector, label, starts=STARTS), cosines(vector)
    pair_sums, counts, circles = [], [], []
    gamma, margin, temperature = 16.0, 0.25, 0.07
    for group in groups():
        found, circle = [], mpf(0)
        for i in group:
            alike = [j for j in group if label[j] == label[i] and j != i]
            others = [j for j in group if label[j] != label[i]]
            below = log_sum([s[i][k] / mpf(temperature) for k in others])
            found += [softplus(below - s[i][j] / mpf(temperature)) for j in alike]
            near = [gamma * max(1 + margin - s[i][j], 0) * (1 - margin - s[i][j]) for j in alike]
            far = [gamma * max(margin + s[i][k], 0) * (s[i][k] - margin) for k in others]
            circle += softplus(log_sum(near) + log_sum(far)) if near and far else 0
        pair_sums.append(mpmath.fsum(found))
        counts.append(len(found))
        circles.append(circle)
    sums, found_counts = row_columns("ntxent", batch)
    check(sums, pair_sums, SIZES, 4)
    assert found_counts.tolist() == counts
    sums, rows = row_columns("circle", batch, gamma=gamma, margin=margin)
    check(sums, circles, SIZES, 4)
    assert rows.tolist() == SIZES


@pytest.mark.parametrize("ties", ["breslow", "efron"])
@pytest.mark.parametrize("width", [0.5, 30.0, 1000.0])
def test_cox_partial_likelihood(width, ties):
    # Not of the generator above, whose state depends on the tests before.
    rng = np.random.default_rng(int(width))
    z, time = rng.normal(0, width, N), rng.integers(1, 4, N) * 1.0
    event = (rng.uniform(size=N) < 0.7) * 1.0
    with mpmath.workdps(2_000):  # the smallest hazards are exp(-4000) of the largest
        exact = cox(z, time, event, ties)
    with np.errstate(all="ignore"):  # as the engine has it
        batch = Cohort(np, z, time, event, starts=STARTS)
        sums, events = row_columns("cox_partial_likelihood", batch, ties=ties)
    check(sums, exact, SIZES, 4)
    assert events.tolist() == [sum(event[i] for i in group) for group in groups()]


def cox(z, time, event, ties):
    """Minus the logarithm of the partial likelihood of each group."""
    exact = []
    for group in groups():
        total = mpf(0)
        for t in {time[i] for i in group}:
            dying = [i for i in group if time[i] == t and event[i]]
            risk = mpmath.fsum(mpmath.exp(mpf(z[i])) for i in group if time[i] >= t)
            own = mpmath.fsum(mpmath.exp(mpf(z[i])) for i in dying)
            for before, i in enumerate(dying):
                left = own * before / len(dying) if ties == "efron" else 0
                total += mpmath.log(risk - left) - mpf(z[i])
        exact.append(total)
    return exact


def test_a_survival_analysis_by_hand():
    # Klein and Moeschberger (2003), sec. 8.3: risk sets of items with a longer or equal time.
    z, time, event = (
        np.log([1.0, 2.0, 3.0, 4.0]),
        np.array([1.0, 2.0, 2.0, 3.0]),
        np.array([1.0, 1.0, 1.0, 0]),
    )
    batch = Cohort(np, z, time, event, starts=np.array([0]))
    exact = {"breslow": (10 / 1) * (9 / 2) * (9 / 3), "efron": (10 / 1) * (9 / 2) * ((9 - 5 / 2) / 3)}
    for ties, product in exact.items():
        sums, events = row_columns("cox_partial_likelihood", batch, ties=ties)
        assert (sums[0], events[0]) == (pytest.approx(np.log(product), rel=1e-15), 3.0)


@pytest.mark.parametrize("temperature", [1e-300, 1e-3, 1e300])
def test_no_temperature_is_too_low_or_too_high(temperature):
    angles = np.array([0.0, 0.1, 1.0, 2.0])
    vector, label = np.stack([np.cos(angles), np.sin(angles)], axis=1), np.array([0, 0, 1, 0])
    batch, t = LabeledVectors(np, vector, label, starts=np.array([0])), mpf(temperature)
    s = cosines(vector)
    pairs = [(i, j) for i in (0, 1, 3) for j in (0, 1, 3) if i != j]
    gaps = [(s[i][2] - s[i][j]) / t for i, j in pairs]
    exact = mpmath.fsum(gap if gap > 1e6 else softplus(gap) for gap in gaps)
    with np.errstate(all="ignore"):  # as the engine has it
        sums, _ = row_columns("ntxent", batch, temperature=temperature)
    check(sums, [exact], [temperature], 4)
