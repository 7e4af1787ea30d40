"""What must hold however the program ends, whatever its input is."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from . import program
from .case import Case, Done

HANG = 10.0
"""Seconds after which a run hangs."""
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
SAID = re.compile(r"^(losscli: |note: |::(error|warning|notice) )", re.MULTILINE)
"""A line that says why a run ended with a status other than 0."""


def judged(
    case: Case, folder: Path, run: Callable[[Sequence[str]], Done] = program.executed
) -> tuple[list[Done], list[str]]:
    """Run an input in a folder, which is empty then and now; what happened, and what is wrong with it."""
    program.write(folder, case.files)
    done, wrong = [], list[str]()
    for argv in case.runs:
        done.append(run(argv))
        wrong += _of_one(argv, done[-1], case)
    if not wrong:
        wrong += case.also(done)
    wrong += _left(case, done, program.files_in(folder))
    for entry in folder.iterdir():
        shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    return done, wrong


def _of_one(argv: Sequence[str], done: Done, case: Case) -> Iterator[str]:
    shown = done.out + done.err
    if done.escaped:
        lines = done.escaped.strip().splitlines()
        own = [line.strip() for line in lines if "/losscli/" in line]
        yield f"{lines[-1]} {own[-1] if own else ''}"
        return
    if done.status not in case.statuses:
        yield f"status {done.status}: {done.err.strip()[:300]}"
    if "Traceback (most recent" in shown or "panicked at" in shown:
        yield "a traceback"
    if done.seconds > HANG:
        yield f"took {done.seconds:.1f} s"
    if done.status in (1, 2, 3) and not SAID.search(done.err):
        yield f"status {done.status} without a reason: {done.err[:300]!r}"
    yield from _steering(done, is_coloured="always" in argv)
    yield from _unjudged(argv, done)


def _steering(done: Done, is_coloured: bool) -> Iterator[str]:
    """Characters and lines that would steer a terminal or the log of a job."""
    out = COLOUR.sub("", done.out) if is_coloured else done.out
    for stream in (out, done.err):
        if not stream.replace("\n", "").isprintable():
            odd = sorted({sign for sign in stream if not sign.isprintable() and sign != "\n"})
            yield f"control characters {odd}"
    if any(re.match(r"\s*(::(?!(error|warning|notice) )|##\[)", line) for line in done.err.splitlines()):
        yield "a workflow command"


def _unjudged(argv: Sequence[str], done: Done) -> Iterator[str]:
    """Gates that let a run pass without a verdict, or with one on a number that does not hold."""
    gates = [value for flag, value in pairwise(argv) if flag in ("-g", "--gate")]
    if done.status == 1 and not gates and not any("toml" in name for name in argv):
        yield "status 1 without a gate"
    if done.status != 0 or not gates or "--dry-run" in argv or "--json" not in argv:
        return
    verdicts = json.loads(done.out)["gates"]
    if not verdicts:
        yield "gates pass without a verdict"
    for verdict in verdicts:
        if verdict["status"] == "pass" and not isinstance(verdict["value"], int | float):
            yield f"passes without a number: {verdict}"


def _left(case: Case, done: Sequence[Done], after: Mapping[str, bytes]) -> Iterable[str]:
    """Inputs that changed, and files that are left, incomplete or without success."""
    given = [word for argv in case.runs for word in argv]
    asked = {word for flag, word in pairwise(given) if flag in ("-o", "--output", "--rows", "--state")}
    changed = [name for name in case.files if after.get(name) != case.files[name]]
    wrong = [f"{name} was changed" for name in changed if name not in asked or given.count(name) > 1]
    others = after.keys() - case.files.keys()
    wrong += [f"{name} is left" for name in sorted(others - {*case.outputs})]
    succeeded = any(each.status in (0, 1) for each in done)
    for name in sorted(others & {*case.outputs}):
        if not after[name] or (name.endswith(".json") and not _is_json(after[name])):
            wrong.append(f"{name} is half-written")
        if not succeeded and "-o" not in str(case.runs):
            wrong.append(f"{name} was written though the run failed")
    return wrong


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except ValueError:
        return False
    return True


def results(done: Done) -> list[tuple[object, ...]]:
    """The numbers of the report that a run with --json printed."""
    names = ("loss", "cell", "value", "se", "ci_low", "ci_high", "rows", "weight")
    return [tuple(str(each.get(name)) for name in names) for each in json.loads(done.out)["results"]]
