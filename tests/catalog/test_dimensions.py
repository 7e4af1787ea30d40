"""Parameters with a number for each dimension, or a matrix: how they are written, checked and kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import losscli
from losscli.catalog import registry
from losscli.errors import UsageError

RNG = np.random.default_rng(8)
P, Y = RNG.normal(size=(2, 30, 2))
MAHALANOBIS, STANDARDIZED = "mahalanobis_distance", "standardized_euclidean_distance"


def value(loss: str, **options) -> float | None:
    return losscli.evaluate(P, Y, loss=loss, task="embedding", **options).results[0].value


@pytest.mark.parametrize(
    "written",
    ["2:0.5", "2,0.5", (2, 0.5), [2.0, "0.5"], np.array([2.0, 0.5], dtype=np.float32)],
)
def test_vectors_are_text_sequences_or_arrays(written):
    assert registry.choose(registry.find(STANDARDIZED)[0], {}, {"variances": written}).params == {
        "variances": (2.0, 0.5)
    }


@pytest.mark.parametrize("written", ["2:1/1:2", "2,1/1,2", [[2, 1], [1, 2]], np.array([[2, 1], [1, 2]])])
def test_matrices_are_text_sequences_or_arrays(written):
    (entry,) = registry.find("mahalanobis")
    choice = registry.choose(entry, {}, {"inv_cov": written})
    assert choice.params == {"inv_cov": ((2.0, 1.0), (1.0, 2.0))}
    assert str(choice) == "mahalanobis_distance:inv_cov=2:1/1:2"


@pytest.mark.parametrize(
    ("loss", "name", "written"),
    [
        (STANDARDIZED, "variances", written)
        for written in ("", "1:a", "1:0", "1:-2", "1:inf", "1:2/3:4", [[1, 2]], 3, True)
    ]
    + [
        (MAHALANOBIS, "inv_cov", written)
        for written in ("", "1:2", "1:2/3:4", "1:2/2:1", "1:0/0", [1, 2], [[np.nan, 0], [0, 1]], 2.0)
    ],
)
def test_what_is_no_vector_or_matrix_is_an_error_that_says_what_is(loss, name, written):
    with pytest.raises(UsageError, match=f"{loss}: {name} must be a number"):
        value(loss, **{name: written})


def test_a_vector_of_another_length_is_an_error_before_any_row_is_read():
    with pytest.raises(UsageError, match="variances has 3 dimensions, and the vectors have 2"):
        value(STANDARDIZED, variances="1:2:3")
    with pytest.raises(UsageError, match="inv_cov has 1 dimension, and the vectors have 2"):
        value(MAHALANOBIS, inv_cov=[[1.0]])
    with pytest.raises(UsageError, match="needs inv_cov"):
        value(MAHALANOBIS)


def test_reports_gates_and_settings_hold_them_as_text(losscli):
    rows = "".join(f"{i},{a},{b}\n" for i, (a, b) in enumerate(P))
    losscli.write(p=f"id,e0,e1\n{rows}", t=f"id,e0,e1\n{rows}")
    loss = "mahalanobis:inv_cov=2:1/1:2"
    done = losscli("evaluate", "p.csv", "t.csv", "-l", loss, "-o", "a.json", "-g", f"{loss} <= 0")
    assert done.status == 0, done.err
    done = losscli(
        "evaluate", "p.csv", "t.csv", "-l", loss, "--baseline", "a.json", "-g", "mahalanobis <= base"
    )
    assert done.status == 0, done.err
    assert '"inv_cov": "2:1/1:2"' in Path("a.json").read_text()
    losscli.write(losscli_toml="[[loss]]\nname = 'mahalanobis'\ninv_cov = [[2, 1], [1, 2]]\n")
    done = losscli("evaluate", "p.csv", "t.csv", "--bare")
    assert (done.status, done.out) == (0, "0.0\n"), done.err
