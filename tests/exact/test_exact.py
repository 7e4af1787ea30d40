"""Row losses at extreme inputs against 100 digits of mpmath: within 4 units in the last place, deviances 16.

A value beyond the floats is infinite, one below them zero; nothing else is.
"""

from __future__ import annotations

import math
from itertools import product

import mpmath
import numpy as np
import pytest
from mpmath import mpf

from losscli.catalog import registry
from losscli.tasks.binary import Binary, BinaryScore
from losscli.tasks.classes import Multiclass, MulticlassScore
from losscli.tasks.multilabel import Multilabel
from losscli.tasks.regression import Regression

mpmath.mp.dps = 100


def grid(text: str) -> list[float]:
    return [float(number) for number in text.split()]


def pairs(text: str) -> list[tuple[float, ...]]:
    """Pairs written as prediction:target."""
    return [tuple(map(float, pair.split(":"))) for pair in text.split()]


def both_signs(sizes: list[float]) -> list[float]:
    return sorted({sign * size for size in sizes for sign in (-1, 1)})


ERRORS = both_signs(
    grid("0 1e-170 1e-12 1e-8 1e-5 1e-3 .3 .5 .9999 1 1.0001 2.5 18 40 400 800 1e16 1e39 1e200 1e308")
)
PROBABILITIES = [*grid("0 1e-300 1e-20 1e-10 .3 .5 .75 .9999999999 1"), 1 - 2**-53]
LOGITS = both_signs(grid("0 1e-12 .5 1 17 18 36 40 100 700 745 1000 1e308"))
LABELS = [0.0, 0.25, 1.0]


def columns(name, batch, **params):
    (entry,) = (entry for entry in registry.list_losses() if entry.name == name)
    with np.errstate(all="ignore"):  # as the engine has it
        return entry.columns(batch, registry.choose(entry, params, {}).params)[0]


def ulps(found: float, exact: mpf) -> float:
    """The distance in units of the last place; an exact value beyond the floats is 0 or infinity."""
    nearest = float(exact)
    if not math.isfinite(nearest) or not math.isfinite(found):
        return 0.0 if nearest == found else math.inf
    return float(abs(mpf(found) - exact) / math.ulp(nearest))


def check(found, exact, rows, limit) -> None:
    triples = zip(rows, map(float, found), map(mpf, exact), strict=True)
    assert not [(row, f, float(e), ulps(f, e)) for row, f, e in triples if ulps(f, e) > limit]


# Regression


def regression(name, formula, rows, limit=4, **params):
    prediction, target = np.array(rows).T
    found = columns(name, Regression(np, prediction, target), **params)
    check(found, [formula(mpf(p), mpf(y)) for p, y in rows], rows, limit)


def of_error(formula):
    return lambda p, y: formula(abs(p - y))


def huber(e, delta):
    return e * e / 2 if e <= delta else delta * (e - delta / 2)


def pseudo_huber(e, delta):
    # As e^2 / (1 + root), which has no cancellation however large or small e is.
    return e * e / (1 + mpmath.sqrt(1 + (e / delta) ** 2))


def log_cosh(e):
    return (
        mpmath.log1p(2 * mpmath.sinh(e / 2) ** 2)
        if e < 1
        else e + mpmath.log1p(mpmath.exp(-2 * e)) - mpmath.log(2)
    )


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("mean_absolute_error", lambda e: e),
        ("mean_squared_error", lambda e: e * e),
        ("half_squared_error", lambda e: e * e / 2),
        ("log_cosh", log_cosh),
    ],
)
def test_losses_of_the_error(name, formula):
    regression(name, of_error(formula), [(e, 0.0) for e in ERRORS])


@pytest.mark.parametrize("delta", [1e-3, 0.5, 1.0, 1e3])
@pytest.mark.parametrize(
    ("name", "parameter", "formula"),
    [
        ("huber", "delta", huber),
        ("smooth_l1", "beta", lambda e, beta: huber(e, beta) / beta),
        ("pseudo_huber", "delta", pseudo_huber),
    ],
)
def test_robust_losses(name, parameter, formula, delta):
    rows = [(e, 0.0) for e in [*ERRORS, delta / 2, delta, delta * 1.5]]
    regression(name, of_error(lambda e: formula(e, mpf(delta))), rows, **{parameter: delta})


@pytest.mark.parametrize("alpha", [0.0, 0.1, 0.5, 1.0])
def test_pinball(alpha):
    a = mpf(alpha)
    regression(
        "pinball", lambda p, y: max(a * (y - p), (1 - a) * (p - y)), [(e, 0.0) for e in ERRORS], alpha=alpha
    )


