"""Losses in other processes: sent by what names them, and found again there.

A function is never sent.  So what is sent holds no code, and a worker runs the code that it has.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import reduce
from importlib import import_module
from typing import Any

from losscli.catalog import request
from losscli.catalog.custom import expression
from losscli.catalog.custom import file as custom_file
from losscli.catalog.custom import function as custom_function
from losscli.catalog.loss import Loss
from losscli.errors import UsageError


def reduced(loss: Loss) -> tuple[Callable[..., Loss], tuple[str, ...]]:
    """What pickle writes of a loss.  Raises UsageError for a function that no other process can import."""
    is_text = not loss.request or expression.split(loss.request) or custom_file.split(loss.request)
    if is_text:
        return named, (loss.asked_as, loss.task, loss.digest)
    module, name = loss.function.__module__, loss.function.__qualname__
    if module == "__main__" or _imported(module, name) is not loss.function:
        raise UsageError(
            f"{loss.request} cannot be sent to another process, which cannot import it",
            remedy="define the function in a module, or name it as file.py:function",
        )
    return imported, (module, name, loss.digest)


def _imported(module: str, name: str) -> Any:
    try:
        return reduce(getattr, name.split("."), sys.modules.get(module))
    except AttributeError:
        return None


def named(asked: str, task: str, digest: str) -> Loss:
    """The loss of a task that a text names.  Raises UsageError where its file is another one by now."""
    candidates = [loss for loss in request.find(asked).losses if loss.task == task]
    (loss,) = (loss for loss in candidates if asked in (loss.asked_as, loss.name))
    return _unchanged(loss, digest)


def imported(module: str, name: str, digest: str) -> Loss:
    """The loss of a function in a module.  Raises UsageError where its source is another one by now."""
    import_module(module)
    return _unchanged(custom_function.of_function(_imported(module, name)), digest)


def _unchanged(loss: Loss, digest: str) -> Loss:
    if loss.digest != digest:
        raise UsageError(
            f"{loss.asked_as} is not what it was when the evaluation was planned",
            remedy="every process needs the same file",
        )
    return loss
