"""Losses of vectors, triplets, ranked pairs and masks at extreme inputs against mpmath: within 4 ulp.

A value beyond the floats is infinite; nothing else is.
"""

from __future__ import annotations

from itertools import product

import mpmath
import numpy as np
import pytest
from mpmath import mpf
from scipy.spatial import distance
from test_exact import LOGITS, check, columns

from losscli.tasks.embedding import BooleanPair, PairDistance, SimilarPair, VectorPair
from losscli.tasks.ranking import ScorePair
from losscli.tasks.segmentation import ClassMask, Mask, WeightedClassScores
from losscli.tasks.triplet import Triplet

U = np.random.default_rng(3).normal(size=6)
BIG = 1e200 * np.array([1.0, 2.0, 3.0])
NEAR = np.array([1.0, 2.0, 3.0])
ANGLES = {
    "nearly equal": (U, U * np.array([1, 1, 1 + 1e-9, 1, 1, 1])),
    "nearly equal by the last digit": (NEAR, np.array([1.0, np.nextafter(2.0, 3.0), 3.0])),
    "nearly equal over a power of two": (np.array([0.9999999, 0.1]), np.array([1.0000001, 0.1])),
    "nearly parallel, twice as long": (NEAR, 2 * np.array([1.0, 2.0 + 1e-9, 3.0])),
    "equal": (U, U.copy()),
    "parallel": (NEAR, 4 * NEAR),
    "huge": (BIG, BIG[::-1]),
    "tiny": (BIG / 1e300 / 1e200, BIG[::-1] / 1e300 / 1e200),
    "huge and tiny": (BIG, NEAR[::-1] * 1e-250),
    "opposite": (NEAR, -NEAR),
    "wide": (NEAR, np.array([-1.0, 0.3, 2.0])),
    "across": (np.array([1.0, 0.0]), np.array([0.0, 5.0])),
}


def dot(a, b):
    return mpmath.fsum(mpf(x) * mpf(y) for x, y in zip(a, b, strict=True))


def cosine(a, b):
    return dot(a, b) / mpmath.sqrt(dot(a, a) * dot(b, b))


@pytest.mark.parametrize("name", ANGLES)
def test_cosine_distances(name):
    a, b = ANGLES[name]
    pair = VectorPair(np, a[None], b[None])
    check(columns("cosine_distance", pair), [1 - cosine(a, b)], [name], 4)
    check(columns("cosine_similarity", pair), [-cosine(a, b)], [name], 4)
    for sign in (1.0, -1.0):
        similar = SimilarPair(np, a[None], b[None], np.array([sign]))
        exact = 1 - cosine(a, b) if sign > 0 else max(cosine(a, b), 0)
        check(columns("cosine_embedding", similar), [exact], [name], 4)


def test_a_zero_vector_has_no_angle():
    pair = VectorPair(np, np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[1.0, 2.0], [0.0, 0.0]]))
    assert np.isnan(columns("cosine_distance", pair)).all()


def test_correlation_of_vectors_far_from_zero():
    a, b = np.array([0.0, 1.0, 2.0, 5.0]), np.array([3.0, 1.0, 0.0, 4.0])
    centred = [x - np.mean(x) for x in (a, b)]
    exact = [1 - cosine(*centred)]
    for offset in (0.0, 1e6, 1e12):
        pair = VectorPair(np, a[None] + offset, b[None] - offset)
        check(columns("correlation_distance", pair), exact, [offset], 4)


