"""The Python API, and what the command line calls: request -> plan -> run -> report."""

from __future__ import annotations

import copyreg
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from msgspec import Struct
from msgspec.structs import replace

from losscli import gates
from losscli.errors import LossCliError, Problem, UsageError, all_of
from losscli.evaluation.hooks import SILENT, Hooks
from losscli.report import codec, saved
from losscli.report.findings import Code, Note, note
from losscli.report.model import Renderers, Report, shown_by
from losscli.text import counted, printable, without_credentials

# The engine is imported by the functions that read rows: saved reports and the catalog need none.
if TYPE_CHECKING:
    from losscli.catalog.request import LossSpec
    from losscli.data.table import Source
    from losscli.evaluation.block import Fixed
    from losscli.evaluation.compare_plan import Models
    from losscli.evaluation.outcome import Outcome
    from losscli.explanation.explanation import Explanation
    from losscli.plan.option_types import (
        CompareOptions,
        EvaluateOptions,
        GateOptions,
        InitOptions,
        MergeOptions,
        RankOptions,
        ReadOptions,
        WeakOptions,
    )
    from losscli.plan.resolve import Run

_RunT = TypeVar("_RunT", bound="Run | Models")


def _renderers() -> Renderers:
    from losscli import render  # most reports of programs are never printed

    return render


shown_by(_renderers)


def _unpickled(*fields: Any) -> Report:
    """A report in another process, which has its renderers, since this module is imported for it."""
    return Report(*fields)


def _pickled(report: Report) -> tuple[Any, ...]:
    return _unpickled, tuple(getattr(report, name) for name in Report.__struct_fields__)


copyreg.pickle(Report, _pickled)


