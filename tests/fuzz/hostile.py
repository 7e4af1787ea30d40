"""Texts and numbers that programs do not expect."""

from __future__ import annotations

import random

TEXTS = (
    "",
    " ",
    "\0",
    "a\0b",
    "\x1b]52;c;aGk=\x07",
    "\x1b[31mred",
    "line\nbreak",
    "cr\rhere",
    "\n::error::x",
    "::add-mask::e",
    "##[group]g",
    "\u202eevil",
    "\x9b2J",
    "\u2028",
    "\ud800",
    "caf\udce9",
    "\ufeffbom",
    "\u00e9",
    "e\u0301",
    "'",
    '"',
    '""',
    "`",
    "\\",
    "a,b",
    "a;b",
    "a=b",
    "a[b]",
    "*",
    "=1+1",
    "@user",
    "<script>alert(1)</script>",
    "|",
    "%s%n",
    "{x}",
    "{",
    "..",
    "../../etc/passwd",
    "-",
    "--help",
    "-g",
    ".",
    "NaN",
    "nan",
    "inf",
    "None",
    "null",
    "true",
    "0",
    "-0",
    "00001",
    "1e308",
    "1e999",
    "1_000",
    "0x10",
    "\u0661",
    "1" * 400,
    "x" * 5000,
    "(" * 300,
    "#row",
    "matched",
    "prediction",
    "target",
    "id",
    "overall",
    "base",
    "class",
    "git:HEAD:x",
    "file:///etc/passwd",
    "http://u:p@localhost:1/x.csv?token=s3cr3t",
    "/dev/null",
    "no/such/file.csv",
)
NUMBERS = (
    "0", "-0.0", "1", "-1", "2", "0.5", "0.95", "1e-320", "5e-324", "1e-300", "1e300", "1e308", "-1e308",
    "inf", "-inf", "nan", "0.99999999999999994", "1e-17", "9007199254740993", "18446744073709551616",
    "1" + "0" * 400, "1e400", "0.1e", "1,5", "1e5", "100000", "99999999",
)  # fmt: skip


def text(rng: random.Random) -> str:
    """A text, or two of them together."""
    return rng.choice(TEXTS) + (rng.choice(TEXTS) if rng.random() < 0.2 else "")


def shell(given: str) -> str:
    """The text as a shell can pass it: without NUL, and with surrogates only for bytes that are not UTF-8."""
    return given.replace("\0", "").replace("\ud800", "\udced")


def encoded(given: str) -> bytes:
    """The text in UTF-8, with bytes that are not where it has surrogates."""
    return given.encode("utf-8", "surrogatepass")
