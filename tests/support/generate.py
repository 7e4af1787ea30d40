"""Writes what is generated from the table of options and the registry: `python tests/support/generate.py`.

A test compares the files with what this would write.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap

PACKAGE = Path(__file__).parents[2] / "losscli"
sys.path.insert(0, str(PACKAGE.parent))

from losscli.catalog import registry  # noqa: E402  of this folder
from losscli.catalog.params import Param  # noqa: E402
from losscli.plan.options import Option, keywords_of, loss_params  # noqa: E402

COMMAND = "`python tests/support/generate.py`"
FIRST = ("predictions", "targets", "loss")
"""Arguments that the functions name themselves."""


def option_types() -> str:
    """The keywords of each function of the Python API as a TypedDict."""
    reading = _in_all("evaluate", "compare", "rank", "weak", "explain", "init")
    common = _in_all("evaluate", "compare", "rank", "weak")
    parts = [
        f'"""The keywords of the Python API, typed.  Written by {COMMAND}."""\n\n'
        "from collections.abc import Iterable, Mapping, Sequence\n"
        "from os import PathLike\n"
        "from typing import Any, Literal, TypedDict\n\n"
        "from losscli.data.table import Source\n"
        "from losscli.report.model import Report\n",
        _typed("LossParameters", "TypedDict", "The parameters of losses, for each chosen loss that has them.")
        + "".join(f"    {name}: {_type(param)}\n" for name, param in _params()),
        _typed("ReadOptions", "LossParameters", "Options of every function that reads predictions.")
        + "".join(_fields("evaluate", reading)),
        _typed("CommonOptions", "ReadOptions", "Options of `evaluate`, `compare`, `rank` and `weak`.")
        + "".join(_fields("evaluate", [name for name in common if name not in reading])),
    ]
    for command, base, inherited in (
        ("evaluate", "CommonOptions", common),
        ("compare", "CommonOptions", common),
        ("rank", "CommonOptions", common),
        ("weak", "CommonOptions", common),
        ("init", "ReadOptions", reading),
    ):
        own = [name for name in _names(command) if name not in inherited]
        parts.append(
            _typed(f"{command.title()}Options", base, f"Options of `{command}`.")
            + "".join(_fields(command, own))
        )
    parts += [
        _typed(f"{command.title()}Options", "TypedDict", f"Options of `{command}`.")
        + "".join(_fields(command, _names(command)))
        for command in ("gate", "merge")
    ]
    return "\n\n".join(parts)


def _in_all(*commands: str) -> list[str]:
    """The options that all of these commands have."""
    first, *others = map(_names, commands)
    return [name for name in first if all(name in each for each in others)]


def _names(command: str) -> list[str]:
    return [option.name for option in keywords_of(command) if option.name not in FIRST]


def _typed(name: str, base: str, text: str) -> str:
    return f'class {name}({base}, total=False):\n    """{text}"""\n\n'


def _fields(command: str, names: list[str]) -> Iterator[str]:
    options = {option.name: option for option in keywords_of(command)}
    for name in names:
        yield f"    {name}: {_accepts(options[name])}\n"


def _accepts(option: Option) -> str:
    words = option.kind.choices()
    return (
        f"Literal[{', '.join(map(repr, words))}] | None".replace("'", '"') if words else option.kind.accepts
    )


def _params() -> Iterator[tuple[str, Param]]:
    return ((name, param) for name, (param, _) in loss_params().items())


def _type(param: Param) -> str:
    """The type of a parameter in all losses that have it."""
    own = [each for entry in registry.list_losses() for each in entry.params if each.name == param.name]
    words = dict.fromkeys(word for each in own for word in each.choices)
    kinds = dict.fromkeys(_kind(each) for each in own if not each.choices)
    types = [*kinds, *([f"Literal[{', '.join(map(repr, words))}]"] if words else [])]
    return " | ".join([*types, "None"]).replace("'", '"')


def _kind(param: Param) -> str:
    if param.dimensions is None:
        return param.kind.__name__
    return "str | Sequence[float]" if param.dimensions.axes == 1 else "str | Sequence[Sequence[float]]"


def arguments() -> str:
    """The `Args` of `losscli.evaluate` that are options, for its docstring."""
    lines = []
    for option in keywords_of("evaluate"):
        if option.name not in FIRST:
            text = f"{option.name}: {option.text}"
            lines += wrap(text, 102, initial_indent=" " * 8, subsequent_indent=" " * 12)
    names = ", ".join(name for name, _ in _params())
    text = f"{names}: Parameters of losses, for each chosen loss that has them; see `losscli explain`."
    lines += wrap(text, 102, initial_indent=" " * 8, subsequent_indent=" " * 12)
    return "".join(f"{line}\n" for line in lines)


def api(source: str) -> str:
    """The source of `losscli.api` with its generated lines."""
    begin, end = "        config: ", "\n    Returns:"
    first, rest = source.split(begin, 1)
    own, after = rest.split("\n", 1)
    _, last = after.split(end, 1)
    return f"{first}{begin}{own}\n{arguments()}{end}{last}"


def index() -> str:
    """Which family of losses each name is in."""
    homes = {
        name: tuple(
            dict.fromkeys(entry.function.__module__.rpartition(".")[2] for entry in registry.find(name))
        )
        for name in registry.names()
    }
    lines = [f'    "{name}": {families!r},\n'.replace("'", '"') for name, families in homes.items()]
    return (
        f'"""The module in `losscli.losses` of each name of a loss.  Written by {COMMAND}."""\n\n'
        "HOMES: dict[str, tuple[str, ...]] = {\n" + "".join(lines) + "}\n"
    )


def main() -> None:
    """Write the files, laid out as all others are."""
    for path, text in written().items():
        path.write_text(text, encoding="utf-8")
    subprocess.run([sys.executable, "-m", "ruff", "format", *written()], check=True)


def written() -> dict[Path, str]:
    """What stands in each generated file."""
    api_file = PACKAGE / "api.py"
    return {
        PACKAGE / "plan" / "option_types.py": option_types(),
        PACKAGE / "catalog" / "index.py": index(),
        api_file: api(api_file.read_text(encoding="utf-8")),
    }


if __name__ == "__main__":
    main()
