"""Distances between the distributions of predictions and of targets, ignoring how they are paired."""

from __future__ import annotations

from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array
from losscli.numeric.ranking import ROUNDING, Ties
from losscli.states.order import Order, Sample, Settled
from losscli.tasks.regression import Regression


class _Gaps:
    """The distribution functions F of the predictions and G of the targets of a sample.

    `widths` (g,) are the gaps from each distinct value to the next, and `differences` (g,) are F - G in them.
    """

    def __init__(self, sample: Sample) -> None:
        prediction, target = sample.columns
        xp, weight, self.n = sample.xp, sample.weight, len(sample.weight)
        self.xp, self.ties = xp, Ties.of(xp.concatenate([prediction, target]), xp.tile(weight, 2))
        signs = xp.repeat(xp.asarray([1.0, -1.0]), self.n)
        self.widths = xp.diff(self.ties.values, append=self.ties.values[-1:])
        self.differences = xp.cumsum(self.ties.sums(signs))
        self.differences = self.differences / sample.total
        # Where F = G, rounding errors would give the difference a sign.
        self.differences[xp.abs(self.differences) <= ROUNDING] = 0.0

    def influence(self, slope: Array) -> Array:
        """The contribution of each row (n,) to the integral of `slope` (g,) times F - G."""
        above = self.xp.cumsum((slope * self.widths)[::-1])[::-1][self.ties.group]
        return above[: self.n] - above[self.n :]


def _wasserstein(sample: Sample) -> Settled:
    gaps = _Gaps(sample)
    value = float((sample.xp.abs(gaps.differences) * gaps.widths).sum())
    return Settled.of(value, gaps.influence(sample.xp.sign(gaps.differences)) - value)


@loss("wasserstein", "earth_mover_distance", order=Order(_wasserstein))
def wasserstein_distance(batch: Regression) -> tuple[Array, Array]:
    """How far the predictions have to move, on average, to be distributed as the targets are.

    The integral of |F - G| with the distribution functions F of predictions and G of targets.  Unit: target.

    Vaserstein (1969), Markov processes over denumerable products of spaces, Problemy Peredachi Informatsii 5
    """
    return batch.prediction, batch.target


def _energy(sample: Sample) -> Settled:
    gaps = _Gaps(sample)
    square = 2.0 * float((gaps.differences**2 * gaps.widths).sum())
    value = square**0.5
    influence = 2.0 * gaps.influence(2.0 * gaps.differences) - 2.0 * square
    return Settled.of(value, influence / (2.0 * value) if value > 0 else 0.0 * influence)


@loss("energy", order=Order(_energy))
def energy_distance(batch: Regression) -> tuple[Array, Array]:
    """The distance between the distributions of predictions and targets in terms of distances of rows.

    sqrt(2 E|X - Y| - E|X - X'| - E|Y - Y'|): the root of twice the integral of (F - G)^2, with the
    distribution functions F of predictions and G of targets.  Unit: target^(1/2).

    Szekely and Rizzo (2013), Energy statistics, doi:10.1016/j.jspi.2013.03.018
    """
    return batch.prediction, batch.target
