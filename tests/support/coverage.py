"""How often intervals hold the truth: simulations of rows whose true loss is known.

`python tests/support/coverage.py docs/reference/coverage.md` renews the tables of the page.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace
from scipy import integrate, special, stats

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

from losscli.catalog import registry
from losscli.numeric.poisson import Resampling, counts
from losscli.states import clusters, inference
from losscli.states.base import Estimate
from losscli.states.cells import Cells
from losscli.states.moments import Moments
from losscli.states.ranks import Ranks
from losscli.states.reductions import BoundReduction, Reduction, mean, ratio, root
from support.samples import moments

LEVEL = 0.95
SIZES = (30, 100, 300, 1000)
DESIGNS = ("plain", "weighted", "clustered", "paired")
PER_CLUSTER = 5
REPLICATES, PER_SEED = 1_000, 100
"""Replicates of a bootstrap, and samples that are resampled with the same seed."""
NUMBERS = 1 << 20
"""Rows that are drawn at once."""
Draw = Callable[[], np.ndarray]
"""Standard normal numbers (replications, rows), in clusters if the design has them."""


class Kind(NamedTuple):
    """A loss of rows: its columns from normal numbers, its true value, and the skewness of a row.

    A loss of order has the name `order`.  Two models share the first `shared` numbers that are drawn.
    """

    columns: Callable[[Draw], tuple[np.ndarray, ...]]
    truth: float
    skewness: float
    reduction: Reduction = mean
    order: str = ""
    shared: int = 0
    bounds: tuple[float, float] = (-math.inf, math.inf)

    @property
    def bound(self) -> BoundReduction:
        """How the columns become the value."""
        if not self.order:
            return BoundReduction(self.reduction, {}, bounds=self.bounds)
        return registry.choose(registry.named(self.order), {}, {}).reduction.with_pilots((None,))


def _error_rate(share: float) -> Kind:
    limit = stats.norm.ppf(share)
    skewness = (1 - 2 * share) / math.sqrt(share * (1 - share))
    return Kind(lambda z: ((z() < limit).astype(float),), share, skewness, bounds=(0.0, 1.0))


def _explained(z: Draw) -> tuple[np.ndarray, ...]:
    error = 0.8 * z()
    target = 1.5 * z() + error
    return error**2, target, target**2


def _relative(z: Draw) -> tuple[np.ndarray, ...]:
    target = -special.log_ndtr(z())
    return np.abs(z()) * np.sqrt(target), target


def _overlap(z: Draw) -> tuple[np.ndarray, ...]:
    """Of 30 % positive rows 80 % are found, and 10 % of the others."""
    positive, score = z() < stats.norm.ppf(0.3), stats.norm.cdf(z())
    found = score < np.where(positive, 0.8, 0.1)
    return (positive & found).astype(float), (positive ^ found).astype(float)


def _f1(xp, m):
    return 2 * m[..., 0] / (2 * m[..., 0] + m[..., 1])


def _r2(xp, m):
    return 1 - m[..., 0] / (m[..., 2] - m[..., 1] ** 2)


KINDS = {
    "absolute normal errors": Kind(lambda z: (np.abs(z()),), math.sqrt(2 / math.pi), 1.0),
    "exponential": Kind(lambda z: (-special.log_ndtr(z()),), 1.0, 2.0),
    "squared normal errors": Kind(lambda z: (z() ** 2,), 1.0, math.sqrt(8)),
    "lognormal (sigma 1)": Kind(lambda z: (np.exp(z()),), math.exp(0.5), 6.2),
    "squared t(6) errors": Kind(lambda z: (stats.t.ppf(special.ndtr(z()), 6) ** 2,), 1.5, math.inf),
    "0/1 errors at 20 %": _error_rate(0.2),
    "0/1 errors at 5 %": _error_rate(0.05),
    "0/1 errors at 1 %": _error_rate(0.01),
    "RMSE of normal errors": Kind(lambda z: (z() ** 2,), 1.0, math.sqrt(8), root),
    "R2 of 0.78": Kind(_explained, 1 - 0.64 / (0.64 + 2.25), 2.8, Reduction(_r2)),
    "WAPE": Kind(_relative, math.sqrt(2 / math.pi) * math.gamma(1.5), 2.0, ratio),
    "F1 of 0.79": Kind(_overlap, 0.48 / (0.48 + 0.13), 1.0, Reduction(_f1)),
}


RESAMPLED = (
    "exponential",
    "squared normal errors",
    "lognormal (sigma 1)",
    "squared t(6) errors",
    "0/1 errors at 5 %",
    "R2 of 0.78",
)
"""Losses of which the intervals by a bootstrap are simulated too."""


def _scores(z: Draw) -> tuple[np.ndarray, ...]:
    """Of 30 % positive rows the scores are 1.5 higher."""
    positive = z() < stats.norm.ppf(POSITIVE)
    return z() + APART * positive, positive


def _precision(recall: float) -> float:
    hits, false = POSITIVE * recall, (1 - POSITIVE) * stats.norm.sf(stats.norm.isf(recall) + APART)
    return float(hits / (hits + false))


def _values(z: Draw) -> tuple[np.ndarray, ...]:
    target = z()
    return 0.6 * target + 0.8 * z(), target


POSITIVE, APART = 0.3, 1.5
OF_ORDER = {
    "median of absolute errors": Kind(
        lambda z: (np.abs(z()),), stats.norm.ppf(0.75), 0.0, order="median_absolute_error"
    ),
    "95 % quantile of absolute errors": Kind(
        lambda z: (np.abs(z()),), stats.norm.ppf(0.975), 0.0, order="quantile_absolute_error"
    ),
    "area under the ROC curve, 0.86": Kind(
        _scores, stats.norm.cdf(APART / math.sqrt(2)), 0.0, order="roc_auc", shared=1
    ),
    "average precision, 0.74": Kind(
        _scores, integrate.quad(_precision, 0, 1)[0], 0.0, order="average_precision", shared=1
    ),
    "Spearman correlation, 0.58": Kind(
        _values, 6 / math.pi * math.asin(0.3), 0.0, order="spearman_correlation", shared=1
    ),
}
"""Losses of order, of which fewer samples are simulated: each is sorted by itself."""


class Missed(NamedTuple):
    """The shares of the intervals that lie wholly below and above the truth."""

    below: float
    above: float


def missed(
    kind: Kind, design: str, n: int, replications: int, seed: int = 0, resampled: bool = False
) -> Missed:
    """How often the intervals of n rows miss the truth on each side; those of a bootstrap if `resampled`."""
    rng, found = np.random.default_rng(seed), list[Missed]()
    step = PER_SEED if resampled else max(1, NUMBERS // n)
    for first in range(0, replications, step):
        own = min(step, replications - first)
        truth = 0.0 if design == "paired" else kind.truth
        resampling = Resampling(REPLICATES, seed=first) if resampled else None
        estimates = _estimates(kind, design, (own, n), rng, resampling)
        each = [one for one in estimates if one.ci_low is not None]
        below = sum(one.ci_high < truth for one in each)
        found.append(Missed(below, sum(one.ci_low > truth for one in each)))
    return Missed(*(sum(side) / replications for side in zip(*found, strict=True)))


def _estimates(
    kind: Kind,
    design: str,
    shape: tuple[int, int],
    rng: np.random.Generator,
    resampling: Resampling | None = None,
) -> list[Estimate]:
    cluster = np.arange(shape[1]) // PER_CLUSTER if design == "clustered" else None
    weight = rng.choice([0.5, 1.0, 3.0], size=shape) if design == "weighted" else None

    def draw() -> np.ndarray:
        own = rng.normal(size=shape)
        if cluster is None:
            return own
        shared = rng.normal(size=(shape[0], cluster[-1] + 1))[:, cluster]
        return math.sqrt(0.5) * (shared + own)

    if design != "paired":
        columns = kind.columns(draw)
        found = folded(kind, columns, weight, cluster)
        if resampling is not None:
            units = np.arange(shape[1]) if cluster is None else cluster
            found = with_draws(found, columns, weight, units, resampling)
        return inference.estimates(kind.bound, found, LEVEL)
    a, b = _pair(kind, draw)
    if kind.order:
        pair = folded(kind, (*a, *b), paired=True)
    else:
        change = tuple(y - x for x, y in zip(a, b, strict=True))
        pair = folded(kind, change if kind.reduction is mean else (*a, *change))
    return inference.differences(kind.bound, pair, folded(kind, a), folded(kind, b), LEVEL)


def _pair(kind: Kind, draw: Draw) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """The columns of two models whose errors share half of their noise."""
    first: list[np.ndarray] = []

    def of_a() -> np.ndarray:
        first.append(draw())
        return first[-1]

    a = kind.columns(of_a)
    again = iter(enumerate(first))

    def of_b() -> np.ndarray:
        place, own = next(again)
        return own if place < kind.shared else math.sqrt(0.5) * (own + draw())

    return a, kind.columns(of_b)


def folded(
    kind: Kind,
    columns: tuple[np.ndarray, ...],
    weight: np.ndarray | None = None,
    cluster: np.ndarray | None = None,
    paired: bool = False,
) -> Moments:
    """The moments of each replication of columns (r, n), the rows of which may be in clusters (n,)."""
    replications, n = columns[0].shape
    flat = tuple(column.ravel() for column in columns)
    w = None if weight is None else weight.ravel()
    codes = np.repeat(np.arange(replications), n)
    if kind.order:
        groups = None if cluster is None else np.tile(cluster, replications)
        cells = Cells(np, len(codes), w, 0, codes, replications, groups)
        return Ranks.of(cells, flat).settled(kind.bound, LEVEL, paired)
    found = moments(flat, w, codes=codes, cells=replications)
    if cluster is None:
        return found
    block = clusters.Block(
        clusters.pairs_of(clusters.Clusters.of(np.tile(cluster, replications)), {0: codes})
    )
    block.add(0, flat, w, None)
    return clusters.between(found, block.totals()[0], 0)


def with_draws(
    found: Moments,
    columns: tuple[np.ndarray, ...],
    weight: np.ndarray | None,
    units: np.ndarray,
    resampling: Resampling,
) -> Moments:
    """The moments of replications with those of replicates, the same rows of each drawn as often."""
    times = counts(np, resampling.keys(units), resampling.replicates).astype(float)
    w = np.ones_like(columns[0]) if weight is None else weight
    apart = [column - mean[:, None] for column, mean in zip(columns, found.mean.T, strict=True)]
    return replace(found, draws=np.stack([w @ times, *((w * each) @ times for each in apart)], axis=1))


def side_by_side(replications: int) -> str:
    """The misses of analytic intervals and of those of a bootstrap, as Markdown."""
    lines = [
        f"| row losses | intervals | {' | '.join(f'n = {n:,}' for n in SIZES)} |",
        "|---|---|---|---|---|---|",
    ]
    for name in RESAMPLED:
        kind = KINDS[name]
        for resampled, method in enumerate(("analytic", "bootstrap")):
            sides = [missed(kind, "plain", n, replications, resampled=bool(resampled)) for n in SIZES]
            cells = (f"{100 * each.below:.1f}, {100 * each.above:.1f}" for each in sides)
            lines.append(f"| {name} | {method} | {' | '.join(cells)} |")
            print(lines[-1], flush=True)
    return "\n".join(lines)


def table(kinds: Mapping[str, Kind], replications: int) -> str:
    """The share of misses below and above the truth in per cent, as Markdown."""
    lines = [
        f"| design | row losses | {' | '.join(f'n = {n:,}' for n in SIZES)} |",
        "|---|---|---|---|---|---|",
    ]
    for design in DESIGNS:
        for name, kind in kinds.items():
            sides = [missed(kind, design, n, replications) for n in SIZES]
            cells = (f"{100 * each.below:.1f}, {100 * each.above:.1f}" for each in sides)
            lines.append(f"| {design} | {name} | {' | '.join(cells)} |")
            print(lines[-1], flush=True)
    return "\n".join(lines)


if __name__ == "__main__":
    page, wanted = Path(sys.argv[1]), sys.argv[2:]
    tables: dict[str, Callable[[], str]] = {
        "coverage": lambda: table(KINDS, 4_000),
        "order": lambda: table(OF_ORDER, 2_000),
        "bootstrap": lambda: side_by_side(2_000),
    }
    for place in wanted or tables:
        text = page.read_text(encoding="utf-8")
        head, mark, rest = text.partition(f"<!-- {place} -->\n")
        _, end, tail = rest.partition("<!-- end -->\n")
        page.write_text(head + mark + tables[place]() + "\n" + end + tail, encoding="utf-8")
