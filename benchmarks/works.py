"""What is measured: for each piece of work losscli's command line, its peers' scripts, and the goal."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

SAMPLES = Path(__file__).parent.parent / "sample_data" / "diabetes"
HUBER = ["-p", "y_pred", "-y", "y_true", "-l", "huber", "--bare"]
TEN = ["mse", "mae", "rmse", "smooth_l1", "pseudo_huber", "log_cosh", "mape", "pinball", "r2"]

POLARS = """
import polars as pl
e = (pl.col('y_pred') - pl.col('y_true')).abs()
i = pl.min_horizontal(e, 1.0)
both = {both}
print(both.select((i * i / 2 + (e - i)).mean()).collect(engine='streaming').item())
"""
POLARS_SAME = """
import polars as pl
e = (pl.col('y_pred') - pl.col('y_true')).abs()
i = pl.min_horizontal(e, 1.0)
ten = [e * e, e, e * e, (i * i / 2 + (e - i)), (1 + e * e).sqrt() - 1, e + (-2 * e).exp().log1p(),
    e / pl.col('y_true').abs(), e / 2, e * e, (i * i / 2 + (e - i))]
both = {both}
def numbers(k, x):
    return [f.alias(f'{{k}}{{n}}') for n, f in enumerate(
        [x.mean(), (x * x).mean(), (x * x * x).mean(), x.min(), x.max(), x.is_finite().all(), x.len()])]
asked = [number for k, x in enumerate({losses}) for number in numbers(k, x)]
with pl.Config(tbl_rows=3):
    print({grouped}.collect(engine='streaming'))
"""
"""What losscli's report needs of each loss: three moments, extremes, and a check of the input.

Sums of powers are the fastest way, which loses the digits of a deviation that is small beside the mean.
"""
ONE_LOSS = "[ten[3]]"
POLARS_CLUSTERS = """
import polars as pl
e = (pl.col('y_pred') - pl.col('y_true')).abs()
i = pl.min_horizontal(e, 1.0)
both = {both}
sums = both.group_by('{column}').agg(s=(i * i / 2 + (e - i)).sum(), n=pl.len())
mean = pl.col('s').sum() / pl.col('n').sum()
apart = pl.col('s') - pl.col('n') * mean
se = (apart ** 2).sum().sqrt() / pl.col('n').sum()
print(sums.select(mean.alias('mean'), se.alias('se')).collect(engine='streaming'))
"""
"""The mean and the standard error between clusters."""
DUCKDB_SLICES = """
import duckdb
e = 'abs(y_pred - y_true)'
x = f'case when {{e}} <= 1 then {{e}} * {{e}} / 2 else {{e}} - 0.5 end'
moments = f'avg({{x}}), var_samp({{x}}), skewness({{x}}), min({{x}}), max({{x}})'
numbers = f'{{moments}}, bool_and(isfinite({{x}})), count(*)'
both = "'pv.parquet' positional join 'tb.parquet'"
found = duckdb.sql(f'select {column}, {{numbers}} from {{both}} group by 1').fetchall()
print(len(found))
"""
BESIDE = """pl.concat([pl.scan_parquet('pv.parquet').select('y_pred'),
    pl.scan_parquet('tv.parquet').select('y_true')], how='horizontal')"""
GROUPED = """pl.concat([pl.scan_parquet('pv.parquet').select('y_pred'),
    pl.scan_parquet('tb.parquet').select('y_true', '{column}')], how='horizontal')"""
JOINED = """pl.scan_parquet('{p}.parquet').select('id', 'y_pred').join(
    pl.scan_parquet('{t}.parquet').select('id', 'y_true'), on='id')"""
DUCKDB = """
import duckdb
e = 'abs(y_pred - y_true)'
huber = f'avg(case when {{e}} <= 1 then {{e}} * {{e}} / 2 else {{e}} - 0.5 end)'
print(duckdb.sql(f"select {{huber}} from {both}").fetchall())
"""
PANDAS = """
import numpy as np, pandas as pd
p, t = pd.read_{kind}('{p}.{kind}'), pd.read_{kind}('{t}.{kind}')
e = np.abs(p['y_pred'].to_numpy() - t['y_true'].to_numpy())
i = np.minimum(e, 1.0)
print(np.mean(i * i / 2 + (e - i)))
"""
SCAN_CSV = """
import polars as pl
both = [pl.scan_csv('p.csv').select('y_pred'), pl.scan_csv('t.csv').select('y_true')]
print(pl.concat(both, how='horizontal').select(pl.all().sum()).collect(engine='streaming').row(0))
"""
POLARS_CLASSES = """
import polars as pl
names = [f'prob_{c}' for c in range(10)]
p, t = pl.scan_parquet('pc.parquet').select(names), pl.scan_parquet('tc.parquet').select('label')
own = pl.coalesce(*(pl.when(pl.col('label') == c).then(pl.col(f'prob_{c}')) for c in range(10)))
whole, l = pl.sum_horizontal(names), pl.col('l')
inside = pl.all_horizontal((pl.col(c) >= 0) & (pl.col(c) <= 1) for c in names) & ((whole - 1).abs() < 1e-6)
both = pl.concat([p, t], how='horizontal').select('label', inside=inside, l=-own.clip(2.2e-16).log())
powers = [(l * l).mean().alias('v'), (l * l * l).mean().alias('t')]
asked = [l.mean(), *powers, l.min().alias('a'), l.max().alias('z')]
print(both.group_by('label').agg(*asked, pl.col('inside').all(), pl.len()).collect(engine='streaming'))
"""
SKLEARN_CLASSES = """
import pandas as pd
from sklearn.metrics import log_loss
p, t = pd.read_parquet('pc.parquet'), pd.read_parquet('tc.parquet')
print(log_loss(t['label'], p[[f'prob_{c}' for c in range(10)]].to_numpy()))
"""
POLARS_CALIBRATION = """
import polars as pl
names = [f'prob_{c}' for c in range(10)]
p, t = pl.scan_parquet('pc.parquet').select(names), pl.scan_parquet('tc.parquet').select('label')
own = pl.coalesce(*(pl.when(pl.col('label') == c).then(pl.col(f'prob_{c}')) for c in range(10)))
top, x = pl.max_horizontal(names), pl.col('x')
gap, place = top - (own == top).cast(pl.Float64), (top * 15).floor().clip(0, 14).cast(pl.Int64)
both = pl.concat([p, t], how='horizontal').select(x=gap, bin=place)
asked = [x.sum().alias('total'), x.var().alias('v'), pl.len()]
bins = both.group_by('bin').agg(asked).collect(engine='streaming')
print(bins['total'].abs().sum() / bins['len'].sum(), bins['v'].sum())
"""
SCAN_WIDE = """
import polars as pl
both = [pl.scan_parquet('{file}.parquet'), pl.scan_parquet('tw.parquet')]
for _ in pl.concat(both, how='horizontal').collect_batches(maintain_order=True, engine='streaming'):
    pass
