"""Probabilities as files hold them: off by rounding, rows that do not sum to one, percentages, clips."""

from __future__ import annotations

from functools import partial
from typing import Any

from losscli.data.stream import Roles
from losscli.numeric.arrays import Array, np, to_numpy
from losscli.report.findings import Code
from losscli.tasks.block import LARGEST, Block

ROUNDING = 1e-4
"""How far a probability may be outside [0, 1], and the sum of a row from one, in types as fine as this."""
_DECIMALS = (2, 3)
"""Decimals to which probabilities are printed; one digit says too little of what it was before."""
_MOST_ROUNDING = 0.05
"""How far from one printed digits put a sum at most, however many classes there are."""
_PERCENT = 1.0
"""How far percentages of a row may sum from 100."""


def tolerance(block: Block, columns: tuple[str, ...]) -> float:
    """How far from their range rounding to the type of these columns puts probabilities and their sums."""
    held = block.roles.held[columns == block.roles.targets]
    return max(ROUNDING, 2.0 * float(np.finfo(held).eps))


def probabilities(
    block: Block, columns: tuple[str, ...], side: str = "", remedy: str | None = None, rows: bool = False
) -> Array:
    """The columns as probabilities (n, k).

    What is outside [0, 1] by rounding counts as 0 or 1, which is noted; what is further outside is flagged,
    of `rows` that sum to 100 as percentages.
    """
    values = block.numbers(columns)
    if block.within(columns, 0, 1):
        return values
    slack = tolerance(block, columns)
    # A library takes amounts in the place of target distributions; their sums are noted.
    highest = np.inf if block.roles.like and side else 1.0
    outside = (values < -slack) | (values > highest + slack)
    percent = _percentages(values) if rows else np.zeros(len(values), dtype=bool)
    total = values.sum(axis=1)
    block.flag(percent, Code.PERCENTAGES, columns, lambda i: f"sum {total[i]:.6g}")
    wrong, remedy = outside & ~percent[:, None], remedy or _remedy(values, rows)
    for i in np.flatnonzero(wrong.any(axis=0)).tolist():
        block.flag(
            wrong[:, i],
            Code.PROBABILITY_OUT_OF_RANGE,
            columns[i] if len(columns) > 1 else columns,
            partial(_shown, values[:, i]),
            remedy=remedy,
            side=side,
            range="[0, 1]",
        )
    note_rounded(block, values if highest == 1.0 else np.minimum(values, 1.0), slack)
    return np.where(outside, values, np.clip(values, 0.0, highest))


def normalized(block: Block) -> Array:
    """The predictions, >= 0, rescaled so that each row sums to one; a row of zeros is unchanged."""
    columns = block.roles.predictions
    values, slack = block.numbers(columns), tolerance(block, columns)
    block.check_range(
        columns,
        -slack,
        LARGEST,
        Code.PROBABILITY_OUT_OF_RANGE,
        "if these are logits, add --from-logits",
        side="",
        range="[0, inf)",
    )
    if not block.within(columns, 0, LARGEST):
        note_rounded(block, np.minimum(values, 1.0), slack)
        values = np.maximum(values, 0.0)
    total = values.sum(axis=1)
    off = (np.abs(total - 1.0) > ROUNDING) & (total != 0)
    block.flag(off, Code.RESCALED_PROBABILITIES, leave_out=False)
    return values / np.where(total == 0, 1.0, total)[:, None]


def _remedy(values: Array, rows: bool) -> str | None:
    """What to do with numbers beyond one; None for the usual remedy, of numbers below zero."""
    if (values < -ROUNDING).any():
        return None
    if rows:
        return "--normalize rescales rows that do not sum to one; if these are logits, add --from-logits"
    if (values <= 100.0).all():
        return (
            "if these are percentages, divide them by 100; if logits, add --from-logits; "
            "if labels, --task multiclass"
        )
    return None


def _percentages(values: Array) -> Array:
    """The rows of values (n, k) that are percentages (n,)."""
    return (np.abs(values.sum(axis=1) - 100.0) <= _PERCENT) & (values >= 0).all(axis=1)


def _shown(values: Array, row: int) -> str:
    return repr(float(values[row]))


def note_rounded(block: Block, values: Array, slack: float) -> None:
    """Count the rows of values (n, k) that rounding put outside [0, 1], by no more than `slack`."""
    outside, near = (values < 0) | (values > 1), (values >= -slack) & (values <= 1.0 + slack)
    rounded = outside.any(axis=1) & near.all(axis=1)
    block.flag(rounded, Code.ROUNDED_PROBABILITY, leave_out=False)


def check_sum(block: Block, values: Array, side: str, columns: tuple[str, ...], remedy: str) -> None:
    """Flag rows whose probabilities do not sum to one; values outside [0, 1] are flagged elsewhere."""
    total = values.sum(axis=1)
    off = np.abs(total - 1.0)
    wrong = off > tolerance(block, columns)
    if not wrong.any():
        return
    if block.roles.like:
        block.flag(
            wrong,
            Code.PROBABILITIES_NOT_ONE,
            fatal=False,
            leave_out=False,
            side=side,
            library=block.roles.like,
        )
        return
    decimals, printed = _printed(values)
    rounded = wrong & (off <= printed)
    block.flag(rounded, Code.ROUNDED_SUM, leave_out=False, decimals=decimals)
    wrong &= ~rounded & ((values >= 0) & (values <= 1)).all(axis=1)
    block.flag(
        wrong,
        Code.PROBABILITIES_NOT_ONE,
        columns,
        lambda i: f"sum {total[i]:.6g}",
        remedy=remedy,
        side=side,
    )


def _printed(values: Array) -> tuple[int, float]:
    """The decimals to which all numbers (n, k) are printed, and how far from one that puts a sum."""
    if not _has_decimals(values, 1):
        for decimals in _DECIMALS:
            if _has_decimals(values, decimals):
                rounding = values.shape[1] * 0.5 * 10.0**-decimals
                return decimals, min(rounding, _MOST_ROUNDING) + 1e-9
    return 0, 0.0


def _has_decimals(values: Array, decimals: int) -> bool:
    return bool((np.abs(values - np.round(values, decimals)) < 1e-9).all())


def probabilities_within(block: Block, low: float, high: float) -> bool:
    """Whether the predictions are known to be in [low, high]; false if --normalize rescales them."""
    return not block.roles.normalize and block.within(block.roles.predictions, low, high)


def note_clipped(block: Block, target: Array, probability: Array, eps: float) -> None:
    """Count the rows whose probabilities (n,) or (n, k), on the host or a device, a logarithm clips."""
    if probabilities_within(block, eps, 1.0 - eps):
        return
    clipped = ((probability < eps) & (target > 0)) | ((1.0 - probability < eps) & (target < 1))
    if bool(clipped.any()):
        block.flag(
            to_numpy(clipped.any(axis=1) if clipped.ndim > 1 else clipped),
            Code.CLIPPED_PROBABILITY,
            leave_out=False,
            **clip_params(block.roles),
        )


def clip_params(roles: Roles) -> dict[str, Any]:
    """The parameters of the note on clipped probabilities."""
    how = f"as {roles.like} does" if roles.like else "--eps 0 gives infinity"
    return {"eps": f"{roles.eps:.3g}", "how": how}
