"""Scores of the hypergeometric distribution."""

from __future__ import annotations

from losscli.catalog.registry import loss
from losscli.losses.log_score import COUNTS, binomial_score
from losscli.numeric.arrays import Array, Namespace
from losscli.tasks.distribution import Hypergeometric

SPREAD, MORE = 12.0, 30.0
"""Standard deviations from the mean, plus counts, beyond which probabilities are negligible."""
NEGLIGIBLE = 1e-17
"""A fraction of a sum that does not change it in float64."""


def _log_score(xp: Namespace, hits: Array, batch: Hypergeometric) -> Array:
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
    score = _log_score(xp, xp.where(possible, batch.count, low), batch)
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
    mass = xp.exp(-_log_score(xp, middle, batch))
    below = _integral_to_middle(batch, first, middle, mass, 1.0)
    above = _integral_to_middle(batch, last, middle, mass, -1.0)
    # Beyond these counts F is zero or one.
    return below + above + xp.maximum(first - y, 0.0) + xp.maximum(y - last, 0.0)


def _integral_to_middle(batch: Hypergeometric, edge: Array, middle: Array, mass: Array, step: float) -> Array:
    """The integral of (F - [y <= x])^2 from the edge to the middle count with this mass, in steps of 1 or -1.

    Probabilities are computed recursively and added from the edge on.  Between two counts the sum P is the
    probability on the side of the edge, and 1 - P on the other.
    """
    xp, y = batch.xp, batch.target
    # From the middle, where the probability is accurate, out to the edge, and back.
    at = middle
    while bool(xp.any(active := (at - edge) * step > 0)):
        mass = xp.where(active, mass * _ratio(batch, at, -step), mass)
        at = xp.where(active, at - step, at)
    tail, total = mass, xp.zeros_like(y)
    while bool(xp.any(active := (middle - at) * step > 0)):
        # The part of the unit interval to the next count that is between the edge and the target.
        before = xp.minimum(xp.maximum((y - at) * step, 0.0), 1.0)
        area = before * tail * tail + (1.0 - before) * (1.0 - tail) * (1.0 - tail)
        total = total + xp.where(active, area, 0.0)
        mass = xp.where(active, mass * _ratio(batch, at, step), mass)
        at, tail = xp.where(active, at + step, at), xp.where(active, tail + mass, tail)
    return total


def hypergeometric_up_to(batch: Hypergeometric, count: Array) -> Array:
    """The distribution function at a whole count (n,).

    Probabilities are added outward from the count, on the side with the smaller total.
    """
    xp, (low, high) = batch.xp, batch.support
    is_left = (count + 0.5) * (batch.m + batch.n) < batch.k * batch.m
    step, edge = xp.where(is_left, -1.0, 1.0), xp.where(is_left, low, high)
    at = xp.where(is_left, count, count + 1.0)
    inside = (at >= low) & (at <= high)
    at = xp.where(inside, at, edge)
    mass = xp.where(inside, xp.exp(-_log_score(xp, at, batch)), 0.0)
    total = mass
    while bool(xp.any(active := (at != edge) & (mass > NEGLIGIBLE * total))):
        ratio = xp.where(is_left, _ratio(batch, at, -1.0), _ratio(batch, at, 1.0))
        mass = xp.where(active, mass * ratio, 0.0)
        at, total = xp.where(active, at + step, at), total + mass
    return xp.where(is_left, total, 1.0 - total)


def _ratio(batch: Hypergeometric, at: Array, step: float) -> Array:
    """The probability of the next count in steps of 1 or -1, relative to that of this one (n,)."""
    m, n, k = batch.m, batch.n, batch.k
    if step > 0:
        return (m - at) * (k - at) / ((at + 1.0) * batch.xp.maximum(n - k + at + 1.0, 1.0))
    return at * (n - k + at) / ((m - at + 1.0) * (k - at + 1.0))
