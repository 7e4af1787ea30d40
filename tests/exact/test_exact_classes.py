"""Losses of classes, margins and divergences against 100 digits of mpmath: within 4 units in the last place.

Extreme inputs, and random ones of every width, where the rounding of a difference of logits would show.
"""

from __future__ import annotations

import math
from itertools import product

import mpmath
import numpy as np
import pytest
from mpmath import mpf
from test_exact import PROBABILITIES, ROWS, both_signs, check, columns, grid, softmax

from losscli.tasks.binary import Binary, BinaryScore, BinarySoftScore
from losscli.tasks.classes import Multiclass, MulticlassAmount, MulticlassScore, OneVsAll

pytestmark = pytest.mark.slow  # 60 digits take long; the regression losses have a part by default

WIDTHS = [0.3, 3.0, 30.0, 300.0]
"""Standard deviations of random logits."""


def exact_sum(values):
    return mpmath.fsum(values)


def xlogy(x, y):
    return x * mpmath.log(y) if x else mpf(0)


# Multiclass from logits


def random_rows(width, classes=4, rows=300):
    rng = np.random.default_rng(int(10 * width))
    return [
        (list(row), int(code))
        for row, code in zip(
            rng.normal(0, width, (rows, classes)), rng.integers(0, classes, rows), strict=True
        )
    ]


def multiclass(name, formula, rows, **params):
    """Check a loss of `formula(log p, 1 - p, true class)`, with both of all classes, on rows of logits."""
    # A power has its base's error gamma times.
    limit = 5 if "gamma" in params else 4
    if params.get("epsilon1") == -1.0:
        limit = 8  # -log p - (1 - p) is up to a third of -log p, whose rounding it inherits
    logits, code = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    found = columns(name, Multiclass(np, logits, "logit", 0.0, code, None), **params)
    check(found, [formula(*softmax(z), c) for z, c in rows], rows, limit)


def cross_entropy(logs, misses, c):
    return -logs[c]


def focal(gamma):
    return lambda logs, misses, c: -mpf(0.25) * misses[c] ** mpf(gamma) * logs[c]


def brier(logs, misses, c):
    return exact_sum((misses[i] if i == c else mpmath.exp(log)) ** 2 for i, log in enumerate(logs))


def poly1(epsilon):
    # With the digits that log p + (1 - p) loses at epsilon = -1.
    def formula(logs, misses, c):
        with mpmath.workdps(800):
            miss = mpf(misses[c])
            rest = exact_sum(miss**k / k for k in range(2, 6)) if miss < 1e-30 else -logs[c] - miss
            return (1 + mpf(epsilon)) * miss + rest

    return formula


def generalized(q):
    return lambda logs, misses, c: -mpmath.expm1(mpf(q) * logs[c]) / mpf(q)


def thresholds(logs, c):
    """Of each threshold between classes the probability of the side with the true class, and the rest."""
    p = [mpmath.exp(log) for log in logs]
    for k in range(1, len(p)):
        below, above = exact_sum(p[:k]), exact_sum(p[k:])
        yield (below, above) if c < k else (above, below)


def ranked_probability(logs, misses, c):
    return exact_sum(rest**2 for _, rest in thresholds(logs, c))


def ranked_logarithmic(logs, misses, c):
    return -exact_sum(
        mpmath.log(own) if rest > 0.5 else mpmath.log1p(-rest) for own, rest in thresholds(logs, c)
    )


