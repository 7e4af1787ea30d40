"""Read NumPy arrays, in memory or mapped from .npy and .npz files, as lazy frames."""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from numbers import Real
from typing import IO, TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from losscli.data.formats.base import Files, Format
from losscli.data.formats.frames import lazy
from losscli.data.limits import require_memory
from losscli.errors import DataError, Problem
from losscli.numeric.arrays import Array, np, pl
from losscli.report.findings import Code, problem

if TYPE_CHECKING:
    from losscli.data.request import Reading

SLICE = 131_072
"""The number of values of a mapped array per frame."""
CHUNK = 1 << 20
"""Bytes read at a time."""
UNNAMED = "arr_"
"""The prefix of the names that numpy.savez gives unnamed arrays."""


class Part(Struct, frozen=True, eq=False):
    """An array (n,) or (n, k) with the name of its column, if it has one."""

    name: str | None
    array: Array


class Arrays(Format, frozen=True):
    """Local files, mapped and read slice by slice; `has_names` if their arrays have names."""

    has_names: bool = False

    def hold(self, files: Files, asked: Reading) -> Files:
        """The files with the arrays of each, mapped into memory unless they are compressed."""
        return replace(files, arrays=mapped(files, self.has_names, asked.max_memory))

    def columns(self, path: str, files: Files) -> dict[str, Any]:
        """The arrays of one file, each with the type and shape of a row."""
        parts: Sequence[Part] = files.arrays[files.paths.index(path)]
        return {part.name or "array": _row_type(part.array) for part in parts}

    def scan(self, files: Files, schema: Mapping[str, Any] | None = None) -> pl.LazyFrame:
        """The scan of the arrays as columns; unnamed arrays are named by their role."""
        return scanned(files)


def _row_type(array: Array) -> str:
    return f"{array.dtype} {array.shape[1:]}" if array.ndim > 1 else str(array.dtype)


def invalid(what: str, where: str, remedy: str | None = None) -> Problem:
    """The problem of data that cannot be read as columns."""
    return problem(Code.INVALID_ARRAY, where, remedy=remedy, what=what)


def is_matrix(parts: Sequence[Part]) -> bool:
    """Whether there is one array with several columns."""
    return len(parts) == 1 and parts[0].array.ndim == 2 and parts[0].array.shape[1] > 1


def in_memory(source: Any, role: str) -> Array:
    """Anything array-like as an array.  Raises DataError."""
    if hasattr(source, "columns"):
        what = f"a {type(source).__name__} is neither a polars frame nor an array"
        raise DataError(invalid(what, role, "polars.from_pandas makes one"))
    if isinstance(source, np.ma.MaskedArray):
        # Masked values are missing.
        source = np.ma.filled(source.astype(float), np.nan)
    try:
        return np.asarray(source)
    except ValueError as error:
        raise DataError(invalid(f"not an array: {error}", role, "rows of equal length")) from None


def frame(part: Part, name: str, role: str, flat: bool) -> pl.DataFrame:
    """An array as a frame; a matrix of predictions is one column of arrays, or with `flat` one per output.

    `name` is the name of the source in messages.  Raises DataError for arrays that cannot be columns.
    """
    column = part.name or ("prediction" if role == "predictions" else "target")
    array = part.array
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    with suppress(TypeError, pl.exceptions.PolarsError):
        if array.ndim == 1 and array.dtype.kind in "biufUOT":
            values = _objects(array) if array.dtype.kind == "O" else _native(array)
            return pl.Series(column, values).to_frame()
        if (
            array.ndim == 2
            and array.dtype.kind in "biuf"
            and (part.name or role == "predictions")
            and not flat
        ):
            dtype = {np.float16: pl.Float16, np.float32: pl.Float32}.get(array.dtype.type, pl.Float64)
            return pl.DataFrame({column: pl.Series(_native(array), dtype=pl.Array(dtype, array.shape[1]))})
        if array.ndim == 2 and array.dtype.kind in "biuf":
            stem = "y_pred" if role == "predictions" else "y_true"
            return pl.DataFrame({f"{stem}_{i}": _native(array[:, i]) for i in range(array.shape[1])})
    what = f"an array of {array.ndim} dimensions and type {array.dtype}"
    remedy = None
    if array.dtype.names:
        what = f"a structured array with the fields {', '.join(array.dtype.names)}"
        remedy = "numpy.savez(file, **{name: array[name] for name in array.dtype.names}) makes columns"
    raise DataError(invalid(what, name, remedy))


def _objects(array: Array) -> pl.Series:
    """Python objects (n,) as a series: floats for numbers of several types or missing ones."""
    values = array.tolist()
    numbers = all(each is None or isinstance(each, Real) for each in values)
    floats = numbers and any(isinstance(each, float) for each in values)
    return pl.Series(values, dtype=pl.Float64 if floats else None, strict=not floats)


def _native(array: Array) -> Array:
    """The numbers in native byte order and in a type that Polars supports."""
    if array.dtype.kind == "f" and array.dtype.itemsize not in (2, 4, 8):
        return array.astype(np.float64)
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))


