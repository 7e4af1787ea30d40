"""losscli check: what would be evaluated, and what is wrong with it."""

from __future__ import annotations

from losscli import api
from losscli.cli.output import print_lines
from losscli.cli.parser import Given
from losscli.cli.watch import Watch
from losscli.errors import UsageError
from losscli.plan.options import in_python


def check(given: Given) -> None:
    """Validate only: say what would be evaluated, and everything that is wrong with the files.

    Examples:
        losscli check preds.csv targets.csv --on id
        losscli check preds.csv targets.csv --verify report.json
    """
    if given.get("verify") is not None and given.get("public"):
        raise UsageError("--verify and --public exclude each other")
    options = in_python(given)
    with Watch(given, displays=False) as watch:
        if given.get("verify") is not None:
            lines = api.verify(given["verify"], hooks=watch, **options)
        elif given.get("public"):
            lines = [api.check_public(**options)]
        else:
            checked = api.check(hooks=watch, **options)
            plan = checked.run.plan
            lines = [
                f"{checked.rows}, aligned {checked.alignment}",
                f"losscli evaluate {' '.join(plan.files)} {plan.flags()}",
                *(f"note: {note}" for note in checked.notes),
            ]
    if not given.get("quiet"):
        print_lines(*lines)
