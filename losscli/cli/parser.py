"""The commands of the program: each with its line in the help, made with its options when it is called."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

COMMANDS = {
    "evaluate": "Score predictions against targets: overall, and per class, label or output.",
    "compare": "Compare models on the same rows: which is better, where, and whether these data can tell.",
    "rank": "A leaderboard of submissions, in which those that noise cannot separate share a place.",
    "check": "Validate only: say what would be evaluated, and everything that is wrong with the files.",
    "explain": "List all losses by task, or show one: formula, curve, parameters, and its names in other "
    "libraries.",
    "init": "Write losscli.toml: columns, task, classes and losses as `losscli check` infers them, "
    "and comments.",
    "show": "Show saved reports as tables, several side by side.",
    "gate": "Judge a saved report, by gates that may speak of another one; nothing is evaluated.",
}
"""What the help says of each: the first paragraph of its function's docstring, told without importing it."""
_CONFIGURED = ("evaluate", "compare", "rank", "check")
"""These take settings from files."""
_ALONE = ("gate", "show")
"""These read no predictions, and take their own options alone."""


def function_of(name: str) -> Callable[..., None]:
    """The function of a command."""
    function: Callable[..., None] = getattr(import_module(f"losscli.cli.commands.{name}"), name)
    return function


def _with_options(name: str, every: bool) -> Callable[..., None]:
    """The function of a command with all options in its signature; with `every` those of losses too."""
    from losscli.cli.options import with_inputs
    from losscli.cli.settings import configured

    function = function_of(name)
    if name in _CONFIGURED:
        function = configured(function)
    return function if name in _ALONE else with_inputs(function, every)


class AsTyped:
    """Parameters as they were typed: what is wrong with them the API says, all at once.

    Typer would import pydantic and build a validator of text for each: a fifth of the time of a small run.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters of a command, flags and text among them without a validator."""
        parameters: list[Any] = super().get_params(ctx)  # type: ignore[misc]  # that of the command
        for parameter in parameters:
            if parameter.type_descriptor.annotation in (str, list[str], bool):
                parameter.get_runtime_param = lambda: AsTyped
        return parameters

    @staticmethod
    def coerce(value: Any, param: Any, ctx: Any) -> Any:
        """The value itself; what is not given several times is an empty tuple, as Typer has it."""
        return () if value is None and param.multiple else value

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help."""
        from losscli.cli.help import print_help  # few runs show it

        print_help(self, ctx)


class Command(AsTyped, TyperCommand):
    """A command of the program, which has its options from when it is called on.

    Those of losses, one for each parameter in the whole catalogue, it has only where they are asked for: to
    make them took a twentieth of the time of a small run.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the options that the arguments need."""
        self._take(every=ctx.resilient_parsing)
        flags = {flag for each in self.params for flag in (*each.opts, *each.secondary_opts)}
        if any(arg.startswith("--") and arg.partition("=")[0] not in flags for arg in args):
            self._take(every=True)
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help, with the options of losses."""
        self._take(every=True)
        super().format_help(ctx, formatter)

    def _take(self, every: bool) -> None:
        assert self.name is not None
        alone = typer.Typer(add_completion=False)
        alone.command(self.name)(_with_options(self.name, every))
        made = typer.main.get_command(alone)
        self.params, self.callback, self.help = made.params, made.callback, made.help


class Program(AsTyped, TyperGroup):
    """The program, which knows the names of its commands without importing them."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = {name: Command(name, help=line) for name, line in COMMANDS.items()}