def mapped(files: Files, have_names: bool, max_memory: int) -> list[list[Part]]:
    """The arrays of each file, mapped into memory unless they are compressed.  Raises DataError.

    `max_memory` is the maximum number of bytes of a compressed array that is far smaller in the file.
    """
    arrays = []
    for path in files.paths:
        try:
            arrays.append(list(_members(path, max_memory)) if have_names else [Part(None, _load(path))])
        except DataError:
            raise
        except Exception as error:  # parsing a damaged header can raise nearly any exception
            raise DataError(_unreadable(error, files.shown(path))) from None
    for path, parts in zip(files.paths, arrays, strict=True):
        lengths = {part.name: len(part.array) for part in parts if part.array.ndim}
        if len(set(lengths.values())) > 1:
            shown = ", ".join(f"{name} {length}" for name, length in lengths.items())
            what = f"arrays of different lengths: {shown}"
            raise DataError(invalid(what, files.shown(path), "save arrays of one length"))
    return arrays


def _load(path: str) -> Array:
    array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    if isinstance(array, np.memmap):
        _require_whole(array.offset + array.nbytes, os.path.getsize(path))
    return array


def _require_whole(stated: int, actual: int) -> None:
    """Raise ValueError if the size of a file or member differs from that in the header of its array."""
    if stated != actual:
        raise ValueError(f"the header of its array says {stated} bytes, and it holds {actual}")


def _members(path: str, max_memory: int) -> Iterator[Part]:
    """The arrays of an .npz file, mapped unless they are compressed; their checksums are verified."""
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if not entries or not all(entry.filename.endswith(".npy") for entry in entries):
            raise ValueError("a zip file without arrays, or with other files")
        for entry in entries:
            stem = entry.filename.removesuffix(".npy")
            name = None if len(entries) == 1 and stem.startswith(UNNAMED) else stem
            require_memory(entry.file_size, entry.compress_size, max_memory, path)
            with archive.open(entry) as member:
                shape, fortran, dtype = _header(member)
                start, count = member.tell(), math.prod(shape)
                _require_whole(start + count * int(dtype.itemsize), entry.file_size)
                if entry.compress_type == zipfile.ZIP_STORED and count and shape:
                    at = _start(path, entry) + start
                    array: Array = np.memmap(path, dtype, "r", at, shape, "F" if fortran else "C")
                else:
                    member.seek(0)
                    array = np.lib.format.read_array(member, allow_pickle=False)
                while member.read(CHUNK):  # the checksum is verified at the end of the member
                    pass
            yield Part(name, array)


def _header(member: IO[bytes]) -> tuple[tuple[int, ...], bool, Any]:
    """The shape, the memory order and the type of the array that follows.  Raises ValueError for objects."""
    version = np.lib.format.read_magic(member)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(member)
    if dtype.hasobject:
        raise ValueError("Object arrays cannot be loaded")
    return shape, fortran, dtype


def _start(path: str, entry: zipfile.ZipInfo) -> int:
    """The offset of the data of a member, after its local header."""
    with open(path, "rb") as file:
        # 30 bytes, then a name and an extra field, whose lengths are at offsets 26 and 28.
        file.seek(entry.header_offset + 26)
        name, extra = file.read(2), file.read(2)
        return entry.header_offset + 30 + int.from_bytes(name, "little") + int.from_bytes(extra, "little")


def _unreadable(error: Exception, name: str) -> Problem:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    if "objects in dtype" in reason or "Object arrays" in reason:
        return invalid("an array of Python objects", name, "save numbers or text: array.astype(float)")
    remedy = "write it again: numpy.save, numpy.savez"
    return problem(Code.DAMAGED_FILE, name, remedy=remedy, kind="NumPy file", reason=reason)


def scanned(files: Files) -> pl.LazyFrame:
    """The arrays of files as one lazy frame, read slice by slice.  Raises DataError."""
    arrays: Sequence[Sequence[Part]] = files.arrays
    names = [part.name for part in arrays[0]]
    if None in names and len(names) > 1:
        raise DataError(invalid("several arrays, not all with names", files.name, "numpy.savez(x=...)"))

    def rows(parts: Sequence[Part], start: int, stop: int) -> pl.DataFrame:
        slices = [Part(part.name, part.array[start:stop]) for part in parts]
        columns = [frame(part, files.name, files.role, files.flat) for part in slices]
        return pl.concat(columns, how="horizontal")

    if any(part.array.ndim == 0 for part in arrays[0]):
        raise DataError(invalid("a single number, no rows", files.name))
    schema = rows(arrays[0], 0, 1).schema
    width = sum(part.array.shape[1] if part.array.ndim > 1 else 1 for part in arrays[0])
    step = max(1, SLICE // max(1, width))

    def frames(place: int) -> Iterator[pl.DataFrame]:
        parts = arrays[place]
        for start in range(0, len(parts[0].array), step):
            yield rows(parts, start, start + step)

    return lazy(frames, files, schema)


FORMATS = (
    Arrays("npy", (".npy",), b"\x93NUMPY", "a NumPy array", "name it .npy", is_remote=False, knows_rows=True),
    Arrays(
        "npz",
        (".npz",),
        b"PK\x03\x04",
        "a zip, .npz or Excel file",
        "name it .npz, or save it as .csv",
        is_remote=False,
        knows_rows=True,
        has_names=True,
    ),
)
