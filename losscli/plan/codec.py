"""Convert plans to plain data for JSON and back, for saved states and for workers of an engine.

A loss is stored by name and looked up in the registry on reading; no function is serialized.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from losscli.catalog import request as requests
from losscli.catalog.conventions.policy import Policy
from losscli.catalog.custom.function import require_digest
from losscli.catalog.loss import Choice, Loss
from losscli.catalog.params import Param
from losscli.catalog.request import LossSpec
from losscli.data.stream import Roles
from losscli.errors import DataError, UsageError
from losscli.plan.options import request_of, stated
from losscli.plan.placement import Place
from losscli.plan.plan import Plan
from losscli.tasks.base import Batch
from losscli.tasks.catalog import TASKS

Finder = Callable[[str], tuple[Loss, ...]]
"""Look up the losses of a name, one per task.  Raises UsageError for code that must not be run."""
_Kind = TypeVar("_Kind")
_FLOAT = "float"
"""The key of a number that JSON cannot represent: infinity or NaN."""


class _WrittenChoice(Struct, frozen=True):
    """The serialized form of a chosen loss: see `Choice`."""

    loss: str
    task: str
    params: dict[str, Any]
    digest: str = ""
    apart: bool = False
    policy: Policy | None = None
    label: str = ""
    keeps_zero_class: bool = False


class _WrittenPlan(Struct, frozen=True):
    """The serialized form of a plan: see `Plan`."""

    roles: Roles
    choices: tuple[_WrittenChoice, ...]
    options: dict[str, Any]
    place: Place
    alignment: str
    default_eps: float


def plain(plan: Plan) -> dict[str, Any]:
    """The plan as plain data.  Raises UsageError for a loss that other processes cannot find by name."""
    options = stated(plan.request)
    options.pop("loss", None)  # replaced by the choices, which have all parameters
    written = _WrittenPlan(
        plan.roles,
        tuple(map(_written_choice, plan.choices)),
        options,
        plan.place,
        plan.alignment,
        plan.default_eps,
    )
    data: dict[str, Any] = to_plain(written)
    return data


def plan_of(data: Any, find: Finder | None = None) -> Plan:
    """The plan in plain data; `find` looks up losses, by default all except those whose code is in a file.

    Raises DataError if the data is not a plan, and UsageError for a loss that is not found.
    """
    written = from_plain(data, _WrittenPlan, _batch)
    if any(len(slicing.columns) != len(slicing.bins) for slicing in written.roles.slicings):
        raise DataError("is a damaged state: it has slices without columns")
    choices = tuple(_read_choice(chosen, find or find_without_code) for chosen in written.choices)
    request = request_of(written.options)
    roles, place = written.roles, written.place
    return Plan(roles, choices, request, place, written.alignment, written.default_eps)


def _batch(kind: type, name: object) -> type[Batch]:
    """The type of batch of this name.  Raises ValueError, which msgspec reports with the place."""
    list(TASKS.values())  # imports every task, and so its batches
    # The types for custom code have the name of their base class, which comes first.
    batch = next((kind for kind in _subclasses(Batch) if kind.__name__ == name), None)
    if batch is not None:
        return batch
    raise ValueError(f"unknown type of batch {name!r}")


def _subclasses(kind: type[Batch]) -> Iterator[type[Batch]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def find_without_code(name: str) -> tuple[Loss, ...]:
    """Look up a name in the catalog, or parse an expression.  Raises UsageError for code in a file."""
    if requests.is_code(name):
        raise UsageError(f"{name} is code in a file, which a state does not hold", remedy=f"-l {name}")
    return requests.find(name).losses


def finder(named: Sequence[LossSpec]) -> Finder:
    """A finder that runs the code in a file only if one of `named` names the function."""
    code = {request.name: request for request in map(requests.find, filter(requests.is_code, named))}

    def find(name: str) -> tuple[Loss, ...]:
        return requests.loaded(code[name]).losses if name in code else find_without_code(name)

    return find


def _written_choice(choice: Choice) -> _WrittenChoice:
    loss = choice.loss
    loss.__reduce__()  # raises for a function that no other process can import
    if loss.digest and not requests.is_code(loss.request):
        raise UsageError(
            f"{loss.request} is a function of this program, which no other process can find",
            remedy="name it as file.py:function",
        )
    return _WrittenChoice(
        loss=loss.asked_as,
        task=loss.task,
        params=dict(choice.params),
        digest=loss.digest,
        apart=loss.counts_apart,
        policy=choice.policy,
        label=choice.label,
        keeps_zero_class=choice.keeps_zero_class,
    )


def _read_choice(written: _WrittenChoice, find: Finder) -> Choice:
    registered = next((loss for loss in find(written.loss) if loss.task == written.task), None)
    if registered is None:
        raise UsageError(f"this version has no {written.task} loss {written.loss}", remedy="upgrade losscli")
    require_digest(registered, written.digest)
    loss = registered.as_ratio() if written.apart and not registered.counts_apart else registered
    params = {name: _as_tuples(value) for name, value in written.params.items()}
    if params.keys() != {param.name for param in loss.params}:
        raise DataError(f"is a damaged state: {written.loss} has other parameters")
    params = {param.name: _checked_value(param, params[param.name]) for param in loss.params}
    return Choice(loss, params, written.policy, written.label, written.keeps_zero_class)


def _checked_value(param: Param, value: Any) -> Any:
    """The value of a parameter, checked for type and range.  Raises UsageError."""
    return value if isinstance(value, tuple) or value == param.default else param.parse(value)


def _as_tuples(value: Any) -> Any:
    """The value with lists converted to tuples, the form of vector and matrix parameters."""
    return tuple(map(_as_tuples, value)) if isinstance(value, list) else value


def to_plain(value: Any) -> Any:
    """A struct as plain data for JSON, with infinities and NaN as text, and types by name."""
    return _without_infinities(msgspec.to_builtins(value, enc_hook=_name_of))


def from_plain(data: Any, kind: type[_Kind], type_of: Callable[[type, Any], Any] | None = None) -> _Kind:
    """Convert plain data to a struct.  Raises DataError if the data does not match it."""
    try:
        return msgspec.convert(_with_infinities(data), kind, dec_hook=type_of)
    except ValueError as error:  # of msgspec, or of text that is not UTF-8
        raise DataError(f"is a damaged state: {error}") from error


def _name_of(value: Any) -> str:
    if isinstance(value, type) and issubclass(value, Batch):
        return value.__name__
    # Raised for a new type of field in `Plan`; tests serialize every plan, so users never see this.
    raise NotImplementedError(f"{type(value)} has no plain form")


def _without_infinities(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return {_FLOAT: str(value)}
    if isinstance(value, Mapping):
        return {key: _without_infinities(item) for key, item in value.items()}
    return [_without_infinities(item) for item in value] if isinstance(value, list | tuple) else value


def _with_infinities(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {_FLOAT} and value[_FLOAT] in ("inf", "-inf", "nan"):
            return float(value[_FLOAT])
        return {key: _with_infinities(item) for key, item in value.items()}
    return [_with_infinities(item) for item in value] if isinstance(value, list) else value