ABOVE_MINUS_ONE = pairs(
    "3e-12:1e-12 0:1e-9 1e-200:1e200 10000000000.01:1e10 5:3 1e308:1e300 -.5:-.999 .3:.3 -.5:1e-17 -.9:7"
    " 2:2.0000000000000018 1e17:-.9999999999999999"
)
SIGNED = pairs("1e-310:5e-310 -2:3 .1:.3 1e200:-1e-200 3:1e-15")
POSITIVE = pairs(
    "3.00000003:3 2.5:3 3:2.5 1:1e-300 2e200:1e200 1e-200:3e-200 1.3:1 1:1.3 1.39:1 1.41:1 .61:1 .59:1"
    " 1000000:1000001 1e-8:2 100:.01 1e300:1e-5 2:3 3:2"
)
COUNTS = [*POSITIVE, *pairs("1e-300:0 3:0 1e200:0")]


def test_squared_log_error():
    regression(
        "mean_squared_log_error", lambda p, y: (mpmath.log1p(p) - mpmath.log1p(y)) ** 2, ABOVE_MINUS_ONE
    )


def test_percentage_errors():
    eps = mpf(2) ** -52
    regression("mean_absolute_percentage_error", lambda p, y: abs(p - y) / max(abs(y), eps), SIGNED[1:])
    regression(
        "symmetric_mean_absolute_percentage_error", lambda p, y: 2 * abs(p - y) / (abs(p) + abs(y)), SIGNED
    )


def poisson(mean, y):
    return 2 * ((y * mpmath.log(y / mean) if y else 0) - y + mean)


def gamma(mean, y):
    return 2 * (mpmath.log(mean / y) + y / mean - 1)


def tweedie(mean, y, power):
    a, b = 1 - power, 2 - power
    return 2 * ((y**b if y else 0) / (a * b) - y * mean**a / a + mean**b / b)


def test_poisson_deviance():
    regression("mean_poisson_deviance", poisson, COUNTS, limit=16)


def test_gamma_deviance():
    regression("mean_gamma_deviance", gamma, POSITIVE, limit=16)


@pytest.mark.parametrize(
    "power", [-1.0, -0.5, 1 + 1e-12, 1 + 1e-9, 1.01, 1.5, 1.7, 1.95, 2 - 1e-9, 2 + 1e-9, 2.5, 3.0]
)
def test_tweedie_deviance(power):
    def exact(mean, y):
        return tweedie(mean, y, mpf(power))

    rows = [(m, y) for m, y in (COUNTS if power < 2 else POSITIVE) if exact(mpf(m), mpf(y)) < 1e300]
    regression("mean_tweedie_deviance", exact, rows, limit=16, power=power)


# Binary


def log_p(link, value):
    """The log-probabilities of 1 and 0."""
    if link == "logit":
        return -mpmath.log1p(mpmath.exp(-value)), -mpmath.log1p(mpmath.exp(value))
    return (mpmath.log(value) if value else -mpmath.inf), (mpmath.log1p(-value) if value < 1 else -mpmath.inf)


def cross_entropy(y, logs, pos_weight=1):
    return -((y * logs[0] * pos_weight if y else 0) + ((1 - y) * logs[1] if y < 1 else 0))


BINARY = [("probability", p, y) for p, y in product(PROBABILITIES, LABELS)] + [
    ("logit", z, y) for z, y in product(LOGITS, LABELS)
]


def binary(name, formula, limit=4, rows=BINARY, kind=Binary, **params):
    for link in ("probability", "logit"):
        chosen = [(v, y) for form, v, y in rows if form == link]
        value, y = np.array(chosen).T
        shape = (-1, 1) if kind is Multilabel else (-1,)
        found = columns(name, kind(np, y.reshape(shape), value.reshape(shape), link, 0.0), **params)
        exact = [formula(mpf(y), log_p(link, mpf(v))) for v, y in chosen]
        check(found, exact, [(link, *row) for row in chosen], limit)


@pytest.mark.parametrize("pos_weight", [1.0, 2.5])
def test_binary_cross_entropy(pos_weight):
    binary(
        "binary_cross_entropy", lambda y, logs: cross_entropy(y, logs, mpf(pos_weight)), pos_weight=pos_weight
    )


def test_multilabel_cross_entropy():
    binary("multilabel_binary_cross_entropy", cross_entropy, kind=Multilabel)


@pytest.mark.parametrize("gamma", [0.0, 1.5, 2.0])
@pytest.mark.parametrize("alpha", [None, 0.25])
def test_binary_focal(gamma, alpha):
    def focal(y, logs):
        miss = y * mpmath.exp(logs[1]) + (1 - y) * mpmath.exp(logs[0])
        share = 1 if alpha is None else y * alpha + (1 - y) * (1 - mpf(alpha))
        bce = cross_entropy(y, logs)
        return share * (miss ** mpf(gamma)) * bce if bce else mpf(0)

    # A power has its base's error gamma times.
    binary("binary_focal", focal, limit=5, gamma=gamma, alpha=alpha)


def test_brier():
    # Of a logit near that of a soft label the difference has no more digits than the probability.
    rows = [row for row in BINARY if row[0] == "probability" or row[2] in (0.0, 1.0)]
    binary("brier", lambda y, logs: (y * mpmath.exp(logs[1]) - (1 - y) * mpmath.exp(logs[0])) ** 2, rows=rows)


