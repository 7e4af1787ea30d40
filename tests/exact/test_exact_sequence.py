"""The CTC loss against the sum over all alignments, with 100 digits of mpmath."""

from __future__ import annotations

from itertools import groupby, product

import mpmath
import numpy as np
import polars as pl
import pytest
from mpmath import mpf
from test_exact import check, columns

import losscli as package
from losscli.errors import DataError, UsageError
from losscli.tasks.sequence import Frames

RNG = np.random.default_rng(3)
SEQUENCES = [[1], [2, 1], [1, 1], [], [1, 2, 1], [2, 2, 1], [1, 1, 1]]


def batch(logits: np.ndarray, sequences=SEQUENCES, frames=None) -> Frames:
    most = max(map(len, sequences))
    labels = np.array([[*each, *[-1] * (most - len(each))] for each in sequences])
    frames = np.full(len(logits), float(logits.shape[1])) if frames is None else np.array(frames)
    return Frames(np, logits, labels, np.array([*map(len, sequences)]), frames)


def collapsed(path, blank):
    return [label for label, _ in groupby(path) if label != blank]


def exact(logits, sequence, blank=0):
    """Minus the logarithm of the probability of all paths that collapse to the sequence."""
    parts = [[mpmath.exp(mpf(z) - mpf(frame.max())) for z in frame] for frame in logits]
    total = mpf(0)
    for path in product(range(logits.shape[1]), repeat=len(logits)):
        if collapsed(path, blank) == sequence:
            total += mpmath.fprod(own[k] / mpmath.fsum(own) for own, k in zip(parts, path, strict=True))
    return -mpmath.log(total) if total else mpmath.inf


@pytest.mark.parametrize("width", [0.3, 3.0, 30.0])
@pytest.mark.parametrize("blank", [0, 2])
def test_all_alignments(width, blank):
    logits = np.random.default_rng(int(10 * width)).normal(0, width, (len(SEQUENCES), 5, 3))
    expected = [exact(z, own, blank) for z, own in zip(logits, SEQUENCES, strict=True)]
    check(columns("ctc", batch(logits), blank=blank), expected, SEQUENCES, 4)
    lengths = [max(len(own), 1) for own in SEQUENCES]
    found = columns("ctc", batch(logits), blank=blank, length_normalised=True)
    check(found, [e / n for e, n in zip(expected, lengths, strict=True)], SEQUENCES, 4)


def test_masked_classes_and_impossible_sequences():
    logits = np.zeros((3, 3, 3))
    logits[0, :, 1] = -np.inf
    sequences = [[1], [1, 1, 2], [2]]
    found = columns("ctc", batch(logits, sequences))
    assert found.tolist() == [np.inf, np.inf, pytest.approx(float(exact(logits[2], [2])))]
    assert columns("ctc", batch(logits, sequences), zero_infinity=True).tolist() == [0.0, 0.0, found[2]]


def test_sequences_of_files(losscli):
    losscli.write(
        p="id,t0_k0,t0_k1,t1_k0,t1_k1\n1,0,0,0,0\n2,0,0,0,0\n3,0,0,0,0\n",
        t='id,labels\n1,1\n2,""\n3,1 1\n',
    )
    done = losscli("evaluate", "p.csv", "t.csv", "-l", "ctc", "--bare")
    assert "ctc: infinite: first at row 3" in done.err
    done = losscli("evaluate", "p.csv", "t.csv", "--zero-infinity", "true", "--bare")
    assert float(done.out) == pytest.approx(np.log([4 / 3, 4]).sum() / 3)
    assert "1 row on which ctc:zero_infinity=true counts the infinite loss" in done.err
    losscli.write(t="id,labels\n1,1\n2,2\n3,a\n")
    done = losscli("evaluate", "p.csv", "t.csv", "-l", "ctc")
    assert done.status == 3
    assert "2 values that are not whole numbers from 0 to 1 with blanks between them" in done.err


def test_lists_of_labels_and_columns_that_are_missing():
    columns = {f"t{t}_k{k}": [0.0, 1.0] for t in range(3) for k in range(2)}
    text = package.evaluate(columns, {"labels": ["1 1", "1"]}, loss="ctc", on="position")
    lists = package.evaluate(columns, pl.DataFrame({"labels": [[1, 1], [1]]}), loss="ctc", on="position")
    assert lists.results[0].value == text.results[0].value
    del columns["t1_k1"]
    with pytest.raises(UsageError, match="each frame needs a column for each class"):
        package.evaluate(columns, {"labels": ["1", "1"]}, loss="ctc", on="position")
    with pytest.raises(DataError, match="missing value"):
        package.evaluate(
            {"t0_k0": [0.0], "t0_k1": [0.0]}, pl.DataFrame({"labels": [[None, 1]]}), loss="ctc", on="position"
        )


def test_frames_after_the_end_of_a_row_do_not_count(losscli):
    logits = RNG.normal(size=(3, 5, 3))
    frames, sequences = [5.0, 3.0, 2.0], [[1], [2, 1], [1, 1]]
    found = columns("ctc", batch(logits, sequences, frames))
    cut = [exact(z[: int(n)], own) for z, n, own in zip(logits, frames, sequences, strict=True)]
    check(found[:2], cut[:2], frames[:2], 4)
    assert found[2] == np.inf
    names = [f"t{t}_k{k}" for t in range(5) for k in range(3)]
    rows = pl.DataFrame(logits.reshape(3, -1), schema=names).with_columns(input_length=pl.Series([5, 3, 2]))
    targets = pl.DataFrame({"labels": ["1", "2 1", "1"]})
    report = package.evaluate(rows, targets, loss="ctc", on="position")
    last = float(exact(logits[2, :2], [1]))
    assert report.results[0].value == pytest.approx((found[0] + found[1] + last) / 3, rel=1e-14)
    with pytest.raises(DataError, match="a number of frames up to 5"):
        package.evaluate(rows.with_columns(input_length=pl.lit(6)), targets, loss="ctc", on="position")
    with pytest.raises(DataError, match="a whole number >= 1"):
        package.evaluate(rows.with_columns(input_length=pl.lit(0)), targets, loss="ctc", on="position")
