"""The device of a run: the CPU with NumPy or a GPU with CuPy, and the errors if a GPU cannot be used.

A few threads use a GPU, each with its own stream, so that the next block is read and copied while one is
computed.  CuPy copies NumPy arrays through pinned memory, without waiting.  Streams share nothing: only NumPy
arrays are kept between blocks, and cuBLAS has one handle per thread.  So the same blocks give the same bits,
whatever the order of the threads.
"""

from __future__ import annotations

import importlib
import os
import re
import threading
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from losscli.errors import DeviceError, UsageError
from losscli.numeric.arrays import Namespace
from losscli.text import not_one_of

AUTO, CPU, CUDA = "auto", "cpu", "cuda"
T = TypeVar("T")
STREAMS = 2
"""Threads per GPU, unless --threads sets another number."""
INSTALL = "pip install 'losscli[gpu]' (for CUDA 12: pip install 'cupy-cuda12x[ctk]'), or use --device cpu"
DRIVER = "nvidia-smi shows the driver and its GPUs; --device cpu needs none"
_OUT_OF_MEMORY = ("MemoryAllocation", "ALLOC_FAILED", "CUDA_ERROR_OUT_OF_MEMORY")
"""Texts in errors that mean out of memory: of the CUDA runtime, of cuBLAS and of the driver."""
MEMORY = (
    "--threads 1 needs half the memory; or free some (nvidia-smi shows by whom it is used), or --device cpu"
)


def workers(threads: int | None) -> int:
    """The number of CPU threads: as requested, or else one per core, at most 8."""
    return threads or min(8, _cores())


@cache
def _cores() -> int:
    """The number of cores, cached because the system reads files for it."""
    return os.cpu_count() or 1


class Device:
    """A device to compute on, with its arrays in the namespace `xp`; this one is the CPU."""

    title = "CPU"
    errors: tuple[type[BaseException], ...] = ()
    """The exceptions of a failing device; `failure` turns them into errors for the user."""

    def __init__(self, xp: Namespace) -> None:
        self.xp = xp

    def workers(self, threads: int | None) -> int:
        """The number of threads that compute: as requested, or chosen if `threads` is None."""
        return workers(threads)

    def call(self, function: Callable[..., T], *args: Any) -> T:
        """Call the function with the namespace and the arguments, on this device in the calling thread."""
        return function(self.xp, *args)

    def failure(self, error: BaseException) -> DeviceError:
        """The error for the user."""
        return DeviceError(str(error))

    def close(self) -> None:
        """Release the memory of the run."""


class Gpu(Device):
    """A GPU, by its number."""

    def __init__(self, cupy: Any, name: str, index: int, title: str) -> None:
        super().__init__(cupy)
        self.title, self._name, self._index = title, name, index
        self.errors: tuple[type[BaseException], ...] = (
            cupy.cuda.memory.OutOfMemoryError,
            cupy.cuda.runtime.CUDARuntimeError,
        )
        self._local = threading.local()

    def workers(self, threads: int | None) -> int:
        """The number of threads, each with its own stream."""
        return threads or STREAMS

    def try_out(self) -> None:
        """Run a small computation: a GPU that is listed may still be unusable."""
        with self.xp.cuda.Device(self._index):
            square = self.xp.asarray([[1.0, 2.0], [3.0, 4.0]])
            float((square @ square).sum())
        # cuBLAS is loaded now; its errors may not have been importable before.
        self.errors += (self.xp.cuda.cublas.CUBLASError, self.xp.cuda.driver.CUDADriverError)

    def call(self, function: Callable[..., T], *args: Any) -> T:
        """Call the function in the stream of the calling thread."""
        with self.xp.cuda.Device(self._index):
            if not hasattr(self._local, "stream"):
                self._local.stream = self.xp.cuda.Stream(non_blocking=True)
            with self._local.stream:
                return super().call(function, *args)

    def failure(self, error: BaseException) -> DeviceError:
        """The error for the user: out of memory, or that of the driver."""
        if isinstance(error, MemoryError) or any(word in str(error) for word in _OUT_OF_MEMORY):
            return DeviceError(f"--device {self._name}: out of memory on {self.title}", remedy=MEMORY)
        return DeviceError(f"--device {self._name} failed: {error}", remedy=DRIVER)

    def close(self) -> None:
        """Release unused memory to other processes."""
        with self.xp.cuda.Device(self._index):
            self.xp.get_default_memory_pool().free_all_blocks()
        self.xp.get_default_pinned_memory_pool().free_all_blocks()


def checked(name: str) -> str:
    """The name of a device.  Raises UsageError for any other text."""
    if not re.fullmatch(r"cpu|auto|cuda(:\d+)?", name):
        raise UsageError(not_one_of("--device", name, ("cpu", "cuda", "cuda:N", "auto")))
    return name


def by_name(name: str) -> Device:
    """The device of that name: 'cpu', 'cuda' (the first GPU) or 'cuda:N'.

    Raises DeviceError, with a remedy, if CuPy, the driver or the GPU is missing, or the GPU cannot compute.
    """
    if name == CPU:
        return Device(importlib.import_module("numpy"))
    index = int(name.partition(":")[2] or 0)
    cupy = _cupy(name)
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise DeviceError(f"--device {name} found no usable GPU: {error}", remedy=DRIVER) from None
    if index >= count:
        available = {0: "none", 1: "cuda:0 alone"}.get(count, f"cuda:0 to cuda:{count - 1}")
        raise DeviceError(f"--device {name}: there is no such GPU, but {available}", remedy=DRIVER)
    title = cupy.cuda.runtime.getDeviceProperties(index)["name"].decode()
    device = Gpu(cupy, name, index, title)
    try:
        device.try_out()
    except device.errors as error:
        raise device.failure(error) from None
    except (ImportError, RuntimeError, OSError) as error:
        raise DeviceError(
            f"--device {name}: CuPy cannot compute on {title}: {error}", remedy=INSTALL
        ) from None
    return device


def _cupy(name: str) -> Any:
    try:
        return importlib.import_module("cupy")
    except ModuleNotFoundError as error:
        if error.name != "cupy":
            raise DeviceError(f"--device {name}: CuPy cannot be imported: {error}", remedy=INSTALL) from None
        raise DeviceError(f"--device {name} needs CuPy, which is not installed", remedy=INSTALL) from None
    except (ImportError, OSError) as error:
        raise DeviceError(f"--device {name}: CuPy cannot be imported: {error}", remedy=INSTALL) from None
