"""Kernel scores of ensembles: M members x, the target y, and a kernel that decreases with distance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from losscli.catalog.params import Positive
from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array
from losscli.numeric.vectors import length
from losscli.tasks.ensemble import Ensemble, MultivariateEnsemble

TWO = "two members or more where it is unbiased"
Estimator = Literal["nrg", "fair", "akr", "akr_circperm"]


def _score(
    batch: Ensemble | MultivariateEnsemble, estimator: str, distance: Callable[[Array], Array], scale: float
) -> Array:
    """The mean of 1 - k(x, y) minus half that of 1 - k(x, x'), which is accurate at small distances."""
    xp, x, size = batch.xp, batch.members, batch.size

    def dissimilarity(difference: Array) -> Array:
        d = distance(difference) / scale
        return -xp.expm1(-d * d / 2)

    if estimator.startswith("akr"):
        shift = 1 if estimator == "akr" else 1 + (size - 1) // 2
        pairs = xp.mean(dissimilarity(x - xp.roll(x, shift, axis=1)), axis=1) / 2
    else:
        total = sum(
            xp.sum(dissimilarity(x[:, step:] - x[:, : size - step]), axis=1) for step in range(1, size)
        )
        pairs = total / (size * (size if estimator == "nrg" else size - 1) or xp.nan)
    return xp.mean(dissimilarity(x - batch.target[:, None]), axis=1) - pairs


@loss("gksuv_ensemble", worst=1.0, domain=TWO)
def gaussian_kernel_score_ensemble(
    batch: Ensemble, *, estimator: Estimator = "nrg", bandwidth: Positive = 1.0
) -> Array:
    """The CRPS with a bounded distance, which saturates beyond the bandwidth.

    l = (1 + mean k(x, x')) / 2 - mean k(x, y), k(x, y) = exp(-((x - y) / bandwidth)^2 / 2); for fair the mean
    of k(x, x') is over pairs of different members, for akr over each and the one before it, for akr_circperm
    over each and the one half a round on.  Unit: 1.

    Gneiting and Raftery (2007), doi:10.1198/016214506000001437, section 5
    """
    return _score(batch, estimator, batch.xp.abs, bandwidth)


@loss("gksmv_ensemble", worst=1.0, domain=TWO)
def gaussian_kernel_score_multivariate(
    batch: MultivariateEnsemble, *, estimator: Estimator = "nrg", bandwidth: Positive = 1.0
) -> Array:
    """The energy score with a bounded distance, which saturates beyond the bandwidth.

    l = (1 + mean k(x, x')) / 2 - mean k(x, y), k(x, y) = exp(-(|x - y| / bandwidth)^2 / 2), estimated as in
    gaussian_kernel_score_ensemble.  Unit: 1.

    Gneiting and Raftery (2007), doi:10.1198/016214506000001437, section 5
    """
    return _score(batch, estimator, lambda difference: length(batch.xp, difference), bandwidth)
