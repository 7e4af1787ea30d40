"""--where evaluates the rows that fulfil a condition: what a file filtered to them would give."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from support.grids import some

import losscli as package
from losscli.errors import DataError, UsageError
from losscli.plan.resolve import prepare

N = 30_000
RNG = np.random.default_rng(29)
Y = RNG.normal(size=N)
FRAME = pl.DataFrame(
    {
        "id": np.arange(N),
        "pred": Y + RNG.normal(size=N),
        "y": Y,
        "x": RNG.uniform(size=N),
        "region": RNG.choice(["eu", "us", None], N),
    }
)
PREDICTIONS = FRAME.select("id", "pred", size="x", x=1 - pl.col("x"))
TARGETS = FRAME.select("id", "y", "x", "region")


def results(*sides, **options):
    return package.evaluate(*sides, loss=["huber", "r2"], pred="pred", target="y", **options).results


@pytest.mark.parametrize(
    ("condition", "kept"),
    {
        "region = 'eu'": pl.col("region") == "eu",
        "size > 0.5": pl.col("x") > 0.5,
        "size > 0.5 AND (region = 'eu' OR id < 100)": (pl.col("x") > 0.5)
        & ((pl.col("region") == "eu") | (pl.col("id") < 100)),
        "targets.x > 0.7 AND preds.x > 0.1": (pl.col("x") > 0.7) & (pl.col("x") < 0.9),
        "region IS NULL": pl.col("region").is_null(),
        "upper(region) IN ('EU', 'AP') AND size BETWEEN 0.2 AND 0.3": (pl.col("region") == "eu")
        & pl.col("x").is_between(0.2, 0.3),
    }.items(),
)
def test_a_condition_over_either_side_gives_what_filtered_rows_give(condition, kept):
    expected = results(FRAME.filter(kept))
    shuffled = TARGETS.sample(fraction=1.0, shuffle=True, seed=5)
    for targets in (TARGETS, shuffled):
        assert results(PREDICTIONS, targets, where=condition) == expected
    by_position = results(PREDICTIONS.rename({"id": "id2"}), TARGETS, where=condition)
    assert by_position == expected


@pytest.mark.parametrize("suffix", ["csv", "parquet", "arrow", "ndjson", "npz"])
def test_one_file_gives_what_filtered_rows_give(suffix, tmp_path):
    path = tmp_path / f"d.{suffix}"
    if suffix == "npz":
        np.savez(path, **{name: FRAME[name].to_numpy() for name in ("pred", "y", "x")})
    else:
        write = {"csv": FRAME.write_csv, "parquet": FRAME.write_parquet, "arrow": FRAME.write_ipc}
        write.get(suffix, FRAME.write_ndjson)(path)
    report = package.evaluate(path, loss=["huber", "r2"], pred="pred", target="y", where="x > 0.25")
    kept = FRAME.filter(pl.col("x") > 0.25)
    assert report.results == results(kept)
    assert tuple(map(str, report.findings)) == (f"{N - kept.height} of {N} rows dropped by --where x > 0.25",)


def test_row_groups_that_cannot_fulfil_it_are_not_read(tmp_path):
    path = tmp_path / "d.parquet"
    FRAME.write_parquet(path, row_group_size=1_000)
    content = bytearray(path.read_bytes())
    # The pages of many row groups in the middle are destroyed: reading one of them would fail.
    start, stop = len(content) // 4, len(content) // 2
    content[start:stop] = b"\xff" * (stop - start)
    path.write_bytes(content)
    kept = FRAME.filter(pl.col("id") >= N - 1_500)
    assert results(path, where=f"id >= {N - 1_500}") == results(kept)
    with pytest.raises(DataError, match="incomplete or damaged Parquet file"):
        results(path, where="id >= 10")


def test_messages_name_rows_of_the_file(losscli):
    losscli.write(
        p="pred,s\n1,a\n2,b\n,a\n4,b\n,b\n", t="y\n1\n2\n3\n4\n5\n", both="pred,y,s\n1,1,a\n2,,b\n,2,a\n"
    )
    losscli.refuses(3, "evaluate", "p.csv", "t.csv", "--where", "s = 'b'", said=["1 missing value", "row 5"])
    losscli.refuses(3, "evaluate", "both.csv", "--where", "s = 'b'", said=["column y: 1 missing", "row 2"])
    assert losscli.bare("both.csv", "--where", "y = 1", "-l", "mse") == [0.0]


def test_rows_without_a_partner_are_reported_whatever_the_condition(losscli):
    losscli.write(p="id,pred\n1,1\n2,2\n9,9\n", t="id,y,s\n2,2,a\n1,1,b\n3,3,b\n")
    argv = ("evaluate", "p.csv", "t.csv", "-l", "mse", "--where", "s = 'a'")
    losscli.refuses(
        3, *argv, said=["1 prediction without a target", "row 3", "1 target without a prediction"]
    )
    done = losscli(*argv, "--unmatched", "drop")
    assert "1 prediction without a target dropped" in done.out
    assert "1 of 3 rows dropped by --where s = 'a'" in done.out


def test_labels_are_those_of_the_rows_that_are_left(losscli):
    losscli.write(p="id,prob\n1,0.5\n2,0.5\n3,0.5\n", t="id,label\n1,yes\n2,no\n3,unknown\n")
    argv = ("p.csv", "t.csv", "-l", "log_loss", "--positive", "yes")
    losscli.refuses(3, "evaluate", *argv, said=["more than two labels"])
    assert losscli.bare(*argv, "--where", "label <> 'unknown'") == [pytest.approx(np.log(2), rel=1e-15)]


def test_it_is_part_of_plan_and_signature(losscli):
    FRAME.write_csv("d.csv")
    argv = ("evaluate", "d.csv", "-p", "pred", "-y", "y", "-l", "mse", "--json")
    signatures = {json.loads(losscli(*argv, *more).out)["signature"] for more in ((), ("--where", "x > 0.5"))}
    assert len(signatures) == 2
    flags = prepare("d.csv", pred="pred", target="y", where="region = 'eu'").plan.flags()
    assert """--where 'region = '"'"'eu'"'"''""" in flags


def test_no_rows_are_left(losscli):
    FRAME.head(3).write_csv("d.csv")
    argv = ("evaluate", "d.csv", "-p", "pred", "-y", "y", "--where", "x > 2")
    losscli.refuses(3, *argv, said=["no rows are left to evaluate", "3 of 3 rows dropped by --where x > 2"])


@pytest.mark.parametrize(
    ("condition", "said"),
    {
        "x > 0": ["both files have a column x", "preds.x or targets.x"],
        "nope > 0": ["no column 'nope'", "the columns: id, pred, size, x, y, region"],
        "Region = 'eu'": ["no column 'Region'. Did you mean region?"],
        'region = "eu"': ["no column 'eu'", "write text in single quotes"],
        "region > 3": ["cannot compare string with numeric type", "region is String"],
        "size": ["not true or false, but Float64"],
        "size >": ["unable to parse"],
        "": ["--where: the value is empty"],
        " ": ["--where: the value is empty"],
        "sum(size) > 3": ["sum is not a function of one row"],
        "size > avg(size) over (partition by region)": ["avg is not a function of one row"],
        "sum/* */(size) > 3": ["sum is not a function of one row"],
        "size > (SELECT 1)": ["select is not a function of one row"],
        "cast(region AS int) > 1": ["conversion from `str` to `i32` failed"],
        "preds.nope > 1": ["no column 'nope'", "the columns: id, pred, size, x;"],
    }.items(),
)
def test_what_is_no_condition_is_a_usage_error(condition, said, losscli):
    PREDICTIONS.write_parquet("p.parquet")
    TARGETS.write_parquet("t.parquet")
    losscli.refuses(
        2, "evaluate", "p.parquet", "t.parquet", "-p", "pred", "-y", "y", "--where", condition, said=said
    )


def test_a_condition_that_fails_on_a_row_of_one_file_is_a_usage_error():
    with pytest.raises(UsageError, match="conversion from `str` to `i32` failed"):
        results(FRAME, where="cast(region AS int) > 1")


# A condition reads one row


@pytest.mark.parametrize(
    "condition",
    [
        'size > "sum"(size)',
        "size > `sum`(size)",
        'size > "MAX" (size)',
        "size > sum\u00a0(size)",
        "size > {fn sum(size)}",
        "sum--\n(size) > 1",
        "sum/* /* */ */(size) > 1",
        "size > sum(size) filter (where size > 1)",
        "size > all(size)",
        "size > ANY (size)",
        "size > count(*)",
        "size > lag(size) over (order by size)",
        "size > row_number() over (order by size)",
        "upper(region) over (partition by region) = 'EU'",
        "size > first(size)",
        "size = any(array_agg(size))",
        "unnest(size) > 1",
        "size > random()",
        "exists (select 1)",
        "size in (SELECT 1)",
        "columns('s') > 1",
        "region = $$'$$ or size > sum(size) or region = $$'$$",
        "now() > '2020-01-01'",
        "current_timestamp > '2020-01-01'",
    ],
)
def test_a_condition_reads_no_other_row(condition):
    with pytest.raises(UsageError, match=r"is not a function of one row|is not understood"):
        results(PREDICTIONS, TARGETS, where=condition)


def test_quoted_names_are_columns():
    frame = FRAME.rename({"x": "sum", "region": "over"})
    expected = results(FRAME.filter(pl.col("x") > 0.5))
    for condition in ('"sum" > 0.5', '("sum") > 0.5', "sum > 0.5", "upper(\"over\") = 'sum(x)' or sum > 0.5"):
        assert results(frame, where=condition) == expected


@pytest.mark.parametrize(
    ("condition", "said"),
    {
        " or ".join(["x > 0.5"] * 101): "more than 100 levels",
        "x in (" + ", ".join(map(str, range(600))) + ")": "at most 2000 characters, got",
        "(" * 1_500 + "x > 0": "--where",
        "not " * 400 + "x > 0": "--where",
        "- " * 900 + "x > 0": "--where",
    }.items(),
)
def test_conditions_are_short_and_shallow(condition, said):
    with pytest.raises(UsageError, match=said):
        results(FRAME, where=condition)


# Whatever the format

VALUES = pl.DataFrame(
    {
        "pred": Y[:400],
        "y": np.zeros(400),
        "small": pl.Series(RNG.integers(-100, 100, 400), dtype=pl.Int8),
        "unsigned": pl.Series(RNG.integers(0, 200, 400), dtype=pl.UInt8),
        "number": [float("nan") if i % 7 == 0 else float(i % 50) for i in range(400)],
        "money": pl.Series([f"{i % 30}.50" for i in range(400)]).cast(pl.Decimal(10, 2)),
        "digits": [str(i % 12) for i in range(400)],
        "other": [str(i % 7) for i in range(400)],
        "code": [f"{i % 40:03d}" for i in range(400)],
        "kind": pl.Series(["b", "a", "d", "c"] * 100, dtype=pl.Enum(["b", "a", "d", "c"])),
        "is": [i % 3 == 0 for i in range(400)],
    }
)
SAME = [
    "number > 40", "number != 3", "not (number > 40)", "coalesce(number, 0) = 0", "number is null",
    "small + 100 > 50", "small * 2 > 100", "unsigned - 100 > 0", "-small > 90", "abs(small) > 90",
    "money > 10.4", "money = 3.5",
    "digits > other", "digits > 9", "digits = '7'", "concat(digits, other) = '34'",
    "code = '007'", "length(code) = 3", "code > '020'", "kind > 'b'", "kind = 'a'", '"is"', 'not "is"',
    '"is" = true', '"is" and small > 3', 'coalesce("is", false)', 'case when "is" then small > 1 end',
]  # fmt: skip


@pytest.mark.parametrize("condition", some(SAME))
def test_a_condition_means_the_same_in_every_format(condition, tmp_path):
    writers = {"parquet": VALUES.write_parquet, "arrow": VALUES.write_ipc, "ndjson": VALUES.write_ndjson}
    VALUES.write_csv(tmp_path / "v.csv")
    expected = results(tmp_path / "v.csv", where=condition)
    for suffix, write in writers.items():
        write(tmp_path / f"v.{suffix}")
        assert results(tmp_path / f"v.{suffix}", where=condition) == expected
    VALUES.write_parquet(tmp_path / "groups.parquet", row_group_size=50)
    assert results(tmp_path / "groups.parquet", where=condition) == expected
    assert results(VALUES, where=condition) == expected


def test_a_condition_keeps_columns_whose_names_are_like_those_of_its_own():
    frame = pl.DataFrame({"w": [1, 2, 2], "w#": ["a", "b", "c"], "label_pred": ["a", "b", "a"]})
    found = package.evaluate(frame, loss="multiclass_zero_one", target="w#", where="w > 1")
    assert found.results[0].value == 0.5


@pytest.mark.parametrize("condition", ["\"is\" <> 'True'", "small > 3 and not (\"is\" = 'true')"])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_true_and_false_are_no_text(condition, suffix, losscli):
    getattr(VALUES.select("pred", "y", "small", "is"), f"write_{suffix}")(f"v.{suffix}")
    said = ["is is true or false, not text", "write is, or NOT is"]
    losscli.refuses(2, "evaluate", f"v.{suffix}", "-p", "pred", "-y", "y", "--where", condition, said=said)


@pytest.mark.parametrize(
    ("numbers", "options"),
    [
        (("0,5", "1,5", "2", "NA"), {"decimal": ","}),
        (("0,5", "1.001,5", "2.000", ""), {"decimal": ",", "thousands": "."}),
        (("0.5", "1'001.5", "2", "-"), {"thousands": "'", "null_values": ["-"]}),
    ],
)
def test_numbers_are_compared_as_the_options_say_they_are_written(numbers, options, tmp_path):
    rows = "".join(f"{i};{2 * i};{number}\n" for i, number in enumerate(numbers))
    (tmp_path / "d.csv").write_text("y;pred;x\n" + rows)
    report = package.evaluate(
        tmp_path / "d.csv", loss="mae", pred="pred", where="x > 1", separator=";", **options
    )
    assert (report["mae"].value, report["mae"].rows) == (1.5, 2)


@pytest.mark.parametrize(
    ("condition", "said"),
    {
        "x > 3": "x holds 'oops', which is not a number",
        "flag": "flag holds 'yes', which is not true or false",
        "i > 3": "i holds '1.5', which is not a whole number",
    }.items(),
)
def test_late_text_of_another_type_is_never_left_out_in_silence(condition, said, losscli):
    rows = "".join(f"{i},{i},{i}.5,true,{i}\n" for i in range(2_000))
    losscli.write(d=f"y,pred,x,flag,i\n{rows}1,2,oops,yes,1.5\n1,2,NA,NA,NA\n")
    losscli.refuses(2, "evaluate", "d.csv", "-p", "pred", "-y", "y", "--where", condition, said=[said])
