"""The row of each key: as a dictionary finds it, whatever the types of keys and their hashes."""

import datetime as dt
from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from losscli.data import lookup
from losscli.data.join import Held
from losscli.data.lookup import Dense, Hashed, as_run, index_of

RNG = np.random.default_rng(5)
N = 3000
NUMBERS = RNG.permutation(10 * N)[:N]
DAY = dt.datetime(2026, 1, 1)


def expected(keys: pl.DataFrame, wanted: pl.DataFrame) -> list[int]:
    rows = {key: row for row, key in enumerate(keys.iter_rows()) if all(each == each for each in key)}
    return [rows.get(key, -1) if None not in key else -1 for key in wanted.iter_rows()]


COLUMNS = {
    "text": [f"user-{i}" for i in NUMBERS],
    "long text": [f"a key that is not stored in place {i}" for i in NUMBERS],
    "sparse": [int(i) << 40 for i in NUMBERS],
    "float": [i / 7 for i in NUMBERS],
    "instant": [DAY + dt.timedelta(seconds=int(i)) for i in NUMBERS],
    "decimal": [Decimal(int(i)) / 4 for i in NUMBERS],
    "bytes": [str(i).encode() for i in NUMBERS],
}


@pytest.mark.parametrize("names", [*([name] for name in COLUMNS), ["text", "sparse"], ["float", "instant"]])
def test_keys_are_found_as_a_dictionary_finds_them(names):
    keys = pl.DataFrame({name: COLUMNS[name] for name in names})
    index = index_of(keys[: N // 2])
    assert isinstance(index, Hashed)
    wanted = keys[RNG.permutation(N).tolist()]
    assert index.find(wanted).tolist() == expected(keys[: N // 2], wanted)
    assert not index.repeated
    assert index_of(keys[[*range(9), 3]]).repeated
    assert index.find(wanted[:0]).tolist() == index_of(keys[:0]).find(wanted[:0]).tolist() == []
    assert index_of(keys[:0]).find(wanted[:2]).tolist() == [-1, -1]


@pytest.mark.parametrize("as_text", [False, True])
def test_whole_numbers_need_no_hash(as_text):
    numbers = pl.Series("id", RNG.permutation(N) - 100)
    keys = (numbers.cast(pl.String) if as_text else numbers).to_frame()
    index = index_of(keys)
    assert isinstance(index, Dense)
    assert index.find(keys[::-1]).tolist() == list(range(N))[::-1]
    others = ["007", "x", None, "5", "99999"] if as_text else [-500, None, 99999, 5]
    assert index.find(pl.DataFrame({"id": others})).tolist() == expected(keys, pl.DataFrame({"id": others}))


@pytest.mark.parametrize(("dtype", "most"), [(pl.Int8, 100), (pl.Int16, 20_000)])
def test_keys_of_a_narrow_type_may_be_further_apart_than_it_holds(dtype, most):
    keys = pl.DataFrame({"id": RNG.permutation(np.arange(-most, most))}, schema={"id": dtype})
    index = index_of(keys[: 3 * most // 2])
    assert isinstance(index, Dense)
    assert not index.repeated
    wanted = keys[RNG.permutation(2 * most).tolist()]
    assert index.find(wanted).tolist() == expected(keys[: 3 * most // 2], wanted)


def test_the_last_row_of_a_key_has_the_place_whatever_the_threads(monkeypatch):
    monkeypatch.setattr(lookup, "_PIECE", 7)
    monkeypatch.setattr(lookup, "workers", lambda: 4)
    ids = RNG.integers(0, N // 3, N)
    index = index_of(pl.DataFrame({"id": ids}))
    assert isinstance(index, Dense)
    assert index.repeated
    last = {key: row for row, key in enumerate(ids.tolist())}
    assert index.find(pl.DataFrame({"id": list(last)})).tolist() == list(last.values())


def test_what_is_missing_has_no_key():
    keys = pl.DataFrame({"a": [1.5, None, float("nan"), 0.0], "b": ["x", "y", "z", None]})
    index = Hashed.of(keys)
    assert index.find(keys).tolist() == [0, -1, -1, -1]
    assert not index.repeated
    assert Hashed.of(keys.select("a")).find(pl.DataFrame({"a": [-0.0]})).tolist() == [3]


@pytest.mark.parametrize("few", [1, 7, 2**60])
def test_keys_with_the_same_hash_are_told_apart(few, monkeypatch):
    keys = pl.DataFrame({"id": COLUMNS["text"]})
    honest = lookup.hashed

    def poor(frame, seed):
        hashes = honest(frame, seed)
        return hashes if seed == 2 else hashes // np.uint64(few) if few > 7 else hashes % np.uint64(few)

    monkeypatch.setattr(lookup, "hashed", poor)
    index = Hashed.of(keys)
    assert index.seed == 2
    assert index.find(keys).tolist() == list(range(N))
    # Others may still have the hash of a key that is there.
    monkeypatch.setattr(lookup, "hashed", lambda frame, seed: np.repeat(index.hashes[5], frame.height))
    assert index.find(pl.DataFrame({"id": ["nobody", "user-x"]})).tolist() == [-1, -1]


def test_places_go_around_at_the_end_of_the_table(monkeypatch):
    hashes = np.array([2**64 - 1 - i for i in range(6)], dtype=np.uint64)
    monkeypatch.setattr(lookup, "hashed", lambda frame, seed: hashes[frame["id"].to_numpy() // 10])
    keys = pl.DataFrame({"id": [0, 10, 20, 30, 40]})
    index = Hashed.of(keys)
    assert index.find(pl.DataFrame({"id": [40, 30, 50, 0, 20, 10]})).tolist() == [4, 3, -1, 0, 2, 1]


def held(keys: pl.DataFrame, columns: pl.DataFrame) -> Held:
    return Held.of(keys.with_columns(columns).lazy(), keys.columns, columns.columns)


def joined(side: Held, keys: pl.DataFrame) -> tuple[pl.DataFrame, list[bool], bool]:
    """Columns beside their keys, the rows that were seen, and whether one was twice."""
    seen = side.unseen()
    frames = [side.add_to(part, part.select("id"), "row", seen) for part in keys.iter_slices(700)]
    return pl.concat(frames), seen.rows().tolist(), seen.repeated


@pytest.mark.parametrize("numbers", [10 * N, 5 * N // 4, N])
@pytest.mark.parametrize("wanted", ["all", "in no order", "some, and others", "twice", "none"])
def test_columns_in_the_order_of_their_keys_are_those_of_their_rows(numbers, wanted, monkeypatch):
    monkeypatch.setattr(lookup, "_PIECE", 1000)
    keys = pl.DataFrame({"id": RNG.permutation(numbers)[:N] - 50})
    columns = pl.DataFrame({"x": RNG.random(N), "y": RNG.integers(0, 9, N).astype(np.int8)})
    asked = {
        "all": keys.sort("id"),
        "in no order": keys,
        "some, and others": pl.DataFrame({"id": [*range(-100, numbers, 3), None]}),
        "twice": keys.vstack(keys[:5]),
        "none": keys.select(pl.col("id") + 10 * numbers),
    }[wanted]
    found, seen, twice = joined(held(keys, columns), asked)
    rows = keys.with_row_index("row").with_columns(columns)
    expected = asked.join(rows, on="id", how="left", maintain_order="left").with_columns(
        pl.col("row").cast(pl.Int32).fill_null(-1)
    )
    assert found.select(expected.columns).equals(expected)
    assert seen == keys["id"].is_in(asked["id"].drop_nulls().implode()).to_list()
    assert twice == (wanted == "twice")


def test_only_numbers_of_dense_keys_are_put_in_the_order_of_keys():
    keys, numbers = pl.DataFrame({"id": RNG.permutation(N)}), pl.DataFrame({"x": RNG.random(N)})

    def are_arranged(keys: pl.DataFrame, columns: pl.DataFrame) -> bool:
        index = index_of(keys)
        assert isinstance(index, Dense)
        return index.arranged(keys["id"], columns) is not None

    assert are_arranged(keys, numbers)
    assert not are_arranged(keys, numbers.with_columns(y=pl.lit("text")))
    assert not are_arranged(keys, numbers.with_columns(y=pl.when(pl.col("x") > 0.1).then("x")))
    assert not are_arranged(keys.select(pl.col("id") * 2), numbers)
    assert not are_arranged(keys.cast(pl.String), numbers)
    assert not are_arranged(keys[[*range(1, N), 5]], numbers)


def test_places_that_follow_each_other_are_a_slice():
    assert as_run(np.array([3, 4, 5])) == slice(3, 6)
    assert as_run(np.array([7])) == slice(7, 8)
    for others in ([], [-1], [-1, 0, 1], [3, 5, 4, 6], [3, 3, 5], [5, 4, 3]):
        assert as_run(np.array(others, dtype=int)).tolist() == others
