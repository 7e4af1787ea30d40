"""Distances between the masks of an image."""

from __future__ import annotations

import importlib

from losscli.numeric.arrays import Array, np


def hausdorff(a: Array, b: Array, width: int, percentile: float = 100.0) -> float:
    """The Hausdorff distance of two masks (pixels,) in rows of this width; NaN if only one is empty."""
    if not a.any() or not b.any():
        return 0.0 if a.any() == b.any() else np.nan
    return max(_directed(a, b, width, percentile), _directed(b, a, width, percentile))


def _directed(a: Array, b: Array, width: int, percentile: float) -> float:
    """The percentile over the pixels of `a` of the distance to the nearest pixel of `b`."""
    rows = -(-len(b) // width)
    outside = np.ones(rows * width, dtype=bool)
    outside[: len(b)] = ~b
    distance = importlib.import_module("scipy.ndimage").distance_transform_edt(outside.reshape(rows, width))
    return float(np.percentile(distance.ravel()[: len(a)][a], percentile))
