"""Classes of plain data whose fields never change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform, overload

T = TypeVar("T")


class _Factory:
    """Stands in a signature for a value that is made anew."""

    def __repr__(self) -> str:
        return "<factory>"


FACTORY = _Factory()


@overload
def frozen(cls: type[T], /) -> type[T]: ...
@overload
def frozen(*, eq: bool) -> Callable[[type[T]], type[T]]: ...


@dataclass_transform(frozen_default=True, eq_default=False, field_specifiers=(field,))
def frozen(cls: type[T] | None = None, /, *, eq: bool = False) -> Any:
    """A dataclass whose fields are never assigned again; the type checker sees to it.

    With `eq`, equal fields make equal objects.  The methods that `dataclass` would write are compiled when
    they are first called, or are plain functions: to compile those of the hundred classes of this package
    took a tenth of the time in which a small file is evaluated, and a run makes objects of a third of them.
    """
    return _made(eq) if cls is None else _made(eq)(cls)


@dataclass_transform(frozen_default=True, kw_only_default=False, field_specifiers=(field,))
def sealed(*, kw_only: bool = False) -> Callable[[type[T]], type[T]]:
    """A frozen dataclass for users: it refuses to change, compares by its fields, and shows them."""

    def seal(cls: Any) -> Any:
        cls = _made(True, kw_only, sealed=True)(cls)
        cls.__setattr__, cls.__delattr__, cls.__repr__ = _refuse, _refuse, _shown
        return cls

    return seal


def _made(eq: bool, kw_only: bool = False, sealed: bool = False) -> Callable[[type[T]], type[T]]:
    def make(cls: Any) -> Any:
        cls = dataclass(init=False, repr=False, eq=False, kw_only=kw_only)(cls)

        if eq:
            cls.__eq__, cls.__hash__ = _comparison([each.name for each in fields(cls)])

        def first(self: Any, *args: Any, **given: Any) -> None:
            cls.__init__ = init = _init(cls, sealed)
            init(self, *args, **given)

        # Users look at the signature of what is sealed.
        cls.__init__ = _init(cls, sealed) if sealed else first
        return cls

    return make


def _init(cls: Any, sealed: bool) -> Any:
    """The function that makes an object out of the values of its fields, as `dataclass` would write it."""
    scope: dict[str, Any] = {"FACTORY": FACTORY, "assign": object.__setattr__}
    places: list[str] = []
    by_name: list[str] = []
    body: list[str] = []
    for number, each in enumerate(fields(cls)):
        name, default, value = each.name, "", each.name
        if each.default is not MISSING:
            scope[f"_{number}"], default = each.default, f"=_{number}"
        elif each.default_factory is not MISSING:
            scope[f"_{number}"], default = each.default_factory, "=FACTORY"
            value = f"_{number}() if {name} is FACTORY else {name}"
        (by_name if each.kw_only else places).append(name + default)
        body.append(f"assign(self, {name!r}, {value})" if sealed else f"self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    arguments = ", ".join(["self", *places, *(["*", *by_name] if by_name else [])])
    exec(f"def __init__({arguments}):\n " + "\n ".join(body or ["pass"]), scope)
    scope["__init__"].__qualname__ = f"{cls.__qualname__}.__init__"
    scope["__init__"].__annotations__ = {each.name: each.type for each in fields(cls)} | {"return": None}
    return scope["__init__"]


def _comparison(names: list[str]) -> tuple[Any, Any]:
    """Functions that compare objects by these fields, and make a hash of them."""
    values: Callable[[Any], Any] = attrgetter(*names) if names else lambda self: ()

    def equal(self: Any, other: Any) -> Any:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    def hashed(self: Any) -> int:
        return hash(values(self))

    return equal, hashed


def _refuse(self: Any, name: str, *value: Any) -> None:
    raise FrozenInstanceError(f"cannot {'assign to' if value else 'delete'} field {name!r}")


def _shown(self: Any) -> str:
    shown = ", ".join(f"{each.name}={getattr(self, each.name)!r}" for each in fields(self))
    return f"{type(self).__qualname__}({shown})"
