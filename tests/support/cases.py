"""The reference cases: what a run of the program is, and the number of an independent library."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

REFERENCE = Path(__file__).parent.parent / "reference"
CARRIED, MADE = (json.loads((REFERENCE / f"{name}.json").read_text()) for name in ("cases", "made"))
CASES = [
    *(SimpleNamespace(**case, folder=REFERENCE / "data" / case["name"]) for case in CARRIED),
    *(SimpleNamespace(**case, folder=REFERENCE / "made" / case["data"]) for case in MADE),
]
"""A case has its fields in JSON, and the `folder` of its data."""
