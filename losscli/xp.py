"""The array namespace, NumPy or CuPy, and the few special functions that both lack.

Functions here take arrays of either library and return arrays of the same; the caller passes the
namespace.  NumPy itself is imported on first use, so that the catalogue of losses can be listed without.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from losscli.errors import UsageError

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


__all__ = [
    "Array",
    "Namespace",
    "log1pmx",
    "log_softmax",
    "namespace",
    "np",
    "pl",
    "softplus",
    "xlogy",
]

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
else:
    np = _Lazy("numpy")
    pl = _Lazy("polars")


def namespace(device: str) -> Namespace:
    """The array namespace of a device: 'cpu' or 'cuda'.

    Raises UsageError with the command that helps where CuPy or a GPU is missing.
    """
    if device == "cpu":
        return importlib.import_module("numpy")
    try:
        cupy = importlib.import_module("cupy")
    except ImportError:
        raise UsageError(
            "--device cuda needs CuPy, which is not installed", remedy="pip install 'losscli[gpu]'"
        ) from None
    try:
        cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise UsageError(
            f"--device cuda found no usable GPU: {error}", remedy="check nvidia-smi, or use --device cpu"
        ) from None
    return cupy


def xlogy(xp: Namespace, x: Array, y: Array) -> Array:
    """X log y, with 0 log 0 = 0."""
    zero = x == 0
    return xp.where(zero, 0.0, x * xp.log(xp.where(zero, 1.0, y)))


def softplus(xp: Namespace, x: Array) -> Array:
    """log(1 + exp x), exact in both tails."""
    return xp.maximum(x, 0.0) + xp.log1p(xp.exp(-xp.abs(x)))


def log1pmx(xp: Namespace, x: Array) -> Array:
    """log(1 + x) - x, without cancellation near 0; x >= -1.

    The series of Tricomi's substitution r = x / (2 + x): log(1 + x) = 2 atanh r, so that
    log(1 + x) - x = -x r + 2 r (r^2 / 3 + r^4 / 5 + ...), used for |r| < 0.2.
    """
    r = x / (2.0 + x)
    small = xp.abs(r) < 0.2
    r = xp.where(small, r, 0.0)
    square = r * r
    series = xp.zeros_like(r)
    for odd in range(23, 1, -2):
        series = (series + 1.0 / odd) * square
    return xp.where(small, r * (2.0 * series - x), xp.log1p(xp.where(small, 0.0, x)) - x)


def log_softmax(xp: Namespace, logits: Array) -> Array:
    """Log-probabilities (n, classes) from logits, exact where one class holds nearly all the mass.

    Of the greatest logit, log p = -log1p(sum of the others' exp): it keeps its digits where the
    textbook's z - logsumexp z rounds to 0.  Of the others, z - max - log1p(...).
    """
    shifted = logits - xp.max(logits, axis=1, keepdims=True)
    is_top = shifted == 0
    others = xp.sum(xp.where(is_top, 0.0, xp.exp(shifted)), axis=1)
    if int(xp.count_nonzero(is_top)) > len(logits):
        others += xp.maximum(xp.sum(is_top, axis=1) - 1, 0)
    return shifted - xp.log1p(others)[:, None]
