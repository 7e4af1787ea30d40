"""Every option, once: its flag, values, help, and everything else that the program needs to know about it.

`Request` has one field per option, with an `Option` in its annotation; the table `OPTIONS` collects them.
From it come the parameters of the command line and their help, the keys of losscli.toml, the environment
variables, the keywords of the Python API, the plan as flags, what two reports must agree in, completion, and
the reference in the docs.
"""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from functools import cache, partial
from itertools import combinations
from shlex import quote
from typing import Annotated, Any, Final, get_args

from msgspec import Struct, field
from msgspec.structs import replace

from losscli.catalog import registry
from losscli.catalog.conventions.libraries import LIBRARIES
from losscli.catalog.params import Param
from losscli.data import formats
from losscli.data.limits import MAX_MEMORY
from losscli.data.request import DECIMALS, Reading
from losscli.engines import LOCAL
from losscli.engines.devices import CPU
from losscli.errors import Problem, UsageError, all_of
from losscli.gates.judge import Rules
from losscli.numeric.ranges import Range
from losscli.plan.values import (
    CELLS,
    CHARTS,
    CLASS_WEIGHTS,
    CLASSES,
    COLUMN,
    COMMENT,
    DEVICE,
    ENGINE,
    ESCAPE,
    FILE,
    FILES,
    GATES,
    LABEL,
    LOSSES,
    NAMES,
    PART,
    PATH,
    QUOTE,
    REPORT,
    SEPARATOR,
    SIZE,
    SLICES,
    STATE,
    SWITCH,
    TEXT,
    THOUSANDS,
    Kind,
    count,
    number,
    one_of,
)
from losscli.render import format_help, suffix_help
from losscli.render.formats import printed_formats
from losscli.tasks.catalog import TASKS
from losscli.text import either, join_names, near

LEVEL: Final = 0.95
"""The default level of intervals."""
MOST_ROWS = 10_000
"""The maximum of --worst and --changed."""
COLORS = ("auto", "always", "never")
POLICIES = ("error", "drop")
ANALYTIC, BOOTSTRAP = METHODS = ("analytic", "bootstrap")
"""How intervals are computed."""
REPLICATES: Final = 1_000
"""The default number of replicates of a bootstrap."""
MOST_SEED = 2**63 - 1
"""The maximum seed: the largest integer of TOML."""

SCORING = ("evaluate", "compare", "rank", "weak")
CONFIGURED = (*SCORING, "check")
"""The commands that take settings from files."""
PLANNING = (*CONFIGURED, "explain", "init")
"""The commands that read predictions."""
RESAMPLING = ("evaluate", "compare", "check")
"""The commands that take a bootstrap.  On a leaderboard, ties are found by covariances."""
JUDGING = ("evaluate", "compare", "gate", "merge")
"""The commands that judge a report by gates."""
SHOWING = (*SCORING, "gate", "merge", "show")
"""The commands that show a report."""
PANELS = ("Arguments", "Losses", "Columns and rows", "What values mean", "Judging", "Output", "Running")
"""The groups of options, in the order of the help."""
CLASSIFIED = ("binary", "multiclass", "multilabel")
FORECASTS = ("regression", "quantile")


ON_CLUSTER = "a leaderboard compares all submissions row by row in one process"
COMPARE = "losscli compare A B ... -t TARGETS runs on Spark"


class Use(Enum):
    """What an option is for, and so where it can be set."""

    CALL = 0
    """One call of the program: only on the command line."""
    OUTPUT = 1
    """Where results go: also in losscli.toml."""
    LOOKS = 2
    """How results look: also in losscli.toml and in the settings of a user."""
    REPORT = 3
    """What a report holds: also in losscli.toml and in Python."""
    PLAN = 4
    """What is computed: also in losscli.toml and in Python, and part of the plan."""


