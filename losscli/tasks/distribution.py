"""Forecasts of distributions: one column per parameter, with the name of the parameter."""

from __future__ import annotations

from collections.abc import Mapping

from losscli.data.stream import Part
from losscli.numeric.arrays import Array
from losscli.numeric.cached import cached_property
from losscli.report.findings import Code
from losscli.tasks.base import Batch
from losscli.tasks.block import Block
from losscli.tasks.bounded import (
    BoundedLogistic,
    BoundedLogisticWithMass,
    BoundedNormal,
    BoundedNormalWithMass,
    BoundedStudentT,
    BoundedStudentTWithMass,
)
from losscli.tasks.catalog import Task
from losscli.tasks.mixture import NormalMixture
from losscli.tasks.named import Named, read
from losscli.tasks.parameters import (
    Count,
    Deviation,
    Distribution,
    LocationScale,
    NonNegative,
    Positive,
    PositiveProbability,
    Probability,
    Real,
    Scale,
    flag_empty_range,
)
from losscli.tasks.skewed import (
    CensoredShiftedGamma,
    ExponentialWithMass,
    GeneralizedExtremeValue,
    GeneralizedPareto,
    GeneralizedParetoWithMass,
    LogLaplace,
    LogLogistic,
    ShiftedExponential,
    TwoPieceExponential,
    TwoPieceNormal,
)


class _MuSigma(Distribution, frozen=True):
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


class Normal(_MuSigma, frozen=True):
    """Mean mu and standard deviation sigma."""

    sigma: Deviation


class Logistic(_MuSigma, frozen=True):
    """Mean mu and scale sigma."""


class Laplace(LocationScale, frozen=True):
    """Median location, and mean absolute deviation scale."""


class StudentT(LocationScale, frozen=True):
    """Student's t with df degrees of freedom, location and scale."""

    df: Positive


class LogNormal(Distribution, frozen=True):
    """The logarithm is normal with mean mulog and standard deviation sigmalog."""

    mulog: Real
    sigmalog: Deviation

    @cached_property
    def of_log(self) -> Normal:
        """The distribution of the logarithm; the logarithm of a target <= 0 is minus infinity."""
        positive = self.target > 0
        log = self.xp.where(positive, self.xp.log(self.xp.where(positive, self.target, 1.0)), -self.xp.inf)
        return Normal(self.xp, log, self.mulog, self.sigmalog)


class Exponential(Distribution, frozen=True):
    """Mean 1 / rate."""

    rate: Positive


class Gamma(Distribution, frozen=True):
    """Mean shape / rate."""

    shape: Positive
    rate: Positive


class Beta(Distribution, frozen=True):
    """Mean a / (a + b), between 0 and 1."""

    a: Positive
    b: Positive


class Uniform(Distribution, frozen=True):
    """Constant density from min to max."""

    min: Real
    max: Real

    @classmethod
    def check(cls, block: Block, part: Part, values: Mapping[str, Array]) -> None:
        """Flag empty ranges."""
        flag_empty_range(block, part, values, "min", "max")


class _Counts(Distribution, frozen=True):
    @cached_property
    def count(self) -> Array:
        """The target (n,); NaN where it is not a count."""
        xp, y = self.xp, self.target
        return xp.where((y >= 0) & (y == xp.floor(y)), y, xp.nan)

    @cached_property
    def floor(self) -> Array:
        """The largest count <= target (n,), 0 if the target is negative."""
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


class Hypergeometric(_Counts, frozen=True):
    """Successes among k draws without replacement from m successes and n failures."""

    m: Count
    n: Count
    k: Count

    @classmethod
    def check(cls, block: Block, part: Part, values: Mapping[str, Array]) -> None:
        """Flag more draws than the population has items."""
        m, n, k = (values[name][:, 0] for name in ("m", "n", "k"))
        block.flag(
            k > m + n,
            Code.TOO_MANY_DRAWS,
            part.arrays["k"],
            lambda i: f"{k[i]:g} of {m[i] + n[i]:g}",
        )

    @property
    def support(self) -> tuple[Array, Array]:
        """The smallest and the largest possible count (n,)."""
        return self.xp.maximum(self.k - self.n, 0.0), self.xp.minimum(self.m, self.k)


DISTRIBUTIONS: Mapping[str, type[Named]] = {
    "normal": Normal,
    "bounded_student_t": BoundedStudentTWithMass,
    "bounded_normal": BoundedNormalWithMass,
    "bounded_logistic": BoundedLogisticWithMass,
    "truncated_student_t": BoundedStudentT,
    "censored_student_t": BoundedStudentT,
    "truncated_normal": BoundedNormal,
    "censored_normal": BoundedNormal,
    "truncated_logistic": BoundedLogistic,
    "censored_logistic": BoundedLogistic,
    "gpd_with_mass": GeneralizedParetoWithMass,
    "gev": GeneralizedExtremeValue,
    "gpd": GeneralizedPareto,
    "exponential_with_mass": ExponentialWithMass,
    "student_t": StudentT,
    "laplace": Laplace,
    "shifted_exponential": ShiftedExponential,
    "two_piece_normal": TwoPieceNormal,
    "two_piece_exponential": TwoPieceExponential,
    "lognormal": LogNormal,
    "loglogistic": LogLogistic,
    "loglaplace": LogLaplace,
    "censored_shifted_gamma": CensoredShiftedGamma,
    "gamma": Gamma,
    "exponential": Exponential,
    "beta": Beta,
    "uniform": Uniform,
    "hypergeometric": Hypergeometric,
    "mixture_normal": NormalMixture,
    "binomial": Binomial,
    "poisson": Poisson,
    "logistic": Logistic,
    "negbinom": NegativeBinomial,
}
"""The distributions, by the name in their losses.

Columns are assigned to the first distribution whose parameters they contain.  If two names share a batch, the
first is the default.
"""

SCORES = ("crps", "log_score")
"""The prefixes of the names of the scores of each distribution."""


def distribution_of(loss: str, batch: type[Batch]) -> str | None:
    """The name of the distribution of a loss; None if its batch has several that match.

    Examples:
        >>> distribution_of("crps_censored_normal", BoundedNormal)
        'censored_normal'
    """
    names = [name for name, kind in DISTRIBUTIONS.items() if kind is batch]
    named = [name for name in names if loss.partition("@")[0] in {f"{score}_{name}" for score in SCORES}]
    candidates = named or names
    return candidates[0] if len(candidates) == 1 else None


_USUAL = {batch: name for name, batch in reversed([*DISTRIBUTIONS.items()])}

TASK = Task(
    "distribution",
    read,
    usual=tuple(f"{score}_{name}" for name in reversed(_USUAL.values()) for score in SCORES),
    batches=tuple(dict.fromkeys(DISTRIBUTIONS.values())),
    shown=(Normal,),
)