@pytest.mark.parametrize("scale", [1.0, 1e200, 1e-200, 1e308])
@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, 7.5])
def test_distances_of_huge_and_tiny_vectors(scale, p):
    a, b = np.array([[0.1, -0.4, 0.3]]) * scale, np.array([[0.25, 0.1, 0.3]]) * scale
    pair = VectorPair(np, a, b)
    # What the subtraction rounds is rounded in the reference too: it belongs to the input.
    e = [mpf(x) for x in np.abs(a - b)[0]]

    def norm(p):
        return mpmath.fsum(x ** mpf(p) for x in e) ** (1 / mpf(p))

    check(columns("minkowski_distance_rowwise", pair, p=p), [norm(p)], [p], 4)
    check(columns("euclidean_distance", pair), [norm(2)], [scale], 4)
    check(columns("squared_euclidean_distance", pair), [norm(2) ** 2], [scale], 4)
    check(columns("manhattan_distance", pair), [norm(1)], [scale], 4)
    check(columns("chebyshev_distance", pair), [max(e)], [scale], 4)
    sums = [mpf(x) for x in (np.abs(a) + np.abs(b))[0]]
    check(columns("canberra_distance", pair), [sum(map(mpmath.fdiv, e, sums))], [scale], 4)
    whole = mpmath.fsum(abs(mpf(x)) for x in (a + b)[0])
    check(columns("bray_curtis_distance", pair), [sum(e) / whole], [scale], 4)


@pytest.mark.parametrize("scale", [1.0, 1e200, 1e-200])
def test_triplets_of_huge_and_tiny_vectors(scale):
    anchor, positive, negative = (np.array([x]) * scale for x in ([0.0, 0.0], [3.0, 4.0], [1.0, 0.0]))
    batch = Triplet(np, anchor, positive, negative)
    check(columns("triplet_margin", batch), [mpf(4) * mpf(scale) + 1], [scale], 4)
    check(columns("triplet_margin", batch, swap=True, margin=0.0), [mpf(4) * mpf(scale)], [scale], 4)


def test_pairwise_logistic():
    batch = ScorePair(np, np.array(LOGITS), np.zeros(len(LOGITS)), np.ones(len(LOGITS)))
    check(columns("pairwise_logistic", batch), [mpmath.log1p(mpmath.exp(-mpf(z))) for z in LOGITS], LOGITS, 4)


def test_masks_that_are_nearly_right_or_empty():
    p = np.array([[1.0, 1 - 2**-53, 0.0], [1e-20, 0.0, 1.0], [0.0, 0.0, 0.0], [0.5, 0.0, 0.0]])
    y = np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    exact = [mpf(2) ** -53 / (4 - mpf(2) ** -53), mpf(1e-20) / (2 + mpf(1e-20)), 0, 1]
    check(columns("dice", Mask(np, p, y)), exact, range(4), 4)
    check(columns("dice_smooth", Mask(np, p, y), smooth=0.0), exact, range(4), 4)


BOOLEAN = {
    "boolean_hamming_distance": distance.hamming,
    "boolean_jaccard_distance": distance.jaccard,
    "boolean_dice_distance": distance.dice,
    "rogerstanimoto_distance": distance.rogerstanimoto,
    "russellrao_distance": distance.russellrao,
    "sokalsneath_distance": distance.sokalsneath,
    "yule_distance": distance.yule,
}


@pytest.mark.parametrize("name", BOOLEAN)
def test_boolean_distances_of_all_pairs(name):
    vectors = np.array(list(product([0.0, 1.0], repeat=4)))
    a, b = (np.array(side) for side in zip(*product(vectors, repeat=2), strict=True))
    found = columns(name, BooleanPair(np, a, b))
    for row, x, y in zip(found, a > 0, b > 0, strict=True):
        if (x | y).any():
            assert row == pytest.approx(BOOLEAN[name](x, y), rel=1e-15)
        else:  # SciPy has 0, NaN or an error
            assert row == (1.0 if name == "russellrao_distance" else 0.0)


