"""The kinds of inputs, a module each: `case` makes one from random numbers, `SHARE` is how often it comes."""

from __future__ import annotations

import random
from importlib import import_module
from pkgutil import iter_modules

from ..case import Case

KINDS = {
    name: import_module(f"{__name__}.{name}")
    for name in sorted(module.name for module in iter_modules(__path__))
}
"""The modules of kinds, by name."""


def made(kind: str, seed: int, number: int) -> Case:
    """The input of a kind with this number; the same seed makes the same one."""
    return KINDS[kind].case(random.Random(f"{kind} {seed} {number}"))
