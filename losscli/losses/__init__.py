"""The catalogue of losses, a module for each task.  `losscli.losses(task)`, as users call it, lists them."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Losses(ModuleType):
    """The package as a function: it has the name of one that users call, which loads the catalogue."""

    def __call__(self, task: str | None = None) -> tuple[Any, ...]:
        """All losses by task, or those of one task, in the order of the catalog."""
        from losscli.catalog.registry import losses

        return losses(task)


sys.modules[__name__].__class__ = _Losses
