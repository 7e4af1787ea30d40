"""The options that commands share, declared once; those of loss parameters come from the registry."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Annotated, Any, get_type_hints

import typer

from losscli.catalog import registry
from losscli.plan.options import loss_params
from losscli.render import format_help, suffix_help
from losscli.tasks.catalog import TASKS
from losscli.text import split_names

LOSSES, COLUMNS, MEANING, RUNNING = "Losses", "Columns and rows", "What values mean", "Running"


def loss_names(incomplete: str) -> list[str]:
    """For shell completion."""
    return [name for name in registry.names() if name.startswith(incomplete.lower())]


def option(*names: str, panel: str, help: str, metavar: str = "", **more: Any) -> Any:  # noqa: A002  # typer's own word
    """An option; one without a metavar is a flag."""
    return typer.Option(*names, rich_help_panel=panel, help=help, metavar=metavar, show_default=False, **more)


def inputs(
    predictions: Annotated[
        str | None,
        typer.Argument(
            metavar="PREDS",
            help="Predictions: a file, 'a pattern/*.parquet', a folder, a URL, or - for standard input.",
            show_default=False,
        ),
    ] = None,
    targets: Annotated[
        str | None,
        typer.Argument(
            metavar="TARGETS", help="Targets; without, PREDS holds both sides.", show_default=False
        ),
    ] = None,
    loss: Annotated[
        list[str] | None,
        option(
            "--loss",
            "-l",
            panel=LOSSES,
            metavar="LOSS",
            help="huber, or huber:delta=2; 'expr: abs(e)**1.5' over y, p, e and w; file.py:NAME. Repeatable. "
            "Without, the task's usual ones.",
            autocompletion=loss_names,
        ),
    ] = None,
    task: Annotated[
        str | None,
        option(
            "--task",
            panel=LOSSES,
            metavar="TASK",
            help=f"{', '.join(TASKS)}: where columns leave it open.",
        ),
    ] = None,
    target: Annotated[
        list[str] | None,
        option("--target", "-y", panel=COLUMNS, metavar="COL", help="Target, or several: A,B,C."),
    ] = None,
    pred: Annotated[
        list[str] | None,
        option("--pred", "-p", panel=COLUMNS, metavar="COL", help="Prediction, or one a class: A,B,C."),
    ] = None,
    weight: Annotated[
        str | None, option("--weight", "-w", panel=COLUMNS, metavar="COL", help="Weights of the rows.")
    ] = None,
    on: Annotated[
        list[str] | None,
        option("--on", panel=COLUMNS, metavar="KEY", help="Columns that align the files, in any order."),
    ] = None,
    by: Annotated[
        list[str] | None,
        option(
            "--by",
            panel=COLUMNS,
            metavar="COL",
            help="Slices too: region, or region,device crossed, or age:4 in quarters; repeatable.",
        ),
    ] = None,
    missing: Annotated[
        str, option("--missing", panel=COLUMNS, metavar="error|drop", help="Missing values; default: error.")
    ] = "error",
    unmatched: Annotated[
        str,
        option(
            "--unmatched", panel=COLUMNS, metavar="error|drop", help="Keys on one side only; default: error."
        ),
    ] = "error",
    where: Annotated[
        str | None,
        option("--where", panel=COLUMNS, metavar="EXPR", help="Rows to evaluate, in SQL: \"region = 'eu'\"."),
    ] = None,
    group: Annotated[
        str | None,
        option("--group", panel=COLUMNS, metavar="COL", help="Rows that are ranked together, as of a query."),
    ] = None,
    separator: Annotated[
        str | None,
        option("--separator", panel=COLUMNS, metavar="CHAR", help="Of fields in text: ';', '|', tab."),
    ] = None,
    input_format: Annotated[
        str | None,
        option(
            "--input-format",
            panel=COLUMNS,
            metavar="FORMAT",
            help="csv, tsv, parquet, ipc, ndjson, npy or npz, where a name does not tell it.",
        ),
    ] = None,
    classes: Annotated[
        list[str] | None,
        option("--classes", panel=MEANING, metavar="A,B,C", help="The classes, in the order of columns."),
    ] = None,
    positive: Annotated[
        str | None,
        option("--positive", panel=MEANING, metavar="LABEL", help="The positive one of two labels."),
    ] = None,
    class_weight: Annotated[
        str | None,
        option("--class-weight", panel=MEANING, metavar="A=2,B=1", help="Weights of classes, else 1."),
    ] = None,
    ignore_label: Annotated[
        str | None,
        option("--ignore-label", panel=MEANING, metavar="LABEL", help="Leave out rows of this label."),
    ] = None,
    from_logits: Annotated[
        bool, option("--from-logits/--no-from-logits", panel=MEANING, help="Predictions are logits.")
    ] = False,
    from_log_probs: Annotated[
        bool,
        option(
            "--from-log-probs/--no-from-log-probs", panel=MEANING, help="Predictions are log-probabilities."
        ),
    ] = False,
    eps: Annotated[
        str | None,
        option(
            "--eps",
            panel=MEANING,
            metavar="NUMBER",
            help="Clip probabilities under a logarithm; default: epsilon of the file's type. "
            "A loss's own eps is written in line: epsilon_insensitive:eps=0.1.",
        ),
    ] = None,
    like: Annotated[
        str | None,
        option(
            "--like",
            panel=MEANING,
            metavar="sklearn|torch|keras",
            help="Defaults, clipping and the mean of weighted losses as that library has them.",
        ),
    ] = None,
    normalize: Annotated[
        bool, option("--normalize/--no-normalize", panel=MEANING, help="Rescale probabilities to sum to one.")
    ] = False,
    threads: Annotated[
        str | None,
        option("--threads", panel=RUNNING, metavar="N", help="Worker threads; default: all cores, up to 8."),
    ] = None,
    device: Annotated[
        str | None,
        option(
            "--device",
            panel=RUNNING,
            metavar="DEVICE",
            help="cpu, cuda, cuda:1, or auto: a GPU where that is worth it; default: LOSSCLI_DEVICE, or cpu.",
        ),
    ] = None,
    quiet: Annotated[
        bool, option("--quiet", "-q", panel=RUNNING, help="Nothing on stderr but errors.")
    ] = False,
    verbose: Annotated[
        bool, option("--verbose", "-v", panel=RUNNING, help="Show the plan on stderr.")
    ] = False,
    debug: Annotated[bool, option("--debug", panel=RUNNING, help="Show the traceback of an error.")] = False,
) -> None:
    """Every command that reads predictions takes these; only the signature counts."""


def stated(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The shared options about what is evaluated that were given, whatever their value."""
    defaults = {p.name: p.default for p in inspect.signature(inputs).parameters.values()}
    about = defaults.keys() - {"quiet", "verbose", "debug"}
    return {name: value for name, value in asked.items() if name in about and value != defaults[name]}