@pytest.mark.parametrize(("name", "power"), [("hinge", 1), ("squared_hinge", 2)])
def test_hinges(name, power):
    rows = list(product(both_signs(grid("0 1e-20 .3 .9999999999999999 1 1000 1e200")), [-1.0, 1.0]))
    score, sign = np.array(rows).T
    found = columns(name, BinaryScore(np, score, sign))
    check(found, [max(mpf(0), 1 - mpf(y) * mpf(s)) ** power for s, y in rows], rows, 4)


@pytest.mark.parametrize("squared", [False, True])
def test_hinge_of_a_sigmoid(squared):
    rows = list(product(LOGITS, [-1.0, 1.0]))
    score, sign = np.array(rows).T
    found = columns("hinge_sigmoid", BinaryScore(np, score, sign), squared=squared)
    exact = [1 / (1 + mpmath.exp(mpf(y) * mpf(s))) + (y < 0) for s, y in rows]
    check(found, [short ** (1 + squared) for short in exact], rows, 4)


# Multiclass


ROWS = [  # logits, with the true class
    ([1e3, -1e3, 0], 0), ([1e3, -1e3, 0], 1), ([40, 0, 0], 0), ([20, 0, 0], 0), ([-40, 0, 0], 0),
    ([1e-12, 0, -1e-12], 0), ([1e8, 1e8 + 1, 1e8 - 1], 2), ([1e308, 0, 0], 0), ([1e308, 0, 0], 1),
    ([-math.inf, 0, 0], 1), ([-math.inf, 0, 0], 0), ([0.3, -1.2, 2], 1), ([5, 5, 5], 2), ([700, 0, 1], 0),
    ([0, 45, 45], 1), ([0, 45, 8], 1),
]  # fmt: skip


def softmax(logits):
    """Log-probabilities of classes and of their complements."""
    finite = [mpf(z) for z in logits]
    parts = [mpmath.exp(z - max(finite)) for z in finite]
    others = [sum(parts[:i] + parts[i + 1 :]) for i in range(len(parts))]
    total = sum(parts)
    logs = [-mpmath.log1p(o / p) if p else -mpmath.inf for p, o in zip(parts, others, strict=True)]
    return logs, [o / total for o in others]


def multiclass(name, formula, rows=ROWS, limit=4, **params):
    logits, code = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    found = columns(name, Multiclass(np, logits, "logit", 0.0, code, None), **params)
    check(found, [formula(*softmax(z), c) for z, c in rows], rows, limit)


def test_categorical_cross_entropy():
    multiclass("categorical_cross_entropy", lambda logs, misses, c: -logs[c])


@pytest.mark.parametrize("gamma", [0.0, 1.5, 2.0])
def test_categorical_focal(gamma):
    multiclass(
        "categorical_focal",
        lambda logs, misses, c: -mpf(0.25) * misses[c] ** mpf(gamma) * logs[c],
        gamma=gamma,
    )


def test_multiclass_brier():
    def brier(logs, misses, c):
        return sum((misses[i] if i == c else mpmath.exp(log)) ** 2 for i, log in enumerate(logs))

    multiclass("multiclass_brier", brier)


@pytest.mark.parametrize("p", PROBABILITIES)
def test_categorical_cross_entropy_from_probabilities(p):
    batch = Multiclass(np, np.array([[p, 1 - p]]), "probability", 0.0, np.array([0]), None)
    found = columns("categorical_cross_entropy", batch)
    check(found, [-log_p("probability", mpf(p))[0]], [p], 4)


@pytest.mark.parametrize("mode", ["crammer-singer", "one-vs-all"])
@pytest.mark.parametrize("squared", [False, True])
def test_multiclass_hinge_of_a_softmax(mode, squared):
    def hinge(logs, misses, c):
        others = [mpmath.exp(log) for i, log in enumerate(logs) if i != c]
        if mode == "crammer-singer":
            return (misses[c] + max(others)) ** (1 + squared)
        return (misses[c] ** (1 + squared) + sum((1 + p) ** (1 + squared) for p in others)) / 3

    multiclass("multiclass_hinge_softmax", hinge, mode=mode, squared=squared)


def test_multiclass_hinge():
    rows = [
        ((0.1 + 0.2, 0.3 - 1), 0),
        ((1e17, 1.0), 0),
        ((0.2, -3.0, -4.0), 0),
        ((1e200, 3.0, 2.0), 1),
        ((0.5, 0.7, 0.1), 0),
    ]
    for score, code in rows:
        found = columns("multiclass_hinge", MulticlassScore(np, np.array([score]), np.array([code])))
        others = [mpf(s) for i, s in enumerate(score) if i != code]
        check(found, [max(mpf(0), 1 + max(others) - mpf(score[code]))], [score], 4)
