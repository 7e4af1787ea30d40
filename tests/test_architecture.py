"""The layers hold: imports go down only, no circles, functions stay short, losses know no library."""

import ast
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent / "losscli"
LAYERS = [
    {"errors", "text"},
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


def imports(path: Path) -> set[str]:
    """The modules that a file imports anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def name_of(path: Path) -> str:
    """The module in a file: 'losscli.data.align'."""
    return ".".join(path.relative_to(HOUSE.parent).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path) for path in FILES}


def imports_at_top(path: Path) -> set[str]:
    """The modules of the package that a file imports when it is imported itself."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            named = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= named & MODULES or {node.module}
    return found - {name_of(path)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_imports_go_down_only(path):
    own = path.relative_to(HOUSE).parts[0].removesuffix(".py")
    if own in ("__init__", "__main__", "_version"):
        return
    for module in imports(path):
        if module.startswith("losscli.") and part(module) in LEVEL and part(module) != own:
            assert LEVEL[part(module)] < LEVEL[own], f"{own} imports {module}"


def test_every_folder_has_its_layer():
    parts = {path.relative_to(HOUSE).parts[0].removesuffix(".py") for path in FILES}
    assert parts - {"__init__", "__main__", "_version"} == set(LEVEL)


def test_no_module_stands_loose_beside_the_folders():
    assert {path.stem for path in HOUSE.glob("*.py")} == LOOSE


def test_no_circle_of_modules():
    """Imports at the top of files; those within functions are there to break start-up cost, not circles."""
    graph = {name_of(path): imports_at_top(path) & MODULES for path in FILES}
    for start in graph:
        seen, todo = set(), list(graph[start])
        while todo:
            module = todo.pop()
            assert module != start, f"{start} imports itself through {sorted(seen)}"
            if module not in seen:
                seen.add(module)
                todo += graph[module]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_functions_are_short(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            doc = node.body[0] if ast.get_docstring(node) is not None else None
            lines = node.end_lineno - node.lineno + 1
            lines -= doc.end_lineno - doc.lineno + 1 if doc else 0
            assert lines <= LONGEST, f"{node.name} is too long"


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
    callers = [path.name for path in FILES if ".collect_batches(" in path.read_text()]
    assert callers == ["batches.py"]
