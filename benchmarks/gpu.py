"""The same work on the CPU, with all its cores, and on a GPU: from Parquet to the result, and compute alone.

    python benchmarks/gpu.py [--repeat 3] [--data DIR] [--only WORDS] [--scale 1.0] [--write]

Makes its data in DIR (about 5 GB at scale 1).  --write puts the table into benchmarks/README.md.  Without a
GPU the CPU's half is measured, and it is said why the other one is not.

Compute alone is losses and moments of arrays that lie where they are computed, in the blocks of the plan.
Its bytes are those that the operations on arrays read and write, counted under the stand-in for CuPy of the
tests; their share of the bandwidth is of what a copy from array to array reaches on the same device.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from shlex import split
from typing import Any

import numpy as np
import polars as pl
from msgspec.structs import replace
from run import measure

from losscli.engines import devices, local
from losscli.engines.blocks import blocks
from losscli.engines.devices import Device
from losscli.errors import DeviceError
from losscli.evaluation import partial as partials
from losscli.evaluation.block import Taken, take
from losscli.plan.resolve import Run, prepare

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))
from support import cupy_stub  # noqa: E402  # it counts what operations touch

MARK = ("<!-- gpu -->", "<!-- /gpu -->")
TWENTY = split(
    "mse mae rmse huber smooth_l1 pseudo_huber log_cosh fair cauchy arctan tukey_biweight hampel pinball "
    "expectile mape smape wape r2 bias epsilon_insensitive"
)
HELD = 4_000_000_000
"""Bytes of arrays that compute alone may hold."""


@dataclass(frozen=True)
class Work:
    """A row of the table: so many rows of `make`, and the options of `losscli evaluate`."""

    name: str
    rows: int
    make: Callable[[np.random.Generator, int], tuple[dict[str, Any], dict[str, Any]]]
    losses: tuple[str, ...]
    options: tuple[str, ...] = ()


def numbers(rng: np.random.Generator, n: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """A target and a prediction."""
    y = rng.gamma(2.0, size=n)
    return {"y_pred": y + rng.normal(size=n)}, {"y_true": y}


def logits(classes: int) -> Callable[..., tuple[dict[str, Any], dict[str, Any]]]:
    """Logits in float32, and labels."""

    def make(rng: np.random.Generator, n: int) -> tuple[dict[str, Any], dict[str, Any]]:
        scores = rng.normal(size=(classes, n)).astype(np.float32)
        return {f"logit_{c}": own for c, own in enumerate(scores)}, {"label": rng.integers(0, classes, n)}

    return make


def members(rng: np.random.Generator, n: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """An ensemble of 50."""
    y = rng.normal(size=n)
    return {f"m{i}": y + rng.normal(size=n) for i in range(50)}, {"y_true": y}


def vectors(rng: np.random.Generator, n: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Pairs of vectors of 768 numbers, as arrays in float32."""
    a = rng.normal(size=(n, 768)).astype(np.float32)
    b = a + rng.normal(size=a.shape).astype(np.float32)
    arrays = (pl.Series("v", own, dtype=pl.Array(pl.Float32, 768)) for own in (a, b))
    return tuple({"v": own} for own in arrays)  # type: ignore[return-value]  # two of them


WORKS = [
    Work("Huber", 50_000_000, numbers, ("huber",)),
    Work("twenty losses", 20_000_000, numbers, tuple(TWENTY)),
    Work("log loss, 10 classes", 10_000_000, logits(10), ("log_loss",), ("--from-logits",)),
    Work("log loss, 1,000 classes", 300_000, logits(1000), ("log_loss",), ("--from-logits",)),
    Work("CRPS, 50 members", 2_000_000, members, ("crps_ensemble",)),
    Work("cosine distance, 768 numbers", 300_000, vectors, ("cosine_distance",), ("-p", "v", "-y", "v")),
]


def made(work: Work, folder: Path, rows: int) -> tuple[Path, Path]:
    """The files of a piece of work."""
    stem = "".join(letter if letter.isalnum() else "-" for letter in work.name)
    paths = tuple(folder / f"{stem}-{rows}-{side}.parquet" for side in "pt")
    if not all(path.exists() for path in paths):
        folder.mkdir(parents=True, exist_ok=True)
        for path, columns in zip(paths, work.make(np.random.default_rng(7), rows), strict=True):
            pl.DataFrame(columns).write_parquet(path)
    return paths[0], paths[1]


def command(work: Work, files: tuple[Path, Path], device: str) -> list[str]:
    """The command that does it all."""
    asked = [word for loss in work.losses for word in ("-l", loss)]
    evaluate = [sys.executable, "-m", "losscli", "evaluate", *map(str, files), *asked, *work.options]
    return [*evaluate, "--bare", "-q", "--device", device]


def planned(work: Work, files: tuple[Path, Path], device: str) -> Run:
    """The same as a plan."""
    options: dict[str, Any] = {"device": device}
    if "--from-logits" in work.options:
        options["from_logits"] = True
    if "-p" in work.options:
        options |= {"pred": "v", "target": "v"}
    return prepare(str(files[0]), str(files[1]), list(work.losses), **options)


