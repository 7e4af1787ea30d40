"""Regression and counts at extreme inputs against 100 digits of mpmath: rows, and their reductions.

Within 4 units in the last place, likelihoods that are sums of distributions' terms within 16.
"""

from __future__ import annotations

import math
from itertools import product

import mpmath
import numpy as np
import pytest
from mpmath import mpf
from test_exact import COUNTS, ERRORS, POSITIVE, grid, of_error, pairs, regression, ulps

import losscli

ROBUST = [
    ("fair", {"c": 1e-3}), ("fair", {"c": 1.0}), ("fair", {"c": 1.76}), ("fair", {"c": 1e200}),
    ("cauchy", {"delta": 1e-3}), ("cauchy", {"delta": 1.0}), ("cauchy", {"delta": 1e200}),
    ("arctan", {"delta": 1e-3}), ("arctan", {"delta": 0.5}), ("arctan", {"delta": 1e200}),
    ("student_t", {"c": 2.3849, "df": 4.0}), ("student_t", {"c": 1e-3, "df": 0.5}),
    ("ramsay_e", {"a": 0.3}), ("ramsay_e", {"a": 1e-3}), ("ramsay_e", {"a": 40.0}),
    ("andrew_wave", {"a": 1.339}), ("andrew_wave", {"a": 0.01}), ("andrew_wave", {"a": 1e150}),
    ("truncated_quadratic", {"c": 2.0}),
    ("hampel", {"a": 2.0, "b": 4.0, "c": 8.0}), ("hampel", {"a": 0.1, "b": 0.2, "c": 500.0}),
    ("tukey_biweight", {"c": 4.685}), ("tukey_biweight", {"c": 1e-3}),
    ("tukey_quartic", {"c": 3.61752, "k": 4.0}), ("tukey_quartic", {"c": 500.0, "k": 1.0}),
    ("epsilon_insensitive", {"eps": 0.25}), ("squared_epsilon_insensitive", {"eps": 0.25}),
    ("lq", {"q": 1.0}), ("lq", {"q": 1.4}), ("lq", {"q": 3.0}), ("lq", {"q": 12.5}),
]  # fmt: skip


def hampel(e, a, b, c):
    if e <= a:
        return e * e / 2
    if e <= b:
        return a * e - a * a / 2
    return a * (b + c - a) / 2 - (a * (c - e) ** 2 / (2 * (c - b)) if e <= c else 0)


FORMULAS = {
    "fair": lambda e, c: c * c * (e / c - mpmath.log1p(e / c)),
    "cauchy": lambda e, delta: delta**2 / 2 * mpmath.log1p((e / delta) ** 2),
    "arctan": lambda e, delta: delta**2 / 2 * mpmath.atan((e / delta) ** 2),
    "student_t": lambda e, c, df: c * c * df / 2 * mpmath.log1p((e / c) ** 2 / df),
    "ramsay_e": lambda e, a: (1 - mpmath.exp(-a * e) * (1 + a * e)) / a**2,
    "andrew_wave": lambda e, a: 2 * (a * mpmath.sin(e / a / 2)) ** 2 if e <= a * mpmath.pi else 2 * a * a,
    "truncated_quadratic": lambda e, c: min(e, c) ** 2 / 2,
    "hampel": hampel,
    "tukey_biweight": lambda e, c: c * c / 6 * (1 - (1 - min(e / c, mpf(1)) ** 2) ** 3),
    "tukey_quartic": lambda e, c, k: (
        min(e, c) ** 2
        / 2
        * (1 - 4 / (k + 2) * min(e / c, mpf(1)) ** k + min(e / c, mpf(1)) ** (2 * k) / (k + 1))
    ),
    "epsilon_insensitive": lambda e, eps: max(e - eps, mpf(0)),
    "squared_epsilon_insensitive": lambda e, eps: max(e - eps, mpf(0)) ** 2,
    "lq": lambda e, q: e**q,
}


@pytest.fixture(autouse=True)
def digits():
    # A difference of 1 and exp(-x) (1 + x) at 1e-170 has its first digit behind 340 others.
    with mpmath.workdps(800):
        yield


