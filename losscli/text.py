"""Parts of messages: counts, lists, near names, quoting."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable

LONGEST, DEEPEST = 2_000, 100
"""The maximum length of an expression or a condition, and of its nesting: n terms of a sum have n levels."""

SHOWN = 60
"""The maximum number of characters of a value in a message."""
LINE = 2_000
"""The maximum number of characters of a line of a message."""
_CHUNK = 1 << 20
"""The number of characters of a large text that are checked at once."""


def enumerated(names: Iterable[str], most: int = 20) -> str:
    """'a, b, c', and 'a, b, ... (7 in all)' if there are more than `most`."""
    everything = [printable(shortened(name)) for name in names]
    more = f", ... ({len(everything)} in all)" if len(everything) > most else ""
    return ", ".join(everything[:most]) + more


def near(name: str, known: Iterable[str], n: int = 3) -> str:
    """' Did you mean huber?' for known names that resemble `name`, else nothing."""
    matches = difflib.get_close_matches(name.lower(), list(known), n=n, cutoff=0.6)
    return f" Did you mean {either(matches)}?" if matches else ""


def either(names: Iterable[str]) -> str:
    """'a', 'a or b', 'a, b or c'."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def not_one_of(what: str, value: object, known: Iterable[str]) -> str:
    """'--color must be auto, always or never, got 'alway'. Did you mean always?'."""
    names = [*known]
    return f"{what} must be {either(names)}, got {value!r}.{near(str(value), names)}"


def counted(count: int, singular: str, plural: str = "") -> str:
    """'1 row' and '3 rows'; the plural is the singular with an s unless it is given."""
    return f"{count} {singular if count == 1 else plural or singular + 's'}"


_NAME = re.compile(r' *(?:"((?:[^"]|"")*)(?:"|$))?([^,]*)(,|$)')
"""A name in a list: csv would refuse one with a line end, and one of more than 131,072 characters."""


def natural(text: str) -> list[tuple[int, str]]:
    """A sort key by which part-2 comes before part-10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]+)", text)]


def split_names(text: str) -> list[str]:
    """The names in a list with commas; names with a comma are quoted as in a CSV file."""
    names = list[str]()
    for found in _NAME.finditer(text):
        quoted, plain, comma = found.groups()
        names.append((quoted or "").replace('""', '"') + plain)
        if not comma:
            break
    return names if text else []


def join_names(names: Iterable[str]) -> str:
    """Names as a list with commas that `split_names` reads."""
    return ",".join(
        '"' + name.replace('"', '""') + '"' if set(name) & set('",') or name != name.strip() else name
        for name in names
    )


def param_text(value: object) -> str:
    """The value of a parameter as in 'huber:delta=2'; of a vector as in 1:0.5, of a matrix as in 2:1/1:2."""
    if isinstance(value, tuple | list):
        by = "/" if any(isinstance(each, tuple | list) for each in value) else ":"
        return by.join(param_text(each).removesuffix(".0") for each in value)
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)


def without_credentials(text: str) -> str:
    """Text in which URLs have no user, no password and no query, which may hold a signature."""
    if ":/" not in text:
        return text
    return _QUERY.sub(r"\g<1>***", _USER.sub(r"\g<1>***@", text))


def shortened(text: str) -> str:
    """Text for a message, whatever its length: at most 60 characters of it."""
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


def printable(text: str) -> str:
    """Text on one line that cannot steer a terminal: control, format and private characters are escaped."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def printable_json(text: str) -> str:
    """JSON in which characters that could steer a terminal or a log are escaped; it holds the same values."""
    text = text.replace("##", "#\\u0023")
    chunks = (text[start : start + _CHUNK] for start in range(0, len(text), _CHUNK))
    if all(map(_is_printable_json, chunks)):
        return text
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def _is_printable_json(text: str) -> bool:
    # In JSON all other control characters of ASCII are escaped, except for line ends between values.
    is_ascii = text.isascii() and "\x7f" not in text
    return is_ascii or text.replace("\n", "").isprintable()


def line_of_log(text: str) -> str:
    """Text as a line of its own, which is no command to whoever runs a job and reads its log.

    GitHub takes :: at the start of a line and ##[ anywhere, others have a word before the bracket.
    """
    if len(text) > LINE:  # what is wrong with a long name comes after it
        text = f"{text[: LINE // 2]}...{text[-LINE // 2 :]}"
    text = printable(text)
    if "##" in text:
        text = _MARKS.sub(r"##\\", text)
    return f"\\{text}" if "::" in text and text.lstrip().startswith("::") else text


def readable(path: str) -> str:
    """The name of a file as text: bytes that are not UTF-8 become U+FFFD."""
    return path.encode(errors="surrogateescape").decode(errors="replace")


_USER = re.compile(r"(\b\w[\w+.-]+:/{1,2})[^/\s'\"]*@")
_QUERY = re.compile(r"(\bhttps?:/[^\s?'\"]*\?|\b\w[\w+.-]+:/[^\s?'\"]*\?(?=[^\s'\"]*=))[^\s'\"]*")
"""The user and the query of a URL, whose slashes Python makes one where it takes it for a path."""
_MARKS = re.compile(r"##(?=\w*\[)")


_SIGNS = re.compile(r'[",=\[\]]')


def _quoted(name: str) -> str:
    plain = name.isprintable() and name == name.strip() and name not in ("", "*")
    if plain and not _SIGNS.search(name):
        return name
    return json.dumps(name, ensure_ascii=not name.isprintable())
