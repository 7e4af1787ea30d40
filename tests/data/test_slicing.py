"""The keys of slices: how they are numbered and merged."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from losscli.data import slicing
from losscli.data.slicing import Slicing, distinct, known_codes, merged_keys
from losscli.errors import DataError
from losscli.numeric.segments import NARROW

SLICING = Slicing(("t:key",), (None,))


def keys(*values: object) -> pl.DataFrame:
    """The keys of the slices of these values."""
    return SLICING.of(pl.DataFrame({"t:key": values}, strict=False))[1]


@pytest.mark.parametrize("scale", [1, NARROW, -(1 << 60)])
def test_whole_numbers_stay_numbers(scale: int) -> None:
    found = keys(3 * scale, scale, 3 * scale)
    assert found.dtypes == [pl.Int64]
    assert {value for (value,) in found.rows()} == {3 * scale, scale}
    merged, places = merged_keys(found, keys(2 * scale, scale, -scale))
    assert merged["0"].to_list()[:2] == found["0"].to_list()
    assert places is not None
    assert set(merged[places]["0"].to_list()) == {2 * scale, scale, -scale}
    assert merged.height == 4


def test_the_same_keys_stay_where_they_are() -> None:
    merged, places = merged_keys(keys(1, 2), keys(1, 2, 2))
    assert merged["0"].to_list() == [1, 2]
    assert places is None


@pytest.mark.parametrize("later", [("2", "x"), (2, None)])
def test_numbers_meet_text(later: tuple[object, ...]) -> None:
    merged, places = merged_keys(keys(1, 2), keys(*later))
    assert merged["0"].to_list()[:2] == ["1", "2"]
    assert merged.height == 3
    assert sorted(np.asarray(places)) == [1, 2]


@pytest.mark.parametrize("most", [10, 3000])
def test_text_keys_merge_with_few_and_with_many_others(most: int) -> None:
    first, later = (keys(*(f"k{i}" for i in range(start, start + most))) for start in (0, 3))
    merged, places = merged_keys(first, later)
    assert merged["0"].to_list()[:most] == first["0"].to_list()
    assert {*merged["0"].to_list()[most:]} == {f"k{most}", f"k{most + 1}", f"k{most + 2}"}
    assert places is not None
    assert merged[places].equals(later)


def test_no_keys_merge() -> None:
    none = keys(1)[:0]
    assert merged_keys(none, keys(1))[0]["0"].to_list() == [1]
    merged, places = merged_keys(keys(1), none)
    assert merged["0"].to_list() == [1]
    assert places is not None
    assert not len(places)


@pytest.mark.parametrize(
    ("values", "bins", "known"),
    [
        (["b", None, "a", "b"], None, ["a", "(missing)", "c", "b"]),
        ([3, 1, 3], None, [1, 2, 3]),
        ([0.5, float("nan"), 7.0], (1.0,), ["(missing)", "<= 1", "> 1"]),
        ([*range(300)], None, [*range(299, -1, -1)]),
    ],
    ids=["text", "numbers", "bins", "many"],
)
def test_labels_have_the_same_codes_in_all_blocks(values, bins, known) -> None:
    frame = pl.DataFrame({"t:key": values}, strict=False)
    codes = known_codes(frame, "t:key", bins, pl.Series(known))
    places, labels = Slicing(("t:key",), (bins,)).of(frame)
    assert codes.dtype.itemsize == (1 if len(known) < 128 else 2)
    assert [str(known[code]) for code in codes] == [str(labels["0"][int(place)]) for place in places]


def test_labels_that_no_earlier_pass_has_read_are_an_error() -> None:
    with pytest.raises(DataError, match="column key: has changed while it was read"):
        known_codes(pl.DataFrame({"t:key": ["a", "c"]}), "t:key", None, pl.Series(["a", "b"]))


@pytest.mark.parametrize("bits", [1, 16], ids=["same hashes", "other hashes"])
@pytest.mark.parametrize("count", [2, 60, 2_000], ids=["few", "more", "many"])
@pytest.mark.parametrize("has_missing", [False, True])
def test_equal_texts_have_the_same_place(monkeypatch, bits, count, has_missing) -> None:
    monkeypatch.setattr(slicing, "_HASH_BITS", bits)
    rng = np.random.default_rng(count)
    texts = pl.Series([f"{'東京 ' * (number % 4)}{number}" for number in rng.integers(0, count, 5_000)])
    if has_missing:
        texts = texts.replace(texts[0], None)
    places, values = distinct(texts)
    assert values[places.astype(np.uint32)].equals(texts, null_equal=True)
    assert values.n_unique() == len(values) == texts.n_unique()
