"""Custom losses as Python functions with the signature of catalog losses; results are checked at run time."""

from __future__ import annotations

import hashlib
import inspect
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import reduce, wraps
from importlib import import_module
from types import CodeType
from typing import Any, TypeVar

from msgspec.structs import replace

from losscli.catalog.custom.guard import Guard
from losscli.catalog.loss import Loss
from losscli.catalog.registry import list_losses
from losscli.errors import UsageError
from losscli.numeric.arrays import Array, Namespace, np, read_only
from losscli.states import reductions
from losscli.states.base import State
from losscli.states.moments import Moments
from losscli.states.reductions import Reduction
from losscli.tasks.base import Batch, sealed

Function = Callable[..., Array | tuple[Array, ...]]
_Function = TypeVar("_Function", bound=Function)

_REMEDY = "as in `def asym(batch: Regression, *, slope: Positive = 2.0): ...`"
_PROPERTIES = "__loss__"
"""The attribute in which the decorator `loss` stores the properties of a function."""
_DEFAULTS = {"reduction": reductions.mean, "best": None, "score": False}
"""The properties of a function without the decorator `loss`."""
_COLUMNS = {reductions.mean: 1, reductions.root: 1, reductions.largest: 1, reductions.ratio: 2}
"""The number of row columns that each reduction of `losscli.custom` takes."""
_REDUCTION_ARGUMENTS = {"weight", "low", "high", "pilot", "pilots"}
"""The arguments that a reduction may have in addition to the parameters of the loss."""


def loss(
    *,
    reduction: Reduction = reductions.mean,
    best: float | None = None,
    score: bool = False,
    domain: str = "",
    increasing: tuple[str, ...] = (),
    state: type[State] = Moments,
) -> Callable[[_Function], _Function]:
    """Describe a function that is used as a loss; a plain mean over rows needs no description.

    Args:
        reduction: How the weighted means of the row columns become the value: `mean`, `root`, `ratio`,
            `root_ratio`, `largest`, or a `Reduction` of your own.
        best: The value of a perfect prediction, or None if that depends on the targets.
        score: Whether larger values are better.
        domain: The values that the loss is defined for, in words.
        increasing: Names of parameters that have to increase in this order.
        state: The type that summarizes rows: a class with the methods of `losscli.states.base.State`.

    Returns:
        A decorator, which returns the function itself.  Pass the function to `losscli.evaluate(..., loss=f)`,
        or name it on the command line: `-l file.py:f`.

    Examples:
        >>> from losscli.custom import Regression, loss, root
        >>> @loss(reduction=root, best=0.0)
        ... def root_of_absolute_error(batch: Regression):
        ...     return batch.abs_error
    """

    def described(function: _Function) -> _Function:
        properties = {
            "reduction": reduction, "best": best, "score": score, "domain": domain,
            "increasing": increasing, "state": state,
        }  # fmt: skip
        setattr(function, _PROPERTIES, properties)
        return function

    return described


class CustomLoss(Loss, frozen=True):
    """A custom loss: its results are checked, and exceptions are reported with the line in its source."""

    def __reduce__(self) -> tuple[Callable[..., Loss], tuple[str, ...]]:
        """The origin.  Raises UsageError for a function that no other process can import."""
        find, place = self.origin
        if find is imported and (place[0] == "__main__" or _imported_object(*place[:2]) is not self.function):
            raise UsageError(
                f"{self.request} cannot be sent to another process, which cannot import it",
                remedy="define the function in a module, or name it as file.py:function",
            )
        return self.origin

    def columns(self, batch: Batch, params: Mapping[str, Any]) -> Sequence[Array]:
        """The row columns of a batch, each of shape (n,), as floats.

        Raises UsageError if the function raises, or returns anything but numbers or conditions (n,).
        """
        with Guard(lambda error: f"{self.request}: {_raised(error, self.function)}"):
            columns = super().columns(sealed(batch), params)
        expected = _COLUMNS.get(self.reduction, len(columns)) if self.has_means else len(columns)
        if len(columns) != expected:
            raise UsageError(
                f"{self.request}: it returned {len(columns)} row columns, and its reduction takes {expected}",
                remedy="@loss(reduction=...) says how the value is made of them",
            )
        n = _rows(batch)
        for column in columns:
            if not isinstance(column, batch.xp.ndarray):
                actual = f"a {type(column).__name__}"
            elif isinstance(column, np.ma.MaskedArray):
                actual = "a masked array"
            elif column.dtype.kind not in "fiub":
                actual = f"an array of type {column.dtype}"
            elif column.shape != (n,):
                actual = f"an array of shape {column.shape}"
            else:
                continue
            raise UsageError(
                f"{self.request}: it returned {actual}, where {n} rows need an array of {n} numbers",
                remedy="return the loss of each row, or a tuple of row columns with a reduction",
            )
        return tuple(batch.xp.asarray(column).astype(float, copy=False) for column in columns)


