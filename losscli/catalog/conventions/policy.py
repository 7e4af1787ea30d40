"""What a library does where the definition of a loss leaves a choice, applied to batches and weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from losscli.numeric.arrays import Array
from losscli.tasks.base import Batch
from losscli.tasks.binary import Bernoulli
from losscli.tasks.classes import Multiclass
from losscli.text import param_text

WEIGHT_SUM, ROW_COUNT = "the sum of the weights", "the number of rows"
"""The divisors of a weighted mean."""

_Probabilities = TypeVar("_Probabilities", Bernoulli, Multiclass)


class Clip(Struct, frozen=True):
    """Where a library clips probabilities before it takes logarithms.

    Probabilities are raised to `low`; None means the machine epsilon of the type of the predictions.  With
    `both` they are also lowered to 1 - low, as far as that type can represent it.  Without it, the logarithms
    of p and of 1 - p are bounded instead.  `targets` clips the probabilities of the target too.  `spacing` is
    the machine epsilon of the type to which the library casts predictions, 0 if it does not cast them.
    """

    low: float | None = None
    both: bool = True
    targets: bool = False
    spacing: float = 0.0

    def resolved(self, type_eps: float) -> tuple[float, float]:
        """The smallest probability, and the distance of the largest from one."""
        low = type_eps if self.low is None else self.low
        return low, max(low, type_eps, self.spacing) if self.both else 0.0


class Convention(Struct, frozen=True):
    """How one library computes one loss.

    `call` is its name in the library.  `params` replace the defaults of the loss, and `lacks` are its
    parameters that the library does not have.  `clip` says how probabilities are clipped, if at all;
    `rescales` divides each row of probabilities by its sum.  `weights` is the divisor of the mean with row
    weights, `class_weights` with class weights, and `soft_class_weights` with class weights and targets that
    are distributions; None if the library does not support the weights.  `variances` are the fields that the
    library expects as variances.  With fewer than `min_rows` rows the loss has no value.  `but` says where
    the values still differ.
    """

    call: str
    params: Mapping[str, Any] = field(default_factory=dict)
    lacks: tuple[str, ...] = ()
    clip: Clip | None = None
    rescales: bool = False
    weights: str | None = WEIGHT_SUM
    class_weights: str | None = WEIGHT_SUM
    soft_class_weights: str | None = None
    variances: tuple[str, ...] = ()
    min_rows: int = 1
    but: str = ""


class Library(Struct, frozen=True):
    """A library and its conventions by loss; `remark` applies to all of them.

    With `spreads_class_weight` each part of a soft or smoothed label is weighted by its own class, otherwise
    the whole label by its most probable class.
    """

    title: str
    losses: Mapping[str, Convention]
    remark: str = ""
    spreads_class_weight: bool = True


class Policy(Struct, frozen=True):
    """A convention resolved for a run with its types, link and weights.

    `low` and `high` are the minimum distances of a probability from 0 and from 1, zero for no clipping.
    `by_rows` is true if a weighted mean divides by the number of rows.
    """

    convention: Convention
    low: float = 0.0
    high: float = 0.0
    by_rows: bool = False

    def seen(self, batch: Batch) -> Batch:
        """The batch with probabilities rescaled and clipped as the library does."""
        if isinstance(batch, Bernoulli) and batch.link == "probability":
            return self._clipped(batch)
        if isinstance(batch, Multiclass) and batch.link == "probability":
            if self.convention.rescales:
                total = batch.xp.sum(batch.prediction, axis=1)[:, None]
                batch = replace(batch, prediction=batch.prediction / batch.xp.where(total == 0, 1.0, total))
            if self.convention.clip is not None and self.convention.clip.targets:
                batch = replace(batch, code=None, soft=batch.xp.clip(batch.target, self.low, 1.0))
            return self._clipped(batch)
        return batch

    def _clipped(self, batch: _Probabilities) -> _Probabilities:
        if not self.high:
            return replace(batch, eps=self.low)
        clipped: Array = batch.xp.clip(batch.prediction, self.low, 1.0 - self.high)
        return replace(batch, prediction=clipped, eps=0.0)

    def describe(self, params: Mapping[str, Any], link: str, weighted: bool) -> str:
        """The convention in words, for a note."""
        convention = self.convention
        parts = [f"{name}={param_text(params[name])}" for name in convention.params]
        if link == "probability":
            parts += ["rows of probabilities divided by their sum"] if convention.rescales else []
            parts += [self._clip_in_words()] if convention.clip is not None else []
        if weighted:
            parts.append(f"the mean divides by {ROW_COUNT if self.by_rows else WEIGHT_SUM}")
        chosen = "; ".join(parts) or "its definition is the default here"
        return f"{convention.call}: {chosen}" + (f" ({convention.but})" if convention.but else "")

    def _clip_in_words(self) -> str:
        clip = self.convention.clip
        assert clip is not None
        if not clip.both and not clip.targets:
            return f"logarithms of probabilities not below {round(math.log(self.low))}"
        what = "probabilities of predictions and targets" if clip.targets else "probabilities"
        if not self.high:
            return f"{what} not below {self.low:.3g}"
        if self.low == self.high:
            return f"{what} clipped at {self.low:.3g} on both sides"
        return f"{what} clipped at {self.low:.3g} and at 1 - {self.high:.3g}"
