"""Forecasts of distributions: one column per parameter, with the name of the parameter."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, ClassVar

from losscli.data.stream import Part
from losscli.numeric.arrays import Array
from losscli.numeric.ranges import Range
from losscli.report.findings import Code
from losscli.tasks.block import Block
from losscli.tasks.catalog import Task
from losscli.tasks.named import COUNT, POSITIVE, PROBABILITY, Column, Named, Target, read

Real = Annotated[Array, Column()]
Positive = Annotated[Array, Column(POSITIVE)]
Deviation = Annotated[Array, Column(POSITIVE, variance="root")]
Scale = Annotated[Array, Column(POSITIVE, variance="refused")]
NonNegative = Annotated[Array, Column(Range(0))]
Probability = Annotated[Array, Column(PROBABILITY)]
PositiveProbability = Annotated[Array, Column(Range(0, 1, open="low"))]
Count = Annotated[Array, Column(COUNT)]


class _Distribution(Named, frozen=True):
    """The parameters of one distribution (n,), by the names of the columns, and the target (n,)."""

    task: ClassVar[str] = "distribution"
    may_be_infinite: ClassVar[bool] = True
    target: Target


class _MuSigma(_Distribution, frozen=True):
    mu: Real
    sigma: Scale

    @cached_property
    def error(self) -> Array:
        """Target - mu."""
        return self.target - self.mu

    @cached_property
    def z(self) -> Array:
        """The error in units of sigma."""
        return self.error / self.sigma


class _LocationScale(_Distribution, frozen=True):
    location: Real
    scale: Scale

    @cached_property
    def error(self) -> Array:
        """Target - location."""
        return self.target - self.location

    @cached_property
    def z(self) -> Array:
        """The error in units of the scale."""
        return self.error / self.scale


class Normal(_MuSigma, frozen=True):
    """Mean mu and standard deviation sigma."""

    sigma: Deviation


class Logistic(_MuSigma, frozen=True):
    """Mean mu and scale sigma."""


class Laplace(_LocationScale, frozen=True):
    """Median location, and mean absolute deviation scale."""


class StudentT(_LocationScale, frozen=True):
    """Student's t with df degrees of freedom, location and scale."""

    df: Positive


class LogNormal(_Distribution, frozen=True):
    """The logarithm is normal with mean mulog and standard deviation sigmalog."""

    mulog: Real
    sigmalog: Deviation

    @cached_property
    def of_log(self) -> Normal:
        """The distribution of the logarithm; the logarithm of a target <= 0 is minus infinity."""
        positive = self.target > 0
        log = self.xp.where(positive, self.xp.log(self.xp.where(positive, self.target, 1.0)), -self.xp.inf)
        return Normal(self.xp, log, self.mulog, self.sigmalog)


class Exponential(_Distribution, frozen=True):
    """Mean 1 / rate."""

    rate: Positive


class Gamma(_Distribution, frozen=True):
    """Mean shape / rate."""

    shape: Positive
    rate: Positive


class Beta(_Distribution, frozen=True):
    """Mean a / (a + b), between 0 and 1."""

    a: Positive
    b: Positive


class Uniform(_Distribution, frozen=True):
    """Constant density from min to max."""

    min: Real
    max: Real

    @classmethod
    def check(cls, block: Block, part: Part, values: Mapping[str, Array]) -> None:
        """Flag empty ranges."""
        low, high = values["min"][:, 0], values["max"][:, 0]
        block.flag(
            low >= high,
            Code.EMPTY_RANGE,
            (*part.arrays["min"], *part.arrays["max"]),
            lambda i: f"{float(low[i])!r} and {float(high[i])!r}",
        )


class _Counts(_Distribution, frozen=True):
    @cached_property
    def count(self) -> Array:
        """The target (n,); NaN where it is no count."""
        xp, y = self.xp, self.target
        return xp.where((y >= 0) & (y == xp.floor(y)), y, xp.nan)

    @cached_property
    def floor(self) -> Array:
        """The greatest count that is not above the target (n,), 0 if the target is negative."""
        return self.xp.maximum(self.xp.floor(self.target), 0.0)

    def reached(self, values: Array, otherwise: float) -> Array:
        """The values (n,) where the target is at least the smallest count, 0."""
        return self.xp.where(self.target >= 0, values, otherwise)


class Poisson(_Counts, frozen=True):
    """Counts with the given mean."""

    mean: NonNegative


class Binomial(_Counts, frozen=True):
    """Successes in n trials with probability prob."""

    n: Count
    prob: Probability


class NegativeBinomial(_Counts, frozen=True):
    """Failures before n successes with probability prob; n may be fractional."""

    n: Positive
    prob: PositiveProbability


DISTRIBUTIONS: Mapping[str, type[Named]] = {
    "normal": Normal,
    "student_t": StudentT,
    "laplace": Laplace,
    "lognormal": LogNormal,
    "gamma": Gamma,
    "exponential": Exponential,
    "beta": Beta,
    "uniform": Uniform,
    "binomial": Binomial,
    "poisson": Poisson,
    "logistic": Logistic,
    "negbinom": NegativeBinomial,
}
"""The distributions, by the name in their losses; if two have the same parameters, the first is usual."""

TASK = Task(
    "distribution",
    read,
    usual=tuple(f"{score}_{name}" for name in DISTRIBUTIONS for score in ("crps", "log_score")),
    batches=tuple(DISTRIBUTIONS.values()),
    shown=(Normal,),
)