def of_function(
    function: object,
    name: str = "",
    request: str = "",
    digest: str = "",
    origin: tuple[Callable[..., Loss], tuple[str, ...]] | None = None,
) -> Loss:
    """Make a loss of a function; a function of the catalog gives the loss of the catalog.

    `name` defaults to that of the function, `request` to the name, and `origin` to the function's module.

    Raises UsageError for a function that does not have the signature of a loss.
    """
    if not inspect.isfunction(function):
        raise UsageError(f"{request or repr(function)} is not a function", remedy=_REMEDY)
    registered = next((entry for entry in list_losses() if entry.function is function), None)
    if registered is not None:
        return registered
    name = name or function.__name__
    properties = vars(function).get(_PROPERTIES, _DEFAULTS)
    digest = digest or _digest(function)
    origin = origin or (imported, (function.__module__, function.__qualname__, digest))
    entry = CustomLoss(
        name, (), function, origin=origin, request=request or name, digest=digest, **properties
    )
    _check(entry)
    _check_reduction(entry)
    _check_state(entry)
    return entry if entry.reduction in _COLUMNS else replace(entry, reduction=_guarded_reduction(entry))


def imported(module: str, name: str, digest: str) -> Loss:
    """The loss of a function in a module.  Raises UsageError if the digest of its source differs."""
    import_module(module)
    return require_digest(of_function(_imported_object(module, name)), digest)


def _imported_object(module: str, name: str) -> Any:
    """The object with a dotted name in an imported module; None if there is none."""
    try:
        return reduce(getattr, name.split("."), sys.modules.get(module))
    except AttributeError:
        return None


def require_digest(entry: Loss, digest: str) -> Loss:
    """Return the loss.  Raises UsageError if it has another digest."""
    if entry.digest != digest:
        raise UsageError(
            f"{entry.request} is not what it was when the evaluation was planned",
            remedy="every process needs the same file",
        )
    return entry


def _check(entry: CustomLoss) -> None:
    """Raise UsageError if the signature is not that of a loss."""
    parameters = list(inspect.signature(entry.function).parameters.values())
    if not parameters or parameters[0].kind is not parameters[0].POSITIONAL_OR_KEYWORD:
        raise UsageError(f"{entry.request}: its first argument must be the batch", remedy=_REMEDY)
    for i, parameter in enumerate(parameters):
        what = f"{entry.request}: {parameter.name}"
        if i and parameter.kind is not parameter.KEYWORD_ONLY:
            raise UsageError(f"{what} must be a keyword, after a *", remedy=_REMEDY)
        if parameter.annotation is parameter.empty:
            kind = "range: Positive, Unit, ..." if i else "batch: Regression, Binary, ..."
            raise UsageError(f"{what} has no annotation; expected a {kind}", remedy=_REMEDY)
    # Evaluating an annotation runs code of the user, too.
    with Guard(lambda error: f"{entry.request}: {_raised(error, entry.function)}", _REMEDY):
        batch, _ = entry.batch, entry.params
    is_batch = isinstance(batch, type) and issubclass(batch, Batch) and hasattr(batch, "task")
    if not is_batch or not batch.__module__.startswith("losscli.tasks."):  # no reader makes others
        what = f"{entry.request}: {parameters[0].name}"
        raise UsageError(f"{what} must be annotated with the batch of a task, not {batch!r}", remedy=_REMEDY)


