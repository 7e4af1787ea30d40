"""Write the reference cases of log scores that no library of scores has, from SciPy's distributions.

    python tests/reference/from_scipy.py

They stay where they are when other cases are carried over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
import scipy
from scipy import stats

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


if __name__ == "__main__":
    main()
