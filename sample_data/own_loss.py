"""A loss that no catalog has."""

from losscli.custom import Positive, Regression


def short(batch: Regression, *, slope: Positive = 2.0):
    """What a forecast falls short of the target costs more than what it exceeds it by.

    l = -slope e if e < 0, else e.  Unit: target.
    """
    e = batch.error
    return batch.xp.where(e < 0, -slope * e, e)
