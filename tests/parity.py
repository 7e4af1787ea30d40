"""What a device has to agree in with the CPU, whichever it is: the stand-in, or a real one."""

from __future__ import annotations

import json
import math
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from samples import chosen, rows

from losscli.cli.app import run
from losscli.losses.registry import Loss
from losscli.tasks.base import Batch

HERE = Path(__file__).parent / "reference"
CASES = [SimpleNamespace(**case) for case in json.loads((HERE / "cases.json").read_text())]


def on(xp: Any, batch: Batch) -> Batch:
    """The batch with its arrays on the device."""
    found = {field.name: getattr(batch, field.name) for field in fields(batch)}
    arrays = {name: xp.asarray(value) for name, value in found.items() if isinstance(value, np.ndarray)}
    return replace(batch, xp=xp, **arrays)


def check_loss(xp: Any, entry: Loss, seed: int = 0, perfect: bool = False) -> None:
    """The row columns of a loss on a device are those on the CPU."""
    batch, params = rows(entry.name, seed, perfect), chosen(entry.name).params
    with np.errstate(all="ignore"):
        expected = entry.columns(batch, params)
    for own, column in zip(expected, entry.columns(on(xp, batch), params), strict=True):
        assert isinstance(column, xp.ndarray)
        np.testing.assert_allclose(column.get(), own, rtol=1e-12, atol=1e-30)


def check_case(case: Any, capsys: Any) -> None:
    """The program gives the library's number on a device, and in every result what it gives on the CPU."""
    own, other = (report(capsys, *case.arguments, "--device", device) for device in ("cpu", "cuda"))
    assert math.isclose(other["results"][0]["value"], case.expected, rel_tol=case.rtol, abs_tol=case.atol)
    agree(own, other)


def report(capsys: Any, *argv: str) -> Any:
    """The report of a run of the program."""
    status = run([*argv, "--json"])
    out, err = capsys.readouterr()
    assert status == 0, err
    return json.loads(out)


def agree(own: Any, other: Any, place: str = "") -> None:
    """All numbers are the same to 12 digits, all else to the last letter.

    The noise of what is no mean comes from a numerical derivative, which has six or more.
    """
    if isinstance(own, dict):
        assert own.keys() == other.keys(), place
        scale = max(abs(own.get(name) or 0.0) for name in ("value", "difference", "se"))
        for name, value in own.items():
            near = name in NOISE and isinstance(value, float)
            if near and math.isclose(value, other[name], rel_tol=1e-6, abs_tol=1e-6 * scale):
                continue
            agree(value, other[name], f"{place}.{name}")
    elif isinstance(own, list):
        assert len(own) == len(other), place
        for i, pair in enumerate(zip(own, other, strict=True)):
            agree(*pair, f"{place}[{i}]")
    elif isinstance(own, float):
        assert math.isclose(own, other, rel_tol=1e-12, abs_tol=1e-15), f"{place}: {own!r}, {other!r}"
    else:
        assert own == other, place


NOISE = ("se", "low", "high", "p_value", "share", "detectable", "adjusted", "sensitivity")