"""

POLARS_BOARD = """
import glob, polars as pl
t = pl.read_parquet('solution.parquet').lazy()
e = (pl.col('pred') - pl.col('y_true')) ** 2
for file in sorted(glob.glob('submissions/*.csv')):
    both = pl.scan_csv(file).join(t, on='id').select('Usage', e=e)
    rmse = pl.col('e').mean().sqrt()
    print(*pl.collect_all([both.select(rmse), both.group_by('Usage').agg(rmse)]))
"""

POLARS_ROWS = """
import polars as pl
e = (pl.col('y_pred') - pl.col('y_true')).abs()
i = pl.min_horizontal(e, 1.0)
numbered = {both}.with_row_index('row', 1)
rows = numbered.select(pl.col('row').cast(pl.Int64), huber=i * i / 2 + (e - i))
rows.sink_parquet('polars-rows.parquet')
"""
ARRAYS = """
import numpy as np
rng = np.random.default_rng(7)
y = rng.normal(size={rows})
p = y + rng.normal(size={rows})
"""
CALLS = (
    ARRAYS
    + """
import losscli
for _ in range({calls}):
    losscli.evaluate(p, y, loss='mse')
"""
)
SKLEARN_LABELS = """
import polars as pl
from sklearn.metrics import f1_score
p = pl.read_parquet('lp.parquet')['predicted'].to_numpy()
y = pl.read_parquet('tc.parquet')['label'].to_numpy()
print(f1_score(y, p, average='macro'))
"""

SKLEARN_CALLS = (
    ARRAYS
    + """
from sklearn.metrics import mean_squared_error
for _ in range({calls}):
    mean_squared_error(y, p)
"""
)
NUMPY_CALLS = (
    ARRAYS
    + """
for _ in range({calls}):
    assert np.isfinite(y).all() and np.isfinite(p).all()
    e = (p - y) ** 2
    mean = e.mean()
    apart = e - mean
    square = apart * apart
    print(mean, square.mean(), (square * apart).mean(), e.min(), e.argmin(), e.max(), e.argmax())
"""
)
"""What losscli's report needs: deviation, skewness, extremes with their rows, and a check of the input."""


@dataclass(frozen=True)
class Work:
    """A part of the table: `ours` and each of `peers` do the same work on `millions` of rows.

    `goals` say how many times a peer's time losscli may take, by the peer's name.
    """

    name: str
    millions: float
    ours: list[str]
    peers: dict[str, list[str]] = field(default_factory=dict)
    goals: dict[str, float] = field(default_factory=dict)


