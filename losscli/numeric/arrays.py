"""The array namespace, NumPy or CuPy.

Functions here take arrays of either library and return arrays of the same; the caller passes the
namespace.  NumPy is imported on first use, so that the catalog of losses can be listed without it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

__all__ = ["Array", "Namespace", "by_case", "np", "on_device", "on_host", "pl", "read_only", "to_numpy"]

Array = Any
"""An array of NumPy or of CuPy."""
Namespace = Any
"""The module `numpy` or `cupy`."""


class _Lazy:
    """A module that is imported when its first attribute is read."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(importlib.import_module(self._name), attribute)
        setattr(self, attribute, value)
        return value


if TYPE_CHECKING:
    import numpy as np
    import polars as pl
else:
    np = _Lazy("numpy")
    pl = _Lazy("polars")


def on_host(xp: Namespace) -> bool:
    """Whether the arrays of a namespace are NumPy's."""
    return bool(xp.__name__ == "numpy")


def on_device(xp: Namespace, array: Array) -> Array:
    """A NumPy array as float64 on the device; converted after the copy, which halves the time for float32."""
    return xp.asarray(array).astype(float, copy=False)


def by_case(xp: Namespace, cases: Iterable[tuple[Array, Callable[..., Array]]], *arrays: Array) -> Array:
    """The values (n,) of formulas, each for the rows that its mask (n,) chooses; NaN for all others.

    A formula receives its rows of the arrays (n,).
    """
    values = xp.full(len(arrays[0]), xp.nan)
    for chosen, formula in cases:
        rows = xp.flatnonzero(chosen)
        if len(rows):
            values[rows] = formula(*(array[rows] for array in arrays))
    return values


def to_numpy(array: Array) -> Array:
    """The array as a NumPy array, copied from the device if necessary."""
    return array.get() if hasattr(array, "get") else array


def read_only(xp: Namespace, array: Array) -> Array:
    """A read-only view of an array; for CuPy, whose arrays are always writable, a copy."""
    if not on_host(xp):
        return array.copy()
    # Through a buffer, since the flag of a plain view could be reset.
    return xp.asarray(memoryview(array).toreadonly())
