"""Write the reference cases of scores that no library of scores has, or has right, by SciPy.

    python tests/reference/from_scipy.py

They stay where they are when other cases are carried over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import scipy
from scipy import integrate, stats

HERE = Path(__file__).parent
ROWS = 60
Columns = Mapping[str, np.ndarray]


def main() -> None:
    cases = {}
    for name, call, columns, target, score in made():
        folder = HERE / "data" / name
        folder.mkdir(parents=True, exist_ok=True)
        ids = np.arange(ROWS)
        pl.DataFrame({"id": ids, **columns}).write_parquet(folder / "preds.parquet")
        pl.DataFrame({"id": ids, "y_true": target}).write_parquet(folder / "targets.parquet")
        pl.DataFrame({"id": ids, "loss": score}).write_parquet(folder / "per_row.parquet")
        cases[name] = {
            "name": name,
            "loss": name,
            "arguments": ["evaluate", "preds.parquet", "targets.parquet", "--on", "id", "-l", name],
            "expected": float(score.mean()),
            "rtol": 1e-10,
            "atol": 1e-12,
            "library": "scipy",
            "version": scipy.__version__,
            "call": call,
        }
    known = json.loads((HERE / "cases.json").read_text())
    every = {case["name"]: case for case in known} | cases
    text = ",\n".join(json.dumps(every[name]) for name in sorted(every))
    (HERE / "cases.json").write_text(f"[\n{text}\n]\n")


def made():
    """The cases of all families."""
    yield from bounded()
    yield from with_masses()
    yield from hypergeometric()
    yield from weighted_ensemble()


def bounded():
    """Each case: its name, the call, the columns of the predictions, the targets, and the scores of rows."""
    rng = np.random.default_rng(20)
    families = {"normal": stats.norm, "logistic": stats.logistic, "student_t": stats.t}
    for family, law in families.items():
        columns = {
            "location": rng.normal(size=ROWS),
            "scale": rng.gamma(3.0, 0.4, ROWS) + 0.2,
            "lower": rng.normal(-1.5, 0.3, ROWS),
            "upper": rng.normal(1.5, 0.3, ROWS),
        }
        df = rng.gamma(4.0, size=ROWS) + 1.5
        args = (df,) if family == "student_t" else ()
        if args:
            columns["df"] = df
        own = law(*args, columns["location"], columns["scale"])
        lower, upper = columns["lower"], columns["upper"]
        y = np.clip(rng.normal(0.0, 1.6, ROWS), lower, upper)
        y[:3] = lower[:3]
        y[3:6] = upper[3:6]
        at_bounds = [y == lower, y == upper]
        score = -np.select(at_bounds, [own.logcdf(lower), own.logsf(upper)], own.logpdf(y))
        yield f"log_score_censored_{family}", "logcdf, logpdf, logsf", columns, y, score
        lmass, umass = rng.uniform(0.02, 0.4, (2, ROWS))
        inside = (1 - lmass - umass) / (own.cdf(upper) - own.cdf(lower))
        score = -np.select(at_bounds, [np.log(lmass), np.log(umass)], np.log(inside) + own.logpdf(y))
        columns = columns | {"lmass": lmass, "umass": umass}
        yield f"log_score_bounded_{family}", "logpdf, cdf, with the masses", columns, y, score


def crps(cdf, y, ends):
    """The integral of (F(x) - [y <= x])^2 between the ends, by rows; F is zero below the first one."""
    found = []
    for row, (target, low, high) in enumerate(zip(y, *ends, strict=True)):
        steps = low + (high - low) * np.array([0.0, 1e-6, 1e-5, 1e-4, 1e-2, 1.0])
        cuts = sorted({*steps.tolist(), min(max(target, low), high)})

        def squared(x, row=row, target=target):
            return (cdf(x, row) - (target <= x)) ** 2

        parts = [
            integrate.quad(squared, *pair, epsabs=0, epsrel=1e-12, limit=500)[0] for pair in pairwise(cuts)
        ]
        found.append(sum(parts) + max(low - target, 0.0) + max(target - high, 0.0))
    return np.array(found)


def with_masses():
    """Waiting times and excesses, with a mass at the location or without one."""
    rng = np.random.default_rng(21)
    location, scale = rng.normal(size=ROWS), rng.gamma(3.0, 0.4, ROWS) + 0.2
    mass, shape = rng.uniform(0.05, 0.7, ROWS), rng.uniform(-0.4, 0.4, ROWS)
    y = location + np.where(rng.random(ROWS) < mass, 0.0, rng.exponential(size=ROWS) * scale)
    y = np.where(shape < 0, np.minimum(y, location - 0.999 * scale / np.minimum(shape, -1e-9)), y)
    place = {"location": location, "scale": scale}
    cases = {
        "gpd_with_mass": (
            stats.genpareto(shape, location, scale),
            {"mass": mass, "shape": shape} | place,
            mass,
        ),
        "exponential_with_mass": (stats.expon(location, scale), {"mass": mass} | place, mass),
        "shifted_exponential": (stats.expon(location, scale), place, np.zeros(ROWS)),
    }
    for name, (law, columns, own) in cases.items():
        at_mass = (y == location) & (own > 0)
        logs = np.where(at_mass, np.log(np.where(own > 0, own, 1.0)), np.log1p(-own) + law.logpdf(y))
        if name != "shifted_exponential":
            yield f"log_score_{name}", "logpdf, with the mass", columns, y, -logs

        def cdf(x, row, name=name, own=own):
            # As genpareto.cdf and expon.cdf, which take a thousand times as long for single numbers.
            z = (x - location[row]) / scale[row]
            if name == "gpd_with_mass":
                z = np.log1p(np.maximum(shape[row] * z, -1.0)) / shape[row] if shape[row] * z > -1 else np.inf
            return own[row] - (1 - own[row]) * np.expm1(-z)

        if name != "exponential_with_mass":
            far = location + scale * 1e6
            score = crps(cdf, y, (location, far))
            yield f"crps_{name}", "the integral of (cdf - [y <= x])^2", columns, y, score
    k, rate, shift = rng.gamma(3.0, size=ROWS) + 0.3, rng.uniform(0.5, 2.0, ROWS), rng.uniform(0.1, 2.0, ROWS)
    y = np.maximum(rng.gamma(k) / rate - shift, 0.0)
    law = stats.gamma(k, 0.0, 1 / rate)
    score = -np.where(y == 0, law.logcdf(shift), law.logpdf(y + shift))
    columns = {"shape": k, "rate": rate, "shift": shift}
    yield (
        "log_score_censored_shifted_gamma",
        "gamma.logcdf(shift), gamma.logpdf(y + shift)",
        columns,
        y,
        score,
    )


def hypergeometric():
    """Draws of all sizes: scoringrules 0.10 leaves out the counts above n."""
    rng = np.random.default_rng(22)
    m, n = rng.integers(3, 30, (2, ROWS))
    k = rng.integers(1, m + n)
    y = rng.hypergeometric(m, n, k) * 1.0
    law = stats.hypergeom(m + n, m, k)
    score = sum((law.cdf(x) - (y <= x)) ** 2 for x in range(60))
    columns = {"m": m * 1.0, "n": n * 1.0, "k": k * 1.0}
    yield "crps_hypergeometric", "the sum of (hypergeom.cdf - [y <= x])^2", columns, y, score


def weighted_ensemble():
    """Members with weights: half the squared energy distance from the target."""
    rng = np.random.default_rng(23)
    members, weights = rng.normal(size=(ROWS, 7)), rng.gamma(2.0, size=(ROWS, 7))
    y = rng.normal(size=ROWS)
    score = np.array(
        [stats.energy_distance(m, [t], w) ** 2 / 2 for m, t, w in zip(members, y, weights, strict=True)]
    )
    columns = {f"m{i}": members[:, i] for i in range(7)} | {f"w{i}": weights[:, i] for i in range(7)}
    yield "crps_weighted_ensemble", "energy_distance(members, [y], weights)^2 / 2", columns, y, score


if __name__ == "__main__":
    main()
