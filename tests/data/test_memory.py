"""Data in memory: what exports Arrow, mappings, sequences and arrays give the bits of a polars frame."""

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import losscli
from losscli.errors import DataError, UsageError

N = 60
RNG = np.random.default_rng(23)
Y = RNG.normal(size=N)
P = Y + RNG.normal(scale=0.5, size=N)
W = RNG.uniform(0.5, 2.0, size=N)
REGION = RNG.choice(["eu", "us"], N)
HOUSE = np.arange(N) // 3
FRAME = pl.DataFrame({"pred": P, "y": Y, "w": W, "region": REGION, "house": HOUSE})
EXPECTED = losscli.evaluate(
    FRAME, loss="mse", pred="pred", target="y", weight="w", by="region", cluster="house"
)


def values(report):
    return [(each.value, each.se, each.rows) for each in report.results]


class Capsule:
    """An object that has the PyCapsule interface and nothing else."""

    def __init__(self, exported):
        self.exported = exported

    def __arrow_c_stream__(self, requested_schema=None):
        return self.exported.__arrow_c_stream__(requested_schema)


TABLES = {
    "polars": lambda: FRAME,
    "lazy": FRAME.lazy,
    "pandas": FRAME.to_pandas,
    "pandas, shuffled index": lambda: FRAME.to_pandas().set_index(pd.Index(RNG.permutation(N))),
    "pyarrow": FRAME.to_arrow,
    "pyarrow batch": lambda: FRAME.to_arrow().combine_chunks().to_batches()[0],
    "pyarrow reader": lambda: FRAME.to_arrow().to_reader(),
    "pyarrow of pandas": lambda: pa.Table.from_pandas(
        FRAME.to_pandas().set_index(pd.Index(np.arange(N) * 2))
    ),
    "duckdb": lambda: duckdb.from_arrow(FRAME.to_arrow()),
    "capsule": lambda: Capsule(FRAME),
    "dict of lists": lambda: FRAME.to_dict(as_series=False),
    "dict of arrays": lambda: {name: FRAME[name].to_numpy() for name in FRAME.columns},
    "dict of series": lambda: {"pred": pd.Series(P), "y": FRAME["y"], "w": pa.array(W), **LABELS},
}
LABELS = {"region": tuple(REGION), "house": range(N)}


@pytest.mark.parametrize("name", TABLES)
def test_every_table_in_memory_gives_the_same_bits(name):
    table = TABLES[name]()
    cluster = None if name == "dict of series" else "house"
    report = losscli.evaluate(
        table, loss="mse", pred="pred", target="y", weight="w", by="region", cluster=cluster
    )
    expected = EXPECTED
    if cluster is None:
        expected = losscli.evaluate(FRAME, loss="mse", pred="pred", target="y", weight="w", by="region")
    assert values(report) == values(expected)


COLUMNS = {
    "list": list,
    "tuple": tuple,
    "numpy": np.asarray,
    "polars": pl.Series,
    "pandas": pd.Series,
    "pandas, shuffled index": lambda column: pd.Series(column, RNG.permutation(N)),
    "pyarrow array": pa.array,
    "pyarrow chunks": lambda column: pa.chunked_array([column[:7], column[7:]]),
    "capsule": lambda column: Capsule(pl.Series(column)),
    "frame of one column": lambda column: pd.DataFrame({"x": column}),
    "dict of one column": lambda column: {"x": column},
}


@pytest.mark.parametrize("name", COLUMNS)
def test_every_column_in_memory_gives_the_same_bits(name):
    of = COLUMNS[name]
    by = np.asarray(REGION) if name in ("list", "tuple") else of(REGION)
    report = losscli.evaluate(of(P), of(Y), loss="mse", weight=of(W), by=by, cluster=of(HOUSE))
    assert values(report) == values(EXPECTED)


