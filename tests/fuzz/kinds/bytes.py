"""Damaged files of every format, whose undamaged numbers are known."""

from __future__ import annotations

import gzip
import io
import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pyarrow
from pyarrow import parquet

from ..case import Case, Done, nothing
from ..damage import damaged

SHARE = 8
ROWS = 9
P = pl.DataFrame({"id": range(ROWS), "prediction": np.arange(ROWS) * 1.5, "r": list("aabbccaab")})
T = pl.DataFrame({"id": range(ROWS), "target": np.arange(ROWS) * 1.0})
VALUE = float(np.mean(np.arange(ROWS) * 0.5))
"""The mean absolute error of the undamaged files."""
GATE = f"mae <= {VALUE!r}"


def _saved(write: Callable[[Any], object]) -> bytes:
    content = io.BytesIO()
    write(content)
    return content.getvalue()


def _npz(save: Callable[..., None]) -> Callable[[pl.DataFrame], bytes]:
    return lambda frame: _saved(lambda to: save(to, **_numbers(frame)))


def _numbers(frame: pl.DataFrame) -> dict[str, np.ndarray]:
    return {name: frame[name].to_numpy() for name in frame.columns if frame[name].dtype != pl.String}


def _arrow_file(frame: pl.DataFrame) -> bytes:
    table = frame.to_arrow()
    return _saved(lambda to: _written(pyarrow.ipc.new_file(to, table.schema), table))


def _arrow_stream(frame: pl.DataFrame) -> bytes:
    table = frame.to_arrow()
    return _saved(lambda to: _written(pyarrow.ipc.new_stream(to, table.schema), table))


def _written(writer: Any, table: pyarrow.Table) -> None:
    with writer:
        writer.write_table(table, max_chunksize=4)


WRITERS: Mapping[str, Callable[[pl.DataFrame], bytes]] = {
    "csv": lambda frame: frame.write_csv().encode(),
    "quoted.csv": lambda frame: frame.write_csv(quote_style="always").encode(),
    "utf16.csv": lambda frame: frame.write_csv().encode("utf-16"),
    "tsv": lambda frame: frame.write_csv(separator="\t").encode(),
    "csv.gz": lambda frame: gzip.compress(frame.write_csv().encode()),
    "csv.zst": lambda frame: _saved(lambda to: frame.write_csv(to, compression="zstd")),
    "ndjson": lambda frame: frame.write_ndjson().encode(),
    "ndjson.gz": lambda frame: gzip.compress(frame.write_ndjson().encode()),
    "parquet": lambda frame: _saved(lambda to: frame.write_parquet(to, row_group_size=4)),
    "plain.parquet": lambda frame: _saved(
        lambda to: parquet.write_table(frame.to_arrow(), to, row_group_size=4, compression="none")
    ),
    "snappy.pq": lambda frame: _saved(lambda to: parquet.write_table(frame.to_arrow(), to)),
    "arrow": lambda frame: _saved(frame.write_ipc),
    "batches.arrow": _arrow_file,
    "feather": lambda frame: _saved(lambda to: frame.write_ipc(to, compression="zstd")),
    "arrows": lambda frame: _saved(frame.write_ipc_stream),
    "batches.arrows": _arrow_stream,
    "npz": _npz(np.savez),
    "compressed.npz": _npz(np.savez_compressed),
    "npy": lambda frame: _saved(lambda to: np.save(to, frame[frame.columns[1]].to_numpy())),
    "xlsx": lambda frame: _saved(frame.write_excel),
}
"""The formats, with variants of them that are written in other ways."""
CHECKED = ("csv.gz", "ndjson.gz", "npz", "compressed.npz")
"""Formats with a checksum of all content: what is read of them is what was written."""
COUNTED = (
    "parquet",
    "plain.parquet",
    "snappy.pq",
    "npy",
    "batches.arrow",
    "batches.arrows",
    "arrow",
    "arrows",
)
"""Formats that store the number of rows."""


@cache
def written_as(name: str, side: str) -> bytes:
    frame = {"p": P, "t": T, "both": P.join(T, "id")}[side]
    return WRITERS[name](frame)


def case(rng: random.Random) -> Case:
    """One damaged file, alone or next to a whole one, read by some command."""
    name = rng.choice([*WRITERS])
    sides = "p" if name == "npy" else rng.choice(("both", "both", "p", "t"))
    content = damaged(written_as(name, sides), rng)
    file = f"{sides}.{name}"
    files = {file: content}
    if sides == "both":
        inputs = [file]
    else:
        other = "t" if sides == "p" else "p"
        suffix = "npy" if name == "npy" else rng.choice(("csv", "parquet", name))
        files[f"{other}.{suffix}"] = written_as(suffix, other)
        inputs = [f"p.{name if sides == 'p' else suffix}", f"t.{suffix if sides == 'p' else name}"]
    # Whether a condition reads other columns, or slices do, changes how files are read.
    others = rng.choice(([], [], ["--where", "id >= 0"], ["--by", "r"], ["--worst", "2"], ["-v"]))
    match rng.randrange(8):
        case 0 if len(inputs) == 2:
            honest = written_as("csv", "p")
            board = {f"board/{inputs[0]}": files.pop(inputs[0]), "board/honest.csv": honest}
            run = ["rank", "board", "-t", inputs[1], "-l", "mae", "--json"]
            return Case([run], files | board, also=_ranked if sides == "p" else nothing)
        case 1:
            return Case([["check", *inputs, *others]], files)
        case 2 if len(inputs) == 2:
            run = ["compare", inputs[0], "whole.csv", "-t", inputs[1], "-l", "mae", "--json"]
            return Case([run], files | {"whole.csv": written_as("csv", "p")})
    run = ["evaluate", *inputs, "-l", "mae", "--json", *others]
    gates = rng.choice(([], ["-g", GATE], ["-g", GATE, "-g", f"n >= {ROWS}"]))
    return Case([[*run, *gates]], files, also=_known(name))


def _ranked(done: Sequence[Done]) -> Iterable[str]:
    """A damaged submission does not stop a leaderboard: the whole one has a place."""
    (one,) = done
    board = json.loads(one.out)["board"] if one.status == 0 else []
    if not any(each["model"].endswith("honest.csv") and each["place"] for each in board):
        yield f"status {one.status}, and the whole submission has no place: {one.err[:300]} {board}"


def _known(name: str) -> Callable[[Sequence[Done]], Iterable[str]]:
    """What a file that was read must give, as far as its format can show that it is damaged."""

    def also(done: Sequence[Done]) -> Iterable[str]:
        (one,) = done
        if one.status not in (0, 1):
            return
        overall = next(each for each in json.loads(one.out)["results"] if not each["cell"])
        if name in CHECKED and abs(overall["value"] - VALUE) > 1e-12:
            yield f"{name}: {overall['value']} instead of {VALUE}"
        if name in (*CHECKED, *COUNTED) and overall["rows"] != ROWS:
            yield f"{name}: {overall['rows']} rows instead of {ROWS}"

    return also
