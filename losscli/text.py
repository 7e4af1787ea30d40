"""Words of messages: counts, lists, near names, and values as they are written."""

from __future__ import annotations

import csv
import difflib
import json
import re
from collections.abc import Iterable


def enumerated(names: Iterable[str]) -> str:
    """Names with commas between them, at most twenty."""
    first = [*names]
    return ", ".join(first[:20]) + (f", ... ({len(first)} in all)" if len(first) > 20 else "")


def near(name: str, known: Iterable[str], n: int = 3) -> str:
    """Say which known names resemble `name`: ' Did you mean huber?', or nothing."""
    matches = difflib.get_close_matches(name.lower(), list(known), n=n, cutoff=0.6)
    return f" Did you mean {' or '.join(matches)}?" if matches else ""


_SINGULAR = {"were": "was", "are": "is", "do": "does", "hold": "holds", "have": "has"}


def counted(count: int, what: str) -> str:
    """'3 missing values', and '1 missing value' of the same plural."""
    if count != 1:
        return f"{count} {what}"
    noun = re.sub(r"(\w+?)(ies|s)\b", lambda m: m[1] + ("y" if m[2] == "ies" else ""), what, count=1)
    verb = re.sub(rf"\b({'|'.join(_SINGULAR)})\b", lambda m: _SINGULAR[m[1]], noun, count=1)
    return f"1 {verb}"


def split_names(text: str) -> list[str]:
    """The names in a list with commas; a name that holds a comma is quoted, as in a CSV file."""
    return [name for row in csv.reader([text], skipinitialspace=True) for name in row if name]


def join_names(names: Iterable[str]) -> str:
    """Names as a list with commas that `listed` reads."""
    return ",".join(
        '"' + name.replace('"', '""') + '"' if set(name) & set('",') or name != name.strip() else name
        for name in names
    )


def param_text(value: object) -> str:
    """The value of a parameter as it is written in line."""
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)


def _quoted(name: str) -> str:
    plain = name.isprintable() and name == name.strip() and name not in ("", "*")
    if plain and not set(name) & set('",=[]'):
        return name
    return json.dumps(name, ensure_ascii=not name.isprintable())