def _check_reduction(entry: CustomLoss) -> None:
    """Raise UsageError if the reduction is not a Reduction, or takes unknown arguments."""
    if not isinstance(entry.reduction, Reduction):
        raise UsageError(
            f"{entry.request}: its reduction must be a losscli.custom.Reduction, not {entry.reduction!r}",
            remedy="as in @loss(reduction=Reduction(lambda xp, m: m[..., 0] / m[..., 1]))",
        )
    allowed = {param.name for param in entry.params} | _REDUCTION_ARGUMENTS
    refused = [
        name
        for name in list(inspect.signature(entry.reduction.function).parameters)[2:]
        if name not in allowed
    ]
    if refused:
        raise UsageError(
            f"{entry.request}: its reduction asks for {', '.join(refused)}",
            remedy=f"a reduction may ask for {', '.join(sorted(allowed))}",
        )


def _check_state(entry: CustomLoss) -> None:
    """Raise UsageError if the state is not a class with the methods of State."""
    lacks = [name for name in vars(State) if not name.startswith("_") and not hasattr(entry.state, name)]
    if lacks or not isinstance(entry.state, type):
        what = f"{entry.request}: its state must be a class with the methods of State, not {entry.state!r}"
        lacking = f", which has no {', '.join(lacks)}" if lacks else ""
        raise UsageError(what + lacking, remedy="leave out state= for the moments of the row columns")


def _guarded_reduction(entry: CustomLoss) -> Reduction:
    """The reduction of a loss, checked, and with exceptions reported with the line in its source."""
    function = entry.reduction.function

    @wraps(function)
    def guarded(xp: Namespace, means: Array, **arguments: Any) -> Array:
        with Guard(lambda error: f"{entry.request}: its reduction: {_raised(error, function)}"):
            value = function(xp, read_only(xp, means), **arguments)
        shape = means.shape[: -2 if entry.reduction.joint else -1]
        array = xp.asarray(value)
        masked = isinstance(value, np.ma.MaskedArray)
        if masked or array.dtype.kind not in "fiub" or array.shape != shape:
            actual = "a masked array" if masked else f"numbers of type {array.dtype} and shape {array.shape}"
            raise UsageError(
                f"{entry.request}: its reduction returned {actual}, where means of shape {means.shape} need "
                f"numbers of shape {shape}",
                remedy="reduce the last axis: m[..., 0] / m[..., 1]",
            )
        return array.astype(float, copy=False)

    return replace(entry.reduction, function=guarded)


def _raised(error: BaseException, function: Any) -> str:
    """An exception as text, with the line in the file of the function."""
    code = getattr(function, "__code__", None)
    return raised(error, "" if code is None else code.co_filename)


def raised(error: BaseException, file: str) -> str:
    """An exception as text, with the last line of `file` in its traceback."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    if isinstance(error, SyntaxError) and error.filename == file:
        lines = [error.lineno]
    place = f"line {lines[-1]}: " if lines else ""
    return f"{place}{type(error).__name__}: {error.msg if isinstance(error, SyntaxError) else _text(error)}"


def _text(error: BaseException) -> str:
    """The text of an exception; empty if its __str__, which is code of the user, raises."""
    with suppress(BaseException):
        return str(error)
    return ""


def _rows(batch: Batch) -> int:
    """The number of rows of a batch: its first array has one entry per row."""
    values = (getattr(batch, name) for name in batch.__struct_fields__)
    return next(len(value) for value in values if isinstance(value, batch.xp.ndarray))


def _digest(function: Any) -> str:
    """A digest of the source of a function, or of its bytecode if the source is not available."""
    try:
        text = inspect.getsource(function)
    except (OSError, TypeError):
        text = _code(function.__code__)
    return digest_of(text.encode(), function.__name__)


def _code(code: CodeType) -> str:
    consts = [_code(const) if isinstance(const, CodeType) else const for const in code.co_consts]
    return repr((code.co_code, code.co_names, consts))


def digest_of(source: bytes, name: str) -> str:
    """The name of a function and a short digest of its source."""
    return f"{name}@{hashlib.sha256(source).hexdigest()[:16]}"
