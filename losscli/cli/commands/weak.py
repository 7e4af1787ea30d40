"""losscli weak."""

from __future__ import annotations

from losscli import api
from losscli.cli.output import emit
from losscli.cli.parser import Given
from losscli.cli.watch import Watch
from losscli.plan.options import in_python


def weak(given: Given) -> None:
    """Look for segments of the rows on which a model is worse than elsewhere, beyond the noise.

    It searches all columns that can split the rows into slices, and pairs of them.  P-values are adjusted for
    all segments searched, and segments that others explain are not listed.

    Examples:
        losscli weak preds.csv targets.csv -l mae
        losscli weak both.parquet -l log_loss --by region --by age:5 --by day:month --min-n 100
    """
    with Watch(given) as watch:
        report = api.weak(hooks=watch, **in_python(given))
    emit(report, watch.display)
