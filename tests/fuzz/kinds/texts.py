"""Names of files and columns, keys, labels and values that would steer a terminal, a log or a page."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Sequence

import polars as pl

from ..case import Case
from ..hostile import encoded, text

SHARE = 4
FORMS = ("table", "json", "csv", "markdown", "junit", "flat")


def case(rng: random.Random) -> Case:
    """A table with one hostile text in its names or values, shown in some way."""
    odd = text(rng)
    match rng.randrange(6):
        case 0:  # a name of a slice, and its column
            column = rng.choice(("r", odd))
            table = [["prediction", "target", column], ["1", "2", odd], ["2", "2.5", "b"], ["3", "1", odd]]
            inputs = [
                "-l",
                "mae",
                "-p",
                "prediction",
                "-y",
                "target",
                "--by",
                _listed(column),
                "-g",
                "mae <= 9",
            ]
        case 1:  # a key
            table = [["id", "prediction", "target"], [odd, "1", "x"], ["b", "2", "2"]]
            inputs = ["-l", "mae", *rng.choice(([], ["--missing", "drop"], ["--worst", "2"]))]
        case 2:  # a label
            table = [["label", "prob_a", f"prob_{odd}"], ["a", "0.5", "0.5"], [odd, "0.25", "0.75"]]
            inputs = ["-l", "log_loss", "--task", "multiclass"]
        case 3:  # columns
            table = [[odd, rng.choice(("target", text(rng)))], ["1", "2"], ["2", "3"]]
            inputs = ["-l", "mae", *rng.choice(([], ["-y", "target"]))]
        case 4:  # a value
            table = [["id", "prediction", "target"], ["1", odd, "1"], ["2", "2", "2"]]
            inputs = ["-l", "mae"]
        case _:  # two labels
            table = [["label", "score"], [odd, "0.5"], [text(rng), "0.25"]]
            inputs = ["-l", "log_loss", "--task", "binary", *rng.choice(([], ["--positive", "x"]))]
    name = rng.choice(("d.csv", "d.csv", "d.ndjson", "d.parquet", _file_name(text(rng)) + ".csv"))
    files = {name: _content(table, name)}
    shown = rng.choice((["-v"], ["--worst", "2"], *(["--format", form] for form in FORMS), ["-o", "r.html"]))
    command = rng.choice(("evaluate", "evaluate", "check"))
    shown = ["-v"] if command == "check" else shown
    inputs = [each for each in inputs if command == "evaluate" or each not in ("-g", "mae <= 9")]
    if command == "check" and "--worst" in inputs:
        inputs = inputs[: inputs.index("--worst")]
    if "--worst" in inputs and "--worst" in shown:
        shown = []
    argv = [command, name, *(each.replace("\0", "") for each in inputs), *shown]
    return Case([argv], files, outputs=("r.html",))


def _listed(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _file_name(odd: str) -> str:
    """The text as the name of a file."""
    return (odd.replace("/", "_").replace("\0", "_")[:80] or "d").encode("utf-8", "replace").decode()


def _content(table: Sequence[Sequence[str]], name: str) -> bytes:
    header, *rows = table
    if name.endswith(".ndjson"):
        return "".join(json.dumps(dict(zip(header, row, strict=True))) + "\n" for row in rows).encode()
    if name.endswith(".parquet"):
        columns = {_valid(key): [_valid(row[place]) for row in rows] for place, key in enumerate(header)}
        buffer = io.BytesIO()
        pl.DataFrame(columns).write_parquet(buffer)
        return buffer.getvalue()
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(table)
    return encoded(written.getvalue())


def _valid(odd: str) -> str:
    return odd.encode("utf-8", "replace").decode()