@pytest.mark.parametrize(("name", "params"), ROBUST, ids=str)
def test_losses_of_the_error(name, params):
    formula = FORMULAS[name]
    exact = {key: mpf(number) for key, number in params.items()}
    rng = np.random.default_rng(0)
    rows = [(e, 0.0) for e in [*ERRORS, *np.exp(rng.uniform(-9, 9, 200)), *rng.uniform(0, 5, 200)]]
    regression(name, of_error(lambda e: formula(e, **exact)), rows, **params)


SIDES = {"expectile": {}, "m_quantile_huber": {"delta": 1.345}}


@pytest.mark.parametrize(("name", "alpha"), list(product(SIDES, grid(".1 .5 .9"))))
def test_losses_that_weigh_sides(name, alpha):
    def formula(p, y):
        side = 1 - mpf(alpha) if p > y else mpf(alpha)
        e, delta = abs(p - y), mpf(1.345)
        huber = e * e / 2 if e <= delta else delta * (e - delta / 2)
        return side * (e * e if name == "expectile" else huber)

    regression(name, formula, [(e, 0.0) for e in ERRORS], alpha=alpha, **SIDES[name])


def test_log_linear_quantile():
    # Far from the target exp has all digits; near it the difference has those that exp(prediction) has.
    rows = pairs("0:3 -745:1 700:1 2.5:1e-300 -1e-12:9 1:-4 -1e308:1e-308 300:1e140")
    regression("log_linear_quantile", lambda p, y: abs(mpmath.exp(p) - y) / 2, rows)


def test_squared_log_error_of_ordinary_numbers():
    rng = np.random.default_rng(0)
    rows = [tuple(row) for row in np.exp(rng.normal(scale=3, size=(2000, 2)))]
    rows += [(a, a * (1 + d)) for a, d in np.exp(rng.normal(size=(500, 2))) * [1.0, 1e-6]]
    rows += [tuple(row) for row in rng.uniform(-1, 1, size=(2000, 2))]
    regression("mean_squared_log_error", lambda p, y: (mpmath.log1p(p) - mpmath.log1p(y)) ** 2, rows)


# Counts and amounts

RATES = [
    *COUNTS,
    *pairs("2.5:3 1e-300:2 1e-8:2 1000000:1000000 1e200:5 0:0 0:2 1:1 15:15 100:100 171:171 1000:1000"),
]
CANCELLING = [(mean, y) for y in (0.7, 1.0, 2.0, 3.0, 5.0, 40.0) for mean in np.linspace(0.1, 60, 400)]


def poisson_nll(mean, y):
    return mean - y * mpmath.log(mean) if mean else mpmath.inf if y else mpf(0)


def log_factorial(mean, y):
    return mpmath.loggamma(y + 1)


def stirling(mean, y):
    return y * mpmath.log(y) - y + mpmath.log(2 * mpmath.pi * y) / 2 if y > 1 else 0


def test_poisson_nll():
    regression("poisson_nll", poisson_nll, [*RATES, *CANCELLING])


def test_poisson_nll_with_the_factorial():
    rows = [row for row in [*RATES, *CANCELLING] if row[1] == 0 or 0.5 <= row[1] <= 1e16]
    regression("poisson_nll", lambda m, y: poisson_nll(m, y) + log_factorial(m, y), rows, limit=16, full=True)


def test_poisson_nll_by_stirling():
    regression(
        "poisson_nll_stirling",
        lambda m, y: poisson_nll(m, y) + stirling(m, y),
        [*RATES, *CANCELLING],
        limit=16,
    )


@pytest.mark.parametrize(("name", "rest"), [("poisson_nll", None), ("poisson_nll_stirling", stirling)])
def test_poisson_nll_of_log_rates(name, rest):
    rows = pairs("800:2 -800:2 -800:0 0:1 1:0 .5:3 2.302585092994046:10 -1e-12:1 709:1e5 -40:7 .9:2.4596")

    def formula(eta, y):
        return mpmath.exp(eta) - y * eta + (rest(eta, y) if rest else 0)

    regression(name, formula, rows, limit=16, log_input=True)


@pytest.mark.parametrize("name", ["mean_poisson_deviance", "mean_gamma_deviance"])
def test_deviances_of_ordinary_amounts(name):
    def exact(mean, y):
        if "poisson" in name:
            return 2 * (y * mpmath.log(y / mean) - y + mean)
        return 2 * (mpmath.log(mean / y) + y / mean - 1)

    rng = np.random.default_rng(0)
    rows = [(m * r, m) for m, r in np.exp(rng.normal(size=(1500, 2)) * [2.0, 0.5])]
    regression(name, exact, rows, limit=16)


