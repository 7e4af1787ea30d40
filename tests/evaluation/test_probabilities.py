"""Probabilities as files hold them: off by rounding, to a few digits, of short types, as percentages."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import losscli
from losscli.errors import DataError

NAMES = ["a", "b", "c"]


def classes(values, dtype=pl.Float64) -> pl.DataFrame:
    return pl.DataFrame({f"prob_{name}": pl.Series(values[i], dtype=dtype) for i, name in enumerate(NAMES)})


def counts(report) -> dict[str, int]:
    return {note.code: note.count for note in report.findings if note.count}


def refusal(*args, **options):
    with pytest.raises(DataError) as error:
        losscli.evaluate(*args, **options)
    return error.value.problems


# Off by rounding alone


def test_a_probability_below_zero_by_rounding_counts_as_zero():
    rows = classes([[0.9, 0.5, 0.2], [0.1, 0.5, 0.3], [1 - 0.9 - 0.1, 0.0, 0.5]])
    target = pl.DataFrame({"target": ["a", "b", "c"]})
    expected = -(np.log(0.9) + np.log(0.5) + np.log(0.5)) / 3
    for options in ({}, {"normalize": True}):
        report = losscli.evaluate(rows, target, loss="log_loss", **options)
        assert report.results[0].value == pytest.approx(expected, rel=1e-15)
        assert counts(report) == {"rounded-probability": 1}
    hit = pl.DataFrame({"target": ["c", "b", "c"]})
    report = losscli.evaluate(rows, hit, loss="log_loss")
    assert report.results[0].value == pytest.approx(
        -(np.log(np.finfo(float).eps) + np.log(0.5) + np.log(0.5)) / 3, rel=1e-15
    )
    assert counts(report) == {"rounded-probability": 1, "clipped-probability": 1}


@pytest.mark.parametrize("task", ["binary", "multilabel"])
def test_the_next_float32_above_one_counts_as_one(task):
    p = np.array([np.nextafter(np.float32(1), np.float32(2)), 0.5, 0.1], dtype=np.float32)
    y = [1.0, 0.0, 0.0]
    expected = -(np.log(0.5) + np.log1p(-float(np.float32(0.1)))) / 3
    if task == "binary":
        frame, target = pl.DataFrame({"prob": p}), pl.DataFrame({"target": y})
    else:
        frame, target = pl.DataFrame({"u": p, "v": p}), pl.DataFrame({"u": y, "v": y})
    report = losscli.evaluate(frame, target, loss="log_loss", task=task)
    assert report.results[0].value == pytest.approx(expected, rel=1e-15)
    assert counts(report) == {"rounded-probability": 1}


def test_soft_targets_off_by_rounding_are_taken():
    p, y = [0.5, 0.25], [1.0 + 2.220446049250313e-16, -2.8e-17]
    report = losscli.evaluate(p, y, loss="log_loss", task="binary")
    assert report.results[0].value == pytest.approx(-(np.log(0.5) + np.log(0.75)) / 2, rel=1e-15)
    assert counts(report) == {"rounded-probability": 2}
    soft = classes([[0.9, 0.5], [0.1, 0.5], [1 - 0.9 - 0.1, 0.0]])
    report = losscli.evaluate(classes([[0.5, 0.5], [0.25, 0.25], [0.25, 0.25]]), soft, loss="log_loss")
    assert counts(report) == {"rounded-probability": 1}


def test_what_rounding_does_not_explain_stays_an_error():
    assert refusal([1.001, 0.5], [1, 0], loss="log_loss", task="binary")[0].what.startswith("1 probability")
    rows = classes([[0.9, 0.5], [0.11, 0.5], [-0.01, 0.0]])
    (problem,) = refusal(rows, pl.DataFrame({"target": ["a", "b"]}), loss="log_loss")
    assert problem.examples == ("row 1: -0.01",)
    assert "--from-logits" in problem.remedy


# Sums, by type and by digits


def test_the_sum_of_a_softmax_in_float16_is_held_to_the_spacing_of_its_type():
    logits = np.random.default_rng(7).normal(size=(200, 3)).astype(np.float16)
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = (e / e.sum(axis=1, keepdims=True)).astype(np.float16)
    code = np.arange(200) % 3
    assert (np.abs(p.astype(float).sum(axis=1) - 1) > 1e-4).sum() > 50
    target = pl.DataFrame({"target": [NAMES[c] for c in code]})
    report = losscli.evaluate(classes(p.T, pl.Float16), target, loss="log_loss")
    assert report.results[0].value == pytest.approx(-np.log(p.astype(float)[np.arange(200), code]).mean())
    wide = classes((p.astype(float) * 1.01).T, pl.Float16)
    assert "do not sum to one" in refusal(wide, target, loss="log_loss")[0].what
    assert "do not sum to one" in refusal(classes(p.astype(float).T), target, loss="log_loss")[0].what


def test_the_sum_of_probabilities_with_two_decimals_is_held_to_their_digits():
    rows = classes([[0.33, 0.25], [0.33, 0.5], [0.33, 0.25]])
    target = pl.DataFrame({"target": ["a", "b"]})
    report = losscli.evaluate(rows, target, loss="log_loss")
    assert report.results[0].value == pytest.approx(-(np.log(0.33) + np.log(0.5)) / 2, rel=1e-15)
    assert counts(report) == {"rounded-sum": 1}
    assert "their 2 decimals" in " ".join(map(str, report.findings))
    digits = classes([[0.33, 0.251], [0.33, 0.5], [0.33, 0.249]])
    assert "1 row whose probabilities do not sum" in refusal(digits, target, loss="log_loss")[0].what
    (problem,) = refusal(classes([[0.3, 0.5], [0.3, 0.25], [0.3, 0.25]]), target, loss="log_loss")
    assert (problem.examples, "--normalize" in problem.remedy) == (("row 1: sum 0.9",), True)


def test_percentages_are_recognised():
    rows = classes([[50.0, 20.0], [30.0, 80.0], [20.0, 0.0]])
    target = pl.DataFrame({"target": ["a", "b"]})
    (problem,) = refusal(rows, target, loss="log_loss")
    assert problem.what == "2 rows of percentages, which sum to 100"
    assert problem.examples[0] == "row 1: sum 100"
    expected = -(np.log(0.5) + np.log(0.8)) / 2
    found = losscli.evaluate(rows, target, loss="log_loss", normalize=True).results[0].value
    assert found == pytest.approx(expected, rel=1e-15)
    (problem,) = refusal([90.0, 20.0], [1, 0], loss="log_loss", task="binary")
    assert "if these are percentages, divide them by 100" in problem.remedy


def test_amounts_that_normalize_takes_are_offered_it():
    rows = classes([[3.0, 2.0], [1.0, 6.0], [0.0, 1.0]])
    problems = refusal(rows, pl.DataFrame({"target": ["a", "b"]}), loss="log_loss")
    assert all(problem.remedy.startswith("--normalize rescales rows") for problem in problems)


# The type of the file


def test_float16_is_clipped_at_its_own_epsilon():
    frame = pl.DataFrame({"prob": pl.Series([0.0, 0.5], dtype=pl.Float16)})
    report = losscli.evaluate(frame, pl.DataFrame({"target": [1, 0]}), loss="log_loss")
    eps = float(np.finfo(np.float16).eps)
    assert report.results[0].value == pytest.approx(-(np.log(eps) + np.log(0.5)) / 2, rel=1e-15)
    assert "clipped at 0.000977" in " ".join(map(str, report.findings))


def binned(p, hit, edges):
    place = np.minimum(np.searchsorted(edges, p, side="right") - 1, len(edges) - 2)
    gap = [abs((p[place == b] - hit[place == b]).sum()) for b in range(len(edges) - 1)]
    return sum(gap) / len(p)


@pytest.mark.parametrize("n_bins", [10, 15, 30])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_probability_that_is_an_edge_of_a_bin_is_in_the_bin_above(n_bins, dtype):
    p = np.array([k / n_bins for k in range(n_bins + 1)], dtype=dtype)
    hit = np.random.default_rng(3).integers(0, 2, len(p)).astype(float)
    frame = pl.DataFrame({"prob": p})
    found = losscli.evaluate(frame, pl.DataFrame({"target": hit}), loss=f"ece:n_bins={n_bins}")
    edges = np.array([k / n_bins for k in range(n_bins + 1)]).astype(dtype).astype(float)
    assert found.results[0].value == pytest.approx(binned(p.astype(float), hit, edges), rel=1e-12)
    expected = np.abs(p.astype(float)[:-2] - hit[:-2]).sum() + abs((p.astype(float)[-2:] - hit[-2:]).sum())
    assert found.results[0].value == pytest.approx(expected / len(p), rel=1e-12)


def test_an_array_of_float16_is_held_to_its_type_like_a_file(tmp_path):
    logits = np.random.default_rng(5).normal(size=(100, 3))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    p[7] = [0.0, 0.25, 0.75]
    p, code = p.astype(np.float16), np.arange(100) % 3
    code[7] = 0
    np.save(tmp_path / "p.npy", p)
    eps = float(np.finfo(np.float16).eps)
    expected = -np.log(np.maximum(p.astype(float)[np.arange(100), code], eps)).mean()
    for predictions in (p, tmp_path / "p.npy"):
        found = losscli.evaluate(predictions, code, loss="log_loss").results[0].value
        assert found == pytest.approx(expected, rel=1e-14)
    named = pl.DataFrame({"target": [NAMES[c] for c in code]})
    found = losscli.evaluate(classes(p.T, pl.Float16), named, loss="log_loss").results[0].value
    assert found == pytest.approx(expected, rel=1e-14)
    p[3, 1] = np.nan
    with pytest.raises(DataError, match=r"1 missing value\n  row 4"):
        losscli.evaluate(p, code, loss="zero_one")