@pytest.mark.parametrize("rows", [ROWS, *map(random_rows, WIDTHS)], ids=["extreme", *map(str, WIDTHS)])
@pytest.mark.parametrize(
    ("name", "params", "formula"),
    [
        ("categorical_cross_entropy", {}, cross_entropy),
        ("categorical_focal", {"gamma": 1.5}, focal(1.5)),
        ("categorical_focal", {"gamma": 2.0}, focal(2.0)),
        ("multiclass_brier", {}, brier),
        ("poly1_cross_entropy", {"epsilon1": -1.0}, poly1(-1)),
        ("poly1_cross_entropy", {"epsilon1": -0.5}, poly1(-0.5)),
        ("poly1_cross_entropy", {"epsilon1": 2.0}, poly1(2)),
        ("generalized_cross_entropy", {"q": 1e-6}, generalized(1e-6)),
        ("generalized_cross_entropy", {"q": 0.39}, generalized(0.39)),
        ("generalized_cross_entropy", {"q": 1.0}, generalized(1)),
        ("ranked_probability_score", {}, ranked_probability),
        ("ranked_logarithmic_score", {}, ranked_logarithmic),
    ],
)
def test_losses_of_logits(name, params, formula, rows):
    multiclass(name, formula, rows, **params)


@pytest.mark.parametrize("top", [-800.0, -301.0, -299.0, 0.0, 299.0, 301.0, 1e300])
def test_logits_of_any_size(top):
    # Beside the greatest: another as great, one near, one far, one that is impossible.
    rows = [([top, top + lower, top - 3.0, -math.inf], c) for lower in (0.0, -1e-9, -40.0) for c in range(3)]
    multiclass("categorical_cross_entropy", cross_entropy, rows)


def test_what_is_far_below_a_low_top_is_not_lost():
    # And a neighbour of another size changes nothing.
    rows = [([-299.0, -740.0, -900.0], 0), ([-29.0, -690.0, -900.0], 0), ([1000.0, 0.0, 0.0], 0)]
    for some in (rows[:1], rows[1:2], rows):
        multiclass("categorical_cross_entropy", cross_entropy, some)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("width", [1.0, 400.0])
def test_float32_logits_are_what_they_are_as_float64(order, width):
    rng = np.random.default_rng(3)
    logits = np.asarray(rng.normal(0, width, (700, 300)), dtype=np.float32, order=order)
    code = rng.integers(0, 300, 700)
    narrow, wide = (
        Multiclass(np, values, "logit", 0.0, code, None)
        for values in (logits, logits.astype(float, order=order))
    )
    assert narrow.log_prob_true.dtype == float
    np.testing.assert_array_equal(narrow.log_prob_true, wide.log_prob_true)
    np.testing.assert_array_equal(narrow.log_prob, wide.log_prob)
    np.testing.assert_array_equal(narrow.probability, wide.probability)
    # One class alone is the same as that class among all.
    np.testing.assert_array_equal(
        narrow.log_prob_true, np.take_along_axis(narrow.log_prob, code[:, None], axis=1)[:, 0]
    )


@pytest.mark.parametrize("p", PROBABILITIES)
@pytest.mark.parametrize("q", [1e-6, 0.5, 1.0])
def test_generalized_cross_entropy_of_probabilities(p, q):
    batch = Multiclass(np, np.array([[p, 1 - p]]), "probability", 0.0, np.array([0]), None)
    exact = -mpmath.expm1(q * mpmath.log(mpf(p))) / q if p else 1 / mpf(q)
    check(columns("generalized_cross_entropy", batch, q=q), [exact], [p], 4)


@pytest.mark.parametrize("width", WIDTHS)
def test_one_vs_all(width):
    rows = random_rows(width)
    z, code = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    batch = OneVsAll(np, np.eye(4)[code], z, "logit", 0.0)

    def surprise(logit, own):
        return mpmath.log1p(mpmath.exp(-mpf(logit) if own else mpf(logit)))

    mean = [exact_sum(surprise(s, i == c) for i, s in enumerate(logits)) / 4 for logits, c in rows]
    check(columns("one_vs_all_log_loss", batch), mean, rows, 4)
    true = [surprise(logits[c], True) for logits, c in rows]
    check(columns("one_vs_all_true_class_log_loss", batch), true, rows, 4)


# Multiclass scores