class Option(Struct, frozen=True):
    """An option: its help, the kind of its values, and the placeholder for a value in the help.

    The `name` is that of the field, and the flag is derived from it, unless it is an `argument`.  The option
    has an effect only in these `tasks` and for predictions of these `links` (in all if empty); `what` is the
    explanation.  `compared` is its name in reports, if two reports must agree in it.  It excludes its
    `rivals`, and has no effect unless the option that it `needs` has a given value; the environment
    `variable` sets it.  A `column` is completed with the columns of the files.  `instead` holds entries for
    commands that define the option differently; `lacks` says why a command does not have it.
    """

    help: str | Callable[[], str]
    kind: Kind = SWITCH
    metavar: str = ""
    panel: str = "Running"
    short: str = ""
    commands: tuple[str, ...] = PLANNING
    use: Use = Use.PLAN
    argument: bool = False
    required: bool = False
    negated: bool = False
    column: bool = False
    tasks: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    what: str = ""
    remedy: str = ""
    compared: str = ""
    rivals: tuple[str, ...] = ()
    needs: tuple[str, str] | None = None
    variable: str = ""
    instead: Mapping[str, "Option"] = field(default_factory=dict)
    lacks: Mapping[str, str] = field(default_factory=dict)
    name: str = ""
    default: Any = None

    @property
    def text(self) -> str:
        """The help text, computed on demand if that is slow."""
        return self.help if isinstance(self.help, str) else self.help()

    @property
    def flag(self) -> str:
        """The long flag, or the placeholder of an argument."""
        return self.metavar if self.argument else f"--{self.name.replace('_', '-')}"

    @property
    def flags(self) -> tuple[str, ...]:
        """The long flag, the flag that turns it off, and the short flag."""
        off = (f"--no-{self.flag[2:]}",) if self.negated else ()
        return () if self.argument else (self.flag, *off, *filter(None, (self.short,)))

    @property
    def is_switch(self) -> bool:
        """Whether it takes no value."""
        return self.kind is SWITCH

    def read(self, value: Any) -> Any:
        """The value from text, TOML or Python.  Raises UsageError."""
        return self.kind.read(self.flag, value)

    def is_empty(self, value: object) -> bool:
        """Whether a value is empty text, as of a variable of a shell that is not set."""
        return isinstance(value, str) and not (value if self.kind.may_be_blank else value.strip())

    def has_no_effect(self, task: str, link: str) -> bool:
        """Whether it has no effect in a task with this kind of predictions."""
        return bool((self.tasks and task not in self.tasks) or (self.links and link not in self.links))


_argument = partial(Option, panel="Arguments", argument=True)
_column = partial(Option, panel="Columns and rows")
_meaning = partial(Option, panel="What values mean")
_judging = partial(Option, panel="Judging", use=Use.REPORT)
_output = partial(Option, panel="Output", commands=SHOWING, use=Use.LOOKS)
_running = partial(Option, panel="Running", use=Use.CALL)


