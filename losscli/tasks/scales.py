"""Scales of forecast errors: a column of scales, or the errors of a naive forecast."""

from __future__ import annotations

from losscli.numeric.arrays import Array, Namespace
from losscli.tasks.block import Block
from losscli.tasks.named import FINITE, POSITIVE, Column, check

SCALES = ("scale_by", "naive")
"""The options that name a column of scales or naive forecasts."""


def check_scales(block: Block) -> None:
    """Flag scales that are not positive, and naive forecasts that are not finite."""
    for name, numbers in ((block.roles.scale, POSITIVE), (block.roles.naive, FINITE)):
        if name is not None:
            check(block, (name,), Column(numbers), block.numbers((name,)))


def scales(block: Block, xp: Namespace, target: Array, unit: float = 1.0) -> tuple[Array, Array]:
    """The scale of each row, and the error of the naive forecast (n,).

    Without a naive forecast, its error is 1.  With one, the errors of both forecasts are divided by `unit`,
    which cancels, so that their squares neither overflow nor underflow.
    """
    roles, ones = block.roles, xp.ones_like(target)
    if roles.naive is None:
        return (ones if roles.scale is None else xp.asarray(block.numbers((roles.scale,))[:, 0])), ones
    naive = xp.asarray(block.numbers((roles.naive,))[:, 0])
    return ones * unit, (naive - target) / unit