def sparsemax(scores, code):
    """By its definition: the projection of the scores on the simplex, by trying every number of classes."""
    z = sorted((mpf(s) for s in scores), reverse=True)
    size = max(k for k in range(1, len(z) + 1) if 1 + k * z[k - 1] > exact_sum(z[:k]))
    threshold = (exact_sum(z[:size]) - 1) / size
    return exact_sum(s**2 - threshold**2 for s in z[:size]) / 2 + mpf(1) / 2 - mpf(scores[code])


SCORES = [
    *(row for width in (0.3, 1.0, 3.0, 300.0) for row in random_rows(width)),
    ([3, 2, 1], 0), ([2, 1 + 1e-9, 0], 0), ([1e17, 1, 0], 1), ([1e17, 1e17 - 16, 0], 2), ([0.5, 0.5, 0.5], 1),
    ([1e300, -1e300, 0], 1), ([1 + 1e-12, 0, 0], 0), ([0, 1, 1], 0), ([0, 2, 2], 0),
]  # fmt: skip


def test_sparsemax():
    for scores, code in SCORES:
        found = columns("sparsemax", MulticlassScore(np, np.array([scores], dtype=float), np.array([code])))
        with mpmath.workdps(700):
            check(found, [sparsemax(scores, code)], [(scores, code)], 4)


@pytest.mark.parametrize(
    ("name", "params", "formula"),
    [
        ("categorical_hinge", {}, lambda own, others: max(mpf(0), 1 + max(mpf(0), *others) - own)),
        ("multiclass_perceptron", {}, lambda own, others: max(mpf(0), max(others) - own)),
        (
            "multi_margin",
            {},
            lambda own, others: exact_sum(max(mpf(0), 1 - own + o) for o in others) / (1 + len(others)),
        ),
        (
            "multi_margin",
            {"p": 2, "margin": 0.75},
            lambda own, others: (
                exact_sum(max(mpf(0), mpf(0.75) - own + o) ** 2 for o in others) / (1 + len(others))
            ),
        ),
    ],
)
def test_margins_of_classes(name, params, formula):
    # Where a margin nearly cancels it has the rounding of the scores' difference.
    rows = [
        ([0.25, 3.5, -1.0], 1),
        ([1e17, 1, 0], 1),
        ([1e17, 1, 0], 0),
        ([0.5, 0.5, 0.5], 2),
        ([-3, 1e200, 2], 0),
    ]
    for scores, code in [*rows, *random_rows(300.0)]:
        found = columns(
            name, MulticlassScore(np, np.array([scores], dtype=float), np.array([code])), **params
        )
        own, others = mpf(scores[code]), [mpf(s) for i, s in enumerate(scores) if i != code]
        check(found, [formula(own, others)], [(scores, code)], 4)


# Binary scores


MARGINS = both_signs(grid("0 1e-20 1e-12 .3 .9999999999999999 1 17 40 100 709 745 1000 1e200"))


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("hinge", lambda m: max(mpf(0), 1 - m)),
        ("squared_hinge", lambda m: max(mpf(0), 1 - m) ** 2),
        ("modified_huber", lambda m: max(mpf(0), 1 - m) ** 2 if m >= -1 else -4 * m),
        ("perceptron", lambda m: max(mpf(0), -m)),
        ("soft_margin", lambda m: mpmath.log1p(mpmath.exp(-m)) if abs(m) < 1e6 else max(mpf(0), -m)),
        ("sparsemax_binary", lambda m: -m if m <= -1 else max(mpf(0), 1 - m) ** 2 / 4),
    ],
)
def test_losses_of_a_margin(name, formula):
    rows = list(product(MARGINS, [-1.0, 1.0]))
    score, sign = np.array(rows).T
    found = columns(name, BinaryScore(np, score, sign))
    check(found, [formula(mpf(s) * mpf(y)) for s, y in rows], rows, 4)