def evaluate(
    predictions: Source | None = None,
    targets: Source | None = None,
    loss: LossSpec | Sequence[LossSpec] | None = None,
    *,
    config: str | PathLike[str] | None = None,
    hooks: Hooks = SILENT,
    **options: Unpack[EvaluateOptions],
) -> Report:
    """Evaluate losses of predictions against targets, overall and per class, label, output and slice.

    Options have the names and the meaning that they have on the command line; `weight`, `by` and `cluster`
    take arrays too, with a value for each row of predictions in memory.

    Args:
        predictions: A file (a path, a pattern, a folder, a URL, or "-" for standard input), or data in
            memory: a frame (polars, pandas, pyarrow, DuckDB, or anything else that exports Arrow), a dict of
            columns, or an array or a sequence of (n,) numbers or labels, or (n, classes).  An index is a
            column if it has a name.
        targets: The same; if omitted, the predictions must contain both.
        loss: One or several: "huber", "huber:delta=2", "expr: abs(e)**1.5", "file.py:name", or a function
            with the signature of a loss.  If omitted, the usual ones of the task.
        hooks: Called while the report is made.
        config: A file like losscli.toml, which sets what no argument says; none is read unless it is named.
        task: The task, if columns leave it open.
        pred: Prediction, or one a class: A,B,C.
        target: Target, or several: A,B,C.
        on: Key columns that align the files.
        weight: Weights of the rows.
        by: Slices: region; a,b crossed; age:4; day:month; auto.
        missing: Rows with missing values; default: error.
        unmatched: Keys on one side only; default: error.
        domain: Values out of domain; default: error.
        where: Rows to evaluate, in SQL: "region = 'eu'".
        group: Rows that belong together: query, stratum.
        scale_by: Scale of errors: naive error of the history.
        naive: Naive forecast, whose errors scale others.
        separator: Field separator in text: ';', '|', tab.
        quote: Quote in text: a character, or none.
        escape: Escape of quotes in text: a backslash.
        comment: Skip lines of text that begin so: '#'.
        header: Text has a header; default: by content.
        decimal: Decimal sign in text; default: '.'.
        thousands: Sign between thousands in text.
        null_values: More words for missing numbers in text.
        input_format: parquet, csv, ...; default: by content.
        classes: The classes, in the order of columns.
        positive: The positive one of two labels.
        class_weight: Weights of classes; default: 1.
        ignore_label: Leave out rows with this label.
        from_logits: Predictions are logits.
        from_log_probs: Predictions are log-probabilities.
        eps: Clip under logarithms; default: by type.
        like: Conventions of sklearn, torch or keras.
        normalize: Rescale probabilities to sum to one.
        ci: Level of intervals, or none; default: 0.95.
        ci_method: analytic (default), or bootstrap: slow.
        replicates: Replicates of a bootstrap; default: 1000.
        seed: Seed of a bootstrap; default: 0.
        cluster: Column of clusters, the units of intervals.
        approximate: Bound the memory of AUC and quantiles.
        gate: 'huber <= 0.5', 'log_loss[class=*] < 0.6', 'hi(mae) <= base + 1%'; else status 1.
        baseline: 'base' in gates: report, git:REV:PATH, rows.
        baseline_missing: If BASE is missing: error (default), or skip.
        confident: Within noise a verdict is unsure: a warning.
        strict: As --confident, and an unsure verdict fails.
        min_n: Cells with fewer rows are shown, not judged.
        rows: Write row losses: .parquet, .csv, .ndjson, .arrow.
        worst: Show the N rows with the largest first loss.
        state: Write the state of the run, for merge.
        charts: Keep data for charts, as --plot and -o X.html do.
        plan: Follow a saved plan, or a state.
        part: Which part of the rows this is: 2/6.
        threads: Worker threads; default: all cores, up to 8.
        engine: local, spark, spark:MASTER, or spark:sc://HOST.
        max_memory: Limit for a file once it is decompressed; 4GiB.
        device: cpu, cuda, cuda:1 or auto; or LOSSCLI_DEVICE.
        a, aggregate, alpha, average, b, bandwidth, beta, bias, blank, both_zero, c, cens, delta, df,
            distribution, divisor, empty, epsilon, epsilon1, estimator, floor, fn_weight,
            force_finite, fp_weight, full, gain, gamma, greater_than, ignore_background, inclusive,
            inv_cov, k, label_smoothing, length_normalised, log_input, margin, matches, max_fpr,
            max_relevance, min_variance, mode, multi_class, n_bins, negative, norm, normalization,
            num_classes, p, percent, percentile, persistence, pooled, pos_weight, power, precision,
            predictors, q, scale, scale_by_half, share, smooth, softmax, spread, squared,
            standardized, swap, temperature, threshold, ties, variances, weight_type, weighting,
            width, zero_division, zero_infinity: Parameters of losses, for each chosen loss that has
            them; see `losscli explain`.

    Returns:
        The report. `report["huber"]` is the overall result of a loss, `report.results` holds all of them, and
        `report.gates` the verdicts of gates.

    Raises:
        UsageError: The request makes no sense.
        DataError: The files are wrong.

    Examples:
        >>> report = losscli.evaluate([1.5, 2.5], [1.0, 2.0], loss="huber", delta=1.0)
        >>> report["huber"].value
        0.125
    """
    from losscli.evaluation.run import evaluated
    from losscli.plan.resolve import prepare

    given = _configured("evaluate", config, options, predictions=predictions, targets=targets, loss=loss)
    plan, given = _planned_as(given)
    baseline, missing = _baseline(given.pop("baseline", None), given.get("baseline_missing"))
    if baseline is not None and not saved.is_report(baseline):
        return _evaluated_against(baseline, given, hooks, plan)
    _, base, run = all_of(
        hooks.check, lambda: saved.baseline(baseline), lambda: prepare(**given, runs_code=hooks.runs_code)
    )
    gates.meaningful(run.gates, base, run.plan.request.rules)
    run, fixed = _followed(run, plan, given)
    hooks.planned(run)
    return _noted(evaluated(run, hooks, base, fixed), missing)


def _baseline(given: Any, policy: object) -> tuple[Any, tuple[Note, ...]]:
    """The baseline, and a note if it is missing, which a policy allows.  Raises UsageError, also of git."""
    if policy is None:
        return given, ()
    if given is None:
        raise UsageError(
            "--baseline-missing has no effect without a baseline", remedy="--baseline report.json"
        )
    if policy != "skip" or not saved.is_missing(given):
        return given, ()
    return None, (note(Code.BASELINE_MISSING, place=fspath(given)),)


def _noted(report: Report, notes: tuple[Note, ...]) -> Report:
    return replace(report, findings=(*report.findings, *notes)) if notes else report


