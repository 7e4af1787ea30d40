"""The house stands as designed: imports go down only, files stay short, losses know no library."""

import ast
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent / "losscli"
LAYERS = [
    {"records"},
    {"errors"},
    {"params", "xp", "report", "student"},
    {"cells", "precise", "profile", "devices"},
    {"moments"},
    {"clusters"},
    {"tasks", "finish"},
    {"losses"},
    {"placement"},
    {"plan", "inference", "screening"},
    {"views"},
    {"fold"},
    {"rowwise"},
    {"joint"},
    {"engines", "inputs", "gate", "render", "curve", "basis", "saved", "results"},
    {"columns", "options", "slices"},
    {"layouts", "config", "aligning"},
    {"roles"},
    {"planning"},
    {"models"},
    {"comparing"},
    {"board"},
    {"api"},
    {"explanation", "leaderboard"},
    {"cli"},
]
"""From the ground up; a layer may import those below it, and a package its own modules."""
LEVEL = {name: level for level, layer in enumerate(LAYERS) for name in layer}
FILES = sorted(HOUSE.rglob("*.py"))


def part(module: str) -> str:
    """The part of the house: 'losscli.inputs.align' is 'inputs'."""
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


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_imports_go_down_only(path):
    own = path.relative_to(HOUSE).parts[0].removesuffix(".py")
    if own in ("__init__", "__main__"):
        return
    for module in imports(path):
        if module.startswith("losscli.") and part(module) in LEVEL and part(module) != own:
            assert LEVEL[part(module)] < LEVEL[own], f"{own} imports {module}"


def test_every_module_has_its_layer():
    parts = {path.relative_to(HOUSE).parts[0].removesuffix(".py") for path in FILES}
    assert parts - {"__init__", "__main__"} == set(LEVEL)


@pytest.mark.parametrize("name", ["gate", "render"])
def test_gates_and_renderers_know_only_the_report(name):
    for path in [HOUSE / f"{name}.py", *(HOUSE / name).glob("*.py")]:
        if path.exists():
            known = {part(module) for module in imports(path) if module.startswith("losscli.")}
            assert known <= {"report", "errors", "records", "student", name}


def test_losses_use_the_namespace_of_their_batch():
    for path in (HOUSE / "losses").glob("*.py"):
        libraries = {module.split(".")[0] for module in imports(path)}
        assert not libraries & {"numpy", "scipy", "cupy", "polars"}
        assert not {"losscli.xp.np", "losscli.xp.pl"} & imports(path)


def test_one_module_calls_what_polars_marks_as_unstable():
    callers = [path.name for path in FILES if ".collect_batches(" in path.read_text()]
    assert callers == ["batches.py"]


def test_files_are_short():
    long = {path.name: lines for path in FILES if (lines := len(path.read_text().splitlines())) > 350}
    assert not long