def test_gamma_nll():
    rows = [*POSITIVE, *((m, y) for m in np.linspace(0.01, 1.2, 60) for y in np.linspace(0.001, 1.3, 40))]
    regression("gamma_nll", lambda m, y: y / m + mpmath.log(m), rows)


@pytest.mark.parametrize("power", [1.01, 1.5, 1.53, 1.99])
def test_tweedie_nll(power):
    a, b = 1 - mpf(power), 2 - mpf(power)
    regression("tweedie_nll", lambda m, y: m**b / b - y * m**a / a, COUNTS, power=power)


# Values of columns


def value(loss, prediction, target, weight=None):
    return losscli.evaluate(np.array(prediction), np.array(target), loss, ci=None)[loss.split(":")[0]].value


def check(found, exact, limit=4):
    assert ulps(found, mpf(exact)) <= limit, (found, float(exact))


SIZES = grid("1e-170 1e-200 1e-12 1 1e16 1e39 1e160 1e200 1e307")


@pytest.mark.parametrize("size", SIZES)
def test_roots_of_mean_squares_and_norms_hold_any_error(size):
    errors = [size, -size / 2, 0.0, size / 3]
    exact = [mpf(e) for e in errors]
    mean = sum(exact) / 4
    for name, expected in {
        "root_mean_squared_error": mpmath.sqrt(sum(e * e for e in exact) / 4),
        "error_std": mpmath.sqrt(sum((e - mean) ** 2 for e in exact) / 4),
        "minkowski_distance:p=2.5": sum(abs(e) ** mpf(2.5) for e in exact) ** (1 / mpf(2.5)),
        "minkowski_distance:p=300": sum(abs(e) ** 300 for e in exact) ** (mpf(1) / 300),
        "mean_absolute_error": sum(abs(e) for e in exact) / 4,
    }.items():
        check(value(name, errors, [0.0] * 4), expected)


@pytest.mark.parametrize("size", SIZES[:-1])
def test_ratios_to_the_targets_hold_any_size(size):
    target = [size, 2 * size, 4 * size, -3 * size]
    prediction = [1.1 * size, 2 * size, 5 * size, -2 * size]
    y, p = [mpf(v) for v in target], [mpf(v) for v in prediction]
    e = [a - b for a, b in zip(p, y, strict=True)]

    def variance(x):
        return sum((v - sum(x) / 4) ** 2 for v in x) / 4

    mse, bias = sum(v * v for v in e) / 4, sum(e) / 4
    joint = (variance(p) + variance(y) - variance(e)) / 2
    rse = mse / variance(y)
    for name, expected in {
        "relative_squared_error": rse,
        "root_relative_squared_error": mpmath.sqrt(rse),
        "r2": 1 - rse,
        "explained_variance": 1 - variance(e) / variance(y),
        "pearson_correlation": joint / mpmath.sqrt(variance(p) * variance(y)),
        "concordance_correlation_population": 2 * joint / (variance(p) + variance(y) + bias**2),
        "concordance_correlation": 2 * joint / (variance(p) + variance(y) + bias**2 * 3 / 4),
        "normalized_rmse:normalization=mean": mpmath.sqrt(mse) / (sum(y) / 4),
        "normalized_rmse:normalization=range": mpmath.sqrt(mse) / (max(y) - min(y)),
        "normalized_rmse:normalization=std": mpmath.sqrt(rse),
        "normalized_rmse:normalization=l2": mpmath.sqrt(mse / sum(v * v for v in y)),
    }.items():
        check(value(name, prediction, target), expected)


def test_the_errors_variance_is_infinite_only_where_it_is():
    check(value("error_variance", [1e150, 0.0], [0.0, 0.0]), mpf(1e150) ** 2 / 4)
    report = losscli.evaluate(np.array([1e200, 0.0]), np.zeros(2), "error_variance")
    assert report["error_variance"].value is None
    assert tuple(map(str, report["error_variance"].notes)) == ("undefined: beyond the largest float",)


def test_a_sum_beyond_the_floats_is_null_with_a_reason():
    found = losscli.evaluate(np.full(2, 1.5e308), np.zeros(2), ["mae", "rmse"], ci=None)
    assert found["mean_absolute_error"].value is None
    assert tuple(map(str, found["mean_absolute_error"].notes)) == ("the sum exceeds the largest float",)
    check(found["root_mean_squared_error"].value, mpf(1.5e308))


