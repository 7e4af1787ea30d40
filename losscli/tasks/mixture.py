"""Forecasts of mixtures of normal distributions: columns m0, s0, w0, m1, ... of each component."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from losscli.data.stream import Part
from losscli.errors import UsageError
from losscli.numeric.arrays import Array
from losscli.tasks.block import Block
from losscli.tasks.named import POSITIVE, PROBABILITY, Column, Keys
from losscli.tasks.parameters import Distribution
from losscli.tasks.probabilities import check_sum

MEANS = Column(role="family", pattern=r"(?:m|mean_?|mu_?)(\d+)", like="m0, m1, ...")
DEVIATIONS = Column(POSITIVE, role="family", pattern=r"(?:s|sd_?|std_?|sigma_?)(\d+)", like="s0, s1, ...")
WEIGHTS = Column(
    PROBABILITY, role="family", pattern=r"(?:w|weight_?)(\d+)", like="w0, w1, ...", words="from 0 to 1"
)


class NormalMixture(Distribution, frozen=True):
    """The means, standard deviations and weights of the components (n, components)."""

    means: Annotated[Array, MEANS]
    deviations: Annotated[Array, DEVIATIONS]
    weights: Annotated[Array, WEIGHTS]

    @classmethod
    def cells(cls, keys: Mapping[str, Keys], widths: Mapping[str, int]) -> tuple[str, ...]:
        """No cells.  Raises UsageError if a parameter of a component is missing."""
        if len(set(widths.values())) > 1 or len({numbers for numbers in keys.values() if numbers}) > 1:
            raise UsageError(
                "each component needs a mean, a standard deviation and a weight",
                remedy="name them m0, s0, w0, m1, s1, w1",
            )
        return ()

    @classmethod
    def check(cls, block: Block, part: Part, values: Mapping[str, Array]) -> None:
        """Flag weights that do not sum to one."""
        remedy = "divide the weights of a row by their sum"
        check_sum(block, values["weights"], "", part.arrays["weights"], remedy)

    @property
    def components(self) -> range:
        """The numbers of the components."""
        return range(self.means.shape[1])