def _planned_as(given: dict[str, Any]) -> tuple[Outcome | None, dict[str, Any]]:
    """The saved plan that a run is to follow, None for none, and the options with its own."""
    if given.get("plan") is None:
        return None, given
    from losscli.evaluation import following, storage
    from losscli.plan.codec import finder
    from losscli.plan.options import OPTIONS
    from losscli.plan.values import listed

    place = fspath(OPTIONS["plan"].read(given["plan"]))
    plan = storage.load(place, finder(listed(given.get("loss"))))
    return plan, following.options(plan, given)


def _configured(
    command: str, config: str | PathLike[str] | None, options: Mapping[str, Any], **arguments: Any
) -> dict[str, Any]:
    """The arguments and options of a function; what they leave open, a file of settings may set."""
    _require_known(command, options)
    given = {**arguments, **options}
    if config is None:
        return given
    from losscli.settings import files

    stated = {name: value for name, value in given.items() if value is not None or name in options}
    return given | files.for_python(command, Path(config), stated)


def _require_known(command: str, options: Mapping[str, Any], has_params: bool = True) -> None:
    """Raise UsageError for options that the function would ignore: those of others, or of losses."""
    if not options:
        return
    from losscli.plan.options import OPTIONS, keywords_of

    taken = {option.name for option in keywords_of(command)}
    ignored = (name for name in options if name not in taken and (name in OPTIONS or not has_params))
    if foreign := [*ignored]:
        reasons = {name: OPTIONS[name].lacks.get(command, "") if name in OPTIONS else "" for name in foreign}
        raise UsageError(
            [Problem(f"{command} has no option {name!r}", remedy=reasons[name]) for name in foreign]
        )


def _followed(run: _RunT, plan: Outcome | None, given: Mapping[str, Any]) -> tuple[_RunT, Fixed | None]:
    """A run as a saved plan has it, and what that has fixed."""
    if plan is None:
        return run, None
    from losscli.evaluation.following import followed

    return followed(run, plan, given["plan"]), plan.fixed


def _evaluated_against(baseline: Source, given: dict[str, Any], hooks: Hooks, plan: Outcome | None) -> Report:
    """The report of a model compared with a baseline: another model's predictions of the same targets."""
    from losscli.evaluation.compare import compared

    predictions = given.pop("predictions")
    if predictions is None:
        raise UsageError("no predictions", remedy="name a file, or set predictions in losscli.toml")
    _, models = all_of(
        hooks.check,
        lambda: _planned_models((predictions, baseline), pairs=((1, 0),), runs_code=hooks.runs_code, **given),
    )
    gates.meaningful(models.gates, None, models.plan.request.rules)
    if models.plan.request.rows is not None or models.plan.request.worst:
        raise UsageError(
            "--rows and --worst are of one model", remedy="leave out --baseline, or name a saved report"
        )
    models, fixed = _followed(models, plan, given)
    hooks.planned(models)
    return compared(models, hooks, alone=0, fixed=fixed)


def compare(
    *predictions: Source | Mapping[str, Source],
    targets: Source | None = None,
    loss: LossSpec | Sequence[LossSpec] | None = None,
    config: str | PathLike[str] | None = None,
    hooks: Hooks = SILENT,
    **options: Unpack[CompareOptions],
) -> Report:
    """Compare models on the same rows: for each loss and cell the paired difference with its noise.

    Args:
        *predictions: The models, each as in `evaluate`, or one mapping of names to models.  The others are
            compared with the first one.
        targets: As in `evaluate`; if omitted, the first model's file must contain them.
        loss: As in `evaluate`.
        config: As in `evaluate`; it does not name the models.
        hooks: Called while the report is made.
        **options: `names` are what the models are called, `all_pairs` compares each with each, and `changed`
            is how many rows to report: those whose first loss differs most.  If the
            models are columns of one table, `pred` lists them; if they are rows of it, `model_column` names
            the model of each row.  All others are those of `evaluate`; columns of weights, slices, clusters
            and conditions are those of the targets, or of the first model's file.

    Returns:
        The report. `report.comparisons` holds the differences b - a, overall and by class, label, output and
        slice; `report.results` the losses of every model; `report.changed` the rows that differ most.

    Raises:
        UsageError: The request makes no sense.
        DataError: The files are wrong.

    Examples:
        >>> report = losscli.compare([1.0, 2.0], [1.5, 2.0], targets=[1.0, 2.5], loss="mae")
        >>> report.comparisons[0].difference
        0.25
    """
    from losscli.evaluation.compare import compared

    models, named = _by_name(predictions, dict(options))
    given = _configured("compare", config, named, predictions=models, targets=targets, loss=loss)
    plan, given = _planned_as(given)
    _, planned = all_of(hooks.check, lambda: _planned_models(**given, runs_code=hooks.runs_code))
    gates.meaningful(planned.gates, None, planned.plan.request.rules)
    planned, fixed = _followed(planned, plan, given)
    hooks.planned(planned)
    return compared(planned, hooks, fixed=fixed)


