"""A stand-in for CuPy that computes with NumPy and refuses what CuPy refuses, so that no GPU is needed.

Its arrays are on a device that is none: NumPy cannot see them, they do not mix with NumPy's arrays, and what
they can do is what `device/names.json` records of a real CuPy.  It is stricter than CuPy in a few things
that CuPy does badly: sums in an order that differs from run to run, sums by run that lose their digits, and
copies to the device that nobody wrote down.  `installed` puts it in the place of CuPy.
"""

from __future__ import annotations

import json
import operator
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import scipy.special

RECORD = json.loads((Path(__file__).parent / "cupy" / "names.json").read_text())
PLAIN = (bool, int, float, np.generic)
"""Numbers that stand beside arrays of a device."""
CREATES = {"arange", "asarray", "array", "empty", "eye", "full", "linspace", "ones", "zeros"}
"""Functions that need no array of the device among their arguments."""
DTYPES = {"float64", "float32", "int64", "int32", "int8", "int16", "uint64", "bool_"}
CONSTANTS = {"nan", "inf", "pi", "e", "newaxis"}


class RefusedError(TypeError):
    """What CuPy cannot do, or does not do well."""


class Counts:
    """How often threads waited for the device, the bytes copied from it, and those that operations touch."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        self.syncs, self.copied, self.touched = 0, 0, 0

    def add(self, nbytes: int) -> None:
        with self._lock:
            self.syncs += 1
            self.copied += nbytes

    def touch(self, nbytes: int) -> None:
        with self._lock:
            self.touched += nbytes


COUNTS = Counts()
VIEWS = {"ravel", "reshape", "squeeze", "swapaxes", "transpose", "view"}
"""Methods that touch no numbers."""


def _wait(array: np.ndarray) -> np.ndarray:
    COUNTS.add(array.nbytes)
    return array


def _inner(value: Any) -> Any:
    """What NumPy computes with in the place of an operand."""
    if isinstance(value, Array):
        COUNTS.touch(value.inner.nbytes)
        return value.inner
    if isinstance(value, PLAIN):
        return value
    raise RefusedError(f"an operand of {type(value)} beside an array of the device")


def _outer(value: Any) -> Any:
    """A result on the device: also a single number is an array there."""
    if isinstance(value, tuple):
        return tuple(map(_outer, value))
    if isinstance(value, np.ndarray | np.generic):
        COUNTS.touch(value.nbytes)
        return Array(value)
    return value


def _index(key: Any) -> Any:
    if isinstance(key, tuple):
        return tuple(map(_index, key))
    if isinstance(key, Array):
        if key.inner.dtype == bool:
            COUNTS.add(8)  # how many rows are taken the host has to know
        return key.inner
    if key is None or key is Ellipsis or isinstance(key, int | slice | np.integer):
        return key
    raise RefusedError(f"an index of {type(key)} is copied to the device each time")


def _known(function: str, arguments: list[str] | None, positional: int, keywords: Any) -> None:
    """Refuse arguments that CuPy's function does not have."""
    if arguments is None:
        return
    if positional > len(arguments):
        raise RefusedError(f"cupy.{function} takes {len(arguments)} arguments, not {positional}")
    for keyword in keywords:
        if keyword not in arguments:
            raise RefusedError(f"cupy.{function} has no argument {keyword}")


KINDS = {"b": 0, "i": 1, "u": 1, "f": 2}


def _computed(name: str, function: Any, *operands: Any, **keywords: Any) -> Any:
    """The result of an elementwise function, where CuPy has one of these types and of the same type."""
    with np.errstate(all="ignore"):
        found = function(*map(_inner, operands), **keywords)
    if not keywords:
        results = found if isinstance(found, tuple) else (found,)
        own, expected = _loop(name, operands), [each.dtype for each in results]
        if own != expected:
            raise RefusedError(f"cupy.{name} makes {own} of what NumPy makes {expected} of")
    return _outer(found)


def _loop(name: str, operands: tuple[Any, ...]) -> list[np.dtype]:
    """The types of the results of CuPy's loop for such operands: the first one that they can be cast to."""
    dtypes = [each.inner.dtype if isinstance(each, Array) else np.asarray(each).dtype for each in operands]
    weak = [type(each) if isinstance(each, bool | int | float) else None for each in operands]
    weak = [None if isinstance(each, np.generic) else kind for each, kind in zip(operands, weak, strict=True)]
    strong = [KINDS[dtype.kind] for dtype, kind in zip(dtypes, weak, strict=True) if kind is None]
    most = max((KINDS[dtype.kind] for dtype, kind in zip(dtypes, weak, strict=True) if kind), default=0)
    if not strong or max(strong) < most:
        weak = [None] * len(weak)
    for types in RECORD["ufuncs"][name]:
        taken, made = types.split("->")
        if all(
            np.can_cast(dtype, wanted)
            or (kind and np.result_type(kind(0), np.dtype(wanted)) == np.dtype(wanted))
            for dtype, kind, wanted in zip(dtypes, weak, taken, strict=True)
        ):
            return [np.dtype(each) for each in made]
    raise RefusedError(f"cupy.{name} of {dtypes}")


