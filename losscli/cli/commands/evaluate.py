"""losscli evaluate."""

from __future__ import annotations

from losscli import api
from losscli.cli.output import api_options, emit
from losscli.cli.parser import Given
from losscli.cli.watch import Watch


def evaluate(given: Given) -> None:
    """Score predictions against targets: overall, and per class, label or output.

    Losses, columns and alignment are inferred from names unless flags set them; -v shows what was inferred.

    Examples:
        losscli evaluate preds.csv targets.csv --loss huber --delta 1
        losscli evaluate both.parquet -y label -p prob --by region
        losscli evaluate preds.csv targets.csv -l mae -g 'rmse <= 50'
        losscli evaluate preds.csv targets.csv --baseline old.json -g 'mae <= base'
        losscli evaluate preds.csv targets.csv -o report.md -o report.json
    """
    with Watch(given) as watch:
        report = api.evaluate(hooks=watch, **api_options(given))
    emit(report, watch.display, watch.drafts)