def rank(
    *submissions: Source | Mapping[str, Source],
    targets: Source | None = None,
    loss: LossSpec | Sequence[LossSpec] | None = None,
    config: str | PathLike[str] | None = None,
    hooks: Hooks = SILENT,
    **options: Unpack[RankOptions],
) -> Report:
    """Rank submissions by their first loss, overall and by each slice.

    Submissions that noise cannot separate share a place: one shares that of the best one above it from which
    the paired test, adjusted for all pairs, does not distinguish it.  A broken one comes last.

    Args:
        *submissions: Predictions, each as in `evaluate`, or one mapping of names to predictions.
        targets: As in `evaluate`; they are read once.
        loss: As in `evaluate`; the first one ranks.
        config: As in `evaluate`; it does not name the submissions.
        hooks: Called while the report is made.
        **options: `names` are what the submissions are called; if these are rows of one table,
            `model_column` names the submission of each row.  All others are those of `evaluate`.  Columns of
            slices and weights are those of the targets.

    Returns:
        The report. `report.board` has a `Placing` for each submission and cell, the best first, and
        `report.results` the losses of each.

    Raises:
        UsageError: The request makes no sense.
        DataError: No submission can be evaluated.

    Examples:
        >>> board = losscli.rank([1.0, 2.0], [1.5, 2.5], targets=[1.0, 2.0], loss="mae").board
        >>> [placing.model for placing in board]
        ['model 1', 'model 2']
    """
    from losscli.evaluation.rank import ranked  # one model needs no leaderboard

    models, named = _by_name(submissions, dict(options))
    given = _configured("rank", config, named, predictions=models, targets=targets, loss=loss)
    return ranked(given.pop("predictions"), given.pop("targets"), given.pop("loss"), given, hooks)


def weak(
    predictions: Source | None = None,
    targets: Source | None = None,
    loss: LossSpec | Sequence[LossSpec] | None = None,
    *,
    config: str | PathLike[str] | None = None,
    hooks: Hooks = SILENT,
    **options: Unpack[WeakOptions],
) -> Report:
    """Look for segments of the rows on which a model is worse than elsewhere, beyond the noise.

    Args:
        predictions: As in `evaluate`.
        targets: As in `evaluate`.
        loss: As in `evaluate`; the segments are those of the first one, a function of means of rows.
        config: As in `evaluate`.
        hooks: Called while the report is made.
        **options: `by` are the columns to look through, by default all that can cut the rows into slices;
            segments cross up to `depth` of them, 1 or 2, and have at least `min_n` rows, by default 30.  All
            others are those of `evaluate`.

    Returns:
        The report. `report.segments` holds the segments, the most certain first, `report.results` the overall
        result, and `report.findings` how many segments were searched.

    Raises:
        UsageError: The request makes no sense, or slices of the loss have no noise that one pass tells.
        DataError: The files are wrong.

    Examples:
        >>> data = {"pred": [1, 2, 4, 7] * 50, "y": [0.0] * 200, "city": ["a", "a", "b", "b"] * 50}
        >>> [segment.cell for segment in losscli.weak(data, loss="mae").segments]
        [{'city': 'b'}]
    """
    from losscli.evaluation.weak import LEAST_ROWS, searched
    from losscli.plan.candidates import AUTO
    from losscli.plan.resolve import prepare

    given = _configured("weak", config, options, predictions=predictions, targets=targets, loss=loss)
    given["by"] = given.get("by") or AUTO
    _, run = all_of(hooks.check, lambda: prepare(**given, runs_code=hooks.runs_code))
    hooks.planned(run)
    asked = run.plan.request
    return searched(run, hooks, asked.min_n or LEAST_ROWS, asked.depth)