def test_an_extreme_row_after_ordinary_ones_is_an_error_that_names_it():
    # What the first block holds tells the size of squares; the last row is in another.
    prediction = np.zeros(200_000)
    prediction[:70_000], prediction[-1] = 1e-3, 1e200
    with pytest.raises(
        losscli.DataError, match=r"outside the domain of .*\n  row 200000: prediction 1e\+200"
    ):
        losscli.evaluate(prediction, np.zeros(200_000), "rmse")


def test_roots_of_ordinary_errors_have_intervals_and_so_have_huge_ones():
    rng = np.random.default_rng(0)
    errors = rng.normal(size=1000)
    one = losscli.evaluate(errors, np.zeros(1000), "rmse")["root_mean_squared_error"]
    huge = losscli.evaluate(errors * 2.0**700, np.zeros(1000), "rmse")["root_mean_squared_error"]
    assert huge.value == one.value * 2.0**700
    assert huge.se == pytest.approx(one.se * 2.0**700, rel=1e-12)


def test_several_outputs_of_very_different_size():
    predictions = np.array([[1e200, 3.0], [-1e200, 1.0]])
    check(value("root_mean_squared_error", predictions, np.zeros((2, 2))), (mpf(1e200) + mpmath.sqrt(5)) / 2)
    check(value("multi_rmse", predictions, np.zeros((2, 2))), mpf(1e200))
    shares = {r.share for r in losscli.evaluate(predictions, np.zeros((2, 2)), "rmse").results}
    assert shares == {None}
    check(value("multi_rmse", [[3.0, 4.0], [0.0, 0.0]], np.zeros((2, 2))), 5 / mpmath.sqrt(2))


# Sums of up to ten million values, and targets far from zero


many_rows = pytest.mark.parametrize("rows", [1_000_000, pytest.param(10_000_000, marks=pytest.mark.slow)])


@many_rows
def test_a_mean_of_many_errors_keeps_its_digits(rows):
    found = value("mean_squared_error", np.full(rows, 0.1), np.zeros(rows))
    check(found, mpf(0.1) ** 2)


@many_rows
def test_many_errors_that_cancel_have_the_mean_of_fsum(rows):
    rng = np.random.default_rng(0)
    large = rng.normal(size=rows // 2) * 1e16
    errors = np.concatenate([large, -large])
    errors += rng.normal(size=rows)
    rng.shuffle(errors)
    found = value("mean_bias_error", errors, np.zeros(rows))
    assert found == pytest.approx(math.fsum(errors) / rows, rel=1e-9)


def test_r2_of_targets_far_from_zero_keeps_its_digits():
    rng = np.random.default_rng(0)
    target = 1e8 + rng.normal(size=1000)
    prediction = target + rng.normal(scale=0.1, size=1000)
    y, p = [mpf(v) for v in target], [mpf(v) for v in prediction]
    centre = sum(y) / 1000
    left = sum((a - b) ** 2 for a, b in zip(p, y, strict=True)) / sum((v - centre) ** 2 for v in y)
    check(value("r2", prediction, target), 1 - left)
    check(value("relative_squared_error", prediction, target), left)
    check(value("d2_tweedie:power=0", prediction, target), 1 - left)


@pytest.mark.parametrize("power", [0.0, 1.0, 1.5, 2.0, 3.0])
def test_d2_of_targets_that_hardly_differ_keeps_its_digits(power):
    rng = np.random.default_rng(1)
    target = 1e3 + rng.normal(scale=1e-2, size=200)
    prediction = target + rng.normal(scale=1e-3, size=200)

    def deviance(y, mean):
        if power == 1:
            return y * mpmath.log(y / mean) - y + mean
        if power == 2:
            return mpmath.log(mean / y) + y / mean - 1
        a, b = 1 - mpf(power), 2 - mpf(power)
        return y**b / (a * b) - y * mean**a / a + mean**b / b

    y, p = [mpf(v) for v in target], [mpf(v) for v in prediction]
    centre = sum(y) / len(y)
    left = sum(map(deviance, y, p)) / sum(deviance(v, centre) for v in y)
    check(value(f"d2_tweedie:power={power}", prediction, target), 1 - left, limit=16)
