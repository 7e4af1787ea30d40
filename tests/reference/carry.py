"""Carry the reference cases of the registered losses over into the project.

    python tests/reference/carry.py CASES_DIR

CASES_DIR holds a folder a case with preds.parquet, targets.parquet, case.json and, for most, per_row.csv;
the README.md beside it names the versions of the libraries.  Run again after a loss was added.  Cases that
are not in CASES_DIR stay as they are.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import polars as pl

from losscli.catalog import registry
from losscli.catalog.loss import Loss

HERE = Path(__file__).parent
WRONG = {"crps_hypergeometric"}
"""Cases whose value is wrong: scoringrules 0.10 leaves out the counts above n."""


def main(cases_dir: Path) -> None:
    versions = dict(re.findall(r"([a-z-]+) (\d+\.\d+\.\d+)", (cases_dir.parent / "README.md").read_text()))
    known = set(registry.names())
    folders = sorted(path.parent for path in cases_dir.glob("*/case.json") if path.parent.name not in WRONG)
    own = {folder.name for folder in folders}
    entries = [case for case in json.loads((HERE / "cases.json").read_text()) if case["name"] not in own]
    for folder in folders:
        shutil.rmtree(HERE / "data" / folder.name, ignore_errors=True)
        case = json.loads((folder / "case.json").read_text())
        name, inline = registry.parse(chosen(case["arguments"]))
        if name.lower() in known:
            entry = registry.find(name)[0]
            case["arguments"] = mended(case["arguments"], entry, inline, case["params"])
            entries.append(entry_of(folder.name, entry.name, case, versions))
            copy_data(folder, HERE / "data" / folder.name)
    text = ",\n".join(json.dumps(entry) for entry in sorted(entries, key=lambda entry: entry["name"]))
    (HERE / "cases.json").write_text(f"[\n{text}\n]\n")
    print(f"{len(entries)} cases of {len({entry['loss'] for entry in entries})} losses")


def chosen(arguments: list[str]) -> str:
    return arguments[arguments.index("-l") + 1]


def mended(arguments: list[str], entry: Loss, inline: dict[str, str], params: dict[str, Any]) -> list[str]:
    """The arguments with the parameters that the library was called with and they leave out."""
    known = {param.name: params[param.name] for param in entry.params if param.name in params}
    if known.keys() <= inline.keys():
        return arguments
    text = str(registry.choose(entry, {**known, **inline}, {}))
    print(f"mended: {chosen(arguments)} -> {text}")
    return [text if argument == chosen(arguments) else argument for argument in arguments]


def entry_of(name: str, loss: str, case: dict[str, Any], versions: dict[str, str]) -> dict[str, Any]:
    # 'sklearn_loss', 'torch_nll': several functions of one library.
    library = {"sklearn": "scikit-learn"}.get(package := re.split("[_-]", case["library"])[0], package)
    return {
        "name": name,
        "loss": loss,
        "arguments": case["arguments"],
        "expected": case["expected_overall"],
        "rtol": case["rtol"],
        "atol": case["atol"],
        "library": library,
        "version": versions[library],
        "call": case["library_call"],
    }


def copy_data(source: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for side in ("preds", "targets"):
        pl.read_parquet(source / f"{side}.parquet").write_parquet(target / f"{side}.parquet")
    if (source / "per_row.csv").exists():
        pl.read_csv(source / "per_row.csv").write_parquet(target / "per_row.parquet")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