def given_inputs(asked: Mapping[str, Any]) -> list[str]:
    """The flags among shared options about files that were given, whatever their value."""
    return [f"--{name.replace('_', '-')}" for name in stated(asked) if name != "task"]


def with_inputs(command: Callable[..., Any], every: bool = True) -> Callable[..., Any]:
    """Give a command the shared options; it receives them as keywords.

    With `every` there is one for each loss parameter too.

    The command's own signature names what it takes besides, or otherwise: a parameter of its own stands
    before the shared ones that it replaces.  The rest arrives in its `**asked`, with loss parameters only
    where they were given.

    When it is called it returns the work, which is done by whoever called the program: Python 3.11 gets and
    gives back memory at each call that crosses a border of its stack, so that importing Polars from deep
    within the parser of the command line takes a tenth longer.
    """
    hints = get_type_hints(inputs, include_extras=True)
    own_hints = get_type_hints(command, include_extras=True)
    shared = [p.replace(annotation=hints[p.name]) for p in inspect.signature(inputs).parameters.values()]
    own = [
        p.replace(annotation=own_hints[p.name])
        for p in inspect.signature(command).parameters.values()
        if p.kind is not p.VAR_KEYWORD
    ]
    names = {p.name for p in shared}
    instead = [p for p in own if p.name in names]
    shared = [p for p in shared if p.name not in {each.name for each in instead}]
    running = next(i for i, p in enumerate(shared) if p.name == "threads")
    besides = [p for p in own if p not in instead]
    of_losses = _loss_parameters() if every else []
    parameters = [*instead, *shared[:running], *besides, *shared[running:], *of_losses]
    optional = {p.name for p in of_losses}

    def called(**given: Any) -> Callable[[], Any]:
        for name in ("target", "pred", "on", "classes"):
            given[name] = [each for text in given[name] or () for each in split_names(text)] or None
        asked = {name: value for name, value in given.items() if name not in optional or value is not None}
        return partial(command, **asked)

    called.__name__, called.__doc__ = command.__name__, command.__doc__
    called.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # what inspect.signature reads first
        [p.replace(kind=p.KEYWORD_ONLY) for p in parameters]
    )
    called.__annotations__ = {p.name: p.annotation for p in parameters}
    return called


