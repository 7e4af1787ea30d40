"""Integrals along tails: against closed forms, and whatever the rows around them are."""

import math

import numpy as np
import pytest
from scipy import special
from support.samples import LOSSES, chosen

from losscli.numeric.quadrature import integral
from losscli.numeric.tails import (
    CHUNK,
    LogisticTail,
    NormalTail,
    StudentTail,
    mass_from_start,
    mass_to_end,
)

PLACES = np.array([0.0, 0.3, 2.0, 40.0, 1e6])
LENGTHS = np.array([np.inf, 0.0, 1e-9, 0.5, 20.0, 1e5])


def test_an_exponential_is_integrated_to_any_end():
    found = integral(np, lambda w: np.exp(-w), LENGTHS, np.ones_like(LENGTHS))
    np.testing.assert_allclose(found, -np.expm1(-LENGTHS), rtol=1e-15)


@pytest.mark.parametrize("rate", [0.25, 1.0, 3.0])
def test_the_unit_need_not_be_the_one_of_the_function(rate):
    found = integral(np, lambda w: np.exp(-rate * w), np.array([np.inf, 2.0]), np.ones(2), 8)
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
    np.testing.assert_allclose(mass.second * density**2, squared, rtol=1e-15)


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