def _by_name(
    given: Sequence[Source | Mapping[str, Source]], options: dict[str, Any]
) -> tuple[tuple[Source, ...], dict[str, Any]]:
    """The models, and the options, with the names of a mapping."""
    if len(given) == 1 and isinstance(given[0], Mapping):
        return tuple(given[0].values()), {**options, "names": tuple(given[0])}
    return tuple(given), options


def _planned_models(predictions: Sequence[Source], **given: Any) -> Models:
    from losscli.evaluation.compare_plan import plan_models  # one model needs no comparison

    return plan_models(predictions, **given)


def load(report: str | PathLike[str]) -> Report:
    """Load a saved report.

    Args:
        report: A .json file that `losscli evaluate -o report.json` wrote, "-" for standard input, or
            "git:REVISION:PATH" for a file as a revision of the git repository has it.

    Returns:
        The report, equal to the one that was saved.  `print` shows it as tables.

    Raises:
        UsageError: "git:" without a revision and a path.
        DataError: The file cannot be read, or is not a whole report.

    Examples:
        >>> main = losscli.load("git:main:report.json")  # doctest: +SKIP
        >>> main["mae"].value  # doctest: +SKIP
        44.28186877828054
    """
    return saved.load(fspath(report))


def report_schema() -> dict[str, Any]:
    """The JSON schema of a report, which `report.to_json()` follows.

    Returns:
        The schema (JSON Schema 2020-12) as plain data.

    Examples:
        >>> losscli.report_schema()["$ref"]
        '#/$defs/Report'
    """
    return codec.schema(Report)


def gate(
    report: Report | str | PathLike[str],
    base: Report | str | PathLike[str] | None = None,
    *,
    hooks: Hooks = SILENT,
    **options: Unpack[GateOptions],
) -> Report:
    """Judge a report by gates; nothing is evaluated.

    Args:
        report: A report, or a saved one as in `load`.
        base: The same, for gates that compare with `base`.
        hooks: Called while the report is judged.
        **options: `gate` is one gate or several, "huber <= 0.5"; `confident`, `strict` and `min_n` are
            those of `evaluate`.

    Returns:
        The report with a `Verdict` in `report.gates` for each cell that a gate judges.  `report.passed` sums
        them up, and `report.check()` raises GateError if one failed.

    Raises:
        UsageError: There is no gate, a gate is invalid, or the two reports were made with different options.
        DataError: A report cannot be read.

    Examples:
        >>> report = losscli.evaluate([1.5, 2.5], [1.0, 2.0], loss="mae")
        >>> losscli.gate(report, gate="mae <= 0.4").gates[0].status
        'fail'
    """
    from losscli.plan.options import request_of

    _require_known("gate", options, has_params=False)
    if not options.get("gate"):
        raise UsageError("no gate", remedy="-g 'huber <= 0.5'")
    base, missing = _baseline(base, options.get("baseline_missing"))
    _, request, judged, other = all_of(
        hooks.check,
        lambda: request_of(options),
        lambda: report if isinstance(report, Report) else load(report),
        lambda: saved.baseline(base),
    )
    conditions = all_of(
        *(partial(gates.parse_gate, each, partial(_named_by_gates, judged)) for each in request.gate)
    )
    gates.meaningful(conditions, other, request.rules)
    return _noted(gates.judged(conditions, judged, other, request.rules), missing)