@cache
def _loss_parameters() -> list[inspect.Parameter]:
    """An option for each parameter that some loss takes."""
    made = []
    for name, (param, takers) in loss_params().items():
        shown = ", ".join(takers[:3]) + (", ..." if len(takers) > 3 else "")
        shown_as = option(
            f"--{name.replace('_', '-')}",
            panel="Parameters of losses",
            help=f"{param.describe()} ({shown}).",
            metavar="VALUE",
        )
        annotation = Annotated[str | None, shown_as]
        made.append(
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        )
    return made


OUTPUT, JUDGING = "Output", "Judging"

Gates = Annotated[
    list[str] | None,
    option(
        "--gate",
        "-g",
        panel=JUDGING,
        metavar="GATE",
        help="'huber <= 0.5', 'log_loss[class=*] < 0.6', 'hi(mae) <= base + 1%'; status 1 where one fails.",
    ),
]
Confident = Annotated[
    bool,
    option(
        "--confident/--no-confident",
        panel=JUDGING,
        help="A weak verdict is unsure: a warning, whichever way it points.",
    ),
]
Strict = Annotated[
    bool,
    option("--strict/--no-strict", panel=JUDGING, help="As --confident, and an unsure verdict is a failure."),
]
MinRows = Annotated[
    str, option("--min-n", panel=JUDGING, metavar="N", help="Cells of fewer rows are shown, not judged.")
]
OutputFiles = Annotated[
    list[str] | None,
    option(
        "-o",
        "--output",
        panel=OUTPUT,
        metavar="FILE",
        help=f"Write a report too: {suffix_help()}, or github: summary and annotations of a GitHub job; "
        "repeatable.",
    ),
]
Format = Annotated[
    str | None,
    option(
        "--format",
        panel=OUTPUT,
        metavar="FORMAT",
        help=f"{format_help()}.",
    ),
]
Cells = Annotated[
    str | None,
    option(
        "--cells",
        panel=OUTPUT,
        metavar="all|N",
        help="Classes and slices that tables and Markdown show, the worst ones; default: 10 on a terminal, "
        "else all. Data (JSON, CSV, ...) always have all.",
    ),
]
Json = Annotated[bool, option("--json", panel=OUTPUT, help="The same as --format json.")]
Bare = Annotated[bool, option("--bare", panel=OUTPUT, help="Only the overall values, with every digit.")]
Color = Annotated[
    str, option("--color", panel=OUTPUT, metavar="WHEN", help="auto (default), always or never.")
]
Quiet = Annotated[bool, option("--quiet", "-q", panel=OUTPUT, help="Nothing on stderr but errors.")]
Debug = Annotated[bool, option("--debug", panel=OUTPUT, help="Show the traceback of an error.")]
