"""Distances between the distribution of the predictions and that of the targets, whatever their pairs."""

from __future__ import annotations

from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array
from losscli.numeric.ranking import ROUNDING, Ties
from losscli.states.order import Order, Sample, Settled
from losscli.tasks.regression import Regression


class _Gaps:
    """The distribution functions F of the predictions and G of the targets of a sample.

    `widths` (g,) are the distances from each distinct value to the next one, and `apart` (g,) is F - G there.
    """

    def __init__(self, sample: Sample) -> None:
        prediction, target = sample.columns
        xp, weight, self.n = sample.xp, sample.weight, len(sample.weight)
        self.xp, self.ties = xp, Ties.of(xp.concatenate([prediction, target]), xp.tile(weight, 2))
        signs = xp.repeat(xp.asarray([1.0, -1.0]), self.n)
        self.widths = xp.diff(self.ties.values, append=self.ties.values[-1:])
        self.apart = xp.cumsum(self.ties.sums(signs))
        self.apart = self.apart / sample.total
        # Where as many predictions as targets lie below, rounding would give the difference a sign.
        self.apart[xp.abs(self.apart) <= ROUNDING] = 0.0

    def moved(self, slope: Array) -> Array:
        """What each row (n,) adds to the integral of `slope` (g,) times F - G."""
        above = self.xp.cumsum((slope * self.widths)[::-1])[::-1][self.ties.group]
        return above[: self.n] - above[self.n :]


def _wasserstein(sample: Sample) -> Settled:
    gaps = _Gaps(sample)
    value = float((sample.xp.abs(gaps.apart) * gaps.widths).sum())
    return Settled.of(value, gaps.moved(sample.xp.sign(gaps.apart)) - value)


@loss("wasserstein", "earth_mover_distance", order=Order(_wasserstein))
def wasserstein_distance(batch: Regression) -> tuple[Array, Array]:
    """How far the predictions have to move, on average, to be distributed as the targets are.

    The integral of |F - G| with the distribution functions F of predictions and G of targets.  Unit: target.

    Vaserstein (1969), Markov processes over denumerable products of spaces, Problemy Peredachi Informatsii 5
    """
    return batch.prediction, batch.target


def _energy(sample: Sample) -> Settled:
    gaps = _Gaps(sample)
    square = 2.0 * float((gaps.apart**2 * gaps.widths).sum())
    value = square**0.5
    influence = 2.0 * gaps.moved(2.0 * gaps.apart) - 2.0 * square
    return Settled.of(value, influence / (2.0 * value) if value > 0 else 0.0 * influence)


@loss("energy", order=Order(_energy))
def energy_distance(batch: Regression) -> tuple[Array, Array]:
    """The distance between the distributions of predictions and targets in terms of distances of rows.

    sqrt(2 E|X - Y| - E|X - X'| - E|Y - Y'|): the root of twice the integral of (F - G)^2, with the
    distribution functions F of predictions and G of targets.  Unit: target^(1/2).

    Szekely and Rizzo (2013), Energy statistics, doi:10.1016/j.jspi.2013.03.018
    """
    return batch.prediction, batch.target
