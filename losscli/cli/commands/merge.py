"""losscli merge."""

from __future__ import annotations

from losscli import api
from losscli.cli.output import emit
from losscli.cli.parser import Given
from losscli.cli.watch import Watch
from losscli.plan.options import in_python


def merge(given: Given) -> None:
    """Merge saved states of parts of the rows: the report of all rows.

    Parts are evaluated anywhere, in any order, and the numbers are those of one run.

    Examples:
        losscli evaluate preds-1.parquet targets-1.parquet -l mae --part 1/2 --state 1.state
        losscli evaluate preds-2.parquet targets-2.parquet -l mae --part 2/2 --state 2.state
        losscli merge 1.state 2.state -g 'mae <= 2'
    """
    with Watch(given) as watch:
        report = api.merge(*given["states"], hooks=watch, **in_python(given))
    emit(report, watch.display, watch.drafts)
