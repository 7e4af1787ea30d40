"""Properties that are computed once per object."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

__all__ = ["cached_property"]

if TYPE_CHECKING or sys.version_info >= (3, 12):
    from functools import cached_property
else:

    class cached_property:  # noqa: N801  # as functools names it
        """The `functools.cached_property` of Python 3.12 on.

        That of 3.11 holds a lock per class while it computes, so that threads with objects of their own would
        wait for each other.
        """

        def __init__(self, compute: Callable[[Any], Any]) -> None:
            self._compute, self.__doc__ = compute, compute.__doc__

        def __set_name__(self, owner: type[Any], name: str) -> None:
            self._name = name

        def __get__(self, instance: Any, owner: type[Any] | None = None) -> Any:
            if instance is None:
                return self
            # From now on the attribute in the instance shadows this descriptor.
            value = instance.__dict__[self._name] = self._compute(instance)
            return value