@pytest.mark.parametrize("width", [0.3, 3.0, 30.0, 300.0])
@pytest.mark.parametrize("smooth", [0.0, 1.0])
def test_masks_of_classes(width, smooth):
    rng = np.random.default_rng(7)
    score = rng.normal(0, width, (20, 5, 3))
    true = np.eye(3)[score.argmax(axis=2) if width > 3 else rng.integers(0, 3, (20, 5))]
    weight = np.array([1.0, 2.5, 0.25])
    exact = []
    for z, y in zip(score, true, strict=True):
        hits, wrong = ([mpf(0)] * 3 for _ in range(2))
        for pixel, own in zip(z, y, strict=True):
            parts = [mpmath.exp(mpf(x) - mpf(pixel.max())) for x in pixel]
            for c in range(3):
                rest = mpmath.fsum(parts[:c] + parts[c + 1 :]) / mpmath.fsum(parts)
                hits[c] += parts[c] / mpmath.fsum(parts) if own[c] else 0
                wrong[c] += (rest if own[c] else parts[c] / mpmath.fsum(parts)) / 2
        losses = [w / (h + w + smooth) if w else mpf(0) for h, w in zip(hits, wrong, strict=True)]
        exact.append(mpmath.fsum(mpf(a) * b for a, b in zip(weight, losses, strict=True)) / 3)
    batch = WeightedClassScores(np, score, true, weight)
    check(columns("multiclass_dice_smooth", batch, smooth=smooth), exact, range(20), 4)


def test_rare_classes_weigh_by_their_pixels():
    true = np.array([[0.0, 0.0, 0.0, 1.0, 1.0, 2.0], [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]])
    guess = np.array([[0.0, 0.0, 1.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 2.0, 1.0, 0.0]])
    for kind, power in (("square", 2), ("simple", 1), ("linear", 0)):
        weights = [[mpf(1) / n**power for n in counts] for counts in ((3, 2, 1), (4, 2, 2))]
        hits, sizes = [(2, 2, 0), (3, 1, 0)], [(6, 5, 1), (8, 3, 1)]
        exact = [
            1 - 2 * sum(map(mpmath.fmul, w, h)) / sum(map(mpmath.fmul, w, s))
            for w, h, s in zip(weights, hits, sizes, strict=True)
        ]
        found = columns("segmentation_generalized_dice_error", ClassMask(np, guess, true), weight_type=kind)
        check(found, exact, range(2), 4)


@pytest.mark.parametrize("scale", [1.0, 1e200, 1e-200])
def test_distances_in_units_of_a_covariance(scale):
    pair = VectorPair(np, np.array([[0.1, -0.4, 0.3]]) * scale, np.array([[0.25, 0.1, 0.3]]) * scale)
    e = [mpf(x) for x in (pair.prediction - pair.target)[0]]
    variances = [2.0, 0.3, 1e3]
    exact = mpmath.sqrt(mpmath.fsum(x * x / mpf(v) for x, v in zip(e, variances, strict=True)))
    found = columns("standardized_euclidean_distance", pair, variances=variances)
    check(found, [exact], [scale], 4)
    inverse = [[1.2, 0.2, -0.5], [0.2, 2.0, 0.1], [-0.5, 0.1, 0.7]]
    terms = (e[i] * e[j] * mpf(inverse[i][j]) for i, j in product(range(3), repeat=2))
    check(columns("mahalanobis_distance", pair, inv_cov=inverse), [mpmath.sqrt(mpmath.fsum(terms))], [0], 4)
    diagonal = np.diag(1 / np.array(variances))
    assert columns("mahalanobis_distance", pair, inv_cov=diagonal) == pytest.approx(found, rel=1e-15)


def test_contrastive_loss_of_distances():
    distances = [0.0, 1e-200, 1e-12, 0.3, 0.9999999999, 1.0, 2.5, 1e200]
    rows = list(product(distances, [-1.0, 1.0]))
    exact = [(mpf(d) if sign > 0 else max(mpf(0), 1 - mpf(d))) ** 2 for d, sign in rows]
    check(columns("contrastive_loss", PairDistance(np, *np.array(rows).T)), exact, rows, 4)