def test_a_range_and_a_list_with_missing_numbers():
    assert losscli.evaluate(range(5), range(1, 6), loss="mse")["mse"].value == 1.0
    report = losscli.evaluate([1, 2.5, None], [1, 2, 3], loss="mse", missing="drop")
    assert report["mse"].value == 0.125


def test_numbers_and_text_in_one_list_are_no_column():
    with pytest.raises(DataError, match="type object"):
        losscli.evaluate([1, 2.5, "3", None], [1, 2, 3, 4], loss="mse")


# The index of pandas


def test_an_index_with_a_name_may_be_the_key():
    frame = pd.DataFrame({"pred": P, "y": Y}, index=pd.RangeIndex(N, name="id"))
    shuffled = frame.sample(frac=1.0, random_state=5)
    expected = losscli.evaluate(P, Y, loss="mse")["mse"].value
    assert losscli.evaluate(frame[["pred"]], shuffled[["y"]], loss="mse")["mse"].value == expected
    assert losscli.evaluate(frame["pred"], shuffled["y"], loss="mse")["mse"].value == expected


def test_an_index_without_a_name_is_never_a_column():
    frame = pd.DataFrame({"pred": P}, index=np.arange(N) * 2)
    targets = pd.DataFrame({"y": Y}, index=np.arange(N) * 3)
    expected = losscli.evaluate(P, Y, loss="mse")["mse"].value
    assert losscli.evaluate(frame, targets, loss="mse")["mse"].value == expected
    assert losscli.evaluate(pa.Table.from_pandas(frame), targets, loss="mse")["mse"].value == expected


# Arrays for weight, by and cluster


def names(report):
    return [name for each in report.results for name in each.cell]


def test_a_column_that_was_given_as_an_array_has_the_name_of_its_option_or_its_own():
    assert names(losscli.evaluate(P, Y, loss="mse", by=REGION)) == ["by", "by"]
    assert names(losscli.evaluate(P, Y, loss="mse", by=pd.Series(REGION, name="region"))) == ["region"] * 2
    both = losscli.evaluate(P, Y, loss="mse", by={"region": REGION, "house": HOUSE % 2})
    assert names(both) == ["region", "region", "house", "house"]


def test_a_name_that_either_side_has_gets_a_number():
    targets = {"y": Y, "by": HOUSE, "by_2": HOUSE}
    report = losscli.evaluate({"pred": P}, targets, loss="mse", target="y", by=REGION)
    assert names(report) == ["by_3", "by_3"]


def test_a_list_of_text_names_columns_for_by_and_holds_labels_for_cluster():
    assert (
        names(losscli.evaluate(FRAME, loss="mse", pred="pred", target="y", by=["region"])) == ["region"] * 2
    )
    of_text = losscli.evaluate(P, Y, loss="mse", cluster=[f"h{house}" for house in HOUSE])
    assert values(of_text) == values(losscli.evaluate(P, Y, loss="mse", cluster=HOUSE))


def test_an_array_describes_the_predictions_that_a_key_joins():
    predictions = FRAME.select(pl.int_range(pl.len()).alias("id"), "pred")
    targets = FRAME.select(pl.int_range(pl.len()).alias("id"), "y").reverse()
    report = losscli.evaluate(predictions, targets, loss="mse", weight=W)
    assert report["mse"].value == pytest.approx(EXPECTED["mse"].value, rel=1e-15)


def test_a_comparison_takes_arrays_that_describe_its_first_model():
    expected = losscli.compare(
        FRAME, FRAME.with_columns(pred=0.0), loss="mse", pred="pred", target="y", weight="w", by="region"
    )
    plain = FRAME.select("pred", "y")
    report = losscli.compare(
        plain, plain.with_columns(pred=0.0), loss="mse", pred="pred", target="y", weight=W, by=REGION
    )
    assert values(report) == values(expected)
    assert [each.difference for each in report.comparisons] == [
        each.difference for each in expected.comparisons
    ]
    against = losscli.evaluate(P, Y, loss="mse", weight=W, baseline=P * 0.0)
    assert against.comparisons[0].difference == pytest.approx(-expected.comparisons[0].difference, rel=1e-15)


