"""Grids of cases, of which a few cover each value by default and the others are slow."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import count, product
from typing import Any

import pytest


def grid(*axes: Iterable[str]) -> list[Any]:
    """Every combination of a value of each axis; all but a diagonal, which has each value, are slow."""
    values: list[Sequence[str]] = [list(axis) for axis in axes]
    longest = max(map(len, values))
    diagonal = {tuple(axis[place % len(axis)] for axis in values) for place in range(longest)}
    return [
        pytest.param(*each, id="-".join(each), marks=() if each in diagonal else pytest.mark.slow)
        for each in product(*values)
    ]


def some(cases: Iterable[Any], step: int = 3) -> list[Any]:
    """Cases of one parameter, of which all but each `step`-th are slow."""
    marks = (() if place % step == 0 else pytest.mark.slow for place in count())
    return [pytest.param(case, marks=mark) for case, mark in zip(cases, marks, strict=False)]


def first_of(kind: Callable[[Any], Hashable], cases: Iterable[Any]) -> list[Any]:
    """Cases with a name, of which the first of each kind runs by default; the others are slow."""
    seen: set[Hashable] = set()
    found = []
    for case in cases:
        key = kind(case)
        found.append(pytest.param(case, id=case.name, marks=pytest.mark.slow if key in seen else ()))
        seen.add(key)
    return found
