"""The notebook runs as it is shown; `python tests/docs/test_notebook.py` brings its outputs up to date."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs/notebooks/losscli.ipynb"
SVG = "image/svg+xml"


def run(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook with the outputs of its cells, run one after the other as a kernel does."""
    names: dict[str, Any] = {"__name__": "__main__"}
    cells = [
        cell | {"outputs": _outputs("".join(cell["source"]), names)} if cell["cell_type"] == "code" else cell
        for cell in notebook["cells"]
    ]
    return notebook | {"cells": cells}


def _outputs(source: str, names: dict[str, Any]) -> list[dict[str, Any]]:
    """What a cell prints, and what its last expression shows."""
    tree, shown = ast.parse(source), None
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, "cell", "exec"), names)
        if isinstance(last, ast.Expr):
            shown = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
    found: list[dict[str, Any]] = []
    if text := printed.getvalue():
        found.append({"output_type": "stream", "name": "stdout", "text": _lines(text)})
    if shown is not None:
        data = {"text/plain": _lines(repr(shown))} if not hasattr(shown, "to_dict") else {}
        data |= {kind: _lines(text) for kind, text in _pictures(shown).items()}
        found.append({"output_type": "execute_result", "execution_count": None, "metadata": {}, "data": data})
    return found


def _pictures(shown: Any) -> dict[str, str]:
    """What a notebook shows of an object: a report as HTML, a chart as SVG."""
    if hasattr(shown, "to_url"):
        import vl_convert

        return {SVG: vl_convert.vegalite_to_svg(shown.to_dict())}
    return {"text/html": shown._repr_html_()} if hasattr(shown, "_repr_html_") else {}


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def without_charts(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook without what depends on the version of the library that draws."""
    plain: dict[str, Any] = json.loads(json.dumps(notebook))
    for cell in plain["cells"]:
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop(SVG, None)
    return plain


@pytest.mark.slow
def test_the_notebook_shows_what_its_cells_give(monkeypatch):
    from support.needs import needed  # is not on the path of this file as a program

    needed("altair")
    monkeypatch.chdir(NOTEBOOK.parent)
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert without_charts(run(notebook)) == without_charts(notebook)


if __name__ == "__main__":
    os.chdir(NOTEBOOK.parent)
    renewed = run(json.loads(NOTEBOOK.read_text(encoding="utf-8")))
    NOTEBOOK.write_text(json.dumps(renewed, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
