"""No option is accepted and ignored: in each command that takes it, it changes the run, or is an error.

A case is a run in which the option matters.  Each is run without the option and with it, and something has to
differ: the exit status, what is printed, a file that is written, or how the work is done.
"""

from __future__ import annotations

import gzip
from contextlib import chdir
from typing import NamedTuple

import polars as pl
import pytest

import losscli
from losscli import engines
from losscli.cli import watch
from losscli.cli.app import run
from losscli.cli.parser import COMMANDS
from losscli.plan.options import options_of

pytestmark = pytest.mark.slow

ROWS = 8
ID = [f"r{row}" for row in range(ROWS)]
REGION = ["eu", "us"] * (ROWS // 2)
Y = [1.0, 2.5, 3.0, 4.0, 5.5, 6.0, 7.0, 8.0]
LABEL = [0, 1, 1, 0, 1, 0, 1, 1]
PROB = [0.2, 0.7, 0.6, 0.4, 0.9, 0.3, 0.55, 0.0]
CLASS = ["a", "b", "c", "a", "b", "c", "a", "b"]


def shifted(values, by):
    return [value + by * (-1) ** row * row for row, value in enumerate(values)]


def of_classes(extra):
    shares = [[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.25, 0.25, 0.5]]
    columns = {f"prob_{name}": [share[i] * extra for share in shares] * 3 for i, name in enumerate("abc")}
    return pl.DataFrame({"id": ID, **{name: column[:ROWS] for name, column in columns.items()}})


TABLES = {
    "p": pl.DataFrame({"id": ID, "pred": shifted(Y, 0.1), "other": shifted(Y, 0.3)}),
    "q": pl.DataFrame({"id": ID, "pred": shifted(Y, 0.4), "other": shifted(Y, 0.5)}),
    "o": pl.DataFrame({"id": ID, "pred": shifted(Y, 0.2), "other": shifted(Y, 0.6)}),
    "t": pl.DataFrame(
        {"id": ID, "y": Y, "y2": shifted(Y, 1), "region": REGION, "w": [1.0, 2.0, 3.0, 4.0] * 2}
    ).reverse(),
    "u": pl.DataFrame({"id": ID, "y": shifted(Y, -0.3), "region": REGION}),
    "gaps": pl.DataFrame({"id": ID, "pred": [*Y[:-1], None]}),
    "below": pl.DataFrame({"id": ID, "pred": [*Y[:-1], -2.0]}),
    "few": pl.DataFrame({"id": ID[:-2], "pred": shifted(Y, 0.1)[:-2]}),
    "binary": pl.DataFrame({"id": ID, "prob": PROB}),
    "binary2": pl.DataFrame({"id": ID, "prob": [value / 2 + 0.1 for value in PROB]}),
    "labels": pl.DataFrame({"id": ID, "label": LABEL, "region": REGION}),
    "words": pl.DataFrame({"id": ID, "label": ["no" if label else "yes" for label in LABEL]}),
    "multi": of_classes(1),
    "multi2": of_classes(1).with_columns(prob_a="prob_b", prob_b="prob_a"),
    "double": of_classes(2),
    "double2": of_classes(2.5),
    "classes": pl.DataFrame({"id": ID, "label": CLASS, "region": REGION}),
    "weak": pl.DataFrame(
        {
            "pred": [1.0 + 0.1 * (row % 7) + 5 * (row % 3 == 0) + 9 * (row % 4 == 0) for row in range(240)],
            "y": 0.0,
            "a": [f"a{row % 3}" for row in range(240)],
            "b": [f"b{row % 4}" for row in range(240)],
        }
    ),
}

TABLES |= {"=q": TABLES["q"], "f": TABLES["t"].rename({"region": "@region"})}


TEXTS = {
    "quoted": "".join(f'"{name}","{value}"\n' for name, value in [("id", "pred"), *zip(ID, Y, strict=True)]),
    "escaped": "id,pred,note\n"
    + "".join(f'{name},{value},"5\\" x"\n' for name, value in zip(ID, Y, strict=True)),
    "commas": "id,pred\n"
    + "".join(f'{name},"{value}"\n'.replace(".", ",") for name, value in zip(ID, Y, strict=True)),
    "thousands": "id,pred\n" + "".join(f'{name},"1,00{value}"\n' for name, value in zip(ID, Y, strict=True)),
    "headless": "".join(f"{value}\n" for value in Y),
    "dashes": "id,pred\n" + "".join(f"{name},-\n" for name in ID),
}
"""Files of text that is not written as usual."""
PACKED = "id,pred,note\n" + "".join(
    f"{name},{value},{'x' * 100_000}\n" for name, value in zip(ID, Y, strict=True)
)
"""Text that is many times as long as its compressed form."""


OWN = [
    f"def {name}(batch: Regression):\n    return {factor} * batch.abs_error\n"
    for name, factor in (("mine", 2), ("other", 3))
]


class Case(NamedTuple):
    """A run in which an option matters: files, loss, what else is given, and the option itself."""

    option: str
    files: tuple[str, str, str] = ("p", "q", "t")
    loss: str = "mae"
    given: str = ""


CASES: dict[str, Case] = {
    "loss": Case("-l mse"),
    "task": Case("--task multiclass"),
    "help_losses": Case("--help-losses"),
    "pred": Case("-p other"),
    "target": Case("-y y2", given="-y y"),
    "on": Case("--on position"),
    "weight": Case("-w w"),
    "by": Case("--by region"),
    "missing": Case("--missing drop", ("gaps", "q", "t")),
    "domain": Case("--domain drop", ("below", "q", "t"), loss="msle"),
    "unmatched": Case("--unmatched drop", ("few", "q", "t")),
    "where": Case("--where region='eu'"),
    "group": Case("--group region"),
    "scale_by": Case("--scale-by w", loss="mase", given="--scale-by y2"),
    "naive": Case("--naive y2", loss="mase", given="--naive w"),
    "separator": Case("--separator |"),
    "quote": Case("--quote none", ("quoted", "q", "t")),
    "escape": Case("--escape \\", ("escaped", "q", "t")),
    "comment": Case("--comment r0", ("p", "q", "t")),
    "header": Case("--no-header", ("headless", "q", "t")),
    "decimal": Case("--decimal ,", ("commas", "q", "t")),
    "thousands": Case("--thousands ,", ("thousands", "q", "t")),
    "null_values": Case("--null-values -", ("dashes", "q", "t")),
    "input_format": Case("--input-format parquet"),
    "classes": Case("--classes a,b", ("multi", "multi2", "classes"), "log_loss"),
    "positive": Case("--positive no", ("binary", "binary2", "words"), "log_loss"),
    "class_weight": Case("--class-weight 1=3", ("binary", "binary2", "labels"), "log_loss"),
    "ignore_label": Case("--ignore-label a", ("multi", "multi2", "classes"), "log_loss"),
    "from_logits": Case("--from-logits", ("binary", "binary2", "labels"), "log_loss"),
    "from_log_probs": Case("--from-log-probs", ("multi", "multi2", "classes"), "log_loss"),
    "eps": Case("--eps 0.1", ("binary", "binary2", "labels"), "log_loss"),
    "like": Case("--like torch", ("binary", "binary2", "labels"), "log_loss"),
    "normalize": Case("--normalize", ("double", "double2", "classes"), "log_loss"),
    "ci": Case("--ci 0.8"),
    "ci_method": Case("--ci-method bootstrap"),
    "replicates": Case("--replicates 200", given="--ci-method bootstrap"),
    "seed": Case("--seed 1", given="--ci-method bootstrap"),
    "cluster": Case("--cluster region"),
    "approximate": Case("--approximate", loss="spearman"),
    "gate": Case("-g mae<=0"),
    "baseline": Case("--baseline r.json", given="-g mae<=base"),
    "baseline_missing": Case("--baseline-missing skip", given="-g mae<=base --baseline gone.json"),
    "confident": Case("--confident", given="-g mae<=0.3 -g mae>=0.3"),
    "strict": Case("--strict", given="-g mae<=0.3 -g mae>=0.3"),
    "min_n": Case("--min-n 100", given="-g mae<=0.3"),
    "depth": Case("--depth 1"),
    "all_pairs": Case("--all-pairs"),
    "model_column": Case("--model-column region"),
    "verify": Case("--verify r.json"),
    "public": Case("--public"),
    "rows": Case("--rows rows.csv"),
    "charts": Case("--charts", given="--json"),
    "plot": Case("--plot bias"),
    "worst": Case("--worst 2"),
    "changed": Case("--changed 2"),
    "output": Case("-o report.md"),
    "format": Case("--format csv"),
    "cells": Case("--cells 1", given="--by region"),
    "json": Case("--json"),
    "bare": Case("--bare"),
    "color": Case("--color always", given="--by region"),
    "force": Case("--force"),
    "dry_run": Case("--dry-run"),
    "config": Case("-c other.toml"),
    "no_config": Case("--no-config"),
    "threads": Case("--threads 2"),
    "max_memory": Case("--max-memory 1KiB", ("packed", "q", "t")),
    "device": Case("--device cuda:99"),
    "engine": Case("--engine spark:none"),
    "quiet": Case("-q", given="--bare"),
    "verbose": Case("-v"),
    "debug": Case("--debug", ("p", "q", "gone")),
    "search": Case("--search huber"),
    "schema": Case("--schema"),
    "state": Case("--state x.state"),
    "plan": Case("--plan by.state"),
    "part": Case("--part 1/2", given="--state x.state"),
}
BASES = {
    "evaluate": "{p} {t} -l {loss}",
    "compare": "{p} {q} -t {t} -l {loss}",
    "rank": "{p} {q} -t {t} -l {loss}",
    "weak": "{p} {t} -l {loss} --min-n 2",
    "check": "{p} {t} -l {loss}",
    "init": "{p} {t} -l {loss} --force",
    "explain": "{loss} {p} {t}",
    "gate": "{r} -g mae<=0.3 -g mae>=0.3",
    "show": "{r}",
    "merge": "1.state 2.state",
}
"""What each command is given in addition to an option."""
ARGUMENTS = {
    "report": ("r.json", "s.json"),
    "reports": ("r.json", "s.json"),
    "predictions": ("p.csv", "o.csv"),
    "targets": ("t.csv", "u.csv"),
    "loss": ("mae", "mse"),
    "states": ("1.state", "3.state"),
}
"""Words that are arguments, and others in their place."""
OTHERS = {
    ("weak", "cells"): ("weak.csv -l mae", "weak.csv -l mae --cells 1"),
    ("weak", "min_n"): ("p.csv t.csv -l mae --min-n 2", "p.csv t.csv -l mae --min-n 3"),
    ("gate", "base"): ("r.json -g mae<=base+1", "r.json s.json -g mae<=base+1"),
    ("gate", "baseline_missing"): (
        "r.json gone.json -g mae<=base",
        "r.json gone.json -g mae<=base --baseline-missing skip",
    ),
    ("merge", "cells"): ("by.state", "by.state --cells 1"),
    ("merge", "debug"): ("gone.state", "gone.state --debug"),
    ("merge", "loss"): ("own.state -l own.py:mine", "own.state -l own.py:other"),
    ("compare", "plan"): ("p.csv q.csv -t t.csv -l mae", "p.csv q.csv -t t.csv -l mae --plan both.state"),
    ("explain", "search"): ("", "--search huber"),
    ("init", "force"): ("", "--force"),
    ("gate", "quiet"): ("n.json -g mae<=9 --bare", "n.json -g mae<=9 --bare -q"),
    ("show", "quiet"): ("n.json --bare", "n.json --bare -q"),
    **{
        (command, "formulas"): (f"{words} --format csv", f"{words} --format csv --no-formulas")
        for command, words in {
            "rank": "p.csv =q.csv -t t.csv",
            "show": "f.json",
        }.items()
    },
    ("compare", "all_pairs"): ("p.csv q.csv o.csv -t t.csv", "p.csv q.csv o.csv -t t.csv --all-pairs"),
}
"""Runs that are not those of a case."""


def with_and_without(command: str, name: str) -> tuple[list[str], list[str]]:
    """The command line of a run without an option, and with it."""
    if (command, name) in OTHERS:
        plain, changed = OTHERS[command, name]
        return [command, *plain.split()], [command, *changed.split()]
    option = {each.name: each for each in options_of(command)}[name]
    case = CASES.get(name, Case(""))
    names = dict(zip("pqt", (f"{file}.csv" for file in case.files), strict=True))
    report = "gone.json" if "gone" in case.files else "r.json"
    plain = [command, *BASES[command].format(**names, loss=case.loss, r=report).split()]
    flags = {flag for each in options_of(command) for flag in each.flags}
    given = case.given.split()
    if all(word in flags for word in given if word.startswith("-")):
        plain += given
    if not option.flags or name == "targets":
        word, other = ARGUMENTS[name]
        return plain, [other if each == word else each for each in plain]
    return plain, [*plain, *case.option.split()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("options")
    for name, table in TABLES.items():
        table.write_csv(path / f"{name}.csv")
    for name, text in TEXTS.items():
        (path / f"{name}.csv").write_text(text)
    (path / "packed.csv").write_bytes(gzip.compress(PACKED.encode()))
    for name, preds in {"r": "p", "s": "q"}.items():
        report = losscli.evaluate(path / f"{preds}.csv", path / "t.csv", loss="mae", by="region")
        (path / f"{name}.json").write_text(report.to_json())
    dropped = losscli.evaluate(path / "gaps.csv", path / "t.csv", loss="mae", missing="drop")
    (path / "n.json").write_text(dropped.to_json())
    formulas = losscli.evaluate(path / "p.csv", path / "f.csv", loss="mae", by="@region")
    (path / "f.json").write_text(formulas.to_json())
    (path / "own.py").write_text("from losscli.custom import Regression\n\n\n" + "\n\n".join(OWN))
    states = {
        "1": (0, 3, {}), "2": (3, 6, {}), "3": (6, ROWS, {}), "by": (0, ROWS, {"by": "region"}),
        "own": (0, ROWS, {"loss": "own.py:mine"}),
    }  # fmt: skip
    for name, (start, end, options) in states.items():
        rows = TABLES["p"][start:end]
        given = {"loss": "mae", "unmatched": "drop", "state": path / f"{name}.state", **options}
        with chdir(path):
            losscli.evaluate(rows, path / "t.csv", **given)
    both = (path / "p.csv", path / "q.csv")
    losscli.compare(*both, targets=path / "t.csv", loss="mae", by="region", state=path / "both.state")
    (path / "losscli.toml").write_text("threads = 3\n")
    (path / "other.toml").write_text("ci = 0.7\nmissing = 'drop'\n")
    return path


@pytest.fixture
def observed(folder, monkeypatch, capsys):
    """What a run does, as a function of its command line."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    asked = list[object]()
    engine, bar = engines.of, watch.Progress
    monkeypatch.setattr(engines, "of", lambda name, threads: asked.append(threads) or engine(name, threads))
    monkeypatch.setattr(watch, "Progress", lambda quiet, total: asked.append(quiet) or bar(quiet, total))
    files = {path.name: path.read_bytes() for path in folder.iterdir()}

    def observe(argv):
        asked.clear()
        status = run(argv)
        changed = {path.name: path.read_bytes() for path in folder.iterdir()}
        for name in changed:
            if name not in files:
                (folder / name).unlink()
        for name, content in files.items():
            if changed.get(name) != content:
                (folder / name).write_bytes(content)
        return status, *capsys.readouterr(), tuple(asked), changed

    return observe


FIRST = {option.name: command for command in reversed([*COMMANDS]) for option in options_of(command)}
"""The first command that takes each option; with the others the test is slow."""
PAIRS = [
    pytest.param(command, option.name, marks=() if FIRST[option.name] == command else pytest.mark.slow)
    for command in COMMANDS
    for option in options_of(command)
]


WRONG = {
    "domain",
    "escape",
    "header",
    "decimal",
    "thousands",
    "null_values",
    "debug",
    "missing",
    "unmatched",
    "normalize",
    "force",
    "positive",
    "base",
    "baseline",
    "baseline_missing",
}
"""Options without which a run is an error."""


@pytest.fixture(scope="module")
def known():
    """What runs without an option do, which most options of a command share."""
    return {}


@pytest.mark.parametrize(("command", "name"), PAIRS)
def test_no_option_is_accepted_and_ignored(command, name, observed, known):
    plain, changed = with_and_without(command, name)
    assert plain != changed, "a case is missing"
    line = " ".join(plain)
    before = known[line] = known[line] if line in known else observed(plain)
    assert (before[0] in (0, 1)) or name in WRONG, before[2]
    ignored = before == observed(changed)
    assert not ignored, " ".join(changed)