def script(text: str) -> list[str]:
    """The command that runs a Python script."""
    return [sys.executable, "-c", text]


def losscli(*argv: str) -> list[str]:
    """The command that runs losscli."""
    return [sys.executable, "-m", "losscli", *argv]


def evaluate(p: str, t: str, *more: str) -> list[str]:
    """The command that evaluates two files of the folder."""
    return losscli("evaluate", p, t, *more)


def same_numbers(losses: str) -> list[str]:
    """Polars that computes all that losscli reports of some losses by position."""
    return script(POLARS_SAME.format(both=BESIDE, losses=losses, grouped="both.select(asked)"))


BY_POSITION = evaluate("pv.parquet", "tv.parquet", *HUBER)
BY_POSITION_PEERS = {
    "Polars, same numbers": same_numbers(ONE_LOSS),
    "Polars": script(POLARS.format(both=BESIDE)),
    "DuckDB": script(DUCKDB.format(both="'pv.parquet' positional join 'tv.parquet'")),
    "pandas": script(PANDAS.format(kind="parquet", p="pv", t="tv")),
}


def sliced(column: str, name: str, goal: float) -> Work:
    """Huber in the slices of a column."""
    both = GROUPED.format(column=column)
    grouped = f"both.group_by('{column}').agg(asked)"
    peers = {
        "Polars, same numbers": script(POLARS_SAME.format(both=both, losses=ONE_LOSS, grouped=grouped)),
        "DuckDB, same numbers": script(DUCKDB_SLICES.format(column=column)),
    }
    ours = evaluate("pv.parquet", "tb.parquet", *HUBER, "--by", column)
    return Work(f"Huber in {name} slices", 20, ours, peers, dict.fromkeys(peers, goal))


def clustered(column: str, name: str) -> Work:
    """Huber with the standard error between clusters."""
    ours = evaluate("pv.parquet", "tb.parquet", *HUBER, "--cluster", column)
    peer = script(POLARS_CLUSTERS.format(both=GROUPED.format(column=column), column=column))
    return Work(f"Huber in {name} clusters", 20, ours, {"Polars": peer}, {"Polars": 1.5})


def keyed(millions: float, p: str, t: str, name: str, goal: float) -> Work:
    """Huber of two files that are aligned by key."""
    peers = {
        "Polars join": script(POLARS.format(both=JOINED.format(p=p, t=t))),
        "DuckDB join": script(DUCKDB.format(both=f"'{p}.parquet' join '{t}.parquet' using (id)")),
    }
    ours = evaluate(f"{p}.parquet", f"{t}.parquet", "--on", "id", *HUBER)
    return Work(f"Huber by key, {name}", millions, ours, peers, {"Polars join": goal})


def wide(file: str, name: str) -> Work:
    """Cross-entropy of 1,000 classes from logits."""
    ours = evaluate(f"{file}.parquet", "tw.parquet", "-l", "log_loss", "--from-logits", "-q", "--bare")
    peers = {"reading": script(SCAN_WIDE.format(file=file))}
    return Work(f"1,000 classes from float32 logits, {name}", 0.1, ours, peers, {"reading": 1.6})


