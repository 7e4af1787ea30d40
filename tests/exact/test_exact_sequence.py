"""The CTC loss against the sum over all alignments, with 100 digits of mpmath."""

from __future__ import annotations

from itertools import groupby, product

import mpmath
import numpy as np
import polars as pl
import pytest
from mpmath import mpf
from test_exact import check, columns

import losscli
from losscli.errors import DataError, UsageError
from losscli.tasks.sequence import Frames

SEQUENCES = [[1], [2, 1], [1, 1], [], [1, 2, 1], [2, 2, 1], [1, 1, 1]]


def batch(logits: np.ndarray, sequences=SEQUENCES) -> Frames:
    most = max(map(len, sequences))
    labels = np.array([[*each, *[-1] * (most - len(each))] for each in sequences])
    return Frames(np, logits, labels, np.array([*map(len, sequences)]))


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
    text = losscli.evaluate(columns, {"labels": ["1 1", "1"]}, loss="ctc", on="position")
    lists = losscli.evaluate(columns, pl.DataFrame({"labels": [[1, 1], [1]]}), loss="ctc", on="position")
    assert lists.results[0].value == text.results[0].value
    del columns["t1_k1"]
    with pytest.raises(UsageError, match="each frame needs a column for each class"):
        losscli.evaluate(columns, {"labels": ["1", "1"]}, loss="ctc", on="position")
    with pytest.raises(DataError, match="missing value"):
        losscli.evaluate(
            {"t0_k0": [0.0], "t0_k1": [0.0]}, pl.DataFrame({"labels": [[None, 1]]}), loss="ctc", on="position"
        )
