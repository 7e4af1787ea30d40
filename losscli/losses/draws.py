"""Scores of the hypergeometric distribution."""

from __future__ import annotations

from losscli.catalog.registry import loss
from losscli.losses.log_score import COUNTS, binomial_score
from losscli.numeric.arrays import Array, Namespace
from losscli.tasks.distribution import Hypergeometric

SPREAD, MORE = 12.0, 30.0
"""Standard deviations from the mean, and counts more, beyond which a probability is nothing to one."""
NOTHING = 1e-17
"""A share that changes no digit of a sum."""


def _score(xp: Namespace, hits: Array, batch: Hypergeometric) -> Array:
    """-log of the probability of hits among k draws, for hits in the support (Loader 2000)."""
    share = batch.k / xp.maximum(batch.m + batch.n, 1.0)
    misses = batch.k - hits
    return (
        binomial_score(xp, hits, batch.m - hits, share)
        + binomial_score(xp, misses, batch.n - misses, share)
        - binomial_score(xp, batch.k, batch.m + batch.n - batch.k, share)
    )


@loss("logs_hypergeometric", best=None, domain=COUNTS)
def log_score_hypergeometric(batch: Hypergeometric) -> Array:
    """The log score of the hypergeometric distribution; infinite for impossible counts.

    l = -log(C(m, y) C(n, k - y) / C(m + n, k)), y successes among k draws from m successes and n failures.
    Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    xp, (low, high) = batch.xp, batch.support
    possible = (batch.count >= low) & (batch.count <= high)
    score = _score(xp, xp.where(possible, batch.count, low), batch)
    return xp.where(possible, score, xp.where(batch.count == batch.count, xp.inf, xp.nan))


@loss()
def crps_hypergeometric(batch: Hypergeometric) -> Array:
    """The CRPS of the hypergeometric distribution.

    l = sum over k of (F(k) - [y <= k])^2.  Unit: target.

    Jordan et al. (2019), doi:10.18637/jss.v090.i12
    """
    xp, y, (low, high) = batch.xp, batch.target, batch.support
    share = batch.m / xp.maximum(batch.m + batch.n, 1.0)
    mean, total = batch.k * share, batch.m + batch.n
    variance = mean * (1.0 - share) * (total - batch.k) / xp.maximum(total - 1.0, 1.0)
    reach = xp.ceil(SPREAD * xp.sqrt(variance)) + MORE
    middle = xp.floor(xp.minimum(xp.maximum(mean, low), high))
    first, last = xp.maximum(low, middle - reach), xp.minimum(high, middle + reach)
    below = _one_side(batch, first, middle, 1.0)
    above = _one_side(batch, last, middle, -1.0)
    # Beyond these counts F is zero or one.
    return below + above + xp.maximum(first - y, 0.0) + xp.maximum(y - last, 0.0)


def _one_side(batch: Hypergeometric, edge: Array, middle: Array, step: float) -> Array:
    """The integral of (F - [y <= x])^2 from the edge to the middle count, in steps of 1 or -1.

    The probabilities are added from the edge on, each from the one before: between two counts P is the sum,
    on the side of the edge, and 1 - P on the other.
    """
    xp, y = batch.xp, batch.target
    # From the middle, whose probability has all its digits, out to the edge, and back.
    at, mass = middle, xp.exp(-_score(xp, middle, batch))
    while bool(xp.any(left := (at - edge) * step > 0)):
        mass = xp.where(left, mass * _ratio(batch, at, -step), mass)
        at = xp.where(left, at - step, at)
    tail, total = mass, xp.zeros_like(y)
    while bool(xp.any(left := (middle - at) * step > 0)):
        # How much of the unit from one count to the next is on the side of the edge of the target.
        before = xp.minimum(xp.maximum((y - at) * step, 0.0), 1.0)
        own = before * tail * tail + (1.0 - before) * (1.0 - tail) * (1.0 - tail)
        total = total + xp.where(left, own, 0.0)
        mass = xp.where(left, mass * _ratio(batch, at, step), mass)
        at, tail = xp.where(left, at + step, at), xp.where(left, tail + mass, tail)
    return total


def hypergeometric_up_to(batch: Hypergeometric, count: Array) -> Array:
    """The probability of at most a count (n,), which is a whole number.

    The probabilities are added on the side of the count that has less of them, from the count outward.
    """
    xp, (low, high) = batch.xp, batch.support
    is_left = (count + 0.5) * (batch.m + batch.n) < batch.k * batch.m
    step, edge = xp.where(is_left, -1.0, 1.0), xp.where(is_left, low, high)
    at = xp.where(is_left, count, count + 1.0)
    inside = (at >= low) & (at <= high)
    at = xp.where(inside, at, edge)
    mass = xp.where(inside, xp.exp(-_score(xp, at, batch)), 0.0)
    total = mass
    while bool(xp.any(left := (at != edge) & (mass > NOTHING * total))):
        ratio = xp.where(is_left, _ratio(batch, at, -1.0), _ratio(batch, at, 1.0))
        mass = xp.where(left, mass * ratio, 0.0)
        at, total = xp.where(left, at + step, at), total + mass
    return xp.where(is_left, total, 1.0 - total)


def _ratio(batch: Hypergeometric, at: Array, step: float) -> Array:
    """The probability of the next count in steps of 1 or -1, relative to that of this one (n,)."""
    m, n, k = batch.m, batch.n, batch.k
    if step > 0:
        return (m - at) * (k - at) / ((at + 1.0) * batch.xp.maximum(n - k + at + 1.0, 1.0))
    return at * (n - k + at) / ((m - at + 1.0) * (k - at + 1.0))