UFUNCS = {
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "true_divide",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "pow": "power",
    "and_": "bitwise_and",
    "or_": "bitwise_or",
    "xor": "bitwise_xor",
    "lshift": "left_shift",
    "rshift": "right_shift",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
}
"""The elementwise functions of operators that have other names."""


def _operation(name: str) -> Any:
    function = getattr(operator, name)
    own, ufunc = f"__{name.strip('_')}__", UFUNCS.get(name, name)

    def forward(self: Array, other: Any) -> Any:
        if name == "matmul":
            return _outer(function(_inner(self), _inner(other)))
        return _computed(ufunc, function, self, other)

    def backward(self: Array, other: Any) -> Any:
        return _computed(ufunc, function, other, self)

    def in_place(self: Array, other: Any) -> Array:
        with np.errstate(all="ignore"):
            getattr(operator, f"i{name.strip('_')}")(self.inner, _inner(other))
        return self

    return own, forward, backward, in_place


class Array:
    """An array of the device."""

    __hash__ = None  # type: ignore[assignment]  # as CuPy's
    __array_priority__ = 100

    def __init__(self, inner: Any) -> None:
        self.inner = np.asarray(inner)

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise RefusedError("an array of the device became one of NumPy where nobody asked: .get() does it")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **_: Any) -> Any:
        # Of operators a number of NumPy may stand on the left.
        numbers = [each for each in inputs if not isinstance(each, Array)]
        if method == "__call__" and numbers and all(isinstance(n, np.generic) for n in numbers):
            return _computed(ufunc.__name__, ufunc, *inputs)
        raise RefusedError(f"numpy.{ufunc.__name__} of an array of the device")

    def __array_function__(self, function: Any, *_: Any) -> Any:
        raise RefusedError(f"numpy.{function.__name__} of an array of the device")

    def __bool__(self) -> bool:
        return bool(_wait(self.inner))

    def __int__(self) -> int:
        return int(_wait(self.inner))

    def __float__(self) -> float:
        return float(_wait(self.inner))

    def __len__(self) -> int:
        return len(self.inner)

    def __iter__(self) -> Iterator[Array]:
        return iter(
            [_outer(np.asarray(each)) if self.inner.ndim == 1 else Array(each) for each in self.inner]
        )

    def __getitem__(self, key: Any) -> Any:
        return Array(self.inner[_index(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        masks = key if isinstance(key, tuple) else (key,)
        masked = any(isinstance(mask, Array) and mask.inner.dtype == bool for mask in masks)
        if masked and isinstance(value, Array) and value.inner.ndim:
            raise RefusedError("CuPy fills a mask with one number alone")
        self.inner[_index(key)] = _inner(value)

    def __neg__(self) -> Any:
        return _computed("negative", operator.neg, self)

    def __pos__(self) -> Any:
        return _computed("positive", operator.pos, self)

    def __abs__(self) -> Any:
        return _computed("absolute", operator.abs, self)

    def __invert__(self) -> Any:
        return _computed("invert", operator.invert, self)

    def __eq__(self, other: Any) -> Any:
        return _computed("equal", operator.eq, self, other)

    def __ne__(self, other: Any) -> Any:
        return _computed("not_equal", operator.ne, self, other)

    def get(self, stream: Any = None, order: str = "C", out: Any = None, blocking: bool = True) -> np.ndarray:
        """The same as an array of NumPy."""
        return _wait(self.inner).copy()

    def item(self) -> Any:
        """The number."""
        return _wait(self.inner).item()

    def tolist(self) -> Any:
        """The numbers."""
        return _wait(self.inner).tolist()

    def astype(self, dtype: Any, **keywords: Any) -> Array:
        """In another type."""
        _known("ndarray.astype", RECORD["methods"]["astype"], 1, keywords)
        with np.errstate(all="ignore"):
            return Array(self.inner.astype(dtype, **keywords))

    def repeat(self, repeats: Any, axis: int | None = None) -> Array:
        """Each element several times."""
        if not isinstance(repeats, int):
            raise RefusedError("CuPy below 14.1 repeats by an array not at all, and by a list one by one")
        return Array(self.inner.repeat(repeats, axis))

    def __getattr__(self, name: str) -> Any:
        if name not in RECORD["methods"]:
            raise AttributeError(f"cupy.ndarray has no {name}")
        found = getattr(self.inner, name)
        if not callable(found):
            return Array(found) if isinstance(found, np.ndarray) else found

        def method(*given: Any, **keywords: Any) -> Any:
            _known(f"ndarray.{name}", RECORD["methods"][name], len(given), keywords)
            if name in VIEWS:
                return Array(found(*given, **keywords))
            COUNTS.touch(self.inner.nbytes)
            with np.errstate(all="ignore"):
                return _outer(found(*map(_argument, given), **_each(keywords)))

        return method


_OPERATORS = (
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "matmul",
    "and_",
    "or_",
    "xor",
    "lshift",
    "rshift",
    "lt",
    "le",
    "gt",
    "ge",
)
for _name in _OPERATORS:
    _own, _forward, _backward, _in_place = _operation(_name)
    assert _own in RECORD["operators"]
    setattr(Array, _own, _forward)
    if _own not in ("__lt__", "__le__", "__gt__", "__ge__"):
        setattr(Array, f"__r{_own[2:]}", _backward)
        if f"__i{_own[2:]}" in RECORD["operators"]:
            setattr(Array, f"__i{_own[2:]}", _in_place)


def _argument(value: Any) -> Any:
    """An argument of a function: an array of the device, several, a number, a type, a word."""
    if isinstance(value, list | tuple):
        return type(value)(map(_argument, value))
    if isinstance(value, np.ndarray):
        raise RefusedError("an array of NumPy as the argument of a function of CuPy")
    if isinstance(value, Array):
        COUNTS.touch(value.inner.nbytes)
        return value.inner
    return value


def _each(keywords: dict[str, Any]) -> dict[str, Any]:
    return {name: _argument(value) for name, value in keywords.items()}


class Ufunc:
    """An elementwise function: what CuPy's has."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *given: Any, **keywords: Any) -> Any:
        """The function of arrays of the device and numbers."""
        _known(self._name, ["x", "y", "out", "dtype", "casting"], len(given), keywords)
        return _computed(self._name, getattr(np, self._name), *given, **_each(keywords))

    def reduceat(self, *_: Any, **__: Any) -> Any:
        """CuPy has it of add alone, and there subtracts running sums."""
        raise RefusedError(f"{self._name}.reduceat: CuPy subtracts sums of all runs before, or has none")

    def at(self, *_: Any, **__: Any) -> Any:
        """CuPy adds in whatever order threads come."""
        raise RefusedError(f"{self._name}.at: the order of its operations differs from run to run")

    def reduce(self, *_: Any, **__: Any) -> Any:
        """CuPy has it of some functions alone."""
        raise RefusedError(f"{self._name}.reduce: CuPy has sum, max and min")


def _function(name: str) -> Any:
    arguments = RECORD["functions"][name]
    own = getattr(np, name)

    def function(*given: Any, **keywords: Any) -> Any:
        _known(name, arguments, len(given), keywords)
        given, keywords = tuple(map(_argument, given)), _each(keywords)
        with np.errstate(all="ignore"):
            return _outer(own(*given, **keywords))

    def of_arrays(*given: Any, **keywords: Any) -> Any:
        first = given[0][0] if given and isinstance(given[0], list | tuple) and given[0] else given[0]
        if not any(isinstance(each, Array) for each in (first, *given[1:])):
            raise RefusedError(f"cupy.{name} without an array of the device")
        return function(*given, **keywords)

    return function if name in CREATES else of_arrays


def asarray(
    a: Any, dtype: Any = None, order: Any = None, *, copy: Any = None, blocking: bool = False
) -> Array:
    """An array of NumPy, numbers or lists of them, copied to the device."""
    if isinstance(a, Array):
        return a if dtype is None else a.astype(dtype, copy=False)
    if isinstance(a, list | tuple) and any(isinstance(each, Array) for each in a):
        raise RefusedError("a list of arrays of the device: stack joins them")
    found = np.array(a, dtype=dtype, order=order or "K")
    if found.dtype.kind not in "fiub":
        raise RefusedError(f"an array of {found.dtype} on the device")
    return Array(found)


def where(condition: Any, *choices: Any) -> Array:
    """One of two numbers each."""
    if not isinstance(condition, Array) or len(choices) != 2:
        raise RefusedError("cupy.where of a condition on the device, and two choices")
    return _computed("where", np.where, condition.astype(bool), *choices)


def bincount(x: Array, weights: Any = None, minlength: int | None = None) -> Array:
    """How often each number occurs."""
    if weights is not None:
        raise RefusedError("bincount with weights: CuPy adds them in whatever order threads come")
    COUNTS.add(8)  # it looks for the least
    COUNTS.add(8)  # and for the greatest
    return Array(np.bincount(_inner(x), minlength=minlength or 0))


def repeat(a: Array, repeats: Any, axis: int | None = None) -> Array:
    """Each element several times."""
    return a.repeat(repeats, axis)


class _Special(ModuleType):
    """`cupyx.scipy.special`."""

    def __getattr__(self, name: str) -> Any:
        if name not in RECORD["special"]:
            raise AttributeError(f"cupyx.scipy.special has no {name}")

        def function(*given: Any) -> Any:
            if not any(isinstance(each, Array) for each in given):
                raise RefusedError(f"cupyx.scipy.special.{name} without an array of the device")
            with np.errstate(all="ignore"):
                return _outer(getattr(scipy.special, name)(*map(_inner, given)))

        return function


class CUDARuntimeError(RuntimeError):
    """What the driver says."""


class CUBLASError(RuntimeError):
    """What cuBLAS says."""


class CUDADriverError(RuntimeError):
    """What the driver says below the runtime."""


class OutOfMemoryError(MemoryError):
    """The memory of the device is spent."""


class _used:  # noqa: N801  # as contextlib names such a class
    """What a thread uses within `with`."""

    def __init__(self, local: threading.local, name: str, number: int) -> None:
        self.local, self.name, self.number = local, name, number
        self.before: list[Any] = []

    def __enter__(self) -> None:
        self.before.append(getattr(self.local, self.name, None))
        setattr(self.local, self.name, self.number)

    def __exit__(self, *_: Any) -> None:
        setattr(self.local, self.name, self.before.pop())


class _Cuda(ModuleType):
    """`cupy.cuda`, of a machine with so many devices."""

    def __init__(self, devices: int | str) -> None:
        super().__init__("cupy.cuda")
        self.devices = devices
        self.local = threading.local()
        self.streams: list[int] = []
        self.runtime = SimpleNamespace(
            CUDARuntimeError=CUDARuntimeError,
            getDeviceCount=self._count,
            getDeviceProperties=lambda index: {"name": b"Stand-in", "totalGlobalMem": 1 << 34},
        )
        self.memory = SimpleNamespace(OutOfMemoryError=OutOfMemoryError)
        self.cublas = SimpleNamespace(CUBLASError=CUBLASError)
        self.driver = SimpleNamespace(CUDADriverError=CUDADriverError)

    def _count(self) -> int:
        if isinstance(self.devices, str):
            raise CUDARuntimeError(self.devices)
        return self.devices

    def Device(self, index: int) -> Any:  # noqa: N802  # CuPy's name
        """A device, which a thread uses within `with`."""
        return _used(self.local, "device", index)

    def Stream(self, null: bool = False, non_blocking: bool = False) -> Any:  # noqa: N802  # CuPy's name
        """A stream, which a thread uses within `with`."""
        assert non_blocking
        self.streams.append(threading.get_ident())
        return _used(self.local, "stream", len(self.streams))


class Strict(ModuleType):
    """The namespace: what CuPy has of NumPy's."""

    ndarray = Array

    def __init__(self, devices: int | str = 1) -> None:
        super().__init__("cupy")
        self.__version__ = RECORD["version"]
        self.asarray, self.where, self.bincount, self.repeat = asarray, where, bincount, repeat
        self.array = asarray
        self.cuda = _Cuda(devices)
        self.get_default_memory_pool = lambda: SimpleNamespace(free_all_blocks=lambda: None)
        self.get_default_pinned_memory_pool = self.get_default_memory_pool

    def __getattr__(self, name: str) -> Any:
        if name in DTYPES | CONSTANTS:
            return getattr(np, name)
        if name in RECORD["ufuncs"]:
            found: Any = Ufunc(name)
        elif name in RECORD["functions"]:
            found = _function(name)
        else:
            raise AttributeError(f"cupy has no {name}")
        setattr(self, name, found)
        return found


@contextmanager
def installed(devices: int | str = 1) -> Iterator[Strict]:
    """The stand-in in the place of CuPy, with so many devices, or with what its driver complains of."""
    xp = Strict(devices)
    special = _Special("cupyx.scipy.special")
    scipy_of_it, beside = ModuleType("cupyx.scipy"), ModuleType("cupyx")
    scipy_of_it.special, beside.scipy = special, scipy_of_it  # type: ignore[attr-defined]
    modules = {
        "cupy": xp,
        "cupy.cuda": xp.cuda,
        "cupyx": beside,
        "cupyx.scipy": scipy_of_it,
        "cupyx.scipy.special": special,
    }
    before = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        yield xp
    finally:
        for name, module in before.items():
            if module is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module
