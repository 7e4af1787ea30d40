"""Losses of accelerated failure time models: f is the predicted log time, the time is in [lower, upper]."""

from __future__ import annotations

import math
from typing import Literal

from losscli.catalog.params import Positive
from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array, by_case
from losscli.numeric.ranking import Ties, ordered_pairs
from losscli.numeric.standard import STANDARD
from losscli.states.order import Order, Sample, Settled
from losscli.tasks.survival import Lifetime


@loss("aft-nloglik", "aft_nloglik", best=None)
def aft_nll(
    batch: Lifetime,
    *,
    distribution: Literal["normal", "logistic", "extreme"] = "normal",
    scale: Positive = 1.0,
) -> Array:
    """Minus the log-likelihood of an accelerated failure time model, for observed and censored times.

    l = -log(d(z) / (scale t)) if the time t was observed, else -log(D(z of upper) - D(z of lower)), with
    z = (log t - f) / scale, and d and D the density and the distribution function of z.  Unit: nat.

    The distribution of log times is normal, logistic, or the extreme value distribution of minima, whose
    times have a Weibull distribution.  A time censored on the right has the upper end inf, one censored on
    the left the lower end 0.

    Wei (1992), doi:10.1002/sim.4780111409
    """
    xp, standard = batch.xp, STANDARD[distribution]
    a, b = (end / scale for end in batch.ends)

    def density(upper: Array, a: Array, b: Array, width: Array) -> Array:
        return math.log(scale) + xp.log(upper) - standard.log_density(xp, b)

    def mass(upper: Array, a: Array, b: Array, width: Array) -> Array:
        return -standard.log_mass(xp, a, b, width)

    cases = ((batch.is_observed, density), (~batch.is_observed, mass))
    return by_case(xp, cases, batch.upper, a, b, batch.log_width / scale)


@loss("SurvivalAft")
def aft_interval_distance(batch: Lifetime) -> Array:
    """How far the predicted time is from the interval of the true one.

    l = max(0, lower - exp f, exp f - upper).  Unit: target.

    CatBoost user guide, SurvivalAft
    """
    xp, time = batch.xp, batch.xp.exp(batch.log_time)
    return xp.maximum(xp.maximum(batch.lower - time, time - batch.upper), 0.0)


def _harrell(sample: Sample) -> Settled:
    log_time, lower, upper, is_open = sample.columns
    upper = sample.xp.where(is_open, math.inf, upper)
    concordant, comparable = ordered_pairs(lower, upper, Ties.of(log_time, sample.weight))
    pairs = float(sample.weight @ comparable)
    if pairs <= 0:
        return Settled.undefined(sample)
    value = float(sample.weight @ concordant) / pairs
    influence = 2.0 * sample.total * (concordant - value * comparable) / pairs
    return Settled.of(value, influence, sample.ends(value, influence, 0.0, 1.0))


@loss(
    "concordance_index",
    "c_index",
    "harrell_c",
    best=1.0,
    worst=0.0,
    score=True,
    order=Order(_harrell, undefined="no two times can be compared"),
)
def survival_concordance_index(batch: Lifetime) -> tuple[Array, Array, Array, Array]:
    """The chance that of two times in known order the later one is predicted to be later.

    (C + T / 2) / (C + D + T) with concordant and discordant pairs C and D, and those of equal predictions T;
    pairs are those whose order is known: the interval of one time ends before that of the other begins, or
    where that of a censored time begins.  Unit: 1.

    Harrell et al. (1982), Evaluating the yield of medical tests, doi:10.1001/jama.1982.03320430047030
    """
    is_open = batch.upper == math.inf
    return batch.log_time, batch.lower, batch.xp.where(is_open, batch.lower, batch.upper), is_open