@pytest.mark.parametrize("option", ["weight", "by", "cluster"])
def test_an_array_has_a_value_for_each_row(option):
    with pytest.raises(DataError, match=f"{option}= has 3 values for 60 rows"):
        losscli.evaluate(P, Y, loss="mse", **{option: np.arange(3)})


def test_arrays_describe_predictions_in_memory_alone(tmp_path):
    FRAME.write_csv(tmp_path / "d.csv")
    with pytest.raises(UsageError, match=r"weight= is an array.*\n.*weight='COLUMN'"):
        losscli.evaluate(tmp_path / "d.csv", loss="mse", pred="pred", target="y", weight=W)
    with pytest.raises(UsageError, match="weight= names a column of the targets"):
        losscli.rank(P, targets=Y, loss="mse", weight=W)


def test_a_weight_is_one_column_of_values():
    with pytest.raises(UsageError, match="weight= takes one column, got 2"):
        losscli.evaluate(P, Y, loss="mse", weight={"a": W, "b": W})
    with pytest.raises(UsageError, match="weight= takes one value per row"):
        losscli.evaluate(P, Y, loss="mse", weight=np.stack([W, W], axis=1))


# What cannot be read


def test_what_is_no_table_says_so():
    with pytest.raises(DataError, match="predictions: a DataFrame that cannot become a frame"):
        losscli.evaluate(pd.DataFrame({"pred": [1, "x"]}), [1, 2], loss="mse")
    with pytest.raises(DataError, match="columns of different lengths: pred 2, w 1"):
        losscli.evaluate({"pred": [1, 2], "w": [1]}, [1, 2], loss="mse")
    with pytest.raises(DataError, match=r"column more than once|more than one occurrence"):
        losscli.evaluate(pa.table([[1.0], [2.0]], names=["a", "a"]), [1.0], loss="mse")


@pytest.mark.parametrize("rows", [7, 1 << 18])
@pytest.mark.parametrize("options", [{}, {"on": "id"}, {"where": "w > 1"}, {"by": "region"}], ids=str)
def test_rows_in_memory_give_the_bits_of_a_file_however_they_are_cut(options, rows, tmp_path, monkeypatch):
    monkeypatch.setattr("losscli.data.table.SLICE", rows)
    monkeypatch.setattr("losscli.plan.plan.MIN_ROWS", 16)
    monkeypatch.setattr("losscli.plan.plan.BLOCK_NUMBERS", 16)
    whole = FRAME.with_row_index("id")
    p, t = whole.select("id", "pred"), whole.select("id", "y", "w", "region")
    p.write_parquet(tmp_path / "p.parquet")
    t.write_parquet(tmp_path / "t.parquet")
    in_pieces = pl.concat([p[:23], p[23:]], rechunk=False)
    options = {"on": "position", "loss": ["mse", "huber"]} | options
    files = losscli.evaluate(tmp_path / "p.parquet", tmp_path / "t.parquet", **options)
    for held in (p, in_pieces):
        assert losscli.evaluate(held, t, **options).results == files.results
    shuffled = t.sample(fraction=1.0, shuffle=True, seed=1)
    if options["on"] == "id":
        assert losscli.evaluate(p, shuffled, **options).results == files.results


def test_frames_of_different_lengths_say_so():
    with pytest.raises(DataError, match="3 rows of predictions and 2 rows of targets"):
        losscli.evaluate([1.0, 2.0, 3.0], [1.0, 2.0], loss="mse")


def test_a_small_call_starts_no_thread(monkeypatch):
    losscli.evaluate(P, Y, loss="mse")

    def start(self):
        raise AssertionError("a thread")

    monkeypatch.setattr("threading.Thread.start", start)
    assert losscli.evaluate(P, Y, loss="mse")["mse"].value == np.mean((P - Y) ** 2)