def taken(run: Run, device: Device, most: int) -> list[Taken]:
    """Blocks that were read and checked, their arrays where they are computed, as many as may be held."""
    held, found, fixed = 0, [], None
    work = partials.Work(run.plan, kept=False)
    for first, block in blocks(run.alignment.frames(), run.plan.block_rows):
        fixed = work.begin(block) if first == 0 else fixed
        found.append(device.call(lambda xp, *given: take(run.plan, xp, *given), block, first, fixed))
        held += block.height * 8 * (len(run.plan.roles.predictions) + sum(run.plan.roles.widths.values()) + 1)
        if held > most:
            break
    return found


def fresh(block: Taken) -> Taken:
    """The block with nothing of its losses computed yet."""
    parts = {kind: tuple(map(replace, own)) for kind, own in block.rows.parts.items()}
    return replace(block, rows=replace(block.rows, parts=parts))


def computed(blocks: list[Taken], device: Device, repeat: int) -> float:
    """Seconds of losses and moments of blocks; the median of some times, after one that is not counted."""
    found = []
    with ThreadPoolExecutor(device.workers(None)) as pool:
        for _ in range(repeat + 1):
            start = time.perf_counter()
            for _ in pool.map(lambda block: device.call(lambda xp: partials.states_of(fresh(block))), blocks):
                pass
            found.append(time.perf_counter() - start)
    return statistics.median(found[1:])


def touched(work: Work, folder: Path) -> float:
    """Bytes a row that the operations on arrays read and write."""
    rows = 4_096
    files = made(work, folder, rows)
    with cupy_stub.installed() as xp:
        (block,) = taken(planned(work, files, "cuda"), devices.by_name("cuda"), 1 << 40)
        assert block.xp is xp
        cupy_stub.COUNTS.reset()
        partials.states_of(block)
        return cupy_stub.COUNTS.touched / rows


def bandwidth(device: Device, repeat: int) -> float:
    """Bytes a second that a copy from array to array reads and writes, with all threads."""
    n, workers = 1 << 25, device.workers(None)
    with ThreadPoolExecutor(workers) as pool:
        pairs = list(pool.map(lambda _: device.call(lambda xp: (xp.ones(n), xp.zeros(n))), range(workers)))

        def copy(pair: tuple[Any, Any]) -> None:
            device.call(lambda xp: xp.add(pair[0], 0.0, out=pair[1])[:1].sum().item())

        best = min(_seconds(lambda: list(pool.map(copy, pairs))) for _ in range(repeat + 1))
    return workers * 16 * n / best


def _seconds(done: Callable[[], object]) -> float:
    start = time.perf_counter()
    done()
    return time.perf_counter() - start


def rows_of(works: list[Work], there: dict[str, Device], asked: argparse.Namespace) -> Iterator[str]:
    """The rows of the table: for each piece of work a device's times, and those of the CPU over them."""
    limits = {name: bandwidth(device, asked.repeat) for name, device in there.items() if name != "cpu"}
    for work in works:
        n = int(work.rows * asked.scale)
        files, bytes_of_row = made(work, asked.data, n), touched(work, asked.data)
        base: tuple[float, float] | None = None
        for name, device in there.items():
            whole = [measure(command(work, files, name), asked.data).wall for _ in range(asked.repeat + 1)]
            blocks = taken(planned(work, files, name), device, HELD)
            held = sum(block.block.height for block in blocks)
            alone = computed(blocks, device, asked.repeat) / held
            times = (statistics.median(whole[1:]), alone)
            base = base or times
            # On a CPU blocks stay in the cache, and memory is no limit.
            share = "" if name == "cpu" else f"{bytes_of_row / alone / limits[name]:.0%}"
            yield (
                f"| {work.name} | {n / 1e6:g} M | {name} | {times[0]:.2f} | {base[0] / times[0]:.1f} | "
                f"{1e9 * alone:.2f} | {base[1] / alone:.1f} | {bytes_of_row:.0f} | {share} |"
            )


def main() -> None:
    """Measure all, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "losscli-benchmark-gpu")
    parser.add_argument("--only", default="", help="words in the names of the work")
    parser.add_argument("--scale", type=float, default=1.0, help="rows, as a part of those of the table")
    parser.add_argument("--write", action="store_true", help="put the table into benchmarks/README.md")
    asked = parser.parse_args()
    local._keep_freed_memory()  # as a run does
    there, said = {"cpu": devices.by_name("cpu")}, ""
    try:
        there["cuda"] = devices.by_name("cuda")
        said = f"{there['cuda'].title}, CuPy {there['cuda'].xp.__version__}"
    except DeviceError as error:
        said = f"no GPU was measured ({error.problems[0].what})"
    head = f"{os.cpu_count()} cores, {said}, Python {platform.python_version()}, NumPy {np.__version__}, "
    head += f"Polars {pl.__version__}; medians of {asked.repeat} runs."
    titles = ["work", "rows", "device", "seconds from Parquet", "times the CPU", "ns a row, compute alone"]
    titles += ["times the CPU", "bytes touched a row", "of the bandwidth"]
    lines = [head, "", f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    print("\n".join(lines), flush=True)
    for line in rows_of([work for work in WORKS if asked.only in work.name], there, asked):
        lines.append(line)
        print(line, flush=True)
    if asked.write:
        readme = HERE / "README.md"
        before, _, rest = readme.read_text().partition(MARK[0])
        after = rest.partition(MARK[1])[2]
        readme.write_text("\n".join([before + MARK[0], "", *lines, "", MARK[1] + after]))


if __name__ == "__main__":
    main()