def test_exponential():
    rows = list(product([s for s in MARGINS if abs(s) < 1e6], [0.0, 1e-10, 0.25, 1.0]))
    score, target = np.array(rows).T
    exact = [
        (y * mpmath.exp(-s) if y else 0) + ((1 - y) * mpmath.exp(s) if y < 1 else 0)
        for s, y in ((mpf(s), mpf(y)) for s, y in rows)
    ]
    check(columns("exponential", BinarySoftScore(np, score, target)), exact, rows, 4)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("gamma", [0.5, 1.5, 2.0])
def test_binary_focal_of_wide_logits(gamma, width):
    rng = np.random.default_rng(1)
    rows = list(zip(rng.normal(0, width, 300), rng.integers(0, 2, 300) * 1.0, strict=True))
    logit, y = np.array(rows).T
    margin = [mpf(z) * (2 * int(c) - 1) for z, c in rows]
    exact = [mpmath.log1p(mpmath.exp(-m)) / (1 + mpmath.exp(m)) ** mpf(gamma) for m in margin]
    check(columns("binary_focal", Binary(np, y, logit, "logit", 0.0), gamma=gamma), exact, rows, 5)


# Divergences


PAIRS = [  # targets and predictions, both as they are written
    ([0.2, 0.3, 0.5], [0.3, 0.3, 0.4]), ([0, 0.5, 0.5], [0.1, 0.4, 0.5]), ([0, 0.5, 0.5], [0, 0.5, 0.5]),
    ([0.5, 0.5], [1e-300, 1]), ([1e-300, 1], [0.5, 0.5]), ([0.5, 0.5], [0, 1]), ([1e-300, 1], [2e-300, 1]),
    ([0.3, 0.3, 0.4], [0.3 * (1 + 1e-9), 0.3 * (1 - 1e-9), 0.4]), ([1, 0], [0, 1]), ([1, 0], [1, 0]),
    ([0.2, 0.3, 0.5], [0.2 * (1 + 1e-9), 0.3 * (1 - 1e-9), 0.5 * (1 + 1e-9)]), ([1, 0], [1 - 2**-53, 2**-53]),
    ([0.1, 0.9], [0.25, 0.75]), ([0.4, 0.6], [0.16, 0.84]), ([1e-310, 1], [1, 1e-310]),
    ([0.5, 0.5], [1e-310, 1]),
]  # fmt: skip


def random_pairs(rows=300, classes=4):
    rng = np.random.default_rng(3)
    target, other = rng.dirichlet(np.ones(classes), (2, rows))
    nearness = 10.0 ** -rng.uniform(0, 12, (rows, 1))
    return list(zip(target.tolist(), (target + nearness * (other - target)).tolist(), strict=True))


def kl(t, p):
    if any(y > 0 and q == 0 for y, q in zip(t, p, strict=True)):
        return mpmath.inf
    return exact_sum(xlogy(y, y / q) for y, q in zip(t, p, strict=True) if y)


def generalized_kl(t, p):
    return kl(t, p) - exact_sum(t) + exact_sum(p)


def jensen_shannon(t, p):
    middle = [(y + q) / 2 for y, q in zip(t, p, strict=True)]
    return (kl(t, middle) + kl(p, middle)) / 2


@pytest.mark.parametrize(
    ("name", "kind", "formula"),
    [
        ("kl_divergence", Multiclass, kl),
        ("generalized_kl_divergence", MulticlassAmount, generalized_kl),
        ("jensen_shannon_divergence", Multiclass, jensen_shannon),
        ("jensen_shannon_distance", Multiclass, lambda t, p: mpmath.sqrt(jensen_shannon(t, p))),
    ],
)
def test_divergences(name, kind, formula):
    for target, prediction in [*PAIRS, *random_pairs()]:
        arrays = (
            np.array([prediction], dtype=float),
            "probability",
            0.0,
            None,
            np.array([target], dtype=float),
        )
        found = columns(name, kind(np, *arrays))
        with mpmath.workdps(700):
            t, p = [mpf(y) for y in target], [mpf(q) for q in prediction]
            exact = formula(t, p)
            # Where the sums of a target and a prediction differ by as much as these, their rounding decides.
            if formula is not kl or 2 * abs(exact) > generalized_kl(t, p):
                check(found, [exact], [(target, prediction)], 4)


