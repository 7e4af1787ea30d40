"""Scores of mixtures of normal distributions."""

from __future__ import annotations

import math

from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array, Namespace
from losscli.numeric.softmax import logsumexp_running
from losscli.numeric.special import log_or_minus_inf, special
from losscli.tasks.mixture import NormalMixture

SQRT2 = math.sqrt(2.0)
FAR = 40.0
"""Beyond this the normal tail is zero; clipping avoids infinity times zero."""
HALF_LOG_2PI = math.log(2.0 * math.pi) / 2


@loss("crps_mixnorm")
def crps_mixture_normal(batch: NormalMixture) -> Array:
    """The CRPS of a mixture of normal distributions.

    l = sum_i w_i A(y - m_i, s_i) - sum_i sum_j w_i w_j A(m_i - m_j, sqrt(s_i^2 + s_j^2)) / 2, A(d, s) the
    mean of |X| under a normal distribution with mean d and standard deviation s.  Unit: target.

    Grimit et al. (2006), doi:10.1256/qj.05.235
    """
    xp, y, total = batch.xp, batch.target, batch.xp.zeros_like(batch.target)
    mean, spread, weight = (part.T for part in (batch.means, batch.deviations, batch.weights))
    to_target = [_excess(xp, y - mean[i], spread[i]) for i in batch.components]
    # Pairs of distances to the target are taken relative to the distance of the means: no large terms cancel.
    for i in batch.components:
        for j in range(i + 1):
            low, high = xp.minimum(mean[i], mean[j]), xp.maximum(mean[i], mean[j])
            outside = xp.maximum(low - y, 0.0) + xp.maximum(y - high, 0.0)
            between = _excess(xp, high - low, xp.hypot(spread[i], spread[j]))
            pair = weight[i] * weight[j] * (outside + (to_target[i] + to_target[j] - between) / 2)
            total = total + (pair if i == j else 2.0 * pair)
    return total


def _excess(xp: Namespace, distance: Array, spread: Array) -> Array:
    """E|X| - |distance| for a normal X with mean `distance` and standard deviation `spread`."""
    r = xp.abs(distance) / spread
    density = xp.exp(-r * r / 2) * math.sqrt(2.0 / math.pi)
    return spread * (density - xp.minimum(r, FAR) * special(xp).erfc(r / SQRT2))


@loss("logs_mixnorm", best=None)
def log_score_mixture_normal(batch: NormalMixture) -> Array:
    """The log score of a mixture of normal distributions.

    l = -log sum_i w_i exp(-z_i^2 / 2) / (s_i sqrt(2 pi)), z_i = (y - m_i) / s_i.  Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    xp = batch.xp
    z = (batch.target[:, None] - batch.means) / batch.deviations
    logs = log_or_minus_inf(xp, batch.weights) - xp.log(batch.deviations) - z * z / 2
    return HALF_LOG_2PI - logsumexp_running(xp, logs)[:, -1]
