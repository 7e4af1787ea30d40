"""--where evaluates the rows that fulfil a condition: what a file filtered to them would give."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

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