def test_generalized_divergence_of_amounts():
    rng = np.random.default_rng(4)
    target, prediction = 10.0 ** rng.uniform(-12, 12, (2, 300, 3))
    prediction[:100] = target[:100] * (1 + 1e-6 * rng.normal(size=(100, 3)))
    found = columns(
        "generalized_kl_divergence", MulticlassAmount(np, prediction, "probability", 0.0, None, target)
    )
    rows = list(zip(target.tolist(), prediction.tolist(), strict=True))
    check(found, [generalized_kl([*map(mpf, t)], [*map(mpf, p)]) for t, p in rows], rows, 4)


@pytest.mark.parametrize("width", WIDTHS)
def test_divergence_from_logits(width):
    # Logits as wide as these put no probability near that of the target, where it alone would tell.
    rng = np.random.default_rng(5)
    logits, target = rng.normal(0, width, (300, 4)), rng.dirichlet(np.full(4, 0.3), 300)
    found = columns("kl_divergence", Multiclass(np, logits, "logit", 0.0, None, target))
    rows = list(zip(logits.tolist(), target.tolist(), strict=True))
    exact = [
        exact_sum(xlogy(mpf(y), mpf(y)) - mpf(y) * log for y, log in zip(t, softmax(z)[0], strict=True))
        for z, t in rows
    ]
    check(found, exact, rows, 4)


BINARY_PAIRS = [
    *product([0.0, 1e-300, 0.25, 0.7, 1.0], PROBABILITIES),
    *((y, y * (1 + 1e-9)) for y in (1e-20, 1e-3, 0.3, 0.7)),
]


def test_binary_divergence():
    target, prediction = np.array(BINARY_PAIRS).T
    found = columns("binary_kl_divergence", Binary(np, target, prediction, "probability", 0.0))
    with mpmath.workdps(700):
        exact = [kl([mpf(y), 1 - mpf(y)], [mpf(p), 1 - mpf(p)]) for y, p in BINARY_PAIRS]
        check(found, exact, BINARY_PAIRS, 4)


def test_binary_divergence_of_far_logits():
    rows = list(product(both_signs(grid("5 17 40 700 1000")), [0.0, 0.25, 0.5, 1.0]))
    logit, target = np.array(rows).T
    exact = [
        xlogy(mpf(y), mpf(y)) + xlogy(1 - mpf(y), 1 - mpf(y))
        + (mpf(y) * mpmath.log1p(mpmath.exp(-mpf(z))) + (1 - mpf(y)) * mpmath.log1p(mpmath.exp(mpf(z))))
        for z, y in rows
    ]  # fmt: skip
    found = columns("binary_kl_divergence", Binary(np, target, logit, "logit", 0.0))
    check(found, exact, rows, 4)


def test_ranked_scores_of_extreme_probabilities():
    rows = [([1e-300, 1e-20, 1.0], 0), ([1.0, 0.0, 0.0], 2), ([0.0, 1e-12, 1.0], 1), ([0.1, 0.2, 0.7], 1)]
    for p, code in rows:
        batch = Multiclass(np, np.array([p]), "probability", 0.0, np.array([code]), None)
        logs = [mpmath.log(mpf(x)) if x else -mpmath.inf for x in p]
        check(
            columns("ranked_probability_score", batch), [ranked_probability(logs, None, code)], [(p, code)], 4
        )
        sides = list(thresholds(logs, code))
        exact = math.inf if any(own == 0 for own, _ in sides) else ranked_logarithmic(logs, None, code)
        check(columns("ranked_logarithmic_score", batch), [exact], [(p, code)], 4)