def merge(
    *states: str | PathLike[str] | Iterable[str | PathLike[str]],
    loss: LossSpec | Sequence[LossSpec] | None = None,
    hooks: Hooks = SILENT,
    **options: Unpack[MergeOptions],
) -> Report:
    """Merge saved states: the report of all rows, as if they had been evaluated in one run.

    Args:
        *states: Files that `evaluate` or `compare` wrote with `state=`, in any order, or lists of them.
        loss: The losses of the states whose code is in a file, "file.py:name"; no other code is run.
        hooks: Called while the report is made.
        **options: `state` is a file for the merged state; `gate`, `baseline`, `confident`, `strict` and
            `min_n` are those of `evaluate`.

    Returns:
        The report.

    Raises:
        UsageError: The request makes no sense.
        DataError: A state is damaged, missing, of another version or plan, or given twice.

    Examples:
        >>> losscli.merge("part-1.state", "part-2.state", gate="mae <= 2")  # doctest: +SKIP
    """
    from losscli.evaluation import storage
    from losscli.evaluation.merge import merged
    from losscli.evaluation.reporting import report_of
    from losscli.evaluation.run import keep_at
    from losscli.plan.codec import finder
    from losscli.plan.options import request_of
    from losscli.plan.values import listed

    _require_known("merge", options, has_params=False)
    lists = ([given] if isinstance(given, str | PathLike) else given for given in states)
    places = [fspath(each) for own in lists for each in own]
    if not places:
        raise UsageError("no state", remedy="losscli merge part-*.state")
    find = finder(listed(loss))
    baseline, missing = _baseline(options.get("baseline"), options.get("baseline_missing"))
    _, request, base, *found = all_of(
        hooks.check,
        lambda: request_of(options),
        lambda: saved.baseline(baseline),
        *(partial(storage.described, place, find) for place in places),
    )
    hooks.reads(places)
    whole = merged(found, storage.reader(find))
    report = report_of(whole)
    conditions = all_of(
        *(partial(gates.parse_gate, each, partial(_named_by_gates, report)) for each in request.gate)
    )
    gates.meaningful(conditions, base, request.rules)
    keep_at(whole, request.state, hooks)
    judged = gates.judged(conditions, report, base, request.rules) if conditions else report
    return _noted(judged, missing)


def _named_by_gates(report: Report, name: str) -> tuple[str, ...]:
    """The names that a loss of a gate may have in a report."""
    from losscli.catalog import registry

    if name in report.names:
        return (report.names[name],)
    if any(result.loss == name for result in report.results):
        return (name,)
    return tuple(entry.name for entry in registry.find(name))


def explain(
    loss: LossSpec | None = None,
    predictions: Source | None = None,
    targets: Source | None = None,
    *,
    search: str | None = None,
    hooks: Hooks = SILENT,
    **options: Unpack[ReadOptions],
) -> Explanation:
    """Explain a loss: formula, curve, parameters, names in other libraries; or list the catalog.

    Args:
        loss: A loss as in `evaluate`; if omitted, the losses of the catalog are listed.
        predictions: As in `evaluate`; if given, their rows are placed on the curve of the loss.
        targets: As in `evaluate`.
        search: Words that all have to occur in what is known of a loss; lists those losses.
        hooks: Called while rows are read.
        **options: `task` chooses the losses of one task, and parameters of the loss are keywords.  All
            others say how predictions are read, as in `evaluate`.

    Returns:
        The explanation.  `print` shows it as text, `explanation.losses` are the losses, and with predictions
        `explanation.facts` says which of their rows make up the loss.

    Raises:
        UsageError: The request makes no sense, or files are given for a loss that has no curve.
        DataError: The files are wrong.

    Examples:
        >>> losscli.explain("l1").losses[0].name
        'mean_absolute_error'
        >>> losscli.explain("huber", [1.5, 5.0], [1.0, 2.0], delta=1).facts.parts[0].rows
        1
    """
    from losscli.explanation import explanation

    _require_known("explain", options)
    given = _stated(predictions=predictions, targets=targets, **options)
    explanation.check(loss, search, given)
    if loss is None:
        return explanation.of_catalog(search, options.get("task"))
    if predictions is None:
        return explanation.of_loss(loss, given)
    from losscli.explanation import facts

    run = facts.planned(loss, **given)
    hooks.planned(run)
    return explanation.of_rows(run, hooks)