class Request(Struct, frozen=True, kw_only=True):
    """The options of a run, each parsed on its own.

    `params` are the parameters of losses, as given; `added` are the columns that were given as arrays.
    """

    # Several fields of an entry share a line, as in a table.
    # fmt: off
    loss: Annotated[
        tuple[Any, ...],
        Option(
            "huber:delta=2; 'expr: abs(e)**1.5' over y, p, e, w; file.py:NAME; repeatable; default: by task.",
            LOSSES, "LOSS", "Losses", "-l",
            commands=(*PLANNING, "merge"),
            instead={
                "explain": _argument("A loss, by any of its names: huber, or huber:delta=2.", TEXT, "LOSS"),
                "merge": Option(
                    "A loss of the states whose code is in a file: file.py:NAME; repeatable.", LOSSES, "LOSS",
                    "Losses", "-l", use=Use.REPORT,
                ),
            },
        ),
    ] = ()
    task: Annotated[
        str | None,
        Option("The task, if columns leave it open.", one_of(TASKS), "TASK", "Losses", compared="task"),
    ] = None
    report: Annotated[
        str | None,
        _argument(
            "A saved report: a .json file, - for standard input, or git:REVISION:PATH.", TEXT, "REPORT",
            commands=("gate",), use=Use.CALL, required=True,
        ),
    ] = None
    reports: Annotated[
        tuple[str, ...],
        _argument(
            "Saved reports: .json files, - for standard input, or git:REVISION:PATH.", FILES, "REPORT",
            commands=("show",), use=Use.CALL,
        ),
    ] = ()
    states: Annotated[
        tuple[str, ...],
        _argument(
            "States that losscli evaluate or compare wrote with --state.", FILES, "STATES",
            commands=("merge",), use=Use.CALL, required=True,
        ),
    ] = ()
    base: Annotated[
        str | None,
        _argument(
            "The report that 'base' stands for in gates.", TEXT, "BASE", commands=("gate",), use=Use.CALL
        ),
    ] = None
    predictions: Annotated[
        Any,
        _argument(
            "Predictions: a file, 'a pattern/*.csv', a folder, a URL, or -.",
            FILE, "PREDS", use=Use.REPORT,
            instead={
                "compare": _argument(
                    "Predictions of two models or more, each FILE or NAME=FILE; the first is the base.",
                    FILES, "MODELS",
                ),
                "rank": _argument(
                    "Files, 'patterns/*.csv' or folders; each file is a submission.", FILES, "SUBMISSIONS"
                ),
                "explain": _argument("Predictions, whose rows are shown on the curve.", FILE, "PREDS"),
            },
        ),
    ] = None
    targets: Annotated[
        Any,
        _argument(
            "Targets; if omitted, PREDS must contain both.", FILE, "TARGETS", use=Use.REPORT,
            instead={
                "compare": _column(
                    "Targets; if omitted, the first model's file must contain them.", FILE, "FILE", short="-t"
                ),
                "rank": _column("Targets, read once.", FILE, "FILE", short="-t"),
            },
        ),
    ] = None
    help_losses: Annotated[
        bool, Option("Show the parameters of losses, and exit.", panel="Losses", use=Use.CALL)
    ] = False
    search: Annotated[
        str | None,
        Option(
            "List the losses that match all words.", TEXT, "WORDS", "Losses", commands=("explain",),
            use=Use.CALL,
        ),
    ] = None

    pred: Annotated[
        tuple[str, ...], _column("Prediction, or one a class: A,B,C.", NAMES, "COL", short="-p", column=True)
    ] = ()
    target: Annotated[
        tuple[str, ...], _column("Target, or several: A,B,C.", NAMES, "COL", short="-y", column=True)
    ] = ()
    on: Annotated[
        tuple[str, ...], _column("Key columns that align the files.", NAMES, "KEY", column=True)
    ] = ()
    weight: Annotated[
        str | None, _column("Weights of the rows.", COLUMN, "COL", short="-w", column=True, compared="weight")
    ] = None
    by: Annotated[
        tuple[tuple[str, ...], ...],
        _column(
            "Slices: region; a,b crossed; age:4; day:month; auto.", SLICES, "COL",
            column=True, commands=(*CONFIGURED, "init"),
            instead={
                "weak": _column(
                    "Search these: region; age:4; day:month; default: auto.", SLICES, "COL", column=True
                ),
            },
        ),
    ] = ()
    missing: Annotated[
        str,
        _column(
            "Rows with missing values; default: error.", one_of(POLICIES), "error|drop", compared="missing"
        ),
    ] = "error"
    unmatched: Annotated[
        str,
        _column(
            "Keys on one side only; default: error.", one_of(POLICIES), "error|drop", compared="unmatched"
        ),
    ] = "error"
    domain: Annotated[
        str,
        _column(
            "Values out of domain; default: error.", one_of(POLICIES), "error|drop", compared="domain"
        ),
    ] = "error"
    where: Annotated[
        str | None, _column("Rows to evaluate, in SQL: \"region = 'eu'\".", TEXT, "EXPR", compared="where")
    ] = None
    group: Annotated[
        str | None,
        _column(
            "Rows that belong together: query, stratum.", COLUMN, "COL", column=True,
            tasks=("grouped_ranking", "contrastive", "hazard"), what="names groups of rows",
            compared="group",
        ),
    ] = None
    scale_by: Annotated[
        str | None,
        _column(
            "Scale of errors: naive error of the history.", COLUMN, "COL",
            column=True, tasks=FORECASTS, what="scales forecasts", compared="scale", rivals=("naive",),
            commands=(*CONFIGURED, "init"),
        ),
    ] = None
    naive: Annotated[
        str | None,
        _column(
            "Naive forecast, whose errors scale others.", COLUMN, "COL",
            column=True, tasks=FORECASTS, what="scales forecasts", compared="naive", rivals=("scale_by",),
            commands=(*CONFIGURED, "init"),
        ),
    ] = None
    separator: Annotated[
        str | None, _column("Field separator in text: ';', '|', tab.", SEPARATOR, "CHAR")
    ] = None
    quote: Annotated[
        str | None,
        _column("Quote in text: a character, or none.", QUOTE, "CHAR"),
    ] = None
    escape: Annotated[
        str | None, _column("Escape of quotes in text: a backslash.", ESCAPE, "CHAR")
    ] = None
    comment: Annotated[
        str | None, _column("Skip lines of text that begin so: '#'.", COMMENT, "TEXT")
    ] = None
    header: Annotated[
        bool | None,
        _column("Text has a header; default: by content.", negated=True),
    ] = None
    decimal: Annotated[
        str, _column("Decimal sign in text; default: '.'.", one_of(DECIMALS), "SIGN")
    ] = "."
    thousands: Annotated[
        str | None,
        _column("Sign between thousands in text.", THOUSANDS, "SIGN"),
    ] = None
    null_values: Annotated[
        tuple[str, ...], _column("More words for missing numbers in text.", NAMES, "A,B")
    ] = ()
    input_format: Annotated[
        str | None,
        _column("parquet, csv, ...; default: by content.", one_of(formats.names()), "FORMAT"),
    ] = None

    classes: Annotated[
        tuple[str, ...],
        _meaning(
            "The classes, in the order of columns.", CLASSES, "A,B,C",
            tasks=("multiclass",), what="names the classes of a multiclass task",
        ),
    ] = ()
    positive: Annotated[
        str | None,
        _meaning(
            "The positive one of two labels.", LABEL, "LABEL", tasks=("binary",),
            what="names one of two labels", remedy="--task binary scores two labels",
        ),
    ] = None
    class_weight: Annotated[
        Mapping[str, float],
        _meaning(
            "Weights of classes; default: 1.", CLASS_WEIGHTS, "A=2,B=1",
            tasks=("binary", "multiclass", "segmentation"), what="weighs classes", compared="class weight",
        ),
    ] = field(default_factory=dict)
    ignore_label: Annotated[
        str | None,
        _meaning(
            "Leave out rows with this label.", LABEL, "LABEL",
            tasks=("binary", "multiclass"), what="leaves out a class", compared="ignored label",
        ),
    ] = None
    from_logits: Annotated[
        bool,
        _meaning(
            "Predictions are logits.", negated=True, tasks=CLASSIFIED, what="is for classification",
            rivals=("from_log_probs",),
        ),
    ] = False
    from_log_probs: Annotated[
        bool,
        _meaning(
            "Predictions are log-probabilities.", negated=True, tasks=("multiclass",),
            what="is for multiclass tasks", rivals=("from_logits",),
        ),
    ] = False
    eps: Annotated[
        float | None,
        _meaning(
            "Clip under logarithms; default: by type.",
            number(Range(0, 0.5, open="high")), "NUMBER", tasks=CLASSIFIED, links=("probability",),
            what="clips probabilities", remedy="a loss's own is written in line: epsilon_insensitive:eps=0.1",
            rivals=("like",),
        ),
    ] = None
    like: Annotated[
        str | None,
        _meaning(
            f"Conventions of {either(LIBRARIES)}.",
            one_of(LIBRARIES), "LIBRARY", rivals=("eps",), compared="like",
        ),
    ] = None
    normalize: Annotated[
        bool,
        _meaning(
            "Rescale probabilities to sum to one.", negated=True, tasks=("multiclass",),
            links=("probability",), what="rescales probabilities of classes", compared="normalize",
        ),
    ] = False

    ci: Annotated[
        float | None,
        _judging(
            "Level of intervals, or none; default: 0.95.",
            number(Range(0, 1, open="low high"), optional=True), "LEVEL", commands=SCORING, use=Use.PLAN,
        ),
    ] = LEVEL
    ci_method: Annotated[
        str,
        _judging(
            "analytic (default), or bootstrap: slow.", one_of(METHODS), "METHOD",
             commands=RESAMPLING, use=Use.PLAN, compared="intervals",
        ),
    ] = ANALYTIC
    replicates: Annotated[
        int,
        _judging(
            "Replicates of a bootstrap; default: 1000.",
            count(100, 100_000), "N", commands=RESAMPLING, use=Use.PLAN, compared="replicates",
            needs=("ci_method", BOOTSTRAP),
        ),
    ] = REPLICATES
    seed: Annotated[
        int,
        _judging(
            "Seed of a bootstrap; default: 0.", count(0, MOST_SEED), "N", commands=RESAMPLING, use=Use.PLAN,
            compared="seed", needs=("ci_method", BOOTSTRAP),
        ),
    ] = 0
    cluster: Annotated[
        str | None,
        _judging(
            "Column of clusters, the units of intervals.", COLUMN, "COL",
            commands=("evaluate", "compare", "weak", "check"), use=Use.PLAN, column=True, compared="cluster",
        ),
    ] = None
    approximate: Annotated[
        bool,
        _judging(
            "Bound the memory of AUC and quantiles.", negated=True,
            commands=("evaluate", "compare", "rank", "check"), use=Use.PLAN,
        ),
    ] = False
    gate: Annotated[
        tuple[Any, ...],
        _judging(
            "'huber <= 0.5', 'log_loss[class=*] < 0.6', 'hi(mae) <= base + 1%'; else status 1.",
            GATES, "GATE", short="-g", commands=JUDGING,
        ),
    ] = ()
    baseline: Annotated[
        Any,
        _judging(
            "'base' in gates: report, git:REV:PATH, rows.",
            REPORT, "BASE", commands=("evaluate", "merge"),
            instead={"merge": _judging("'base' in gates: report or git:REV:PATH.", REPORT, "BASE")},
        ),
    ] = None
    baseline_missing: Annotated[
        str,
        _judging(
            "If BASE is missing: error (default), or skip.", one_of(("error", "skip")), "WHAT",
            commands=("evaluate", "merge", "gate"),
        ),
    ] = "error"
    confident: Annotated[
        bool,
        _judging("Within noise a verdict is unsure: a warning.", negated=True, commands=JUDGING),
    ] = False
    strict: Annotated[
        bool, _judging("As --confident, and an unsure verdict fails.", negated=True, commands=JUDGING)
    ] = False
    min_n: Annotated[
        int,
        _judging(
            "Cells with fewer rows are shown, not judged.", count(), "N", commands=(*JUDGING, "weak"),
            instead={
                "weak": _judging("Minimum of rows of a segment; default: 30.", count(2), "N"),
            },
        ),
    ] = 0
    depth: Annotated[
        int,
        _judging(
            "Columns that a segment crosses: 1, or 2 (default).", count(1, 2), "N", commands=("weak",)
        ),
    ] = 2
    names: Annotated[
        tuple[str, ...], _judging("What the models are called; default: their files.", NAMES, commands=())
    ] = ()
    model_column: Annotated[
        str | None,
        _column(
            "The column of one file that names the model of each row.", TEXT, "COL", column=True,
            commands=("compare", "rank"), use=Use.REPORT,
        ),
    ] = None
    all_pairs: Annotated[
        bool, _judging("Compare all pairs, not only with the first model.", commands=("compare",))
    ] = False
    verify: Annotated[
        str | None,
        _judging(
            "Evaluate again with the options of a saved report, and compare.", TEXT, "REPORT",
            commands=("check",), use=Use.CALL,
        ),
    ] = None
    public: Annotated[
        bool,
        _judging(
            "Show what is wrong with PREDS, without values of TARGETS.", commands=("check",), use=Use.CALL
        ),
    ] = False

    rows: Annotated[
        str | None,
        _output(
            "Write row losses: .parquet, .csv, .ndjson, .arrow.", PATH, "FILE",
            commands=("evaluate",), use=Use.REPORT,
        ),
    ] = None
    worst: Annotated[
        int,
        _output(
            "Show the N rows with the largest first loss.", count(0, MOST_ROWS), "N",
            commands=("evaluate",), use=Use.REPORT,
        ),
    ] = 0
    changed: Annotated[
        int,
        _output(
            "Show the N rows on which the first loss of each pair differs most.", count(0, MOST_ROWS), "N",
            commands=("compare",), use=Use.REPORT,
        ),
    ] = 0
    state: Annotated[
        str | None,
        _output(
            "Write the state of the run, for merge.", STATE, "FILE",
            commands=("evaluate", "compare", "merge"), use=Use.REPORT,
        ),
    ] = None
    charts: Annotated[
        bool,
        _output(
            "Keep data for charts, as --plot and -o X.html do.",
            commands=("evaluate", "compare"), use=Use.PLAN,
        ),
    ] = False
    plot: Annotated[
        tuple[str, ...],
        _output(
            "Draw a chart in text: reliability, loss_distribution:mae; repeatable.",
            CHARTS, "NAME", commands=("evaluate", "compare", "merge", "show"), use=Use.OUTPUT,
        ),
    ] = ()
    output: Annotated[
        tuple[str, ...],
        _output(
            lambda: f"Write a report: {suffix_help()}, or github (summary); repeatable.",
            FILES, "FILE", short="-o", use=Use.OUTPUT,
        ),
    ] = ()
    formulas: Annotated[
        bool | None,
        _output(
            "Keep CSV cells that spreadsheets would run; default: not in boards with -o.",
            negated=True, commands=("rank", "show"), use=Use.OUTPUT,
        ),
    ] = None
    format: Annotated[
        str | None,
        _output(
            lambda: f"{format_help()}.", one_of(printed_formats), "FORMAT",
            rivals=("json", "bare"),
        ),
    ] = None
    cells: Annotated[
        int | None,
        _output(
            "Worst cells shown; on a terminal 10, else all.",
            CELLS, "all|N", commands=(*JUDGING, "weak", "show"),
        ),
    ] = None
    json: Annotated[
        bool,
        _output("The same as --format json.", commands=(*SHOWING, "explain"), rivals=("format", "bare")),
    ] = False
    bare: Annotated[
        bool, _output("Only the overall values, with every digit.", rivals=("format", "json"))
    ] = False
    color: Annotated[
        str, _output("auto (default), always or never.", one_of(COLORS), "WHEN")
    ] = "auto"
    force: Annotated[
        bool, _output("Overwrite losscli.toml.", commands=("init",), use=Use.CALL)
    ] = False

    schema: Annotated[
        bool, _output("Print the JSON schema of reports.", commands=("show",), use=Use.CALL)
    ] = False

    dry_run: Annotated[
        bool,
        _running(
            "Show the plan; -o run.plan writes it.",
            commands=("evaluate", "compare"),
        ),
    ] = False
    plan: Annotated[
        str | None,
        _running(
            "Follow a saved plan, or a state.", PATH, "FILE",
            commands=("evaluate", "compare"), use=Use.REPORT,
        ),
    ] = None
    part: Annotated[
        tuple[int, int] | None,
        _running(
            "Which part of the rows this is: 2/6.", PART, "I/N",
            commands=("evaluate", "compare"), use=Use.REPORT,
        ),
    ] = None
    config: Annotated[
        str | None,
        _running(
            "Settings; default: the nearest losscli.toml.", TEXT, "FILE", short="-c", commands=CONFIGURED
        ),
    ] = None
    no_config: Annotated[bool, _running("Read no settings.", commands=CONFIGURED)] = False
    threads: Annotated[
        int | None,
        _running("Worker threads; default: all cores, up to 8.", count(1), "N", use=Use.REPORT),
    ] = None
    engine: Annotated[
        str,
        _running(
            "local, spark, spark:MASTER, or spark:sc://HOST.", ENGINE, "ENGINE",
            commands=("evaluate", "compare", "check"), use=Use.REPORT,
            lacks={"rank": f"{ON_CLUSTER}; {COMPARE}"},
        ),
    ] = LOCAL
    max_memory: Annotated[
        int,
        _running(
            "Limit for a file once it is decompressed; 4GiB.", SIZE, "SIZE", use=Use.REPORT,
        ),
    ] = MAX_MEMORY
    device: Annotated[
        str,
        _running(
            "cpu, cuda, cuda:1 or auto; or LOSSCLI_DEVICE.",
            DEVICE, "DEVICE", use=Use.PLAN, variable="LOSSCLI_DEVICE",
        ),
    ] = CPU
    quiet: Annotated[
        bool,
        _running(
            "Only write errors to stderr.", short="-q", use=Use.LOOKS,
            commands=(*PLANNING, "gate", "merge", "show"), rivals=("verbose",),
        ),
    ] = False
    verbose: Annotated[
        bool,
        _running(
            "Show the plan on stderr.", short="-v", commands=(*PLANNING, "show"), use=Use.LOOKS,
            rivals=("quiet",),
            instead={
                "show": _output("Show the minimum detectable differences too.", short="-v"),
            },
        ),
    ] = False
    debug: Annotated[
        bool, _running("Show the traceback of an error.", commands=(*PLANNING, "gate", "merge", "show"))
    ] = False

    # fmt: on

    params: Mapping[str, object] = field(default_factory=dict)
    added: tuple[str, ...] = ()

    @property
    def reading(self) -> Reading:
        """The options for reading files."""
        return Reading(**{name: getattr(self, name) for name in Reading.__struct_fields__})

    @property
    def rules(self) -> Rules:
        """The rules for judging gates."""
        return Rules(self.confident, self.strict, self.min_n, self.baseline_missing == "skip")


