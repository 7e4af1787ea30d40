"""--device auto: whether a GPU is worth the transfer.  The rule depends on the plan alone.

A GPU computes so fast that its cost is start-up and the copy of the data; files are read and checked on the
CPU either way.  With the constants below, auto chooses the GPU if

* computing on the CPU would take at least MARGIN times as long as the copy, and
* the time saved over all rows is at least START.

COST was measured on one CPU core.  RATE and START are calculated from a bus of 25 bytes per nanosecond and
two threads that fill pinned memory; they were not measured on a GPU.  All of them err towards the CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from losscli.catalog.loss import Choice
from losscli.data.stream import Roles
from losscli.engines import devices
from losscli.errors import DeviceError

COST: Mapping[str, float] = {
    "regression": 2.0,
    "binary": 3.0,
    "multiclass": 2.0,
    "multilabel": 3.0,
    "quantile": 1.0,
    "distribution": 2.0,
    "ensemble": 15.0,
    "embedding": 6.0,
    "triplet": 9.0,
    "ranking": 1.0,
    "grouped_ranking": 9.0,
    "contrastive": 100.0,
    "segmentation": 5.0,
    "survival": 20.0,
    "hazard": 20.0,
    "text": 1000.0,
    "sequence": 100.0,
}
"""Nanoseconds per number in a row for one of the cheaper losses of each task, on one core."""
EXPONENTIALS = 6.0
"""The same for multiclass logits, which need one exponential per class."""
MOMENTS = 1.0
"""Nanoseconds per row for the moments of a loss, on one core."""
RATE = 12.0
"""Bytes per nanosecond copied to a GPU."""
MARGIN = 2.0
"""Minimum ratio of CPU compute time to copy time."""
START = 2.0
"""Seconds to load CuPy and the driver, and to compile each kernel once."""


class Place(Struct, frozen=True):
    """The device that a run computes on; `why` is the reason if `auto` chose it."""

    device: str
    why: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """Messages for the user; empty if the user chose the device."""
        return (f"device: {self.device} ({self.why})",) if self.why else ()


class Load(Struct, frozen=True):
    """The work per row: the losses, and the number of models.

    `number_bytes` is the width of a prediction in the file; `threads` is the requested number.
    """

    roles: Roles
    choices: tuple[Choice, ...]
    number_bytes: int = 8
    models: int = 1
    threads: int | None = None

    @property
    def predicted(self) -> int:
        """Predicted numbers per row and model."""
        return sum(self.roles.widths.get(name, 1) for name in self.roles.predictions)

    @property
    def shared(self) -> int:
        """Numbers per row that all models share: targets, weight and scales."""
        others = bool(self.roles.weight) + len(self.roles.scales)
        return sum(self.roles.widths.get(name, 1) for name in self.roles.targets) + others

    @property
    def computing(self) -> float:
        """Nanoseconds per row on the CPU cores of the run."""
        by_logits = self.roles.task == "multiclass" and self.roles.link == "logit"
        cost = EXPONENTIALS if by_logits else COST[self.roles.task]
        of_loss = cost * (self.predicted + self.shared) + MOMENTS
        return self.models * len(self.choices) * of_loss / devices.workers(self.threads)

    @property
    def copying(self) -> float:
        """Nanoseconds per row for the copy to a GPU."""
        return (self.models * self.predicted * self.number_bytes + self.shared * 8) / RATE


def placed(device: str, load: Load, expected: Callable[[], int | None]) -> Place:
    """Choose the device of a run; `expected` returns the number of rows if it is known."""
    if device != devices.AUTO:
        return Place(device)
    why = _reason_for_cpu(load, expected())
    if why:
        return Place(devices.CPU, why)
    try:
        title = devices.by_name(devices.CUDA).title
    except DeviceError as error:
        return Place(devices.CPU, error.problems[0].what)
    times = load.computing / load.copying
    return Place(devices.CUDA, f"{title}: computing on the CPU takes {times:.0f} times as long as the copy")


def _reason_for_cpu(load: Load, rows: int | None) -> str:
    """The reason why a GPU does not pay off for this many rows; empty if it does."""
    computing, copying = load.computing, load.copying
    if computing < MARGIN * copying:
        return f"a row takes {computing:.2g} ns to compute on the CPU and {copying:.2g} ns to copy to a GPU"
    if rows is None:
        return "the number of rows is unknown before reading"
    saved = (computing - copying) * rows * 1e-9
    if saved < START:
        return f"a GPU would save {saved:.2g} s and take {START:g} s to start"
    return ""
