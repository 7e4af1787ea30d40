"""Scores of densities with different scales on the two sides of the location."""

from __future__ import annotations

import math

from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array
from losscli.numeric.special import special
from losscli.tasks.skewed import TwoPiece, TwoPieceExponential, TwoPieceNormal

SQRT2 = math.sqrt(2.0)
FAR = 40.0
"""Beyond this the normal tail is zero; clipping avoids infinity times zero."""
HALF_LOG_2PI = math.log(2.0 * math.pi) / 2


def _crps(batch: TwoPiece, to_target: Array, spread: float) -> Array:
    """The CRPS from two integrals of the tail S of the symmetric density: of S up to the target, and of S^2.

    A side with probability w has the tail 2 w S.
    """
    share = batch.scale / (batch.scale1 + batch.scale2)
    sides = [(scale / (batch.scale1 + batch.scale2), scale) for scale in (batch.scale1, batch.scale2)]
    squares = sum(part * part * scale for part, scale in sides)
    return batch.xp.abs(batch.error) + 4.0 * (spread * squares - share * batch.scale * to_target)


@loss("crps_2pnormal")
def crps_two_piece_normal(batch: TwoPieceNormal) -> Array:
    """The CRPS of the two-piece normal distribution.

    l = |y - location| + 4 (c (s1^3 + s2^3) / (s1 + s2)^2 - s^2 / (s1 + s2) integral from 0 to z of 1 - Phi),
    s the scale on the side of y, z = |y - location| / s, c = (sqrt 2 - 1) / (2 sqrt pi).  Unit: target.

    Gneiting and Thorarinsdottir (2010), arXiv:1010.2318
    """
    xp, z = batch.xp, batch.distance
    density = -xp.expm1(-z * z / 2) / math.sqrt(2.0 * math.pi)
    to_target = density + xp.minimum(z, FAR) * special(xp).erfc(z / SQRT2) / 2
    return _crps(batch, to_target, (SQRT2 - 1.0) / (2.0 * math.sqrt(math.pi)))


@loss("logs_2pnormal", best=None)
def log_score_two_piece_normal(batch: TwoPieceNormal) -> Array:
    """The log score of the two-piece normal distribution.

    l = log((s1 + s2) / 2) + z^2 / 2 + log(2 pi) / 2, z in units of the scale on the side of y.  Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    mean = (batch.scale1 + batch.scale2) / 2
    return batch.xp.log(mean) + batch.distance * batch.distance / 2 + HALF_LOG_2PI


@loss("crps_2pexponential")
def crps_two_piece_exponential(batch: TwoPieceExponential) -> Array:
    """The CRPS of the two-piece exponential (asymmetric Laplace) distribution.

    l = |y - location| + (s1^3 + s2^3) / (2 (s1 + s2)^2) - 2 s^2 (1 - exp(-z)) / (s1 + s2), s the scale on the
    side of y, z = |y - location| / s.  Unit: target.

    Jordan et al. (2019), doi:10.18637/jss.v090.i12
    """
    return _crps(batch, -batch.xp.expm1(-batch.distance) / 2, 1.0 / 8.0)


@loss("logs_2pexponential", best=None)
def log_score_two_piece_exponential(batch: TwoPieceExponential) -> Array:
    """The log score of the two-piece exponential (asymmetric Laplace) distribution.

    l = log(s1 + s2) + z, z = |y - location| in units of the scale on the side of y.  Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    return batch.xp.log(batch.scale1 + batch.scale2) + batch.distance
