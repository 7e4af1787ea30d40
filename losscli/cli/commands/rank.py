"""losscli rank."""

from __future__ import annotations

from losscli import api
from losscli.cli.output import emit
from losscli.cli.parser import Given
from losscli.cli.watch import Watch
from losscli.plan.options import in_python
from losscli.plan.values import listed


def rank(given: Given) -> None:
    """Rank submissions on a leaderboard; a difference within the noise is a tie.

    The first loss determines the ranks.  A broken submission is listed with its reason, without a place.

    Examples:
        losscli rank submissions/*.csv -t solution.parquet --on id -l log_loss --by Usage -o board.csv
    """
    from losscli.evaluation.rank import expanded  # the engine

    options = in_python(given)
    submissions = expanded(listed(options.pop("predictions", None)))
    with Watch(given) as watch:
        report = api.rank(*submissions, hooks=watch, **options)
    emit(report, watch.display)