def _entries() -> Iterator[Option]:
    """The options, each with the name and the default of its field."""
    plain = Request()
    for name, annotation in Request.__annotations__.items():
        for option in get_args(annotation)[1:]:
            if isinstance(option, Option):
                yield replace(option, name=name, default=getattr(plain, name))


OPTIONS: Final[Mapping[str, Option]] = {option.name: option for option in _entries()}
"""Every option, in the order of the help."""
_OF_PLAN = tuple(option for option in OPTIONS.values() if option.use is Use.PLAN)
_OF_ENVIRONMENT = tuple(option for option in OPTIONS.values() if option.variable)
_OF_SOME_TASKS = tuple(option for option in OPTIONS.values() if option.tasks or option.links)


def options_of(command: str) -> Iterator[Option]:
    """The options of a command, with its own entries where it has any."""
    for option in OPTIONS.values():
        if command in option.commands:
            other = option.instead.get(command)
            yield option if other is None else replace(other, name=option.name, default=option.default)


@cache
def keywords_of(command: str) -> tuple[Option, ...]:
    """The options of the Python function of a command."""
    names = (OPTIONS["names"],) if command in ("compare", "rank") else ()
    return (*names, *(option for option in options_of(command) if option.use in (Use.REPORT, Use.PLAN)))


