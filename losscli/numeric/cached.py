"""Properties that are computed once for each object."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

__all__ = ["cached_property"]

if TYPE_CHECKING or sys.version_info >= (3, 12):
    from functools import cached_property
else:

    class cached_property:  # noqa: N801  # as functools names it
        """As `functools.cached_property` is from Python 3.12 on.

        That of 3.11 holds a lock of the class while it computes, so that threads wait for each other although
        each has objects of its own.
        """

        def __init__(self, compute: Callable[[Any], Any]) -> None:
            self._compute, self.__doc__ = compute, compute.__doc__

        def __set_name__(self, owner: type[Any], name: str) -> None:
            self._name = name

        def __get__(self, instance: Any, owner: type[Any] | None = None) -> Any:
            if instance is None:
                return self
            # Next time the attribute is found before this descriptor is asked.
            found = instance.__dict__[self._name] = self._compute(instance)
            return found
