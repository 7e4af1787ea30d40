"""What labels and probabilities may look like, and what is done to them and said of it."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from sklearn import metrics

import losscli
from losscli.errors import DataError

RNG = np.random.default_rng(17)
N = 80
BIT = RNG.integers(0, 2, N)
PROB = RNG.uniform(0.01, 0.99, N)
NAMES = ["cat", "dog", "owl"]
CODE = RNG.integers(0, 3, N)
PROBS = RNG.dirichlet([2, 2, 2], N)
WORDS = [NAMES[code] for code in CODE]
YES = ["yes" if bit else "no" for bit in BIT]
EPS = np.finfo(float).eps


def frame(**columns) -> pl.DataFrame:
    return pl.DataFrame(columns)


def classes(rows=slice(None), probs=PROBS) -> pl.DataFrame:
    return pl.DataFrame({name: probs[rows, i] for i, name in enumerate(NAMES)})


BINARY = {
    "integers": (BIT, {}, ("0", "1")),
    "small integers": (pl.Series(BIT, dtype=pl.UInt8), {}, ("0", "1")),
    "floats": (BIT * 1.0, {}, ("0", "1")),
    "booleans": (BIT > 0, {}, ("false", "true")),
    "text": (YES, {"positive": "yes"}, ("no", "yes")),
    "categories": (pl.Series(YES, dtype=pl.Categorical), {"positive": "yes"}, ("no", "yes")),
    "1 and 2": (BIT + 1, {"positive": 2}, ("1", "2")),
    "-1 and 1": (2 * BIT - 1, {"positive": 1}, ("-1", "1")),
    "booleans by name": (BIT > 0, {"positive": True}, ("false", "true")),
}


@pytest.mark.parametrize(("target", "options", "names"), BINARY.values(), ids=BINARY)
def test_binary_labels_of_every_kind(target, options, names):
    report = losscli.evaluate(frame(prob=PROB), frame(label=target), loss=["log_loss", "zero_one"], **options)
    assert report["log_loss"].value == pytest.approx(metrics.log_loss(BIT, PROB), rel=1e-12)
    assert report["zero_one"].value == pytest.approx(metrics.zero_one_loss(BIT, PROB > 0.5))
    for bit, name in enumerate(names):
        own = -np.log(PROB if bit else 1 - PROB)[bit == BIT].mean()
        assert report["log_loss", {"class": name}].value == pytest.approx(own, rel=1e-12)


def test_the_other_label_may_be_positive():
    report = losscli.evaluate(frame(prob=PROB), frame(y=BIT), loss="log_loss", positive=0)
    assert report["log_loss"].value == pytest.approx(metrics.log_loss(1 - BIT, PROB), rel=1e-12)
    assert [r.cell for r in report.results[1:]] == [{"class": "1"}, {"class": "0"}]


MULTICLASS = {
    "text": (WORDS, NAMES),
    "categories": (pl.Series(WORDS, dtype=pl.Enum(NAMES[::-1])), NAMES),
    "integers": (CODE, ["0", "1", "2"]),
    "floats": (CODE * 1.0, ["0", "1", "2"]),
    "text of numbers": ([str(code) for code in CODE], ["0", "1", "2"]),
    "numbers that sort otherwise as text": (CODE * 9 + 1, ["1", "10", "19"]),
    "negative numbers": (CODE - 1, ["-1", "0", "1"]),
}


@pytest.mark.parametrize(("target", "names"), MULTICLASS.values(), ids=MULTICLASS)
def test_multiclass_labels_of_every_kind(target, names):
    p = pl.DataFrame({f"prob_{name}": PROBS[:, i] for i, name in enumerate(names)})
    report = losscli.evaluate(p, frame(label=target), loss="log_loss")
    assert report["log_loss"].value == pytest.approx(metrics.log_loss(CODE, PROBS), rel=1e-12)
    assert [r.cell["class"] for r in report.results[1:]] == names


def test_two_classes_of_booleans():
    p = frame(prob_true=PROB, prob_false=1 - PROB)
    report = losscli.evaluate(p, frame(label=BIT > 0), loss="log_loss")
    assert report["log_loss"].value == pytest.approx(metrics.log_loss(BIT, PROB), rel=1e-12)


@pytest.mark.parametrize("cast", [str, int, float])
def test_predicted_labels(cast):
    guess, truth = PROBS.argmax(axis=1) * 9 + 1, CODE * 9 + 1
    p = frame(label_pred=[cast(each) for each in guess])
    expected = metrics.zero_one_loss(CODE, PROBS.argmax(axis=1))
    # Numbers and text are the same labels, whichever file has which.
    for targets in (frame(label=truth), frame(label=[str(each) for each in truth])):
        report = losscli.evaluate(p, targets, loss="multiclass_zero_one")
        assert report["multiclass_zero_one"].value == pytest.approx(expected)
        assert [r.cell["class"] for r in report.results[1:]] == ["1", "10", "19"]


def test_predicted_labels_of_a_binary_task():
    guess = ["yes" if p > 0.5 else "no" for p in PROB]
    report = losscli.evaluate(
        frame(pred=guess), frame(label=YES), loss=["f1_error", "balanced_error"], positive="yes"
    )
    assert report["f1_error"].value == pytest.approx(1 - metrics.f1_score(BIT, PROB > 0.5))
    balanced = 1 - metrics.balanced_accuracy_score(BIT, PROB > 0.5)
    assert report["balanced_error"].value == pytest.approx(balanced)


@pytest.mark.parametrize("target", [BIT, 2 * BIT - 1, BIT > 0], ids=["0 and 1", "-1 and 1", "booleans"])
def test_hinge_takes_both_ways_to_write_labels(target):
    score = RNG.normal(size=N)
    report = losscli.evaluate(frame(score=score), frame(y=target), loss="hinge")
    assert report["hinge"].value == pytest.approx(metrics.hinge_loss(2 * BIT - 1, score))


def test_class_weights():
    weights = np.array([2.0, 1.0, 0.5])
    report = losscli.evaluate(classes(), frame(label=WORDS), loss="log_loss", class_weight="cat=2,owl=0.5")
    expected = metrics.log_loss(CODE, PROBS, sample_weight=weights[CODE])
    assert report["log_loss"].value == pytest.approx(expected, rel=1e-12)
    same = losscli.evaluate(
        classes(), frame(label=WORDS), loss="log_loss", class_weight={"cat": 2, "owl": 0.5}
    )
    assert same == report
    # Row weights and class weights multiply.
    row = RNG.uniform(0.5, 2, N)
    both = losscli.evaluate(
        classes(),
        frame(label=WORDS, w=row),
        loss="log_loss",
        target="label",
        weight="w",
        class_weight="cat=2,owl=0.5",
    )
    expected = metrics.log_loss(CODE, PROBS, sample_weight=row * weights[CODE])
    assert both["log_loss"].value == pytest.approx(expected, rel=1e-12)


def test_class_weights_of_a_binary_task():
    report = losscli.evaluate(frame(prob=PROB), frame(y=BIT), loss="log_loss", class_weight={0: 3})
    expected = metrics.log_loss(BIT, PROB, sample_weight=3 - 2 * BIT)
    assert report["log_loss"].value == pytest.approx(expected, rel=1e-12)


KEPT = CODE < 2
UNSURE = np.where(KEPT, YES, "unsure")
IGNORED = {
    "a class": (classes(), WORDS, "owl", CODE, PROBS),
    "outside the classes": (classes(), np.where(KEPT, WORDS, "?"), "?", CODE, PROBS),
    "a number": (frame(prob=PROB), np.where(KEPT, BIT, 255), 255, BIT, PROB),
    "a third of two": (frame(prob=PROB), UNSURE, "unsure", BIT, PROB),
}


@pytest.mark.parametrize(
    ("predictions", "labels", "ignored", "truth", "probs"), IGNORED.values(), ids=IGNORED
)
def test_rows_of_the_ignored_label_are_left_out_and_counted(predictions, labels, ignored, truth, probs):
    positive = {"positive": "yes"} if ignored == "unsure" else {}
    report = losscli.evaluate(
        predictions, frame(label=labels), loss="log_loss", ignore_label=ignored, **positive
    )
    expected = metrics.log_loss(truth[KEPT], probs[KEPT], labels=np.unique(truth))
    assert report["log_loss"].value == pytest.approx(expected, rel=1e-12)
    assert report["log_loss"].rows == KEPT.sum()
    first = int(np.flatnonzero(~KEPT)[0]) + 1
    count = (~KEPT).sum()
    assert tuple(map(str, report.findings)) == (
        f"{count} rows with the ignored label {ignored} dropped, e.g. row {first}",
    )


def test_an_ignored_label_hides_what_is_missing_in_its_rows():
    p = classes(slice(0, 2)).with_columns(cat=pl.Series([PROBS[0, 0], None]))
    report = losscli.evaluate(p, frame(label=[WORDS[0], "?"]), loss="log_loss", ignore_label="?")
    assert report["log_loss"].rows == 1


def test_an_ignored_label_that_no_row_has_is_said():
    report = losscli.evaluate(classes(), frame(label=WORDS), loss="log_loss", ignore_label="wol")
    assert tuple(map(str, report.findings)) == ("0 rows with the ignored label wol dropped",)


def test_normalize_rescales_and_says_so():
    scale = np.where(np.arange(N) % 4 == 0, RNG.uniform(0.5, 90, N), 1.0)
    report = losscli.evaluate(
        classes(probs=PROBS * scale[:, None]), frame(label=WORDS), loss="log_loss", normalize=True
    )
    assert report["log_loss"].value == pytest.approx(metrics.log_loss(CODE, PROBS), rel=1e-12)
    assert tuple(map(str, report.findings)) == (
        f"{N // 4} rows of probabilities rescaled to sum to one, e.g. row 1",
    )


def test_a_row_of_zeros_cannot_be_normalized():
    probs = PROBS.copy()
    probs[3] = 0
    with pytest.raises(DataError) as caught:
        losscli.evaluate(classes(probs=probs), frame(label=WORDS), loss="log_loss", normalize=True)
    (problem,) = caught.value.problems
    assert problem.examples == ("row 4: sum 0",)


@pytest.mark.parametrize("eps", [None, 1e-3, 1e-7])
def test_clipped_probabilities_are_counted(eps):
    prob, bit = np.array([0.0, 1.0, 0.0, 1.0, 0.5]), np.array([1, 0, 0, 1, 1])
    report = losscli.evaluate(frame(prob=prob), frame(y=bit), loss="log_loss", eps=eps)
    at = EPS if eps is None else eps
    # Only what would be log 0: a right probability of one costs nothing.
    expected = -np.log(np.maximum(np.where(bit, prob, 1 - prob), at)).mean()
    assert report["log_loss"].value == pytest.approx(expected, rel=1e-9)
    said = f"2 probabilities clipped at {at:.3g} under a logarithm (--eps 0 gives infinity), e.g. row 1"
    assert tuple(map(str, report.findings)) == (said,)


def test_only_clips_that_count_are_counted():
    # Row 2 gives its own class nothing; row 1 another class, which costs nothing.
    probs = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.2, 0.3, 0.5]])
    said = "1 probability clipped at 2.22e-16 under a logarithm (--eps 0 gives infinity), e.g. row 2"
    for targets in (
        frame(label=["cat", "dog", "owl"]),
        pl.DataFrame(dict(zip(NAMES, np.eye(3), strict=True))),
    ):
        report = losscli.evaluate(classes(probs=probs), targets, loss="log_loss", task="multiclass")
        assert report["log_loss"].value == pytest.approx(-np.log([1, EPS, 0.5]).mean())
        assert tuple(map(str, report.findings)) == (said,)
    bits = pl.DataFrame(dict(zip(NAMES, np.eye(3, dtype=int), strict=True)))
    labels = losscli.evaluate(classes(probs=probs), bits, loss="log_loss", task="multilabel")
    assert tuple(map(str, labels.findings)) == (said,)


def test_the_clip_is_the_epsilon_of_the_type_in_the_file():
    prob = pl.Series([0.0, 0.5], dtype=pl.Float32)
    report = losscli.evaluate(frame(prob=prob), frame(y=[1, 1]), loss="log_loss")
    assert report["log_loss"].value == pytest.approx(-math.log(np.finfo(np.float32).eps * 0.5) / 2, rel=1e-6)


def test_without_a_clip_the_loss_is_infinite_and_no_gate_passes():
    report = losscli.evaluate(
        classes(probs=np.eye(3)[(CODE + 1) % 3]),
        frame(label=WORDS),
        loss="log_loss",
        eps=0,
        gate="log_loss < 1e300",
    )
    assert report["log_loss"].value is None
    assert tuple(map(str, report["log_loss"].notes)) == ("infinite: first at row 1",)
    assert report.gates[0].status == "error"


def test_a_class_without_rows_is_null_with_the_reason():
    rows = CODE < 2
    report = losscli.evaluate(
        classes(rows), frame(label=np.array(WORDS)[rows]), loss=["log_loss", "zero_one"]
    )
    empty = report["log_loss", {"class": "owl"}]
    assert (empty.value, empty.se, empty.rows, str(*empty.notes)) == (None, None, 0, "no rows")
    expected = metrics.log_loss(CODE[rows], PROBS[rows], labels=[0, 1, 2])
    assert report["log_loss"].value == pytest.approx(expected, rel=1e-12)


def test_one_class_only():
    report = losscli.evaluate(
        frame(prob=PROB), frame(y=np.ones(N, int)), loss=["log_loss", "balanced_error", "d2_log_loss"]
    )
    assert report["log_loss"].value == pytest.approx(-np.log(PROB).mean(), rel=1e-12)
    assert report["log_loss", {"class": "0"}].value is None
    for name in ("balanced_error", "d2_log_loss"):
        assert report[name].value is None
        assert report[name].notes[0].text.startswith("undefined: ")
    text = losscli.evaluate(frame(prob=PROB), frame(y=["yes"] * N), loss="log_loss", positive="yes")
    assert text["log_loss"].value == report["log_loss"].value
    assert text["log_loss", {"class": "not yes"}].rows == 0


def test_one_row_only():
    report = losscli.evaluate(frame(pred=[1.5]), frame(y=[1.0]), loss=["mae", "r2"])
    assert (report["mae"].value, report["mae"].se) == (0.5, None)
    assert tuple(map(str, report["mae"].notes)) == ("no interval: one row",)
    assert report["r2"].value is None


def test_labels_beyond_64_bits_are_none_of_the_classes():
    labels = pl.Series([0, 2**63 + 5], dtype=pl.UInt64)
    with pytest.raises(DataError, match="1 label outside the 2 classes"):
        losscli.evaluate(
            frame(prob_0=[0.5, 0.5], prob_1=[0.5, 0.5], label=labels), loss="log_loss", task="multiclass"
        )


@pytest.mark.parametrize("width", [1, 2, 70])
def test_numbers_that_numpy_lacks(width):
    columns = {f"y{i}": [1, 2, 3] for i in range(width)}
    predictions, targets = (pl.DataFrame(columns).cast(dtype) for dtype in (pl.Int128, pl.Int64))
    assert losscli.evaluate(predictions, targets.with_columns(y0=pl.lit(0)), "mae").results[0].value == (
        2.0 / width
    )


@pytest.mark.parametrize("loss", ["log_loss", "one_vs_all_log_loss"])
def test_what_rescaling_brings_below_the_clip_is_counted(loss):
    probs = frame(prob_0=[3e-16, 0.9], prob_1=[0.9, 0.05], prob_2=[0.9, 0.05], label=[0, 0])
    notes = losscli.evaluate(probs, loss=loss, task="multiclass", normalize=True).findings
    assert any("clipped at 2.22e-16" in note.text for note in notes)
    # As it stands in the file it is above the clip.
    raw = probs.with_columns(prob_1=pl.Series([0.5, 0.05]), prob_2=pl.Series([0.5, 0.05]))
    assert not any(
        "clipped" in note.text for note in losscli.evaluate(raw, loss=loss, task="multiclass").findings
    )


def test_an_infinite_logit_is_not_mended_by_saying_that_it_is_one():
    logits = frame(logit_0=[np.inf, 1.0], logit_1=[0.0, 0.0], label=[0, 1])
    with pytest.raises(DataError, match="infinite value") as error:
        losscli.evaluate(logits, loss="log_loss")
    assert "--from-logits" not in str(error.value)


def test_lists_of_which_no_row_is_left():
    lists = frame(id=[1, 2], logit=[[1.0, 2.0], [0.0, 1.0]], label=[0, 1])
    with pytest.raises(DataError, match="no rows are left to evaluate"):
        losscli.evaluate(lists, loss="log_loss", task="multiclass", from_logits=True, where="id < 0")
