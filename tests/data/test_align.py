"""Rows that meet: by position, by keys in any order and of any type; what is left out is counted."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from support.grids import grid

import losscli
from losscli.data.keys import Increasing
from losscli.errors import DataError, UsageError

N = 70_000
"""More rows than two blocks hold."""
RNG = np.random.default_rng(5)
Y = RNG.normal(size=N)
PRED = Y + RNG.normal(scale=0.5, size=N)
SHUFFLED = RNG.permutation(N)
LOSSES = ["mae", "huber", "r2"]


def preds(ids, rows=slice(None), **more) -> pl.DataFrame:
    return pl.DataFrame({"id": ids, "pred": PRED[rows], **more})


def targets(ids, rows=slice(None), **more) -> pl.DataFrame:
    return pl.DataFrame({"id": ids, "y": Y[rows], **more})


def values(*args, **options) -> list[tuple[float, float]]:
    """The value and the standard error of each loss."""
    report = losscli.evaluate(*args, loss=LOSSES, **options)
    return [(report[name].value, report[name].se) for name in LOSSES]


NUMBERS = pl.Series(range(N))
BY_POSITION = values(PRED, Y)
KEYS = {
    "int64": NUMBERS,
    "int32": NUMBERS.cast(pl.Int32),
    "text": NUMBERS.cast(pl.String),
    "text that sorts otherwise": pl.Series([f"k{i:x}" for i in range(N)]),
    "float": NUMBERS * 0.5,
    "date": NUMBERS.cast(pl.Datetime("ms")),
    "categorical": NUMBERS.cast(pl.String).cast(pl.Categorical),
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_keys_in_any_order_give_the_bits_of_rows_by_position(key):
    assert values(preds(key), targets(key)) == BY_POSITION
    assert values(preds(key), targets(key.gather(SHUFFLED), SHUFFLED)) == BY_POSITION


def test_the_first_keys_show_that_files_are_in_another_order(monkeypatch):
    def refused(*asked):
        raise AssertionError("both files were read side by side")

    monkeypatch.setattr("losscli.data.table.unchecked", refused)
    assert values(preds(NUMBERS), targets(NUMBERS.gather(SHUFFLED), SHUFFLED)) == BY_POSITION


def test_keys_that_differ_later_are_found_as_well():
    swapped = [*range(N - 2), N - 1, N - 2]
    assert values(preds(NUMBERS), targets(NUMBERS.gather(swapped), swapped)) == BY_POSITION


def test_the_order_of_the_predictions_is_the_order_of_the_rows():
    shuffled = values(PRED[SHUFFLED], Y[SHUFFLED])
    assert values(preds(NUMBERS.gather(SHUFFLED), SHUFFLED), targets(NUMBERS)) == shuffled
    for (value, _), (expected, _) in zip(shuffled, BY_POSITION, strict=True):
        assert value == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("left", ["int64", "int32", "text"])
@pytest.mark.parametrize("right", ["int64", "int32", "text"])
def test_keys_of_different_types_meet(left, right):
    assert values(preds(KEYS[left]), targets(KEYS[right])) == BY_POSITION


@pytest.mark.parametrize("wide", [pl.UInt64, pl.Int128])
def test_whole_keys_beyond_64_bits_with_a_sign_meet_and_are_unmatched_as_others(wide):
    ids = pl.Series([2, 1, 2**63 + 5], dtype=wide)
    left, right = preds(ids, slice(3)), targets(NUMBERS[1:4], slice(3))
    with pytest.raises(DataError, match="1 prediction without a target"):
        values(left, right)
    report = losscli.evaluate(left, right, loss="mse", unmatched="drop")
    assert report["mse"].rows == 2


@pytest.mark.parametrize("left", [pl.UInt64, pl.Int128])
@pytest.mark.parametrize("right", [pl.UInt64, pl.Int128])
def test_whole_keys_beyond_64_bits_match_on_both_sides(left, right):
    ids = pl.Series([2, 2**63 + 5, 1, 2**64 - 1])
    shuffled = pl.Series([2**63 + 5, 2**64 - 1, 2, 1])
    expected = values(preds(ids.cast(pl.String), slice(4)), targets(shuffled.cast(pl.String), slice(4)))
    assert values(preds(ids.cast(left), slice(4)), targets(shuffled.cast(right), slice(4))) == expected


@pytest.mark.parametrize(("dtype", "most"), [(pl.Int8, 100), (pl.Int16, 20_000)])
def test_keys_of_a_narrow_type_match(dtype, most):
    ids = pl.Series(np.arange(-most, most)).cast(dtype)
    order = RNG.permutation(2 * most).tolist()
    p = pl.DataFrame({"id": ids, "pred": [0.0] * (2 * most)})
    t = pl.DataFrame({"id": ids.gather(order), "y": ids.gather(order)})
    report = losscli.evaluate(p[: most + 50], t, loss="mean_error", unmatched="drop")
    assert report["mean_error"].rows == most + 50
    assert report["mean_error"].value == pytest.approx(-ids[: most + 50].mean())


def test_a_key_that_repeats_where_a_batch_ends_is_found(monkeypatch):
    monkeypatch.setattr("losscli.data.table.SLICE", 1)
    ids = pl.Series([1, 2, 2, 3])
    with pytest.raises(DataError, match="with a duplicate key"):
        values(preds(ids, slice(4)), targets(ids, slice(4)))


def test_several_key_columns():
    parts = {"id": NUMBERS // 100, "part": NUMBERS % 100}
    p = pl.DataFrame({**parts, "pred": PRED})
    t = pl.DataFrame({**parts, "y": Y})[SHUFFLED.tolist()]
    assert values(p, t, on=["id", "part"]) == BY_POSITION
    assert values(p, t, on="id,part") == BY_POSITION
    with pytest.raises(DataError, match="rows with a duplicate key"):
        values(p, t, on="id")


def test_numbers_that_become_text_late_in_a_file_are_text(tmp_path):
    keys = [*map(str, range(N - 1)), "last"]
    preds(keys).write_csv(tmp_path / "p.csv")
    targets(pl.Series(keys).gather(SHUFFLED), SHUFFLED).write_csv(tmp_path / "t.csv")
    assert values(tmp_path / "p.csv", tmp_path / "t.csv") == BY_POSITION


def test_one_file_holds_both_sides():
    assert values(pl.DataFrame({"id": NUMBERS, "y": Y, "pred": PRED})) == BY_POSITION


@pytest.mark.parametrize("nested", [False, True])
def test_csv_and_parquet_give_the_same_bits(tmp_path, nested):
    p, t = (
        preds(NUMBERS),
        targets(NUMBERS.gather(SHUFFLED) if nested else NUMBERS, SHUFFLED if nested else slice(None)),
    )
    for name, frame in (("p", p), ("t", t)):
        frame.write_csv(tmp_path / f"{name}.csv")
        frame.write_csv(tmp_path / f"{name}.tsv", separator="\t")
        frame.write_parquet(tmp_path / f"{name}.parquet", row_group_size=1234)
    for left in ("csv", "tsv", "parquet"):
        for right in ("csv", "parquet"):
            assert values(tmp_path / f"p.{left}", str(tmp_path / f"t.{right}")) == BY_POSITION


def test_unmatched_rows_are_left_out_and_counted():
    p = preds(NUMBERS + 10)  # 10 to N + 9
    t = targets(NUMBERS, weight=np.ones(N))  # 0 to N - 1
    report = losscli.evaluate(p, t, loss="mae", unmatched="drop", target="y")
    assert report["mean_absolute_error"].value == pytest.approx(np.abs(PRED[:-10] - Y[10:]).mean(), rel=1e-13)
    assert report["mean_absolute_error"].rows == N - 10
    assert tuple(map(str, report.findings)) == (
        f"10 predictions without a target dropped, e.g. row {N - 9} (id {N})",
        "10 targets without a prediction dropped, e.g. row 1 (id 0)",
    )


def test_missing_rows_are_left_out_and_counted_once():
    gaps = pl.Series(PRED).scatter([0, 1], None), pl.Series(Y).scatter([1, 2], float("nan"))
    report = losscli.evaluate(
        pl.DataFrame({"pred": gaps[0]}), pl.DataFrame({"y": gaps[1]}), loss="mae", missing="drop"
    )
    assert report["mean_absolute_error"].value == pytest.approx(np.abs(PRED[3:] - Y[3:]).mean(), rel=1e-13)
    assert tuple(map(str, report.findings)) == ("3 rows with missing values dropped, e.g. row 1",)


def test_keys_that_are_missing_are_left_out_with_missing_rows():
    p = pl.DataFrame({"id": [1, None, 3], "pred": [1.0, 2.0, 3.0]})
    t = pl.DataFrame({"id": [3, 1, None], "y": [5.0, 2.0, 9.0]})
    report = losscli.evaluate(p, t, loss="mae", missing="drop")
    assert (report["mean_absolute_error"].value, report["mean_absolute_error"].rows) == (1.5, 2)
    assert tuple(map(str, report.findings)) == ("2 rows with missing values dropped, e.g. row 2 (id None)",)


def test_a_key_on_one_side_only_is_no_key():
    assert values(preds(NUMBERS), pl.DataFrame({"y": Y})) == BY_POSITION


def test_rows_of_weight_zero_are_as_if_absent_and_counted():
    weight = (np.arange(N) % 3).astype(float)
    p, t = preds(NUMBERS), targets(NUMBERS, w=weight)
    weighted = losscli.evaluate(p, t, loss="mae", target="y", weight="w")
    kept = weight > 0
    expected = np.average(np.abs(PRED - Y)[kept], weights=weight[kept])
    assert weighted["mean_absolute_error"].value == pytest.approx(expected, rel=1e-13)
    assert weighted["mean_absolute_error"].rows == kept.sum()
    assert tuple(map(str, weighted.findings)) == (
        f"{N - kept.sum()} rows with weight zero dropped, e.g. row 1 (id 0)",
    )


def test_weight_two_is_the_row_twice():
    twice = np.repeat(np.arange(1000), np.arange(1000) % 2 + 1)
    t = pl.DataFrame({"y": Y[:1000], "w": np.arange(1000) % 2 + 1})
    p = pl.DataFrame({"pred": PRED[:1000]})
    weighted = losscli.evaluate(p, t, loss=LOSSES, target="y", weight="w")
    repeated = losscli.evaluate(PRED[twice], Y[twice], loss=LOSSES)
    for one, other in zip(weighted.results, repeated.results, strict=True):
        assert one.value == pytest.approx(other.value, rel=1e-12)
        assert one.weight == other.rows


def test_whole_keys_that_fractions_cannot_tell_apart_are_refused():
    near = [2**53, 2**53 + 1]
    whole = pl.DataFrame({"id": near, "y": [1.0, 2.0]})
    fractions = pl.DataFrame({"id": [float(2**53), None], "pred": [1.0, 2.0]})
    for predictions, targets in ((fractions, whole), (whole.rename({"y": "pred"}), fractions)):
        targets = targets.rename({"pred": "y"}) if "pred" in targets.columns else targets
        with pytest.raises(DataError, match="too large to be exact as floats"):
            losscli.evaluate(predictions, targets, loss="mae", on="id")


def test_smaller_whole_keys_meet_fractions():
    whole = pl.DataFrame({"id": [2**53 - 1, 5], "y": [1.0, 2.0]})
    fractions = pl.DataFrame({"id": [5.0, float(2**53 - 1)], "pred": [2.5, 1.0]})
    assert losscli.evaluate(fractions, whole, loss="mae", on="id")["mae"].value == 0.25


def test_a_file_given_twice_is_not_compared_with_itself(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pl.DataFrame({"id": [1, 2], "pred": [1.0, 2.0]}).write_parquet("p.parquet")
    (tmp_path / "link.parquet").symlink_to("p.parquet")
    for again in ("p.parquet", "./p.parquet", tmp_path / "link.parquet"):
        with pytest.raises(UsageError, match="pred would be compared with itself"):
            losscli.evaluate("p.parquet", again, loss="mae")
    pl.DataFrame({"pred": [1.0, 2.0], "y": [1.0, 4.0]}).write_parquet("both.parquet")
    assert losscli.evaluate("both.parquet", "both.parquet", loss="mae", pred="pred")["mae"].value == 1.0


@pytest.mark.parametrize(
    ("batches", "expected"),
    [
        ([["3", "20", "100"], ["101"]], True),
        ([["3", "20", "100"], ["20", "a"]], False),  # each increases, in orders of their own
        ([["a/1", "a/10", "a/2"], ["a/20", "b"]], True),
        ([["a", "b"], ["b", "c"]], False),
        ([["é", "z"]], False),
        ([["z", "é"], [], ["aaa"]], True),
        ([[1, 2], [3]], True),
        ([[1, 3], [2]], False),
        ([[1.5, 2.5], [2.5]], False),
        ([[]], True),
    ],
)
def test_keys_that_increase_are_unique(batches, expected):
    increasing = Increasing()
    for keys in batches:
        increasing.add(pl.Series(keys, dtype=None if keys else pl.String))
    assert increasing.holds == expected


def test_a_missing_key_of_text_is_no_odd_number(tmp_path):
    (tmp_path / "p.csv").write_text("id,prediction\n7,1\n,2\n")
    pl.DataFrame({"id": [7, 8], "target": [1.0, 2.0]}).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(DataError, match="missing"):
        losscli.evaluate(tmp_path / "p.csv", tmp_path / "t.parquet", loss="mae")


KEY_ROLES = {"weight": "id", "by": "id", "cluster": "id", "target": "id"}


@pytest.mark.parametrize(
    ("role", "order", "suffix"), grid(KEY_ROLES, ["same", "sorted", "other"], ["csv", "parquet"])
)
def test_a_key_may_have_another_role(role, order, suffix, tmp_path):
    p = pl.DataFrame({"id": [1, 2, 3], "prediction": [1.5, 2.5, 3.0]})
    t = pl.DataFrame({"id": [1, 2, 3, 9], "target": [1.0, 2.0, 4.0, 5.0]})
    t = {"same": t.head(3), "sorted": t, "other": t.reverse()}[order]
    for name, frame in (("p", p), ("q", p), ("t", t)):
        frame.write_csv(tmp_path / f"{name}.csv") if suffix == "csv" else frame.write_parquet(
            tmp_path / f"{name}.parquet"
        )
    files = [tmp_path / f"{name}.{suffix}" for name in "pqt"]
    options = {"loss": "mae", "on": "id", "unmatched": "drop", role: KEY_ROLES[role]}
    one = p.join(t, "id")
    expected = losscli.evaluate(one, **options)["mae"].value
    assert losscli.evaluate(files[0], files[2], **options)["mae"].value == pytest.approx(expected)
    compared = losscli.compare(*files[:2], targets=files[2], **options)
    assert compared.comparisons[0].value_b == pytest.approx(expected)
    if role != "cluster":
        ranked = losscli.rank(*files[:2], targets=files[2], **options)
        assert [each.value for each in ranked.board if not each.cell] == pytest.approx([expected] * 2)


@pytest.mark.parametrize("order", ["sorted", "shuffled", "text"])
def test_a_duplicate_target_key_is_not_also_without_a_prediction(order):
    keys = {"sorted": [1, 2, 2, 3, 5], "shuffled": [3, 2, 1, 2, 5], "text": ["c", "b", "a", "b", "e"]}[order]
    targets = pl.DataFrame({"id": keys, "target": [1.0] * 5})
    predictions = pl.DataFrame({"id": sorted(set(keys))[:3], "prediction": [1.0] * 3})
    with pytest.raises(DataError) as raised:
        losscli.evaluate(predictions, targets, loss="mae")
    assert {problem.code: problem.what for problem in raised.value.problems} == {
        "duplicate-key": "1 row with a duplicate key",
        "unmatched-target": "1 target without a prediction",
    }


def test_rows_without_a_key_are_no_duplicates_of_each_other():
    targets = pl.DataFrame({"id": [3, 2, 1, 2, None, None], "target": [1.0] * 6})
    predictions = pl.DataFrame({"id": [1, 2, 3], "prediction": [1.0] * 3})
    with pytest.raises(DataError) as raised:
        losscli.evaluate(predictions, targets, loss="mae")
    assert {problem.code: problem.what for problem in raised.value.problems} == {
        "duplicate-key": "1 row with a duplicate key",
        "missing-value": "2 missing values",
    }


def test_keys_may_be_lists_of_any_length():
    keys = pl.Series("id", [[1.0], [], [2.0, 3.0]])
    predictions = pl.DataFrame({"id": keys, "prediction": [1.0, 2.0, 3.0]})
    targets = pl.DataFrame({"id": keys, "target": [1.0, 2.0, 4.0]}).reverse()
    assert losscli.evaluate(predictions, targets, on="id", loss="mae")["mae"].value == pytest.approx(1 / 3)
