"""losscli explain."""

from __future__ import annotations

from losscli import api
from losscli.cli.output import print_data
from losscli.cli.parser import Given
from losscli.cli.watch import Watch
from losscli.plan.options import in_python


def explain(given: Given) -> None:
    """List all losses by task, or show one: formula, curve, parameters, and its names in other libraries.

    With files, show where their rows are on the curve, and which of them make up the loss.

    Examples:
        losscli explain huber preds.csv targets.csv --delta 2
        losscli explain --search "squared log"
    """
    with Watch(given, displays=False) as watch:
        explanation = api.explain(search=given.get("search"), hooks=watch, **in_python(given))
    if given.get("json"):
        print_data(explanation.to_json())
    else:
        from losscli.explanation import page  # draws with rich

        page.show(explanation)
