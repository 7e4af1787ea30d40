"""losscli compare."""

from __future__ import annotations

import os
import re

from losscli import api
from losscli.cli.output import api_options, emit
from losscli.cli.parser import Given
from losscli.cli.watch import Watch
from losscli.plan.values import listed


def compare(given: Given) -> None:
    """Compare models on the same rows: which is better, where, and whether these data can tell.

    The difference of each loss is that of paired rows, so that the noise which models share cancels; its
    p-value is adjusted for the number of comparisons.

    Examples:
        losscli compare old.csv new.csv -t targets.csv --on id -l huber --by region
        losscli compare small=runs/17/p.csv large=runs/18/p.csv -t targets.csv
    """
    options = api_options(given)
    models = [_name_and_path(text) for text in listed(options.pop("predictions", None))]
    if any(name for name, _ in models):
        options["names"] = [name or path for name, path in models]
    with Watch(given) as watch:
        report = api.compare(*(path for _, path in models), hooks=watch, **options)
    emit(report, watch.display, watch.drafts)


def _name_and_path(text: str) -> tuple[str, str]:
    """The name and the path in 'name=path'; the name is empty if the text is itself a path."""
    match = re.fullmatch(r"([\w. -]+)=(.+)", text)
    return ("", text) if match is None or os.path.exists(text) else (match[1], match[2])
