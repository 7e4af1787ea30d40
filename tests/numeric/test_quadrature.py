"""Integrals along tails: against closed forms, and whatever the rows around them are."""

import math

import mpmath
import numpy as np
import pytest
from scipy import special
from support.samples import LOSSES, chosen

from losscli.numeric.quadrature import CHUNK, doubling, integral
from losscli.numeric.tails import (
    LONG,
    LogisticTail,
    NormalTail,
    StudentTail,
    integral_from_start,
    integral_to_end,
    mass_from_start,
    mass_to_end,
    probability,
)
from losscli.tasks.bounded import BoundedStudentT
from losscli.tasks.distribution import StudentT

PLACES = np.array([0.0, 0.3, 2.0, 40.0, 1e6])
LENGTHS = np.array([np.inf, 0.0, 1e-9, 0.5, 20.0, 1e5])


def test_an_exponential_is_integrated_to_any_end():
    found = integral(np, lambda w, rows: np.exp(-w), LENGTHS, np.ones_like(LENGTHS))
    np.testing.assert_allclose(found, -np.expm1(-LENGTHS), rtol=1e-15)


@pytest.mark.parametrize("rate", [0.25, 1.0, 3.0])
def test_the_unit_need_not_be_the_one_of_the_function(rate):
    found = integral(np, lambda w, rows: np.exp(-rate * w), np.array([np.inf, 2.0]), np.ones(2), doubling(7))
    np.testing.assert_allclose(found, [1 / rate, -math.expm1(-2 * rate) / rate], rtol=1e-14)


@pytest.mark.parametrize(
    "tail",
    [NormalTail(np), LogisticTail(np), StudentTail(np, np.full(len(PLACES), 4.5))],
    ids=["n", "l", "t"],
)
def test_all_of_a_tail_is_the_ratio_of_mills(tail):
    found = mass_to_end(tail, PLACES, np.full(len(PLACES), np.inf)).total
    np.testing.assert_allclose(found, tail.mills(PLACES), rtol=3e-15)


def test_the_integral_of_a_normal_tail_is_known():
    mass = mass_to_end(NormalTail(np), np.zeros(1), np.array([np.inf]))
    density = 1 / math.sqrt(2 * math.pi)
    np.testing.assert_allclose(mass.first * density, density, rtol=1e-15)
    squared = (math.sqrt(2) - 1) / (2 * math.sqrt(math.pi))
    np.testing.assert_allclose(mass.second * density**2, squared, rtol=2e-15)


def normal_mass(a):
    """Integrals from a on of the normal density, its tail, and the tail squared, relative to that."""
    ratio, wide = (
        mpmath.sqrt(mpmath.pi / 2) * mpmath.erfc(x / mpmath.sqrt(2)) * mpmath.exp(x * x / 2)
        for x in (a, a * mpmath.sqrt(2))
    )
    return ratio, 1 - a * ratio, (2 - a * ratio) * ratio - mpmath.sqrt(2) * wide


def logistic_mass(a):
    tail = 1 / (1 + mpmath.exp(a))
    density, integral = tail * (1 - tail), -mpmath.log1p(-tail)
    return tail / density, integral / density, (integral - tail) / density**2


@pytest.mark.parametrize("start", [0.0, 0.3, 2.5, 17.0, 600.0])
@pytest.mark.parametrize(
    ("tail", "formula"),
    [(NormalTail(np), normal_mass), (LogisticTail(np), logistic_mass)],
    ids=["normal", "logistic"],
)
def test_the_mass_to_infinity_has_its_digits(tail, formula, start):
    found = tail.to_infinity(np.array([start]))
    with mpmath.workdps(700):
        exact = [float(value) for value in formula(mpmath.mpf(start))]
    values = [found.total[0], found.first[0], found.second[0]]
    np.testing.assert_allclose(values, exact, rtol=3e-15)


@pytest.mark.parametrize("tail", [NormalTail(np), LogisticTail(np)], ids=["normal", "logistic"])
def test_differences_to_infinity_are_the_integrals(tail):
    """On both sides of the length from which they are used."""
    a = np.repeat([0.0, 0.3, 2.0, 40.0], 3)
    length = LONG * tail.unit(a) * np.tile([0.999, 1.001, 5.0], 4)
    for found, exact in (
        (mass_to_end(tail, a, length), integral_to_end(tail, a, length)),
        (mass_from_start(tail, a, length), integral_from_start(tail, a, length)),
    ):
        for part in ("total", "first", "second"):
            np.testing.assert_allclose(getattr(found, part), getattr(exact, part), rtol=5e-15)
    np.testing.assert_allclose(
        probability(tail, a, length), integral_to_end(tail, a, length).total, rtol=3e-15
    )


