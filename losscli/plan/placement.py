"""--device auto: whether a GPU is worth the transfer.  One rule, from the plan alone, so that runs repeat.

A GPU computes so fast that what it costs is to start it, and to copy the numbers of the rows there; files are
read and checked on the CPU either way.  So it is chosen where, by the numbers below,

* the CPU would compute at least MARGIN times as long as the copy takes, and
* what that saves over all rows is at least what it takes to START.

COST was measured, on one core of a CPU.  RATE and START are estimates by arithmetic, from a bus of 25 bytes a
nanosecond and two threads that fill pinned memory, and were not measured on a GPU.  All err towards the CPU.
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
    "segmentation": 5.0,
}
"""Nanoseconds that one of the cheaper losses of a task takes for each number of a row, on one core."""
EXPONENTIALS = 6.0
"""The same of several classes by logits, each of which has an exponential."""
MOMENTS = 1.0
"""Nanoseconds that the moments of a loss take for each row, on one core."""
RATE = 12.0
"""Bytes a nanosecond that reach a GPU."""
MARGIN = 2.0
"""How many times as long as the copy takes the CPU has to compute."""
START = 2.0
"""Seconds for CuPy, the driver, and the first of each kernel."""


class Place(Struct, frozen=True):
    """Where a run computes: a device by its name; `why`, where `auto` chose it."""

    device: str
    why: str = ""

    @property
    def told(self) -> tuple[str, ...]:
        """What is said of it: nothing where a user chose."""
        return (f"device: {self.device} ({self.why})",) if self.why else ()


class Load(Struct, frozen=True):
    """What a run computes for each row: its losses, of so many models.

    `number_bytes` is how wide a number of the predictions is in the file; `threads` as they were asked for.
    """

    roles: Roles
    choices: tuple[Choice, ...]
    number_bytes: int = 8
    models: int = 1
    threads: int | None = None

    @property
    def predicted(self) -> int:
        """Numbers of a row that one model predicts."""
        return sum(self.roles.widths.get(name, 1) for name in self.roles.predictions)

    @property
    def beside(self) -> int:
        """Numbers of a row beside them: its targets and its weight."""
        return sum(self.roles.widths.get(name, 1) for name in self.roles.targets) + bool(self.roles.weight)

    @property
    def computing(self) -> float:
        """Nanoseconds a row on the cores of the CPU that a run uses."""
        by_logits = self.roles.task == "multiclass" and self.roles.link == "logit"
        cost = EXPONENTIALS if by_logits else COST[self.roles.task]
        of_loss = cost * (self.predicted + self.beside) + MOMENTS
        return self.models * len(self.choices) * of_loss / devices.workers(self.threads)

    @property
    def copying(self) -> float:
        """Nanoseconds a row to a GPU."""
        return (self.models * self.predicted * self.number_bytes + self.beside * 8) / RATE


def placed(device: str, load: Load, expected: Callable[[], int | None]) -> Place:
    """Where a run computes that asks for a device, of as many rows as `expected` says, where it knows."""
    if device != devices.AUTO:
        return Place(device)
    why = _against(load, expected())
    if why:
        return Place(devices.CPU, why)
    try:
        title = devices.found(devices.CUDA).title
    except DeviceError as error:
        return Place(devices.CPU, error.problems[0].what)
    times = load.computing / load.copying
    return Place(devices.CUDA, f"{title}: the CPU computes {times:.0f} times as long as the copy takes")


def _against(load: Load, rows: int | None) -> str:
    """Why a GPU is not worth the transfer of so many rows; nothing where it is."""
    computing, copying = load.computing, load.copying
    if computing < MARGIN * copying:
        return f"a row takes {computing:.2g} ns here, and {copying:.2g} ns to be copied to a GPU"
    if rows is None:
        return "the number of rows is not known before they are read"
    saved = (computing - copying) * rows * 1e-9
    if saved < START:
        return f"a GPU would save {saved:.2g} s, and takes {START:g} s to start"
    return ""
