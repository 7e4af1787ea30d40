"""Scores at extreme inputs against 100 digits of mpmath: within 4 units in the last place."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from mpmath import mpf
from test_exact import ERRORS, LOGITS, ROWS, check, columns, regression, softmax

from losscli.tasks.binary import Binary
from losscli.tasks.classes import Multiclass
from losscli.tasks.grouped import BinaryRelevance, Relevance
from losscli.tasks.quantile import ScaledInterval
from losscli.tasks.regression import Benchmarked, Scaled

SIZES = [1e-200, 1e-8, 0.3, 1.0, 7.0, 1e9, 1e200]


def test_spherical_score_of_logits():
    for y in (0.0, 1.0):
        found = columns(
            "spherical_score", Binary(np, np.full(len(LOGITS), y), np.array(LOGITS), "logit", 0.0)
        )
        exact = []
        for z in map(mpf, LOGITS):
            p, q = 1 / (1 + mpmath.exp(-z)), 1 / (1 + mpmath.exp(z))
            exact.append((p if y else q) / mpmath.sqrt(p * p + q * q))
        check(found, exact, LOGITS, 4)


def test_spherical_score_of_classes():
    logits, code = np.array([row[0] for row in ROWS]), np.array([row[1] for row in ROWS])
    found = columns("multiclass_spherical_score", Multiclass(np, logits, "logit", 0.0, code, None))
    exact = []
    for z, c in ROWS:
        p = [mpmath.exp(log) for log in softmax(z)[0]]
        exact.append(p[c] / mpmath.sqrt(mpmath.fsum(x * x for x in p)))
    check(found, exact, ROWS, 4)


def test_percentage_and_geometric_errors():
    rows = [(e, y) for e in ERRORS for y in (1e-9, -3.0, 1e9) if abs(e) < 1e300]
    regression("mean_percentage_error", lambda p, y: (p - y) / abs(y), rows)
    rows = [(e, 0.0) for e in ERRORS if e]
    regression("geometric_mean_absolute_error", lambda p, y: mpmath.log(abs(p - y)), rows)


@pytest.mark.parametrize("size", SIZES)
def test_scaled_errors(size):
    e = np.array(SIZES)
    zero, scale, naive = np.zeros(len(e)), np.full(len(e), 4.0), np.full(len(e), size)
    for kind, name, formula in (
        (Scaled, "mean_absolute_scaled_error", lambda x: x / 4),
        (Benchmarked, "mean_relative_absolute_error", lambda x: x / 4 / mpf(size)),
        (
            Benchmarked,
            "geometric_mean_relative_absolute_error",
            lambda x: mpmath.log(x / 4 / mpf(size)),
        ),
    ):
        found = columns(name, kind(np, e, zero, scale=scale, naive_error=naive))
        check(found, [formula(mpf(x)) for x in SIZES], SIZES, 4)
    found = columns("mean_scaled_interval_score", ScaledInterval(np, zero, e, zero, scale, naive), alpha=0.1)
    check(found, [mpf(x) / 4 for x in SIZES], SIZES, 4)


RNG = np.random.default_rng(7)
STARTS, ITEMS = np.array([0, 12]), 24


@pytest.mark.parametrize("width", [0.1, 3.0, 300.0])
def test_scores_of_groups(width):
    """Sums of ten terms and more, each of which is rounded: within 16."""
    score, hit = RNG.normal(0, width, ITEMS), (RNG.random(ITEMS) < 0.4) * 1.0
    grade = RNG.integers(0, 5, ITEMS) * 1.0
    groups = [slice(0, 12), slice(12, 24)]

    def ranked(values, by):
        return [values[own][np.argsort(-by[own], kind="stable")] for own in groups]

    binary, graded = (
        BinaryRelevance(np, score=score, target=hit, starts=STARTS),
        Relevance(np, score=score, target=grade, starts=STARTS),
    )
    two = [[mpf(2) ** mpf(g) - 1 for g in own] for own in ranked(grade, score)]
    exact = {
        "discounted_cumulative_gain": [
            mpmath.fsum(g / mpmath.log(i + 2, 2) for i, g in enumerate(own)) for own in two
        ],
        "rank_biased_precision": [
            (1 - mpf(0.8)) * mpmath.fsum(int(h) * mpf(0.8) ** i for i, h in enumerate(own))
            for own in ranked(hit, score)
        ],
        "expected_reciprocal_rank": [
            mpmath.fsum(
                g / 16 * mpmath.fprod(1 - before / 16 for before in own[:i]) / (i + 1)
                for i, g in enumerate(own)
            )
            for own in two
        ],
        "list_mle": [
            mpmath.fsum(
                mpmath.log(mpmath.fsum(mpmath.exp(mpf(x) - mpf(own[i])) for x in own[i:]))
                for i in range(len(own))
            )
            for own in ranked(score, grade)
        ],
    }
    for name, values in exact.items():
        given = {"gain": "exponential"} if name.startswith("discounted") else {}
        batch = binary if name == "rank_biased_precision" else graded
        check(columns(name, batch, **given), values, groups, 16)