WORKS = [
    Work(
        "Huber with interval by position",
        20,
        BY_POSITION,
        BY_POSITION_PEERS,
        {"Polars, same numbers": 1.1, "DuckDB": 1.0, "pandas": 0.2},
    ),
    Work(
        "Huber with interval by position",
        50,
        BY_POSITION,
        BY_POSITION_PEERS,
        {"Polars, same numbers": 1.0, "DuckDB": 1.0, "pandas": 0.2},
    ),
    keyed(20, "p", "t", "same order", 0.35),
    keyed(20, "p", "ts", "shuffled", 0.6),
    keyed(5, "xp", "xt", "shuffled text", 1.2),
    Work(
        "log loss of 10 classes, overall and per class",
        4,
        evaluate("pc.parquet", "tc.parquet", "-l", "log_loss", "--bare"),
        {"Polars, same checks": script(POLARS_CLASSES), "scikit-learn": script(SKLEARN_CLASSES)},
        {"Polars, same checks": 1.2, "scikit-learn": 1 / 30},
    ),
    Work(
        "F1 of 10 classes from labels, overall and per class",
        4,
        evaluate("lp.parquet", "tc.parquet", "--task", "multiclass", "-l", "f1", "--bare"),
        {"scikit-learn": script(SKLEARN_LABELS)},
        {"scikit-learn": 0.5},
    ),
    Work(
        "calibration error of 10 classes",
        4,
        evaluate("pc.parquet", "tc.parquet", "-l", "ece", "--bare"),
        {"Polars": script(POLARS_CALIBRATION)},
        {"Polars": 1.6},
    ),
    Work(
        "Huber, CSV, by position",
        10,
        evaluate("p.csv", "t.csv", *HUBER),
        {
            "Polars scan": script(SCAN_CSV),
            "DuckDB": script(DUCKDB.format(both="'p.csv' positional join 't.csv'")),
            "pandas": script(PANDAS.format(kind="csv", p="p", t="t")),
        },
        {"Polars scan": 1.2, "DuckDB": 1.0},
    ),
    Work(
        "ten regression losses in one pass",
        20,
        BY_POSITION + [word for name in TEN for word in ("-l", name)],
        {"Polars, same numbers": same_numbers("ten")},
        {"Polars, same numbers": 1.3},
    ),
    Work(
        "Huber with its interval",
        20,
        BY_POSITION,
        {"without": [*BY_POSITION, "--ci", "none"]},
        {"without": 1.1},
    ),
    sliced("s10", "10", 1.4),
    sliced("s1000", "1,000", 1.4),
    sliced("s100000", "100,000", 2.0),
    clustered("s1000", "1,000"),
    clustered("s100000", "100,000"),
    Work(
        "Huber against a paired baseline",
        20,
        [*BY_POSITION, "--baseline", "pb.parquet"],
        {"without": BY_POSITION},
        {"without": 1.8},
    ),
    Work(
        "Huber of two models, compared",
        20,
        losscli("compare", "pv.parquet", "pb.parquet", "-t", "tv.parquet", *HUBER),
        {"one model": BY_POSITION},
        {"one model": 1.5},
    ),
    Work(
        "a leaderboard of 200 submissions of 100,000 rows of CSV, in two slices",
        0.2,
        losscli("rank", "submissions", "-t", "solution.parquet", "-l", "rmse", "--by", "Usage", "--bare"),
        {"a loop of Polars, scores alone": script(POLARS_BOARD)},
        {"a loop of Polars, scores alone": 2.0},
    ),
    Work("Huber with charts", 20, [*BY_POSITION, "--charts"], {"without": BY_POSITION}, {"without": 1.15}),
    Work(
        "log loss of 10 classes with charts",
        4,
        evaluate("pc.parquet", "tc.parquet", "-l", "log_loss", "--bare", "--charts"),
        {"without": evaluate("pc.parquet", "tc.parquet", "-l", "log_loss", "--bare")},
        {"without": 1.15},
    ),
    Work(
        "Huber with the loss of each row in a file",
        20,
        [*BY_POSITION, "--rows", "rows.parquet"],
        {"Polars, numbered": script(POLARS_ROWS.format(both=BESIDE))},
        {"Polars, numbered": 1.15},
    ),
    Work("weighted Huber", 20, [*BY_POSITION, "-w", "w"], {"without": BY_POSITION}, {"without": 1.3}),
    wide("pw", "as columns"),
    wide("pl", "as one list column"),
    Work(
        "Huber with interval by position",
        5,
        BY_POSITION,
        {"Polars, same numbers": same_numbers(ONE_LOSS)},
        {"Polars, same numbers": 1.35},
    ),
    Work(
        "442 rows of CSV",
        0,
        evaluate(str(SAMPLES / "ridge.csv"), str(SAMPLES / "targets.csv"), "-l", "huber", "--bare"),
        {"imports": script("import typer, rich, polars, numpy")},
        {"imports": 1.2},
    ),
    Work(
        "1,000 calls from Python with 1,000 numbers",
        0,
        script(CALLS.format(rows=1000, calls=1000)),
        {"scikit-learn": script(SKLEARN_CALLS.format(rows=1000, calls=1000))},
        {"scikit-learn": 5.0},
    ),
    Work(
        "100 calls from Python with 1,000,000 numbers",
        0,
        script(CALLS.format(rows=1_000_000, calls=100)),
        {"NumPy, same numbers": script(NUMPY_CALLS.format(rows=1_000_000, calls=100))},
        {"NumPy, same numbers": 1.3},
    ),
    Work(
        "442 rows of CSV, two models compared",
        0,
        losscli(
            "compare",
            *(str(SAMPLES / f"{name}.csv") for name in ("ridge", "forest")),
            "-t",
            str(SAMPLES / "targets.csv"),
            "-l",
            "huber",
            "--bare",
        ),
        {
            "evaluate": evaluate(
                str(SAMPLES / "ridge.csv"), str(SAMPLES / "targets.csv"), "-l", "huber", "--bare"
            )
        },
        {"evaluate": 1.1},
    ),
    Work(
        "losscli --help",
        0,
        losscli("--help"),
        {"imports": script("import typer, rich"), "with rich's help": script("import typer.rich_utils")},
        {"imports": 1.5},
    ),
]
