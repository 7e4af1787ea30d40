"""Sums, exponentials and softmax with extra precision, where plain formulas lose digits.

A number is kept as two floats: its rounded value and the rounding error.
"""

from __future__ import annotations

from losscli.numeric.arrays import Array, Namespace, np, on_host
from losscli.numeric.special import log1pmx
from losscli.numeric.two_float import _quotient, exact_sum, exp_pair, two_sum

CHUNK_NUMBERS, CHUNK_ROWS = 262_144, 128
"""Numbers of a matrix processed at once, so that intermediate results stay in the CPU cache; if cut by rows,
in column-major matrices at least this many rows."""
_MANY_COLUMNS = 64
"""From more columns than this on, loops over columns are slow."""
ORDINARY = (-30.0, 300.0)
"""If the largest logit of a row is between these, sums of exp do not overflow, and terms that underflow are
less than 1e-290 of the largest."""


def expit(xp: Namespace, x: Array) -> Array:
    """1 / (1 + exp(-x)), exact in both tails."""
    return expit_pair(xp, x)[0]


def expit_pair(xp: Namespace, x: Array) -> tuple[Array, Array]:
    """1 / (1 + exp(-x)) and its complement 1 / (1 + exp x), exact in both tails."""
    small, error = exp_pair(xp, -xp.abs(x))
    total, total_error = two_sum(small, 1.0)
    total_error += error
    less, more = _quotient(small, error, total, total_error), _quotient(1.0, 0.0, total, total_error)
    # Products choose faster than `where`, unless the signs are in order.
    above = (x >= 0).astype(float)
    below = 1.0 - above
    return above * more + below * less, above * less + below * more


def kl_div(xp: Namespace, y: Array, q: Array, log_q: Array, gap: Array) -> Array:
    """The term y log(y / q) - y + q of one class of a divergence, with 0 log 0 = 0; never negative.

    `log_q` and `gap` = q - y come from the caller, who may know them more accurately than q does.
    """
    some = y > 0
    y = xp.where(some, y, 1.0)
    change = gap / y
    near = (change > -0.6) & (change < 1.5)
    ratio = y / q
    within = (ratio > 1e-290) & (ratio < 1e290)
    log_ratio = xp.where(within, xp.log(xp.where(within, ratio, 1.0)), xp.log(y) - log_q)
    far = y * log_ratio + gap
    return xp.where(some, xp.where(near, -y * log1pmx(xp, xp.where(near, change, 0.0)), far), q)


