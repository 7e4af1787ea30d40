"""What a library chooses where a loss leaves a choice, and what a batch looks like to a loss of it."""

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
"""What a weighted mean may be divided by."""

_Probabilities = TypeVar("_Probabilities", Bernoulli, Multiclass)


class Clip(Struct, frozen=True):
    """Where a library clips probabilities before it takes logarithms.

    None is below `low`, None standing for the machine epsilon of the type that the file holds; with `both`
    none is above 1 - low either, as that type can write it.  Otherwise it is the logarithms that are
    bounded, those of p and of 1 - p alike.  `targets` clips the target's probabilities too.
    """

    low: float | None = None
    both: bool = True
    targets: bool = False

    def resolved(self, type_eps: float) -> tuple[float, float]:
        """The least probability, and how far from one the greatest is."""
        low = type_eps if self.low is None else self.low
        return low, max(low, type_eps) if self.both else 0.0


class Convention(Struct, frozen=True):
    """How one library computes one loss.

    `call` is what it is there.  `params` replace the loss's own defaults, and `lacks` are parameters of it
    that the library does not have.  `clip` is where probabilities are clipped, None where they are not;
    `rescales` divides each row of them by its sum.  `weights` is what the mean divides by when rows have
    weights, `class_weights` when classes have, None where the library takes none; `soft_class_weights` the
    latter where the targets are distributions.  `but` says where its numbers differ all the same.
    """

    call: str
    params: Mapping[str, Any] = field(default_factory=dict)
    lacks: tuple[str, ...] = ()
    clip: Clip | None = None
    rescales: bool = False
    weights: str | None = WEIGHT_SUM
    class_weights: str | None = WEIGHT_SUM
    soft_class_weights: str | None = None
    but: str = ""


class Policy(Struct, frozen=True):
    """A convention settled for a run: of its file's type, link and weights.

    `low` and `high` are how near to zero and to one a probability may be, zero for no clip; `bounded` says
    that they bound the logarithms.  `by_rows` says that a weighted mean divides by the number of rows.
    """

    convention: Convention
    low: float = 0.0
    high: float = 0.0
    by_rows: bool = False

    def seen(self, batch: Batch) -> Batch:
        """The batch as a loss of the library sees it."""
        if isinstance(batch, Bernoulli) and batch.link == "probability":
            return self._clipped(batch)
        if isinstance(batch, Multiclass) and batch.link == "probability":
            if self.convention.rescales:
                total = batch.xp.sum(batch.prediction, axis=1)[:, None]
                batch = replace(batch, prediction=batch.prediction / batch.xp.where(total == 0, 1.0, total))
            if self.convention.clip is not None and self.convention.clip.targets:
                batch = replace(batch, code=None, soft=batch.xp.maximum(batch.target, self.low))
            return self._clipped(batch)
        return batch

    def _clipped(self, batch: _Probabilities) -> _Probabilities:
        if not self.high:
            return replace(batch, eps=self.low)
        clipped: Array = batch.xp.clip(batch.prediction, self.low, 1.0 - self.high)
        return replace(batch, prediction=clipped, eps=0.0)

    def describe(self, params: Mapping[str, Any], link: str, weighted: bool) -> str:
        """What was chosen, in words."""
        own = self.convention
        said = [f"{name}={param_text(params[name])}" for name in own.params]
        if link == "probability":
            said += ["rows of probabilities divided by their sum"] if own.rescales else []
            said += [self._clip_in_words()] if own.clip is not None else []
        if weighted:
            said.append(f"the mean divides by {ROW_COUNT if self.by_rows else WEIGHT_SUM}")
        chosen = "; ".join(said) or "its definition is the default here"
        return f"{own.call}: {chosen}" + (f" ({own.but})" if own.but else "")

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
