"""losscli check: what would be evaluated, and what is wrong with it."""

from __future__ import annotations

from typing import Annotated, Any

from losscli.cli.commands.evaluate import Cluster
from losscli.cli.options import JUDGING, option
from losscli.cli.output import say, show_plan
from losscli.text import counted


def check(
    cluster: Cluster = None,
    verify: Annotated[
        str | None,
        option(
            "--verify",
            panel=JUDGING,
            metavar="REPORT",
            help="Evaluate again, with the options of then, and compare with a saved report.",
        ),
    ] = None,
    public: Annotated[
        bool,
        option(
            "--public",
            panel=JUDGING,
            help="Tell a submitter what is wrong with PREDS, and nothing of the values in TARGETS.",
        ),
    ] = False,
    **asked: Any,
) -> None:
    """Validate only: say what would be evaluated, and everything that is wrong with the files."""
    from losscli import api
    from losscli.evaluation import results
    from losscli.evaluation import run as running
    from losscli.plan.plan import LEVEL
    from losscli.report import saved
    from losscli.tasks.catalog import TASKS

    quiet, verbose = asked.pop("quiet"), asked.pop("verbose")
    asked.pop("debug")
    if verify is not None:
        before = saved.load(verify)
        # Clusters were not without a level, even where no result has an interval.
        level = saved.level(before) or (None if cluster is None else LEVEL)
        _, run = api.planned(ci=level, cluster=cluster, **asked)
        if verbose:
            show_plan(run)
        told = saved.reproduced(before, running.evaluated(run), verify)
        if not quiet:
            print("\n".join(told))
        return
    if public:
        from losscli import api

        sound = api.checked(cluster=cluster, **asked)
        if not quiet:
            print(sound)
        return
    _, run = api.planned(cluster=cluster, **asked)
    if verbose:
        show_plan(run)
    part, alignment = running.fold_all(run, say=say if verbose else lambda text: None)
    if quiet:
        return
    unit = TASKS[run.plan.roles.task].unit
    rows = counted(int(part.overall[0].n[0]), unit.removesuffix("s"))
    print(f"{rows} can be evaluated, aligned {alignment.how}")
    print(f"losscli evaluate {' '.join(run.plan.files)} {run.plan.flags()}")
    for note in (*run.notes, *results.notes(part.tallies)):
        print(f"note: {note}")