def _chunks(xp: Namespace, matrix: Array) -> list[slice]:
    if not on_host(xp):
        return [slice(None)][: len(matrix)]  # only large arrays keep a GPU busy
    fewest = 1 if matrix.flags.c_contiguous else CHUNK_ROWS
    step = max(fewest, CHUNK_NUMBERS // max(matrix.shape[1], 1))
    return [slice(i, i + step) for i in range(0, len(matrix), step)]


def _pieces(xp: Namespace, matrix: Array) -> list[tuple[slice, slice]]:
    """The rows and columns of pieces that are contiguous in memory: whole rows, or whole columns."""
    n, columns = matrix.shape
    every = slice(None)
    if not on_host(xp):
        return [(every, every)][:n]
    if matrix.flags.c_contiguous:
        step = max(1, CHUNK_NUMBERS // max(columns, 1))
        return [(slice(i, i + step), every) for i in range(0, n, step)]
    step = max(1, CHUNK_NUMBERS // max(n, 1))
    return [(every, slice(i, i + step)) for i in range(0, columns, step)]


def _minus(xp: Namespace, logits: Array, shift: Array, difference: Array) -> Array:
    """Fill `difference` with logits (n, k) minus `shift` (n, 1), and return the rounding errors.

    exp would turn these into relative errors of the same size.  This is `two_sum` in place, for speed.
    """
    xp.subtract(logits, shift, out=difference)
    added = difference - logits
    error = difference - added
    xp.subtract(logits, error, out=error)
    added += shift
    error -= added
    if not bool(xp.isfinite(xp.min(difference))):
        # Infinite differences, whose exp is zero, have no rounding error.
        error = xp.where(xp.isfinite(error), error, 0.0)
    return error


def _exp_minus(xp: Namespace, logits: Array, shift: Array) -> Array:
    """The exponentials of logits (n, k) minus `shift` (n, 1)."""
    mass = xp.empty_like(logits, dtype=float)
    error = _minus(xp, logits, shift, mass)
    xp.exp(mass, out=mass)
    error *= mass
    mass += error
    return mass


def _others(xp: Namespace, logits: Array) -> tuple[Array, Array]:
    """The largest logit of each row (n,), and the mass of all other classes relative to its own (n,).

    Rows of ordinary logits are exponentiated directly: subtracting the largest first would lose digits.
    """
    largest = xp.max(logits, axis=1)  # in the type of the logits, which compares faster
    top = largest.astype(float)
    ordinary = (top > ORDINARY[0]) & (top < ORDINARY[1])
    shift = xp.where(ordinary, 0.0, top)
    is_shifted = not bool(ordinary.all())
    others, tops = xp.zeros(len(logits)), 0
    for rows, columns in _pieces(xp, logits):
        piece = logits[rows, columns]
        mass = _exp_minus(xp, piece, shift[rows, None]) if is_shifted else xp.exp(piece, dtype=float)
        is_top = piece == largest[rows, None]
        xp.copyto(mass, 0.0, where=is_top)
        tops += int(xp.count_nonzero(is_top))
        mass[:, 0] += others[rows]
        others[rows] = xp.sum(mass, axis=1)
    # Divided by exp(top - shift), which for a top above 0 is a product with exp(shift - top).
    above = top - shift
    unit, unit_error = exp_pair(xp, -xp.abs(above))
    others = xp.where(
        above > 0, others * unit + others * unit_error, _quotient(others, 0.0, unit, unit_error)
    )
    if tops > len(logits):
        others += xp.maximum(xp.sum(logits == largest[:, None], axis=1) - 1, 0)
    return top, others


def log_softmax(xp: Namespace, logits: Array) -> Array:
    """Log-probabilities (n, classes) from logits, exact even if one class has nearly all the mass.

    For the largest logit, log p = -log1p(mass of the others over its own): it keeps its digits where
    z - logsumexp z rounds to 0.  For the others, z - max - log1p(...).
    """
    top, others = _others(xp, logits)
    result, rest = xp.empty(logits.shape), xp.log1p(others)
    for rows, columns in _pieces(xp, logits):
        below = logits[rows, columns] - top[rows, None]
        xp.subtract(below, rest[rows, None], out=result[rows, columns])
    return result


def log_softmax_at(xp: Namespace, logits: Array, code: Array) -> Array:
    """The `log_softmax` of one class of each row (n,), without a full matrix of results."""
    top, others = _others(xp, logits)
    return (pick(xp, logits, code) - top) - xp.log1p(others)


def pick(xp: Namespace, values: Array, code: Array) -> Array:
    """The value (n,) of each row's class from values (n, classes)."""
    flat, places = _flat(xp, values, code)
    return flat.take(places)


def put(xp: Namespace, values: Array, code: Array, own: Array | float) -> None:
    """Set the value of each row's class in values (n, classes), contiguous in memory, to `own` (n,)."""
    flat, places = _flat(xp, values, code)
    flat[places] = own


def _flat(xp: Namespace, values: Array, code: Array) -> tuple[Array, Array]:
    """Values (n, classes) in the order of their memory, and the place of each row's class among them (n,).

    Such places are five times as fast as take_along_axis.
    """
    n, classes = values.shape
    if values.flags.f_contiguous:
        return values.T.reshape(-1), code * n + xp.arange(n)
    return values.reshape(-1), xp.arange(0, n * classes, classes) + code


def row_maxima(xp: Namespace, values: Array) -> tuple[Array, Array]:
    """The index of the first largest value in each row of values (n, k), and that value; (n,) each."""
    n, columns = values.shape
    if not on_host(xp) or not values.flags.f_contiguous or columns < 2:
        place = xp.argmax(values, axis=1)
        return place, xp.take_along_axis(values, place[:, None], axis=1)[:, 0].astype(float, copy=False)
    # Column by column in column-major matrices, which takes a quarter of the time of argmax.
    largest = values.max(axis=1)
    if columns > _MANY_COLUMNS:
        place, row = np.divmod(np.flatnonzero((values == largest[:, None]).T), n)
        places = np.zeros(n, dtype=np.int64)
        places[row[::-1]] = place[::-1]  # of equal ones the first, which is written last
        return places, largest.astype(float, copy=False)
    places = np.full(n, columns - 1, dtype=np.uint8)
    for place, column in enumerate(values.T):
        differs = (column == largest).view(np.uint8)
        differs -= 1  # all bits, unless it is the largest
        differs |= place
        np.minimum(places, differs, out=places)
    return places.astype(np.int64), largest.astype(float, copy=False)


def softmax(xp: Namespace, logits: Array, code: Array | None = None) -> tuple[Array, Array]:
    """Probabilities and their complements to one (n, classes) from logits, both to full precision.

    With the class `code` (n,) of each row, only the complements of these classes (n,).
    """
    probability = xp.empty_like(logits, dtype=float)
    complement = xp.empty_like(probability) if code is None else xp.empty(len(logits))
    for rows in _chunks(xp, logits):
        own = None if code is None else code[rows]
        probability[rows], complement[rows] = _softmax(xp, logits[rows].astype(float), own)
    return probability, complement


def _softmax(xp: Namespace, logits: Array, code: Array | None) -> tuple[Array, Array]:
    """As `softmax`, for one chunk.

    The mass of each class is relative to that of the first class with the largest logit, whose complement is
    the sum of the others.
    """
    first, top = row_maxima(xp, logits)
    below = xp.empty_like(logits)
    error = _minus(xp, logits, top[:, None], below)
    mass, mass_error = exp_pair(xp, below, error)
    put(xp, mass, first, 0.0)
    others, others_error = exact_sum(xp, mass)
    others_error += xp.sum(mass_error, axis=1)
    total, total_error = two_sum(others, 1.0)
    total_error += others_error
    whole = total[:, None], total_error[:, None]
    probability = _quotient(mass, mass_error, *whole)
    put(xp, probability, first, _quotient(1.0, 0.0, total, total_error))
    complement_of_first = _quotient(others, others_error, total, total_error)
    if code is None:
        complement = _quotient(whole[0] - mass, whole[1] - mass_error, *whole)
        put(xp, complement, first, complement_of_first)
        return probability, complement
    left = total - pick(xp, mass, code), total_error - pick(xp, mass_error, code)
    return probability, xp.where(code == first, complement_of_first, _quotient(*left, total, total_error))


def logsumexp_running(xp: Namespace, log_p: Array) -> Array:
    """The cumulative logsumexp over columns (n, k)."""
    sums = xp.empty_like(log_p)
    total = xp.full(len(log_p), -xp.inf)
    for i, column in enumerate(log_p.T):
        total = sums[:, i] = xp.logaddexp(total, column)
    return sums
