"""Error rates of text: edits of words and characters, and how texts are read."""

from __future__ import annotations

from itertools import product

import numpy as np
import polars as pl
import pytest

import losscli
from losscli.errors import DataError
from losscli.numeric import edits as tables
from losscli.numeric.edits import edits
from losscli.tasks.text import characters

PREDICTION = ["this is the prediction", "there is an other sample"]
TARGET = ["this is the reference", "there is another one"]


def value(prediction: list[str], target: list[str], loss: str, **options) -> float | None:
    frames = pl.DataFrame({"hypothesis": prediction}), pl.DataFrame({"reference": target})
    return losscli.evaluate(*frames, loss=loss, on="position", **options).results[0].value


def of_one_table(a: str, b: str) -> tuple[int, int]:
    """The fewest edits and, with so few, the most matches: the plain table."""
    rows = [[(j, 0) for j in range(len(b) + 1)]]
    for i, x in enumerate(a, 1):
        rows.append([(i, 0)])
        for j, y in enumerate(b, 1):
            (e, m), (de, dm), (ie, im) = rows[i - 1][j - 1], rows[i - 1][j], rows[i][j - 1]
            step = (e, m - 1) if x == y else (e + 1, m)
            rows[i].append(min(step, (de + 1, dm), (ie + 1, im)))
    fewest, matches = rows[-1][-1]
    return fewest, -matches


@pytest.mark.parametrize("cells", [1, 40, tables.CELLS])
def test_edits_are_those_of_the_plain_table(cells, monkeypatch):
    monkeypatch.setattr(tables, "CELLS", cells)  # batches of one pair, of some, of all
    texts = ["".join(each) for length in range(4) for each in product("abc", repeat=length)]
    rng = np.random.default_rng(1)
    a, b = ([texts[i] for i in rng.integers(0, len(texts), 300)] for _ in range(2))
    found = edits(*characters(np.array([*a, *b], dtype=object)).halves())
    expected = [of_one_table(x, y) for x, y in zip(a, b, strict=True)]
    assert [*zip(found.edits.tolist(), found.matches.tolist(), strict=True)] == expected


@pytest.mark.parametrize(
    ("loss", "expected"),
    [("wer", 0.5), ("cer", 14 / 41), ("mer", 4 / 9), ("wil", 1 - 5 / 8 * 5 / 9)],
)
def test_the_example_of_torchmetrics(loss, expected):
    assert value(PREDICTION, TARGET, loss) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(("matches", "mer", "wil"), [("longest", 2 / 3, 8 / 9), ("aligned", 2 / 4, 5 / 9)])
def test_what_matches_if_an_alignment_inserts_and_deletes(matches, mer, wil):
    options = {"matches": matches}
    assert value(["b c d"], ["a b c"], "mer", **options) == pytest.approx(mer, rel=1e-15)
    assert value(["b c d"], ["a b c"], "wil", **options) == pytest.approx(wil, rel=1e-15)


def test_empty_texts_and_blanks():
    assert value(["", "a  b\n"], ["a b", "a b"], "wer") == 0.5
    assert value(["x y z"], ["a"], "wer") == 3.0
    assert value(["x"], [""], "wer") is None
    assert value(["é", "日本"], ["e", "日本語"], "cer") == 0.5


def test_numbers_and_lists_of_words_are_text():
    tokens = pl.DataFrame({"text": [["a", "b"], ["c"]]}), pl.DataFrame({"text": ["a b", "d"]})
    assert losscli.evaluate(*tokens, loss="wer", on="position").results[0].value == pytest.approx(1 / 3)
    assert value(["7 8"], ["7 8"], "wer") == 0.0


def test_texts_of_files(losscli):
    losscli.write(p='id,text\n1,007\n2,"a, b"\n3,""\n', t='id,text\n1,7\n2,"a, b"\n3,c\n')
    done = losscli("evaluate", "p.csv", "t.csv", "-l", "cer", "--bare")
    assert float(done.out) == pytest.approx(3 / 6)


def test_missing_text_is_an_error():
    with pytest.raises(DataError, match="missing value") as caught:
        value(["a", None], ["a", "b"], "wer")
    (problem,) = caught.value.problems
    assert problem.remedy == 'write "" for an empty text; --missing drop drops these rows'


def test_slices_and_intervals_are_those_of_rows():
    rng = np.random.default_rng(2)
    words = np.array(["one", "two", "three", "four"])
    target = [" ".join(words[rng.integers(0, 4, 6)]) for _ in range(400)]
    prediction = [" ".join(word for word in text.split() if rng.random() < 0.9) for text in target]
    frame = pl.DataFrame({"reference": target, "hypothesis": prediction, "who": rng.integers(0, 2, 400)})
    report = losscli.evaluate(frame, loss="wer", by="who")
    alone = losscli.evaluate(frame.filter(pl.col("who") == 1), loss="wer")
    (own,) = (result for result in report.results if dict(result.cell) == {"who": "1"})
    assert own.value == alone.results[0].value
    whole = report.results[0]
    assert whole.ci_low < 0.1 < whole.ci_high
    assert whole.se == pytest.approx((0.1 * 0.9 / 2400) ** 0.5, rel=0.2)
