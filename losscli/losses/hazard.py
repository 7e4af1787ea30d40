"""Losses of proportional hazards: z is the logarithm of the relative hazard of an item."""

from __future__ import annotations

from typing import Literal

from msgspec.structs import replace

from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array
from losscli.states.reductions import ratio
from losscli.tasks.hazard import Cohort

PER_EVENT = replace(ratio, undefined="no time ended with an event")


@loss("cox-nloglik", "cox_nloglik", "Cox", "CoxPHLoss", reduction=PER_EVENT, best=None, limit=0.0)
def cox_partial_likelihood(
    batch: Cohort, *, ties: Literal["breslow", "efron"] = "breslow"
) -> tuple[Array, Array]:
    """Minus the logarithm of Cox's partial likelihood, for each event.

    sum over events of (log sum over items at risk of exp z - z) / events; at risk at the time of an event are
    the items with that time or a longer one, in the same group.  Unit: nat.

    Events at the same time are all at risk together (breslow), or leave one after the other (efron).

    Cox (1972), doi:10.1111/j.2517-6161.1972.tb00899.x
    """
    xp, event, (top, others) = batch.xp, batch.events, batch.risk
    z = batch.log_hazard[batch.by_time]
    cost = (top - z) + xp.log1p(others)
    if ties == "efron":
        runs = batch.ties
        # The share of the events at this time in the risk, and the fraction of them that has left before.
        share = runs.per_row(runs.sums(event * xp.exp(z - top))) / (1.0 + others)
        before = xp.cumsum(event) - event
        left = (before - runs.per_row(before[runs.first])) / runs.per_row(xp.maximum(runs.sums(event), 1.0))
        cost = cost + xp.log1p(-left * share)
    items = xp.where(event > 0, cost, 0.0)
    return batch.sums(items), batch.sums(event)
