"""The layers hold: imports go down only, without cycles, functions stay short, losses know no library."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent / "losscli"
LAYERS = [
    {"text"},
    {"errors"},
    {"numeric", "report"},
    {"states", "data", "gates", "render"},
    {"tasks", "engines"},
    {"catalog"},
    {"losses", "plan"},
    {"evaluation"},
    {"explanation", "settings"},
    {"api", "custom"},
    {"cli"},
]
"""Folders from the ground up; one may import those below it, and its own modules."""
LOOSE = {"__init__", "__main__", "_version", "api", "custom", "errors", "text"}
"""The only modules beside the folders."""
LONGEST = 60
"""Lines of a function, from its name to its end, less its docstring."""
LEVEL = {name: level for level, layer in enumerate(LAYERS) for name in layer}
FILES = sorted(HOUSE.rglob("*.py"))


def part(module: str) -> str:
    """The part of the house: 'losscli.data.align' is 'data'."""
    return module.split(".")[1] if "." in module else ""


@cache
def imports(path: Path) -> frozenset[str]:
    """The modules that a file imports anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} has a relative import, which these tests do not follow"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def name_of(path: Path) -> str:
    """The module in a file: 'losscli.data.align'."""
    return ".".join(path.relative_to(HOUSE.parent).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path) for path in FILES}


def imported_modules(path: Path) -> set[str]:
    """The modules of the package that a file imports: at its top, in functions, and under TYPE_CHECKING."""
    return {name if name in MODULES else name.rpartition(".")[0] for name in imports(path)} & MODULES


def cycle_from(start: str, graph: dict[str, set[str]]) -> list[str]:
    """The shortest way along imports from a module back to itself; empty if it is in no cycle."""
    paths = [[start]]
    seen = set()
    for path in paths:
        for module in sorted(graph[path[-1]] - seen):
            if module == start:
                return [*path, start]
            seen.add(module)
            paths.append([*path, module])
    return []


def test_imports_go_down_only():
    upward = []
    for path in FILES:
        own = path.relative_to(HOUSE).parts[0].removesuffix(".py")
        if own in ("__init__", "__main__", "_version"):
            continue
        below = {name for name, level in LEVEL.items() if level < LEVEL[own]}
        wrong = LEVEL.keys() - below - {own}
        found = (module for module in imports(path) if module.startswith("losscli."))
        upward += [f"{path.relative_to(HOUSE)} imports {module}" for module in found if part(module) in wrong]
    assert not upward


def test_every_folder_has_its_layer():
    parts = {path.relative_to(HOUSE).parts[0].removesuffix(".py") for path in FILES}
    assert parts - {"__init__", "__main__", "_version"} == set(LEVEL)


def test_no_module_stands_loose_beside_the_folders():
    assert {path.stem for path in HOUSE.glob("*.py")} == LOOSE


def test_no_import_cycle():
    """An import in a function or under TYPE_CHECKING saves time at start-up; it must not hide a cycle."""
    graph = {name_of(path): imported_modules(path) for path in FILES}
    cycles = {frozenset(cycle): cycle for module in graph if (cycle := cycle_from(module, graph))}
    shown = "\n".join(" -> ".join(cycle) for cycle in cycles.values())
    assert not cycles, f"modules import each other; move what both need into a module below them:\n{shown}"


def test_cycles_are_found():
    graph = {"a": {"b"}, "b": {"c", "d"}, "c": {"b"}, "d": set(), "e": {"a"}}
    assert cycle_from("b", graph) == ["b", "c", "b"]
    assert not any(cycle_from(module, graph) for module in "ade")
    assert cycle_from("a", {"a": {"a"}}) == ["a", "a"]


def test_functions_are_short():
    long = []
    trees = ((path, ast.walk(ast.parse(path.read_text()))) for path in FILES)
    for path, node in ((path, node) for path, tree in trees for node in tree):
        if isinstance(node, ast.FunctionDef):
            doc = node.body[0] if ast.get_docstring(node) is not None else None
            lines = node.end_lineno - node.lineno + 1
            lines -= doc.end_lineno - doc.lineno + 1 if doc else 0
            if lines > LONGEST:
                long.append(f"{path.relative_to(HOUSE)}: {node.name} has {lines} lines")
    assert not long


@pytest.mark.parametrize("name", ["gates", "render"])
def test_gates_and_renderers_know_only_the_report(name):
    for path in [HOUSE / f"{name}.py", *(HOUSE / name).glob("*.py")]:
        if path.exists():
            known = {part(module) for module in imports(path) if module.startswith("losscli.")}
            assert known <= {"report", "errors", "text", "numeric", name}


def test_losses_use_the_namespace_of_their_batch():
    for path in (HOUSE / "losses").glob("*.py"):
        libraries = {module.split(".")[0] for module in imports(path)}
        assert not libraries & {"numpy", "scipy", "cupy", "polars"}
        assert not {"losscli.numeric.arrays.np", "losscli.numeric.arrays.pl"} & imports(path)


def test_one_module_calls_what_polars_marks_as_unstable():
    callers = [path.name for path in FILES if re.search(r"\.(collect|sink)_batches\(", path.read_text())]
    assert callers == ["batches.py"]
