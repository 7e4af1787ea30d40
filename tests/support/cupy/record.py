"""What CuPy offers, recorded beside the stand-in for it, so that it need not be installed where tests run.

    python tests/support/cupy/record.py

writes names.json anew, of the CuPy that is installed; no GPU is needed.
"""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

NAMES = Path(__file__).parent / "names.json"


def recorded() -> dict[str, Any]:
    """The functions of CuPy with their arguments, its ufuncs, the methods of its arrays, and more."""
    import cupy
    from cupy._sorting.search import _where_ufunc
    from cupyx.scipy import special

    public = {name: getattr(cupy, name) for name in dir(cupy) if not name.startswith("_")}
    return {
        "version": cupy.__version__,
        "functions": {name: arguments(f) for name, f in public.items() if inspect.isroutine(f)},
        # Each with the types of its loops, the first of which that fits is taken.
        "ufuncs": {name: f.types for name, f in public.items() if isinstance(f, cupy.ufunc)}
        | {"where": _where_ufunc.types},
        "methods": {
            name: arguments(getattr(cupy.ndarray, name))
            for name in dir(cupy.ndarray)
            if not name.startswith("_")
        },
        "operators": [name for name in dir(cupy.ndarray) if re.fullmatch(r"__\w+__", name)],
        "special": [name for name, f in vars(special).items() if callable(f) and not name.startswith("_")],
    }


def arguments(function: Any) -> list[str] | None:
    """The names of the arguments of a function; None where it takes any, or does not tell."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        # Methods that are compiled tell it in the first line of their documentation.
        line = re.match(r"\w+\.\w+\(self,?(.*?)\)(?: ->|$)", function.__doc__ or "", re.MULTILINE)
        parts = [part.partition("=")[0].split() for part in line[1].split(",")] if line else [["*"]]
        return None if any("*" in part[-1] for part in parts if part) else [p[-1] for p in parts if p]
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in found):
        return None
    return [p.name for p in found if p.name != "self"]


if __name__ == "__main__":
    NAMES.write_text(json.dumps(recorded(), indent=None, separators=(", ", ": ")) + "\n")
