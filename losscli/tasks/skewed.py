"""Forecasts of skewed distributions: extreme values, waiting times, amounts, and two-piece distributions."""

from __future__ import annotations

from losscli.numeric.arrays import Array
from losscli.numeric.cached import cached_property
from losscli.tasks.parameters import Distribution, LocationScale, Positive, Probability, Real, Scale


class Extreme(LocationScale, frozen=True):
    """A distribution of extremes: a shape above 0 gives a heavy tail, below 0 a bounded support."""

    shape: Real

    @cached_property
    def stretch(self) -> Array:
        """Shape times z (n,); the support ends at -1."""
        return self.shape * self.z

    @cached_property
    def unstretched(self) -> Array:
        """Log(1 + shape z) / shape (n,), which is z for shape 0; infinite outside the support."""
        xp, t = self.xp, self.stretch
        inside = t > -1
        value = xp.log1p(xp.where(inside, t, 0.0)) / xp.where(self.shape == 0, 1.0, self.shape)
        value = xp.where(xp.abs(t) < 1e-17, self.z, value)
        return xp.where(inside, value, xp.where(self.shape > 0, -xp.inf, xp.inf))


class GeneralizedExtremeValue(Extreme, frozen=True):
    """The generalized extreme value distribution (of maxima), with shape, location and scale."""


class GeneralizedPareto(Extreme, frozen=True):
    """The generalized Pareto distribution (of excesses over a threshold), with shape, location and scale."""


class GeneralizedParetoWithMass(GeneralizedPareto, frozen=True):
    """The generalized Pareto distribution with the probability mass at the location."""

    mass: Probability


class ShiftedExponential(LocationScale, frozen=True):
    """The exponential distribution with mean scale, shifted to start at the location."""


class ExponentialWithMass(ShiftedExponential, frozen=True):
    """The shifted exponential distribution with the probability mass at the location."""

    mass: Probability


class TwoPiece(Distribution, frozen=True):
    """A density with scale1 below the location and scale2 above it."""

    location: Real
    scale1: Positive
    scale2: Positive

    @cached_property
    def error(self) -> Array:
        """Target - location."""
        return self.target - self.location

    @cached_property
    def scale(self) -> Array:
        """The scale on the side of the target (n,)."""
        return self.xp.where(self.error < 0, self.scale1, self.scale2)

    @cached_property
    def distance(self) -> Array:
        """|error| in units of the scale on its side (n,)."""
        return self.xp.abs(self.error) / self.scale


class TwoPieceNormal(TwoPiece, frozen=True):
    """Normal with standard deviation scale1 below the location and scale2 above it."""


class TwoPieceExponential(TwoPiece, frozen=True):
    """Exponential with mean distance scale1 below the location and scale2 above it."""


class LogScale(Distribution, frozen=True):
    """A distribution of positive numbers, given by the distribution of their logarithm."""

    @cached_property
    def log_target(self) -> Array:
        """The logarithm of the target (n,), minus infinity for targets <= 0."""
        xp, positive = self.xp, self.target > 0
        return xp.where(positive, xp.log(xp.where(positive, self.target, 1.0)), -xp.inf)

    def from_median(self, log_median: Array) -> Array:
        """The target minus the median (n,), without cancellation."""
        xp, ratio = self.xp, self.log_target - log_median
        median, near = xp.exp(log_median), xp.abs(ratio) < 0.5
        return xp.where(near, median * xp.expm1(xp.where(near, ratio, 0.0)), self.target - median)


class LogLogistic(LogScale, frozen=True):
    """The logarithm is logistic with mean mulog and scale sigmalog."""

    mulog: Real
    sigmalog: Scale


class LogLaplace(LogScale, frozen=True):
    """The logarithm is Laplace with median locationlog and scale scalelog."""

    locationlog: Real
    scalelog: Scale


class CensoredShiftedGamma(Distribution, frozen=True):
    """The gamma distribution shifted down by shift and left-censored at zero."""

    shape: Positive
    rate: Positive
    shift: Real
