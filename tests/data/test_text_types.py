"""Text formats have no types: roles that name things take the text, roles that count parse numbers."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import numpy as np
import polars as pl
import pytest
from support.grids import some

import losscli
from losscli.data.formats.text import Shown
from losscli.errors import DataError
from losscli.report.findings import Code

FORMATS = ("csv", "tsv", "ndjson")


def written(path, frame, form):
    """A frame of text in a format of text: in NDJSON its values are strings."""
    path = path.with_suffix(f".{form}")
    match form:
        case "csv":
            frame.write_csv(path)
        case "tsv":
            frame.write_csv(path, separator="\t")
        case _:
            frame.write_ndjson(path)
    return path


def codes(error):
    return {problem.code for problem in error.value.problems}


def refused(code, *args, **options):
    with pytest.raises(DataError) as error:
        losscli.evaluate(*args, **options)
    assert str(code) in codes(error), error.value
    return error.value


# Names


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "names",
    [
        ["01001", "1001"],
        ["1.1", "1.10"],
        ["7", "07"],
        ["NA", "na"],
        ["1e2", "100"],
        ["9" * 42, "9" * 41 + "8"],
    ],
)
class TestNamesAreTextAsItStands:
    def frame(self, names):
        rows = [name for name in names for _ in range(4)]
        pred = np.linspace(0.1, 0.8, 8)
        return pl.DataFrame(
            {
                "name": rows,
                "pred": pred.astype(str),
                "y": (pred + np.arange(8)).astype(str),
                "grade": ["0", "1"] * 4,
            }
        )

    def test_slices(self, form, names, tmp_path):
        file = written(tmp_path / "one", self.frame(names), form)
        report = losscli.evaluate(file, loss="mae", by="name")
        sliced = {each.cell["name"]: each for each in report.results if each.cell}
        assert sliced.keys() == set(names)
        assert sliced[names[0]].value == pytest.approx(1.5)
        assert sliced[names[1]].value == pytest.approx(5.5)

    def test_clusters(self, form, names, tmp_path):
        file = written(tmp_path / "one", self.frame(names), form)
        report = losscli.evaluate(file, loss="mae", cluster="name")
        assert report["mae"].df == 1

    def test_groups(self, form, names, tmp_path):
        file = written(tmp_path / "one", self.frame(names), form)
        report = losscli.evaluate(file, loss="ndcg", group="name", pred="pred", target="grade")
        assert report["ndcg"].rows == 2

    def test_keys(self, form, names, tmp_path):
        whole = self.frame(names).gather_every(4)
        p = written(tmp_path / "p", whole.select("name", "pred"), form)
        t = written(tmp_path / "t", whole.select("name", "y").reverse(), form)
        assert losscli.evaluate(p, t, loss="mae", on="name")["mae"].value == pytest.approx(2.0)
        other = written(tmp_path / "o", whole.select("name", "y").with_columns(name=pl.lit(names[1])), form)
        refused(Code.UNMATCHED_PREDICTION, p, other, loss="mae", on="name")

    def test_labels(self, form, names, tmp_path):
        whole = self.frame(names)
        frame = whole.select(label="name", predicted_label=pl.Series([*names] * 4))
        file = written(tmp_path / "one", frame, form)
        assert losscli.evaluate(file, loss="zero_one")["multiclass_zero_one"].value == 0.5

    def test_rows_are_written_as_they_stand(self, form, names, tmp_path):
        whole = self.frame(names).gather_every(4)
        p = written(tmp_path / "p", whole.select("name", "pred"), form)
        t = written(tmp_path / "t", whole.select("name", "y"), form)
        report = losscli.evaluate(p, t, loss="mae", on="name", worst=2, rows=tmp_path / "rows.csv")
        assert set(pl.read_csv(tmp_path / "rows.csv", infer_schema=False)["name"]) == set(names)
        assert all(name in report.to_json() for name in names)


@pytest.mark.parametrize("form", FORMATS)
def test_a_label_far_down_is_a_label(form, tmp_path):
    n = 10_002
    labels = ["1", "2"] * (n // 2)
    labels[-1] = "cat"
    frame = pl.DataFrame(
        {"prob_1": ["0.5"] * n, "prob_2": ["0.25"] * n, "prob_cat": ["0.25"] * n, "label": labels}
    )
    report = losscli.evaluate(written(tmp_path / "one", frame, form), loss="log_loss")
    expected = (np.log(2) * (n // 2) + np.log(4) * (n // 2)) / n
    assert report["log_loss"].value == pytest.approx(expected)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("value", ["nan", None])
def test_a_column_without_values_in_its_first_rows_has_the_type_of_the_others(form, value, tmp_path):
    n = 10_100
    y = [value] * 10_000 + [str(i % 7) for i in range(100)]
    frame = pl.DataFrame({"pred": ["1.5"] * n, "y": y}, schema={"pred": pl.String, "y": pl.String})
    report = losscli.evaluate(written(tmp_path / "one", frame, form), missing="drop")
    assert report["mean_absolute_error"].rows == 100


def test_an_empty_column_costs_no_pass_over_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(Shown, "_searched", None)
    (tmp_path / "p.csv").write_text("id,pred,notes\n1,1,\n2,3.5,\n")
    (tmp_path / "t.csv").write_text("id,y,notes\n1,2,\n2,3,\n")
    assert losscli.evaluate(tmp_path / "p.csv", tmp_path / "t.csv", loss="mae")["mae"].value == 0.75


def test_a_first_part_without_rows_changes_nothing(tmp_path):
    (tmp_path / "part-0.csv").write_text("pred,y\n")
    (tmp_path / "part-1.csv").write_text("pred,y\n1,2\n3.5,3\n")
    assert losscli.evaluate(tmp_path, loss="mae")["mae"].value == 0.75


# Numbers


@pytest.mark.parametrize("spelling", ["nan", "NaN", "NULL", "null", "NA", "N/A", "\\N", "", "None", " NA "])
def test_spellings_of_a_missing_number(spelling, tmp_path):
    (tmp_path / "one.csv").write_text(f"pred,y\n1,2\n{spelling},3\n2,2\n")
    assert "row 2" in str(refused(Code.MISSING_VALUE, tmp_path / "one.csv", loss="mae"))
    report = losscli.evaluate(tmp_path / "one.csv", loss="mae", missing="drop")
    assert (report["mae"].value, report["mae"].rows) == (0.5, 2)


def test_blanks_around_numbers_do_not_count(tmp_path):
    (tmp_path / "one.csv").write_text("pred,y\n 1 ,2\n3\t, 3 \n")
    assert losscli.evaluate(tmp_path / "one.csv", loss="mae")["mae"].value == 0.5


@pytest.mark.parametrize("row", [0, 12_000])
def test_text_among_numbers_is_named_wherever_it_is(row, tmp_path):
    values = ["1.5"] * 12_001
    values[row] = "1.5x"
    pl.DataFrame({"pred": values, "y": ["1"] * 12_001}).write_csv(tmp_path / "one.csv")
    said = str(refused(Code.NOT_A_NUMBER, tmp_path / "one.csv", loss="mae"))
    assert f"row {row + 1}: '1.5x'" in said


TRUTH = {"True": "1", "False": "0", "true": "1", "false": "0", "TRUE": "1"}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("late", some([True, False]))
def test_true_and_false_are_one_and_zero_wherever_numbers_are_read(form, late, tmp_path):
    n = 4_000
    flags = (
        [*(["1", "0"] * n)[: n - 4], "True", "False", "true", "FALSE"]
        if late
        else ["True", "False"] * (n // 2)
    )
    plain = [TRUTH.get(each, TRUTH.get(each.lower(), each)) for each in flags]
    other = ["False" if each in ("True", "true", "1") else "True" for each in flags]
    whole = {
        "prob_a": ["0.7", "0.2"] * (n // 2),
        "prob_b": ["0.3", "0.8"] * (n // 2),
        "m": flags,
        "z": ["1"] * n,
    }
    frame = pl.DataFrame(whole | {"a": flags, "b": other, "y": ["0.5"] * n, "pred": flags})
    as_numbers = frame.with_columns(
        pred=pl.Series(plain),
        a=pl.Series(plain),
        b=pl.Series([str(1 - int(each)) for each in plain]),
        m=pl.Series(plain),
    )
    files = [written(tmp_path / name, each, form) for name, each in (("f", frame), ("n", as_numbers))]
    for options in (
        {
            "loss": "log_loss",
            "pred": "prob_a,prob_b",
            "target": "a,b",
            "classes": "a,b",
            "task": "multiclass",
        },
        {"loss": "mae", "pred": "pred", "target": "y"},
        {"loss": "mae", "pred": "prob_a", "target": "y", "weight": "m"},
        {"loss": "hamming", "task": "multilabel", "pred": "prob_a,prob_b", "target": "a,b"},
    ):
        values = [losscli.evaluate(file, **options).results[0].value for file in files]
        assert values[0] == values[1], options


@pytest.mark.parametrize("form", [*FORMATS, "parquet"])
def test_one_hot_targets_of_true_and_false_are_found_by_name(form, tmp_path):
    shares = pl.DataFrame({"id": ["1", "2"], "bird": [0.5, 0.25], "cat": [0.5, 0.75]})
    hot = pl.DataFrame({"id": ["1", "2"], "bird": [True, False], "cat": [False, True]})
    paths = []
    for name, frame in (("p", shares), ("t", hot)):
        if form == "parquet":
            frame.write_parquet(tmp_path / f"{name}.parquet")
            paths.append(tmp_path / f"{name}.parquet")
        else:
            text = frame.with_columns(pl.all().cast(pl.String).str.to_titlecase())
            paths.append(written(tmp_path / name, text, form))
    report = losscli.evaluate(*paths, loss="log_loss")
    assert report["log_loss"].value == pytest.approx(-(np.log(0.5) + np.log(0.75)) / 2)


# Numbers of every type


def test_nan_in_float16_is_missing(tmp_path):
    frame = pl.DataFrame({"prob_a": [0.7, np.nan, 0.2], "prob_b": [0.3, 0.4, 0.8], "label": ["a", "b", "b"]})
    half = frame.with_columns(pl.col("prob_a", "prob_b").cast(pl.Float16))
    for loss in ("zero_one", "log_loss", "brier"):
        refused(Code.MISSING_VALUE, half, loss=loss)
        left = losscli.evaluate(half, loss=loss, missing="drop").results[0]
        assert left.rows == 2
        assert left.value == pytest.approx(
            losscli.evaluate(frame, loss=loss, missing="drop").results[0].value, rel=1e-3
        )
    weighted = pl.DataFrame(
        {"pred": [1.0, 2.0], "y": [1.0, 1.0], "w": pl.Series([1.0, np.nan]).cast(pl.Float16)}
    )
    refused(Code.MISSING_VALUE, weighted, loss="mae", weight="w")


def test_labels_that_are_decimals_keep_their_fractions():
    labels = pl.Series(["1.2", "1.7", "1.7"]).cast(pl.Decimal(2, 1))
    frame = pl.DataFrame({"prob": [0.9, 0.2, 0.4], "label": labels})
    value = losscli.evaluate(frame, loss="log_loss", positive="1.7")["log_loss"].value
    assert value == pytest.approx(-(np.log(0.1) + np.log(0.2) + np.log(0.4)) / 3)


NANOSECONDS = 1_700_000_000_000_000_000


@pytest.mark.parametrize("dtype", [pl.Int64, pl.UInt64, pl.Int128, pl.Decimal(38, 0), pl.String])
def test_whole_numbers_that_float64_would_round_are_refused(dtype, tmp_path):
    frame = pl.DataFrame(
        {"pred": [NANOSECONDS, NANOSECONDS + 100], "y": [NANOSECONDS + 50, NANOSECONDS + 117]}
    )
    if dtype == pl.String:
        frame.write_csv(tmp_path / "one.csv")
        source = tmp_path / "one.csv"
    else:
        source = frame.cast(dtype)
    said = str(refused(Code.INEXACT_NUMBER, source, loss="mae"))
    assert "row 2" in said
    assert str(NANOSECONDS + 117) in said
    exact = pl.DataFrame({"pred": [2.0**60, 2.0**61], "y": [2.0**60, 2.0**60]}).cast(pl.Int64)
    assert losscli.evaluate(exact, loss="mae")["mae"].value == 2.0**59


# Keys


def by_key(left, right):
    p = pl.DataFrame({"key": left, "pred": [1.0, 2.0, 3.0]})
    t = pl.DataFrame({"key": right, "y": [1.0, 2.0, 4.0]}).reverse()
    return p, t


UUIDS = [UUID(int=i * 2**100 + 5) for i in (1, 2, 3)]
DAYS = [date(2024, 1, day) for day in (1, 2, 3)]
NOON = [datetime(2024, 1, day, 12) for day in (1, 2, 3)]
SEEN = {
    "text and plain numbers": (["7", "-8", "0"], [7, -8, 0]),
    "int32 and uint8": (pl.Series([1, 2, 3], dtype=pl.Int32), pl.Series([1, 2, 3], dtype=pl.UInt8)),
    "uint64": (pl.Series([1, 2, 2**64 - 1], dtype=pl.UInt64), ["1", "2", str(2**64 - 1)]),
    "milliseconds and nanoseconds": (
        pl.Series(NOON, dtype=pl.Datetime("ms")),
        pl.Series(NOON, dtype=pl.Datetime("ns")),
    ),
    "zones": (
        pl.Series(NOON, dtype=pl.Datetime("us")).dt.replace_time_zone("UTC"),
        pl.Series(NOON).dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo"),
    ),
    "days and midnights": (pl.Series(DAYS), pl.Series(DAYS).cast(pl.Datetime("ns"))),
    "days and text": (pl.Series(DAYS), [str(day) for day in DAYS]),
    "UUIDs and text": (pl.Series([each.bytes for each in UUIDS]), [str(each) for each in UUIDS]),
    "categories and text": (pl.Series(["a", "b", "c"], dtype=pl.Categorical), ["a", "b", "c"]),
}


@pytest.mark.parametrize(("left", "right"), SEEN.values(), ids=SEEN)
@pytest.mark.parametrize("turned", [False, True])
def test_keys_match_whatever_their_width_or_unit(left, right, turned):
    p, t = by_key(right, left) if turned else by_key(left, right)
    assert losscli.evaluate(p, t, loss="mae", on="key")["mae"].value == pytest.approx(1 / 3)


def test_text_that_is_not_plain_never_meets_a_number():
    for key in ("007", "7.0", " 7", "+7", "-0", "seven"):
        p, t = by_key([key, "2", "3"], [7, 2, 3])
        assert repr(key) in str(refused(Code.KEY_NOT_PLAIN, p, t, loss="mae", on="key"))
        refused(Code.KEY_NOT_PLAIN, p, t, loss="mae", on="key", unmatched="drop")


def test_an_instant_with_and_without_a_zone_never_meet():
    p, t = by_key(pl.Series(NOON, dtype=pl.Datetime("us", "UTC")), pl.Series(NOON))
    refused(Code.KEY_WITHOUT_ZONE, p, t, loss="mae", on="key")


@pytest.mark.parametrize(
    ("left", "right", "hint"),
    [
        (["00001", "00002", "00003"], ["1", "2", "3"], "without leading zeros"),
        (["A1", "B2", "C3"], ["a1", "b2", "c3"], "in another case"),
        (["a ", "b ", "c "], ["a", "b", "c"], "without the blanks around them"),
        (["1.0", "2.0", "3.0"], ["1", "2", "3"], "as whole numbers"),
        (["a", "b", "c"], ["d", "e", "f"], "--on names another key"),
    ],
)
@pytest.mark.parametrize("unmatched", ["error", "drop"])
def test_keys_that_never_match_say_why(left, right, hint, unmatched):
    p, t = by_key(left, right)
    said = str(refused(Code.NO_KEY_MATCHES, p, t, loss="mae", on="key", unmatched=unmatched))
    assert hint in said
    assert repr(left[0]) in said
    assert repr(right[0]) in said


def test_labels_that_have_nothing_in_common_are_no_classification(tmp_path):
    frame = pl.DataFrame({"predicted_label": ["160,6", "183,3"], "label": ["183,9", "196,0"]})
    said = str(refused(Code.DISJOINT_LABELS, frame, loss="zero_one"))
    assert said.startswith("predictions: 2 predicted labels, none of which is among the targets")
    floats = pl.DataFrame({"predicted_label": ["1", "0"], "label": ["1.0", "0.0"]})
    assert "they match as whole numbers: write them alike" in str(refused(Code.DISJOINT_LABELS, floats))
    named = losscli.evaluate(frame, loss="zero_one", classes=["160,6", "183,3", "183,9", "196,0"])
    assert named.results[0].value == 1.0


# Structs and lists


def test_fields_of_a_struct_are_columns(tmp_path):
    shares = [{"cat": 0.5, "dog": 0.5}, {"cat": 0.25, "dog": 0.75}]
    frame = pl.DataFrame({"probs": shares, "label": ["cat", "dog"]})
    frame.write_parquet(tmp_path / "one.parquet")
    frame.write_ndjson(tmp_path / "one.ndjson")
    for source in (frame, tmp_path / "one.parquet", tmp_path / "one.ndjson"):
        report = losscli.evaluate(
            source, loss="log_loss", pred=["probs.cat", "probs.dog"], target="label", classes=["cat", "dog"]
        )
        assert report["log_loss"].value == pytest.approx(-(np.log(0.5) + np.log(0.75)) / 2)


def test_a_vector_of_spark_is_a_list():
    vectors = [{"type": 1, "size": None, "indices": None, "values": [0.5, 0.5]}] * 2
    dtype = pl.Struct(
        {"type": pl.Int8, "size": pl.Int32, "indices": pl.List(pl.Int32), "values": pl.List(pl.Float64)}
    )
    frame = pl.DataFrame({"probability": pl.Series(vectors, dtype=dtype), "label": [0, 1]})
    assert losscli.evaluate(frame, loss="log_loss", pred="probability").results[0].value == pytest.approx(
        np.log(2)
    )


def test_a_sparse_vector_of_spark_has_its_zeros(tmp_path):
    dtype = pl.Struct(
        {"type": pl.Int8, "size": pl.Int32, "indices": pl.List(pl.Int32), "values": pl.List(pl.Float64)}
    )
    vectors = [
        {"type": 0, "size": 3, "indices": [0, 2], "values": [0.3, 0.7]},
        {"type": 1, "size": None, "indices": None, "values": [0.2, 0.3, 0.5]},
        {"type": 0, "size": 3, "indices": [1], "values": [1.0]},
    ]
    expected = [-(np.log(0.7) + np.log(0.5)) / 3, -np.log(0.7) / 2]
    for rows, value in zip(([0, 1, 2], [0, 2]), expected, strict=True):
        own = pl.Series([vectors[row] for row in rows], dtype=dtype)
        frame = pl.DataFrame({"probability": own, "label": [[2, 2, 1][row] for row in rows]})
        frame.write_parquet(tmp_path / "p.parquet")
        for source in (frame, tmp_path / "p.parquet"):
            assert losscli.evaluate(source, loss="log_loss").results[0].value == pytest.approx(value)
    for damage in ({"indices": [3, 1]}, {"indices": [0]}):
        wrong = pl.Series([{**vectors[0], **damage}], dtype=dtype)
        with pytest.raises(DataError):
            losscli.evaluate(pl.DataFrame({"probability": wrong, "label": [2]}), loss="log_loss")


# Conditions and bins


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("where", "rows"),
    {
        "version = '1.10'": 1,
        "age > 9": 3,
        "age > 9 AND version <> '1.1'": 1,
        "ok": 2,
        "code = '01'": 1,
    }.items(),
)
def test_conditions_take_the_type_that_values_show_or_text(form, where, rows, tmp_path):
    columns = {
        "pred": ["1", "2", "3", "4"],
        "y": ["1", "1", "1", "1"],
        "version": ["1.1", "1.10", "2.0", "1.1"],
        "age": ["10", "9", "11", "100"],
        "ok": ["true", "false", "True", "False"],
        "code": ["01", "1", "2", "10"],
    }
    file = written(tmp_path / "one", pl.DataFrame(columns), form)
    assert losscli.evaluate(file, loss="mae", pred="pred", target="y", where=where)["mae"].rows == rows


def test_bins_need_numbers(tmp_path):
    age = [*map(str, range(2_000)), "old"]
    frame = pl.DataFrame({"pred": ["1"] * 2001, "y": ["2"] * 2001, "age": age})
    frame.write_csv(tmp_path / "one.csv")
    said = str(
        refused(Code.NOT_A_NUMBER, tmp_path / "one.csv", loss="mae", pred="pred", target="y", by="age:4")
    )
    assert "row 2001: 'old'" in said
    frame.head(2000).write_csv(tmp_path / "one.csv")
    report = losscli.evaluate(tmp_path / "one.csv", loss="mae", pred="pred", target="y", by="age:4")
    assert [each.rows for each in report.results if each.cell] == [500] * 4