def in_python(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options that the Python API has too, and the parameters of losses."""
    python = (Use.REPORT, Use.PLAN)
    return {
        name: value for name, value in given.items() if name not in OPTIONS or OPTIONS[name].use in python
    }


@cache
def keys() -> Mapping[str, Option]:
    """The options that losscli.toml can set: those of `losscli evaluate`, except for one call only."""
    return {option.name: option for option in options_of("evaluate") if option.use is not Use.CALL}


def loss_params() -> dict[str, tuple[Param, Sequence[str]]]:
    """The parameters of losses that are options too, each with the losses that take it.

    A parameter with the name of another option (eps) can only be set in line: epsilon_insensitive:eps=0.1.
    """
    return {name: entry for name, entry in registry.option_params().items() if name not in OPTIONS}


def table() -> list[tuple[Option, tuple[str, ...]]]:
    """Every entry once, with its commands, for the reference documentation."""
    shown: dict[tuple[str, str], tuple[Option, tuple[str, ...]]] = {}
    for command in dict.fromkeys(name for option in OPTIONS.values() for name in option.commands):
        for option in options_of(command):
            _, commands = shown.get((option.flag, option.text), (option, ()))
            shown[option.flag, option.text] = (option, (*commands, command))
    return list(shown.values())


def request_of(given: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> Request:
    """Parse options; those not given are read from the environment.  Raises UsageError.

    Any other name is a parameter of a loss: see `check_names`.
    """
    stated = {
        name: value
        for name, value in given.items()
        if name in OPTIONS and (value is not None or name == "ci")
    }
    variables = {name: value for name, value in (environment or {}).items() if given.get(name) is None}
    read, *_ = all_of(
        lambda: all_of(
            *(partial(OPTIONS[name].read, value) for name, value in stated.items()),
            *(partial(_read_variable, name, value) for name, value in variables.items()),
        ),
        lambda: check_not_empty(stated),
        lambda: _check_exclusive(stated),
        lambda: _check_needs(stated),
    )
    names = [*stated, *variables]
    params = {name: value for name, value in given.items() if name not in OPTIONS}
    return Request(**dict(zip(names, read, strict=True)), params=params)


def check_not_empty(given: Mapping[str, Any]) -> None:
    """Raise UsageError for options whose value is empty text, for example from an unset shell variable."""
    empty = [
        option
        for name, value in given.items()
        if (option := OPTIONS.get(name)) and any(map(option.is_empty, _items(value)))
    ]
    if empty:
        raise UsageError(
            [
                Problem(f"{option.flag}: the value is empty", remedy="name a value, or leave the option out")
                for option in empty
            ]
        )


def _items(value: object) -> Iterable[object]:
    return value if isinstance(value, list | tuple) else (value,)


def of_environment() -> dict[str, str]:
    """The values of environment variables, by option name."""
    return {option.name: value for option in _OF_ENVIRONMENT if (value := os.environ.get(option.variable))}


def _read_variable(name: str, value: str) -> Any:
    try:
        return OPTIONS[name].read(value)
    except UsageError as error:
        where = f"environment, {OPTIONS[name].variable}"
        raise UsageError([replace(problem, where=where) for problem in error.problems]) from None


def _check_exclusive(stated: Mapping[str, Any]) -> None:
    """Raise UsageError for two options of the plan that exclude each other."""
    chosen = [option for option in _OF_PLAN if stated.get(option.name, False) is not False]
    pairs = [(one.flag, other.flag) for one, other in combinations(chosen, 2) if other.name in one.rivals]
    if "ci" in stated and str(stated["ci"]).lower() == "none":
        pairs += [("--cluster", "--ci none")] if "cluster" in stated else []
        pairs += [("--ci-method bootstrap", "--ci none")] if stated.get("ci_method") == BOOTSTRAP else []
    if pairs:
        raise UsageError([Problem(f"{one} and {other} exclude each other") for one, other in pairs])


def _check_needs(stated: Mapping[str, Any]) -> None:
    """Raise UsageError for options that have no effect without another one."""
    wrong = []
    for name in stated:
        if (needs := OPTIONS[name].needs) is not None:
            other, value = OPTIONS[needs[0]], needs[1]
            if stated.get(other.name, other.default) != value:
                what = f"{OPTIONS[name].flag} has no effect without {other.flag} {value}"
                wrong.append(Problem(what, remedy=f"add {other.flag} {value}, or leave it out"))
    if wrong:
        raise UsageError(wrong)


def ineffective_with(chosen: Mapping[str, Any]) -> set[str]:
    """The options that have no effect because the option that they need has another value."""
    pairs = ((option.name, option.needs) for option in OPTIONS.values() if option.needs is not None)
    return {name for name, (other, value) in pairs if chosen.get(other, value) != value}


def check_names(given: Iterable[str], custom_params: Collection[str] = ()) -> None:
    """Raise UsageError for names that are neither options, parameters of losses nor `custom_params`."""
    unknown = [name for name in given if name not in OPTIONS and name not in custom_params]
    if not unknown:
        return  # the usual case, which avoids loading the catalog
    words = [*loss_params(), *custom_params, *OPTIONS]
    if unknown := [name for name in unknown if name not in words]:
        raise UsageError(
            [Problem(f"no option or loss parameter {name!r}.{near(name, words)}") for name in unknown]
        )


def check_meaning(request: Request, task: str, link: str) -> None:
    """Raise UsageError for options that have no effect in this task."""
    shown = f"a {task} task" + (f" of {link.replace('_', '-')}s" if link in ("logit", "label") else "")
    wrong = [
        Problem(f"{option.flag} {option.what}, but this is {shown}", remedy=option.remedy)
        for option in _OF_SOME_TASKS
        if getattr(request, option.name) != option.default and option.has_no_effect(task, link)
    ]
    if wrong:
        raise UsageError(wrong)


def stated(request: Request) -> dict[str, Any]:
    """The options of the plan that are not at their defaults, as plain data for TOML."""
    return {
        option.name: _plain(value)
        for option in _OF_PLAN
        if (value := getattr(request, option.name)) != option.default
    }


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [join_names(item) if isinstance(item, tuple) else item for item in value]
    return "none" if value is None else dict(value) if isinstance(value, Mapping) else value


def flags(stated: Mapping[str, Any]) -> str:
    """Options as flags, quoted for a shell."""
    words = list[str]()
    for name, value in stated.items():
        option = OPTIONS[name]
        texts = value if option.kind.join is list else [option_text(value)]
        if isinstance(value, bool):
            words.append(option.short or option.flag if value else f"--no-{option.flag[2:]}")
        else:
            words += [word for text in texts for word in (option.short or option.flag, text)]
    return " ".join(map(quote, words))


def option_text(value: object) -> str:
    """The value of an option as text for a flag; yes for a switch that is on."""
    if isinstance(value, Mapping):
        return join_names(f"{name}={weight!r}" for name, weight in value.items())
    return "yes" if value is True else join_names(value) if isinstance(value, list) else str(value)