@pytest.mark.parametrize("df", [0.5, 3.0, 9.9, 10.1, 1e3, 1e6])
def test_the_tail_of_student_has_its_digits_at_any_df(df):
    """The incomplete beta function loses digits at a million degrees of freedom."""
    places = np.array([0.0, 0.9, 1.1, 3.0, 9.0, 11.0, 1e3])
    found = StudentTail(np, np.full_like(places, df)).mills(places)
    with mpmath.workdps(40):
        n, half = mpmath.mpf(df), mpmath.mpf(1) / 2
        exact = []
        for x in map(mpmath.mpf, places.tolist()):
            share = n / (n + x * x)
            beyond = mpmath.betainc(n / 2, half, 0, share) * mpmath.sqrt(n) / 2
            exact.append(float(beyond / share ** ((n + 1) / 2)))
    np.testing.assert_allclose(found, exact, rtol=3e-15)


@pytest.mark.parametrize("df", [1.01, 1.05, 1.5, 3.0, 1e6])
def test_without_bounds_the_score_is_that_of_the_distribution(df):
    """Near one degree of freedom the integrals extend far."""
    z, one, forever = np.linspace(-3.0, 3.0, 7), np.ones(7), np.full(7, np.inf)
    bounded = BoundedStudentT(np, z, 0 * z, one, -forever, forever, df * one)
    unbounded = StudentT(np, z, 0 * z, one, df * one)
    with np.errstate(all="ignore"):  # as the engine has it
        found = LOSSES["crps_truncated_student_t"].columns(bounded, {})[0]
        exact = LOSSES["crps_student_t"].columns(unbounded, {})[0]
    np.testing.assert_allclose(found, exact, rtol=1e-13)


@pytest.mark.parametrize("df", [1e-8, 1e-300])
def test_few_degrees_of_freedom_leave_most_of_the_probability_outside(df):
    """The density is that of 1 / x far from the scale, whose integral over [1, 7] is log 7."""
    tail = StudentTail(np, np.array([df]))
    np.testing.assert_allclose(probability(tail, np.ones(1), np.array([6.0])), math.log(7), rtol=1e-7)
    exact = math.sqrt(df) * math.log(0.6 / math.sqrt(df))
    np.testing.assert_allclose(probability(tail, np.zeros(1), np.array([0.3])), exact, rtol=1e-6)


def test_what_is_beyond_the_density_counts_with_its_length():
    mass = mass_from_start(NormalTail(np), np.zeros(1), np.array([1e9]))
    total = math.sqrt(math.pi / 2)
    np.testing.assert_allclose(mass.total, total, rtol=1e-15)
    np.testing.assert_allclose(mass.first, total * 1e9, rtol=1e-8)


def test_rows_have_the_same_bits_in_any_chunk():
    rng = np.random.default_rng(3)
    a, length, df = rng.gamma(1.0, size=(3, 2 * CHUNK + 77))
    every = mass_to_end(StudentTail(np, df + 1), a, length)
    some = slice(CHUNK - 5, CHUNK + 900)
    own = mass_to_end(StudentTail(np, df[some] + 1), a[some], length[some])
    np.testing.assert_array_equal(own.second, every.second[some])


def test_the_survival_of_a_place_has_its_digits():
    normal = NormalTail(np)
    found = normal.density(PLACES[:4]) * normal.mills(PLACES[:4])
    np.testing.assert_allclose(found, special.ndtr(-PLACES[:4]), rtol=1e-13)


@pytest.mark.parametrize(
    "name", ["crps_truncated_normal", "crps_censored_student_t", "crps_two_piece_normal"]
)
def test_a_density_that_is_nothing_to_its_distance_is_a_point(name):
    batch = LOSSES[name].batch
    narrow, location = np.full(3, 1e-300), np.array([0.5, -1e100, 3.0])
    columns = {"location": location, "scale": narrow, "lower": np.zeros(3), "upper": np.full(3, np.inf)}
    columns |= {"df": np.full(3, 2.5), "scale1": narrow, "scale2": narrow}
    wanted = {field: columns[field] for field in batch.__struct_fields__ if field in columns}
    target = np.array([2.0, 1.0, 1e200])
    with np.errstate(all="ignore"):  # as the engine has it
        found = LOSSES[name].columns(batch(np, target=target, **wanted), chosen(name).params)[0]
    centre = np.maximum(location, 0.0) if "lower" in wanted else location
    np.testing.assert_allclose(found, np.abs(target - centre), rtol=1e-15)
