"""What a device has to agree in with the CPU, whichever it is: the stand-in, or a real one."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
from msgspec.structs import replace

from losscli.catalog.loss import Loss
from losscli.cli.app import run
from losscli.states.moments import Moments
from losscli.tasks.base import Batch
from support.samples import chosen, moments, rows


def on(xp: Any, batch: Batch) -> Batch:
    """The batch with its arrays on the device."""
    found = {name: getattr(batch, name) for name in batch.__struct_fields__}
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


def check_laws(xp: Any, entry: Loss) -> None:
    """The laws of moments hold for the columns of a loss on a device, and are those of the CPU."""
    with np.errstate(all="ignore"):
        own = entry.columns(rows(entry.name), chosen(entry.name).params)
    own = tuple(np.where(np.isfinite(column), column, 0.5) for column in own)
    columns, n = tuple(map(xp.asarray, own)), len(own[0])
    weight, code = 1.0 + np.arange(n) % 2, np.arange(n) % 3

    def of(columns: Any, weight: Any = None, **more: Any) -> Moments:
        given = None if weight is None else xp.asarray(weight)
        return moments(columns, given, xp.arange(len(columns[0])), xp=xp, **more)

    plain, weighted = of(columns), of(columns, weight)
    same(plain, moments(own))
    same(weighted, moments(own, weight))
    # Unit weights are no weights.
    same(plain, of(columns, np.ones(n)))
    # A row of weight two counts as two rows.
    again = np.concatenate([np.arange(n), np.flatnonzero(weight == 2)])
    same(weighted, of(tuple(column[xp.asarray(again)] for column in columns)), "total", "weight")
    # A cell is the block filtered to it; parts merge to the whole.
    cells = of(columns, weight, codes=xp.asarray(code), cells=3)
    for i in range(3):
        at = np.flatnonzero(code == i)
        same(cells.cell(i), of(tuple(column[xp.asarray(at)] for column in columns), weight[at]), *SUMS)
    halves = (slice(0, n // 2), slice(n // 2, n))
    first, later = (of(tuple(column[half] for column in columns), weight[half]) for half in halves)
    same(weighted, first.merge(later), *SUMS)


SUMS = ("total", "weight", "weight2", "spread", "low", "high")


def same(a: Moments, b: Moments, *names: str) -> None:
    """The moments are equal to 12 digits of what they add up; all of them, or those of the names."""
    for name in names or (*SUMS, "low_row", "high_row"):
        one, other = getattr(a, name), getattr(b, name)
        if name in ("total", "weight"):
            one, other = one.sum(axis=1), other.sum(axis=1)
        scale = np.abs(other).max(initial=0.0)
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12 * scale, err_msg=name)


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

    The noise of what is no mean comes from a numerical derivative, which has six or more; an end of its
    interval, which a curved value stretches, has five.
    """
    if isinstance(own, dict):
        assert own.keys() == other.keys(), place
        scale = max(abs(own.get(name) or 0.0) for name in ("value", "difference", "se"))
        for name, value in own.items():
            near = name in NOISE and isinstance(value, float)
            if near and math.isclose(value, other[name], rel_tol=1e-5, abs_tol=1e-6 * scale):
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


NOISE = ("se", "ci_low", "ci_high", "p_value", "share", "minimum_detectable", "adjusted", "sensitivity")
