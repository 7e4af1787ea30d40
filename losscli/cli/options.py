"""The options that commands share, declared once; those of loss parameters come from the registry."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from losscli.losses import registry

LOSSES, COLUMNS, MEANING, RUNNING = "Losses", "Columns and rows", "What values mean", "Running"


def _loss_names(incomplete: str) -> list[str]:
    """For shell completion."""
    return [name for name in registry.names() if name.startswith(incomplete.lower())]


def _option(*names: str, panel: str, help: str, **more: Any) -> Any:  # noqa: A002  # typer's own word
    return typer.Option(*names, rich_help_panel=panel, help=help, show_default=False, **more)


def inputs(
    predictions: Annotated[
        Path, typer.Argument(help="Predictions: .csv, .tsv or .parquet.", show_default=False)
    ],
    targets: Annotated[
        Path | None,
        typer.Argument(help="Targets; without, predictions hold both sides.", show_default=False),
    ] = None,
    loss: Annotated[
        list[str] | None,
        _option(
            "--loss",
            "-l",
            panel=LOSSES,
            help="huber, or huber:delta=2; repeatable.",
            autocompletion=_loss_names,
        ),
    ] = None,
    task: Annotated[
        str | None, _option("--task", panel=LOSSES, help="regression, binary, multiclass or multilabel.")
    ] = None,
    target: Annotated[
        list[str] | None, _option("--target", "-y", panel=COLUMNS, help="Target columns.")
    ] = None,
    pred: Annotated[
        list[str] | None, _option("--pred", "-p", panel=COLUMNS, help="Prediction columns.")
    ] = None,
    weight: Annotated[
        str | None, _option("--weight", "-w", panel=COLUMNS, help="Column of row weights.")
    ] = None,
    on: Annotated[
        list[str] | None, _option("--on", panel=COLUMNS, help="Key columns that align the files.")
    ] = None,
    missing: Annotated[
        str, _option("--missing", panel=COLUMNS, help="Missing values: error (default) or drop.")
    ] = "error",
    unmatched: Annotated[
        str, _option("--unmatched", panel=COLUMNS, help="Keys on one side only: error (default) or drop.")
    ] = "error",
    classes: Annotated[
        list[str] | None, _option("--classes", panel=MEANING, help="The classes: cat,dog,bird.")
    ] = None,
    positive: Annotated[
        str | None, _option("--positive", panel=MEANING, help="The positive label of two.")
    ] = None,
    class_weight: Annotated[
        str | None, _option("--class-weight", panel=MEANING, help="cat=2,dog=1; else 1.")
    ] = None,
    ignore_label: Annotated[
        str | None, _option("--ignore-label", panel=MEANING, help="Leave out rows of this label.")
    ] = None,
    from_logits: Annotated[
        bool, _option("--from-logits", panel=MEANING, help="Predictions are logits.")
    ] = False,
    from_log_probs: Annotated[
        bool, _option("--from-log-probs", panel=MEANING, help="Predictions are log-probabilities.")
    ] = False,
    eps: Annotated[
        float | None,
        _option(
            "--eps",
            panel=MEANING,
            help="Clip probabilities under a log; default: epsilon of the file's type.",
        ),
    ] = None,
    normalize: Annotated[
        bool, _option("--normalize", panel=MEANING, help="Rescale probabilities to sum to one.")
    ] = False,
    threads: Annotated[
        int | None, _option("--threads", panel=RUNNING, help="Worker threads; default: all cores.")
    ] = None,
    device: Annotated[str, _option("--device", panel=RUNNING, help="cpu (default) or cuda.")] = "cpu",
    quiet: Annotated[
        bool, _option("--quiet", "-q", panel=RUNNING, help="Nothing on stderr but errors.")
    ] = False,
    verbose: Annotated[
        bool, _option("--verbose", "-v", panel=RUNNING, help="Show the plan on stderr.")
    ] = False,
    debug: Annotated[bool, _option("--debug", panel=RUNNING, help="Show the traceback of an error.")] = False,
) -> None:
    """Every command that reads predictions takes these; only the signature counts."""


def with_inputs(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the shared options, and one for every loss parameter; it receives them as keywords.

    The command's own signature names what it takes besides; the rest arrives in its `**asked`, with loss
    parameters only where they were given.
    """
    hints = get_type_hints(inputs, include_extras=True)
    own_hints = get_type_hints(command, include_extras=True)
    shared = [p.replace(annotation=hints[p.name]) for p in inspect.signature(inputs).parameters.values()]
    own = [
        p.replace(annotation=own_hints[p.name])
        for p in inspect.signature(command).parameters.values()
        if p.kind is not p.VAR_KEYWORD
    ]
    parameters = [*shared, *own, *_loss_parameters()]
    loss_names = {p.name for p in _loss_parameters()}

    def called(**given: Any) -> Any:
        return command(
            **{name: value for name, value in given.items() if name not in loss_names or value is not None}
        )

    called.__name__, called.__doc__ = command.__name__, command.__doc__
    called.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # what inspect.signature reads first
        [p.replace(kind=p.KEYWORD_ONLY) for p in parameters]
    )
    called.__annotations__ = {p.name: p.annotation for p in parameters}
    return called


def _loss_parameters() -> list[inspect.Parameter]:
    """An option for each parameter that some loss takes."""
    made = []
    for name, (param, takers) in registry.option_params().items():
        shown = ", ".join(takers[:3]) + (", ..." if len(takers) > 3 else "")
        option = _option(
            f"--{name.replace('_', '-')}",
            panel="Parameters of losses",
            help=f"{param.describe()} ({shown}).",
            metavar="VALUE",
        )
        annotation = Annotated[str | None, option]
        made.append(
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        )
    return made
