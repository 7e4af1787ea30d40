"""Polynomials in the place of smooth functions."""

from __future__ import annotations

import numpy as np
import pytest

from losscli.numeric.interpolation import interpolant


@pytest.mark.parametrize("f", [np.exp, np.cos, lambda t: 1.0 / (3.0 + t)], ids=["exp", "cos", "ratio"])
def test_a_smooth_function_is_interpolated_to_all_digits(f):
    t = np.linspace(-1.0, 1.0, 101)
    np.testing.assert_allclose(interpolant(f, 21)(t), f(t), rtol=2e-15)


def test_arguments_are_not_changed():
    t = np.array([-1.0, 0.5])
    t.setflags(write=False)
    assert interpolant(np.exp, 4)(t).shape == (2,)