def init(
    predictions: str | PathLike[str] | None = None,
    targets: str | PathLike[str] | None = None,
    loss: str | Sequence[str] | None = None,
    *,
    force: bool = False,
    hooks: Hooks = SILENT,
    **options: Unpack[InitOptions],
) -> Path:
    """Write losscli.toml in the current folder: what is inferred from the files, and comments.

    Args:
        predictions: Files as in `evaluate`; if omitted, every key is a comment.
        targets: The same.
        loss: As in `evaluate`.
        force: Overwrite losscli.toml.
        hooks: Called when the files are planned.
        **options: Those of `evaluate` that say how files are read and what is computed.

    Returns:
        The path of the file, which `losscli evaluate` and `evaluate(config=...)` read.

    Raises:
        UsageError: losscli.toml exists already, or the request makes no sense.
        DataError: The files are wrong, or losscli.toml cannot be written.

    Examples:
        >>> losscli.init("preds.csv", "targets.csv", loss="huber")  # doctest: +SKIP
        PosixPath('losscli.toml')
    """
    from losscli.settings import template

    _require_known("init", options)
    path = template.new_path(force)
    given = _stated(predictions=predictions, targets=targets, loss=loss, **options)
    template.require_files(given)
    if predictions is not None:
        from losscli.plan.resolve import prepare

        run = prepare(**given)
        hooks.planned(run)
        given |= run.plan.options()
    template.write(path, given)
    return path


def _stated(**given: Any) -> dict[str, Any]:
    """The arguments that are not None, as the command line has them."""
    return {name: value for name, value in given.items() if value is not None}


class Checked(Struct, frozen=True):
    """What an evaluation would read: its plan, how many rows or groups, and what is to be known of them."""

    run: Run
    rows: str
    alignment: str
    notes: tuple[Note, ...]


def check(*, hooks: Hooks = SILENT, **given: Any) -> Checked:
    """Read and check all rows, and evaluate nothing; takes the options of `evaluate`, and raises the same.

    No code of the user is run.
    """
    from losscli.evaluation.partial import EvaluationJob
    from losscli.evaluation.results import notes
    from losscli.evaluation.run import fold_all
    from losscli.plan.resolve import prepare
    from losscli.tasks.catalog import TASKS

    run = prepare(**given, runs_code=False)
    hooks.planned(run)
    part, alignment = fold_all(run, hooks.progress, hooks.say, EvaluationJob(run.plan.analytic, kept=False))
    unit = TASKS[run.plan.roles.task].unit.removesuffix("s")
    rows = f"{counted(int(part.overall[0].n[0]), unit)} can be evaluated"
    return Checked(run, rows, alignment.how, (*run.notes, *notes(part.tallies)))


def check_public(predictions: Source | None = None, targets: Source | None = None, **given: Any) -> str:
    """That a submission can be evaluated, in words that say nothing of the values in the targets.

    Raises the errors that an evaluation raises, without what they show of targets.
    """
    if predictions is None or targets is None:
        remedy = "losscli check PREDS TARGETS --public"
        raise UsageError("--public checks predictions against targets", remedy=remedy)
    try:
        return check(predictions=predictions, targets=targets, **given).rows
    except LossCliError as error:
        named = printable(without_credentials(str(targets)))  # as problems name it
        raise type(error)([_public(problem, named) for problem in error.problems]) from None


def _public(problem: Problem, targets: str) -> Problem:
    """A problem as a submitter may see it: of one of the targets no more than that there is one."""
    if targets and problem.where.startswith(targets) and problem.code != str(Code.UNMATCHED_TARGET):
        return Problem("a problem of the targets, which are not shown", remedy="ask whoever keeps them")
    if problem.code == str(Code.OUTSIDE_DOMAIN):
        return replace(problem, examples=())  # which show targets
    if targets in problem.what:
        return Problem("does not fit the targets, which are not shown", remedy=problem.remedy)
    return problem


def verify(report: str, *, hooks: Hooks = SILENT, **given: Any) -> list[str]:
    """Evaluate again as for a saved report, and say what is the same and what differs.

    Raises DataError if a number differs.
    """
    from losscli.evaluation.run import evaluated
    from losscli.plan.options import BOOTSTRAP, LEVEL
    from losscli.plan.resolve import prepare

    before = saved.load(report)
    # Clusters and a bootstrap have a level even if no result has an interval.
    has_level = given.get("cluster") is not None or given.get("ci_method") == BOOTSTRAP
    level = saved.level(before) or (LEVEL if has_level else None)
    run = prepare(**{**given, "ci": level})
    hooks.planned(run)
    return saved.reproduced(before, evaluated(run, hooks), report)
