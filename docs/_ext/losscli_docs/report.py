"""The fields of a report's JSON from its schema, the kinds of charts, and the findings."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from losscli.report import codec
from losscli.report.charts import KINDS
from losscli.report.findings import Code, Words
from losscli.report.model import Report
from losscli_docs.markdown import code, escape, table, with_flags

Schema = Mapping[str, Any]


def fragments() -> dict[str, str]:
    """The text of each fragment by its file name."""
    schema = codec.schema(Report)
    return {
        "report.md": "\n".join(_record(record) for record in schema["$defs"].values()),
        "report.schema.json": json.dumps(schema, indent=2) + "\n",
        "findings.md": _findings(),
        "charts.md": "\n".join(map(_chart, KINDS)),
    }


def _record(schema: Schema) -> str:
    """A kind of record: what it is, and its fields."""
    required = schema.get("required", ())
    rows = []
    for name, field in schema["properties"].items():
        default = (
            "required"
            if name in required
            else code(json.dumps(field["default"]))
            if "default" in field
            else ""
        )
        rows.append((code(name), _type(field), default))
    head = f"## {schema['title']}\n\n{escape(schema['description'])}\n"
    return f"{head}\n{table(('field', 'type', 'default'), rows)}"


def _type(field: Schema) -> str:
    """The type of a field in words."""
    if "anyOf" in field:
        types = dict.fromkeys(_type(each) for each in field["anyOf"])
        return "any scalar" if len(types) > 3 else " or ".join(types)
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in field or "enum" in field:
        return ", ".join(code(json.dumps(each)) for each in field.get("enum", [field.get("const")]))
    if field["type"] == "array":
        return f"array of {_type(field['items'])}" if field.get("items") else "array"
    if field["type"] == "object" and field.get("additionalProperties"):
        return f"object of {_type(field['additionalProperties'])}"
    return str(field["type"])


def _chart(name: str) -> str:
    """A kind of chart: what it shows, the tasks that have it, and its columns."""
    kind = KINDS[name]
    tasks = ", ".join(map(code, kind.tasks)) or "all whose losses have a value for each row"
    rows = [(code(each.name), each.unit, escape(each.meaning)) for each in kind.columns]
    head = f"## {name}\n\n{kind.title}.  {escape(kind.meaning)}\n\nTasks: {tasks}.\n"
    return f"{head}\n{table(('column', 'unit', 'holds'), rows)}"


def _findings() -> str:
    """The findings that stop a run, and those that a report notes."""
    errors = [
        (code(str(each)), with_flags(each.value.meaning), _filled(each.value.remedy))
        for each in Code
        if each.is_error
    ]
    notes = [
        (code(str(each)), with_flags(each.value.meaning), _filled(_plural(words)))
        for each in Code
        if (words := each.value.note) is not None
    ]
    return "\n".join(
        (
            "## Errors\n",
            table(("code", "meaning", "remedy"), errors),
            "## Notes\n",
            table(("code", "meaning", "text in the report"), notes),
        )
    )


def _plural(words: Words | str) -> str:
    """A wording as it is for several."""
    return words if isinstance(words, str) else f"N {words[1]}"


def _filled(words: str) -> str:
    """A wording with the names of its parameters in italics, without those that only add to a word."""
    words = re.sub(r"(?<=[\w}])\{\w+\}|\{\w+\}(?=\w)", "", words)
    return re.sub(r"\{(\w+)\}", r"*\1*", with_flags(words))
