"""Checks that the arrays of a loaded state are consistent, as `from_arrays` assumes."""

from __future__ import annotations

from msgspec.structs import asdict

from losscli.numeric.arrays import Array, np
from losscli.numeric.bins import KEY_BITS
from losscli.states.base import State
from losscli.states.clusters import HASH_BITS, Totals
from losscli.states.contingency import Contingency
from losscli.states.counts import Counts
from losscli.states.grid import Bins, Grid
from losscli.states.histogram import Histogram
from losscli.states.moments import Moments
from losscli.states.ranks import Ranks
from losscli.states.sampled import Sampled
from losscli.states.sketch import Sketch
from losscli.states.top import Top


def require_sound(state: State | Grid | Sampled | Counts | Totals, cells: int) -> None:
    """Raise ValueError if a state does not have this number of cells, or its arrays are inconsistent.

    States of classes that users write are not checked.
    """
    if isinstance(state, Totals):
        _require_totals(state, cells)
        return
    if isinstance(state, Sampled):
        if len({grid.layout for grid in state.grids.values()}) != 1:
            raise ValueError("a sample of other bins")
        for grid in state.grids.values():
            if len(grid.sums) not in (1, 3):
                raise ValueError("sums of other columns")
            _require_sums(grid)
        return
    if isinstance(state, Grid | Counts):
        _require_sums(state)
        return
    if state.n.shape != (cells,) or state.n.dtype != np.int64 or (state.n < 0).any():
        raise ValueError("a state of other cells")
    if isinstance(state, Moments):
        _require_moments(state, cells)
    elif isinstance(state, Ranks):
        _require_ranks(state, cells)
    elif isinstance(state, Contingency):
        _require_counts(state, cells)
    elif isinstance(state, Top):
        lengths = {len(state.codes), len(state.score), state.frame.height}
        if (
            len(lengths) > 1
            or state.most < 1
            or state.weights.shape != (cells,)
            or not _are_codes(state.codes, cells)
        ):
            raise ValueError("top rows of other cells")
    elif isinstance(state, Histogram):
        for name, field in asdict(state).items():
            sizes = {len(field)} if isinstance(field, np.ndarray) else {len(field.weight), len(field.total)}
            if sizes != {cells}:
                raise ValueError(f"{name} of other cells")


def _require_sums(state: Grid | Counts) -> None:
    if state.sums.dtype != np.float64 or not np.isfinite(state.sums).all():
        raise ValueError("sums that are no numbers")
    if isinstance(state, Counts):
        if state.numbers.dtype != np.int64 or state.sums.shape[1:] != state.numbers.shape:
            raise ValueError("sums of other numbers")
        if (np.diff(state.numbers, prepend=-1) <= 0).any():
            raise ValueError("numbers that are not in order")
        return
    if state.along.dtype != np.float64 or state.along.shape[1:] != state.sums.shape[1:2]:
        raise ValueError("sums of other bins")
    if state.outside.shape != state.sums.shape[:1] or state.outside.dtype != np.float64:
        raise ValueError("other rows at infinity")
    if not all(axis.is_sound for axis in state.axes if isinstance(axis, Bins)):
        raise ValueError("bins of other rows")


def _require_moments(state: Moments, cells: int) -> None:
    if state.drift.ndim != 2:
        raise ValueError("moments without columns")
    if state.draws is not None and state.draws.ndim != 3:
        raise ValueError("draws of no replicates")
    k, spread, replicates = state.drift.shape[1], state.spread is not None, state.replicates
    expected = Moments.empty(cells, k, spread, replicates).to_arrays()
    arrays = state.to_arrays()
    for name, values in arrays.items():
        if len(values) != cells or (name in expected and not _are_alike(values, expected[name])):
            raise ValueError(f"{name} is {values.dtype} {values.shape}")
    if missing := expected.keys() - arrays.keys():
        raise ValueError(f"there is no {min(missing)}")


def _require_counts(state: Contingency, cells: int) -> None:
    arrays = (state.cells, state.numbers, state.counts)
    if any(each.shape != state.cells.shape or each.dtype != np.int64 for each in arrays):
        raise ValueError("counts of other numbers")
    if not _are_codes(state.cells, cells) or (state.numbers < 0).any() or (state.counts < 1).any():
        raise ValueError("counts of other cells")
    if state.powers is not None and (
        state.powers.shape != (4, len(state.cells))
        or state.powers.dtype != np.float64
        or not np.isfinite(state.powers).all()
    ):
        raise ValueError("other sums of weights")
    step = np.diff(state.cells), np.diff(state.numbers)
    if not ((step[0] > 0) | (step[0] == 0) & (step[1] > 0)).all():
        raise ValueError("numbers that are not in order")
    if not np.array_equal(np.bincount(state.cells, state.counts, cells), state.n):
        raise ValueError("another number of rows")


def _require_ranks(state: Ranks, cells: int) -> None:
    if state.weights.shape != (cells,):
        raise ValueError("ranks of other cells")
    for rows in state.parts:
        sums = (rows.weight, rows.counts, rows.squares, rows.cubes)
        kept = (each for each in (*sums, rows.cluster, rows.keys) if each is not None)
        arrays = [rows.codes, *rows.columns, *kept]
        if any(each.shape != rows.codes.shape for each in arrays) or not _are_codes(rows.codes, cells):
            raise ValueError("rows of other cells")
        if state.replicates < 0 or (rows.keys is None) != (state.replicates == 0):
            raise ValueError("draws of no replicates")
        if rows.counts is not None and any(each is None for each in sums):
            raise ValueError("entries without sums")
        if any(each is not None and not (each > 0).all() for each in sums):
            raise ValueError("rows without weight")
    sizes = [np.bincount(rows.codes, rows.counts, minlength=cells) for rows in state.parts]
    if not np.array_equal(sum(sizes), state.n):
        raise ValueError("another number of rows")
    if isinstance(state, Sketch) and (state.most < 1 or not 0 <= state.coarse < KEY_BITS):
        raise ValueError("another number of bins")


def _require_totals(totals: Totals, cells: int) -> None:
    keys = totals.keys
    if keys.dtype != np.int64 or keys.ndim != 1 or (np.diff(keys) <= 0).any():
        raise ValueError("clusters that are not in order")
    if len(keys) and not 0 <= int(keys[0]) <= int(keys[-1]) < cells << HASH_BITS:
        raise ValueError("clusters of other cells")
    if any(sums.ndim != 2 or sums.shape[0] != len(keys) or not sums.shape[1] for sums in totals.sums):
        raise ValueError("sums of other clusters")
    if totals.most < 1 or not 0 <= totals.coarse <= HASH_BITS:
        raise ValueError("another number of clusters")


def _are_alike(one: Array, other: Array) -> bool:
    return (one.shape, one.dtype) == (other.shape, other.dtype)


def _are_codes(codes: Array, cells: int) -> bool:
    """Whether these are valid cell codes (m,)."""
    if codes.ndim != 1 or codes.dtype.kind not in "iu":
        return False
    return not len(codes) or 0 <= int(codes.min()) <= int(codes.max()) < cells
