"""Labels as classes are named, and as values of a column."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from losscli.xp import Array, np, pl


def label_text(label: object) -> str:
    """A label in words, as classes are named: true, 3, cat."""
    if isinstance(label, bool):
        return str(label).lower()
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)


def label_value(name: str, dtype: Any) -> object:
    """The value of a class in a column of labels of that type; None if it cannot stand there."""
    if dtype == pl.Boolean:
        return {"true": True, "false": False, "1": True, "0": False}.get(name.lower())
    if not dtype.is_numeric():
        return name
    try:
        value = float(name)
    except ValueError:
        return None
    if not value.is_integer():
        return None if dtype.is_integer() else value
    return int(name) if name.lstrip("+-").isdecimal() else int(value)


@lru_cache
def places_of(names: tuple[str, ...], dtype: Any) -> tuple[Array, Array]:
    """The classes that can stand in a column of numbers, in order, and the place of each among the names."""
    values = [(value, i) for i, name in enumerate(names) if (value := label_value(name, dtype)) is not None]
    labels = np.array([value for value, _ in values], dtype=float if dtype.is_float() else np.int64)
    order = np.argsort(labels, kind="stable")
    return labels[order], np.array([i for _, i in values], dtype=np.int64)[order]
