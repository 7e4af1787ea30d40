"""Custom losses that misbehave."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

from ..case import Case, Done
from .options import CSV

SHARE = 1
ACTS = (
    "return batch.abs_error",
    "return batch.target * float('nan')",
    "return batch.abs_error.astype('complex')",
    "return batch.abs_error.astype(str)",
    "return batch.abs_error.tolist()",
    "return batch.abs_error[:1]",
    "return batch.abs_error[:, None]",
    "return batch.abs_error.astype('float16') * 1e6",
    "return batch.abs_error > 1",
    "return numpy.ma.masked_greater(batch.abs_error, 0.1)",
    "return numpy.empty(0)",
    "return 1.0",
    "return None",
    "return {}",
    "return batch",
    "return (batch.abs_error, batch.abs_error)",
    "return ()",
    "batch.target[:] = 0; return batch.abs_error",
    "batch.target = 0; return batch.abs_error",
    "e = batch.abs_error; e *= 0; return e",
    "raise ValueError('line\\nbreak \\x1b]52;c;aGk=\\x07')",
    "raise Exception",
    "raise SystemExit(0)",
    "raise SystemExit(1)",
    "raise SystemExit",
    "sys.exit('text')",
    "raise GeneratorExit",
    "raise MemoryError",
    "raise StopIteration",
    "raise BrokenPipeError",
    "raise OSError(28, 'No space left on device')",
    "raise type('Odd', (BaseException,), {'__str__': lambda self: 1 / 0})()",
    "print('said'); return batch.abs_error",
    "warnings.warn('odd'); return batch.abs_error",
    "return f(batch)",
    "yield batch.abs_error",
    "numpy.seterr(all='raise'); return batch.abs_error / 0",
    "assert False, 'no'",
    "return batch.nothing",
    "import nothing",
)
SIGNATURES = (
    "def f(batch: Regression):",
    "def f(batch: Regression):",
    "def f(batch: Regression):",
    "@loss(reduction=root)\ndef f(batch: Regression):",
    "@loss(reduction=ratio)\ndef f(batch: Regression):",
    "@loss(reduction=1)\ndef f(batch: Regression):",
    "@loss(best='x', domain=3, state=int)\ndef f(batch: Regression):",
    "def f(batch: Regression, *, delta: Positive = 2.0):",
    "def f(batch: Regression, *, delta: float = 'x'):",
    "def f(batch: Regression, *, delta=[]):",
    "def f(batch: Nothing):",
    "def f(batch):",
    "def f(batch: Binary):",
    "def f():",
    "async def f(batch: Regression):",
    "class f:",
    "f = lambda batch:",
)
HEAD = "import sys, warnings\nimport numpy\nfrom losscli.custom import *\n"
OUTER = (
    "raise ValueError('x')\n",
    "sys.exit(0)\n",
    "print('hi')\n",
    "1 / 0\n",
    "raise KeyError\n",
    "def\n",
    "\0",
)


def case(rng: random.Random) -> Case:
    """A file with a loss, evaluated or compared, with a built-in loss that it must not change."""
    act, signature = rng.choice(ACTS), rng.choice((SIGNATURES[0], rng.choice(SIGNATURES)))
    body = f"    {act}\n" if not signature.endswith("lambda batch:") else " 1\n"
    outer = rng.choice(OUTER) if rng.random() < 0.3 else ""
    source = f"{HEAD}{outer}{signature}\n{body}"
    if signature.endswith("lambda batch:"):
        source = f"{HEAD}{signature} batch.abs_error\n"
    name = rng.choice((*("f",) * 9, "f:delta=3", "none", "", "np"))
    inputs = rng.choice((["evaluate", "p.csv", "t.csv"], ["compare", "p.csv", "q.csv", "-t", "t.csv"]))
    run = [*inputs, "-l", "mae", "-l", f"own.py:{name}", "-g", "mae <= 0.1", "--json"]
    return Case([run], {**CSV, "own.py": source.encode()}, also=_unchanged)


def _unchanged(done: Sequence[Done]) -> Iterable[str]:
    """The gate on the built-in loss fails, whatever the custom one does."""
    if done[0].status == 0:
        yield "the gate passes on another number"
