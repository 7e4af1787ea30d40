"""Marks on the axis of a loss curve: the rows beyond each mark are counted."""

from __future__ import annotations

from msgspec import Struct

from losscli.catalog.loss import Choice
from losscli.numeric.arrays import Array, Namespace

_BELOW = {
    "probability": ("probability of the true class", (0.5, 0.1, 0.01)),
    "margin": ("margin", (1.0, 0.0)),
}


class Mark(Struct, frozen=True):
    """A threshold: rows with a position below `at`, or with a larger residual; `what` describes them."""

    at: float
    what: str
    residual: bool = False

    def holds(self, xp: Namespace, place: Array) -> Array:
        """Whether each position is beyond the mark (n,)."""
        return xp.abs(place) > self.at if self.residual else place < self.at


def marks_of(choice: Choice) -> tuple[Mark, ...]:
    """The marks of a loss: the start of the tail of residuals, or fixed probabilities or margins."""
    if choice.loss.tail is not None:
        name, how = choice.loss.tail
        at = choice.params[name]
        return (Mark(at, f"|residual| above {name}={at:g}, where the loss is {how}", residual=True),)
    noun, places = _BELOW.get(choice.loss.batch.axis, ("", ()))
    return tuple(Mark(at, f"{noun} below {at:g}") for at in places)
