"""The catalog of losses: an index by task, and a page for each loss."""

from __future__ import annotations

import inspect
from itertools import groupby

from losscli.catalog import equivalents, registry
from losscli.catalog.loss import Loss
from losscli.catalog.params import Param
from losscli.plan.options import OPTIONS
from losscli.tasks.named import described
from losscli.text import either
from losscli_docs import curve
from losscli_docs.markdown import code, codes, escape, fenced, linked, table

NEEDED = {
    "alpha": "0.1",
    "greater_than": "1",
    "inv_cov": "2:1/1:2",
    "num_classes": "21",
    "p": "3",
    "precision": "0.9",
    "predictors": "5",
    "q": "1.5",
    "threshold": "0.5",
    "variances": "1:2:0.5",
    "width": "256",
}
"""Values of required parameters in the examples."""

COLUMNS = {"scale_by": "scale", "naive": "last_value"}
"""The columns that options name in the examples."""


def pages() -> dict[str, str]:
    """The text of each page by its file name."""
    entries = registry.list_losses()
    return {"index.md": _index(entries)} | {f"{entry.name}.md": _page(entry) for entry in entries}


def _index(entries: tuple[Loss, ...]) -> str:
    parts = [
        "# Losses\n",
        f"All {len(entries)} losses by task. In formulas `e` is prediction - target, `y` the target, `p` a "
        "probability, `s` a score; `l` is the loss of a row, whose weighted mean is reported, and a formula "
        "without `l` is the value itself.\n",
    ]
    for task, group in groupby(entries, key=lambda entry: entry.task):
        rows = [(f"[{code(e.name)}]({e.name}.md)", escape(e.summary), codes(short_names(e))) for e in group]
        title = task.replace("_", " ").capitalize()
        parts += [f"## {title}\n", table(("loss", "what it is", "short names"), rows)]
    return "\n".join(parts)


def short_names(entry: Loss) -> list[str]:
    """The aliases that are quick to type: four at most, and none that a shown name begins."""
    chosen: list[str] = []
    for alias in entry.aliases:
        if alias.isidentifier() and alias.islower() and not alias.startswith((entry.name, *chosen)):
            chosen.append(alias)
    return chosen[:4]


def _page(entry: Loss) -> str:
    title = entry.task.replace("_", " ").capitalize()
    # Not in the sidebar: with 167 more entries on each page, the build would take four times as long.
    parts = ["---\norphan: true\n---\n", f"# {entry.name}\n"]
    parts += [
        f"[Losses](index.md) / [{title}](index.md#{entry.task.replace('_', '-')})\n",
        escape(entry.summary) + "\n",
        fenced(" ".join(entry.formula.split()).removesuffix(".")),
    ]
    parts += [linked(paragraph) + "\n" for paragraph in entry.details]
    parts += [drawing] if (drawing := curve.curve(entry)) else []
    parts += [_facts(entry), _parameters(entry), _use(entry), _elsewhere(entry)]
    parts += ["## Definition\n", fenced(inspect.getsource(entry.function), "python")]
    return "\n".join(parts)


def _facts(entry: Loss) -> str:
    best = "no fixed value" if entry.best is None else f"{entry.best:g}"
    facts = {
        "task": code(entry.task),
        "unit": code(entry.unit),
        "best value": best + (", higher is better" if entry.score else ""),
        "defined for": escape(entry.domain),
        "columns": escape(described(entry.batch)),
        "needs": either(code(OPTIONS[name].flag) for name in entry.batch.needs) if entry.batch.needs else "",
        "other names": codes(entry.aliases),
        "source": linked(" ".join(entry.reference.split())),
    }
    return table(("", ""), [(name, value) for name, value in facts.items() if value])


def _parameters(entry: Loss) -> str:
    if not entry.params:
        return ""
    rows = [(code(param.name), escape(param.describe()), default(param)) for param in entry.params]
    return "## Parameters\n\n" + table(("name", "values", "default"), rows)


def default(param: Param) -> str:
    """The default of a parameter."""
    if param.required:
        return "required"
    value = param.default
    return code(str(value).lower() if value is None or isinstance(value, bool) else str(value))


def _use(entry: Loss) -> str:
    given = ",".join(f"{p.name}={NEEDED[p.name]}" for p in entry.params if p.required)
    loss = f"{entry.name}:{given}" if given else entry.name
    keywords = "".join(f", {p.name}={_python(p)}" for p in entry.params if p.required)
    needs = entry.batch.needs[:1]
    flags = "".join(f" {OPTIONS[name].flag} {COLUMNS[name]}" for name in needs)
    keywords += "".join(f', {name}="{COLUMNS[name]}"' for name in needs)
    lines = f"losscli evaluate preds.parquet targets.parquet --loss {loss}{flags}"
    python = f'losscli.evaluate("preds.parquet", "targets.parquet", loss="{entry.name}"{keywords})'
    return f"## Use\n\n{fenced(lines, 'sh')}\n{fenced(python, 'python')}"


def _python(param: Param) -> str:
    """The value of a required parameter as Python has it."""
    needed = NEEDED[param.name]
    return needed if param.dimensions is None else repr(param.parse(needed))


def _elsewhere(entry: Loss) -> str:
    rows = []
    known = equivalents.of(entry.name)
    for each in known:
        same = "yes" if each.agrees else "no" if each.call else ""
        rows.append((each.library, code(each.call), same, escape(each.how)))
    lines = [
        f"- {each.library}: {escape(each.how)}\n"
        for each in equivalents.habits([e.library for e in known if e.call])
    ]
    text = "## In other libraries\n\n"
    text += "With `y` the target, `p` the prediction and parameters under the names that they have here.\n\n"
    return (
        text
        + table(("library", "call", "same number", "note"), rows)
        + ("\n" + "".join(lines) if lines else "")
    )
