"""losscli init."""

from __future__ import annotations

from losscli import api
from losscli.cli.output import print_lines
from losscli.cli.parser import Given
from losscli.cli.watch import Watch
from losscli.plan.options import in_python


def init(given: Given) -> None:
    """Write losscli.toml: columns, task, classes and losses as `losscli check` infers them, and comments.

    Without PREDS every key is a comment.

    Examples:
        losscli init preds.csv targets.csv --loss huber && losscli evaluate
    """
    with Watch(given, displays=False) as watch:
        path = api.init(force=bool(given.get("force")), hooks=watch, **in_python(given))
    if not given.get("quiet"):
        use = (
            "which losscli evaluate will use" if "predictions" in given else "in which every key is a comment"
        )
        print_lines(f"Wrote {path}, {use}")
