"""The commands and their Typer options, from the table of options; only this file uses Typer internals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer
from typer._coercion import TypeDescriptor
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from losscli.errors import UsageError

if TYPE_CHECKING:
    from losscli.plan.options import Option

COMMANDS = {
    "evaluate": "Score predictions against targets: overall, and per class, label or output.",
    "compare": "Compare models on the same rows: which is better, where, and whether these data can tell.",
    "rank": "Rank submissions on a leaderboard; a difference within the noise is a tie.",
    "weak": "Look for segments of the rows on which a model is worse than elsewhere, beyond the noise.",
    "check": "Validate only: say what would be evaluated, and everything that is wrong with the files.",
    "explain": "List all losses by task, or show one: formula, curve, parameters, and its names in other "
    "libraries.",
    "init": "Write losscli.toml: columns, task, classes and losses as `losscli check` infers them, "
    "and comments.",
    "show": "Show saved reports as tables, several side by side.",
    "merge": "Merge saved states of parts of the rows: the report of all rows.",
    "gate": "Judge a saved report by gates, also against another report; nothing is evaluated.",
}
"""The first paragraph of each command's docstring, repeated here so that it need not be imported."""
PARAMETERS = "Parameters of losses"
Given = dict[str, Any]
"""The options that were given on the command line or in settings files, by name."""


def function_of(name: str) -> Callable[[Given], None]:
    """The function of a command."""
    function: Callable[[Given], None] = getattr(import_module(f"losscli.cli.commands.{name}"), name)
    return function


class AsTyped:
    """Passes values through unchanged: the table of options validates all of them at once.

    Typer would import pydantic and build a validator per option: a fifth of the time of a small run.
    """

    @staticmethod
    def coerce(value: Any, param: Any, ctx: Any) -> Any:
        """The value itself; () for a repeatable option that is not given, as in Typer."""
        return () if value is None and param.multiple else value


def _as_typed(parameters: list[Any]) -> list[Any]:
    """The parameters, with the validators of flags and text disabled."""
    for parameter in parameters:
        if parameter.type_descriptor.annotation in (str, list[str], bool):
            parameter.get_runtime_param = lambda: AsTyped
    return parameters


def _print_help(command: Any, ctx: Any) -> None:
    from losscli.cli.help import print_help  # few runs show it

    print_help(command, ctx)


def _parameter(option: Option, with_help: bool = True) -> TyperArgument | TyperOption:
    """The Typer parameter of an option in the table."""
    from losscli.cli.completion import completer

    is_repeatable = option.kind.join is not None
    annotation: Any = bool if option.is_switch else list[str] if is_repeatable else str
    info = typer.models.ArgumentInfo() if option.argument else typer.models.OptionInfo()
    common: dict[str, Any] = {
        "type_descriptor": TypeDescriptor(annotation, info, None),
        "help": option.text if with_help else "",
        "metavar": option.metavar or None,
        "rich_help_panel": option.panel,
        "autocompletion": completer(option),
    }
    if option.argument:
        return TyperArgument(
            param_decls=[option.name],
            nargs=-1 if is_repeatable else None,
            required=option.required,
            show_default=False,
            **common,
        )
    long, *other_flags = option.flags
    if option.negated:
        long, other_flags = f"{long}/{other_flags[0]}", other_flags[1:]
    is_help_losses = option.name == "help_losses"
    return TyperOption(
        param_decls=[option.name, long, *other_flags],
        is_flag=option.is_switch,
        default=False if option.is_switch else None,
        multiple=is_repeatable,
        is_eager=is_help_losses,
        callback=_help_losses if is_help_losses else None,
        **common,
    )


def _help_losses(ctx: Any, parameter: Any, value: bool) -> None:
    """Show the options that are parameters of losses, and exit."""
    if value and not ctx.resilient_parsing:
        from losscli.cli.help import print_panel

        print_panel(PARAMETERS, _loss_parameters())
        raise typer.Exit


def _loss_parameters() -> Iterator[TyperArgument | TyperOption]:
    """An option for each parameter of any loss."""
    from losscli.plan.options import Option, loss_params
    from losscli.plan.values import TEXT

    for name, (param, takers) in loss_params().items():
        losses = ", ".join(takers[:3]) + (", ..." if len(takers) > 3 else "")
        yield _parameter(Option(f"{param.describe()} ({losses}).", TEXT, "VALUE", PARAMETERS, name=name))


class Command(TyperCommand):
    """A command of the program, which creates its options when it is called.

    Those for parameters of losses, one per parameter in the catalog, are only created on demand: that takes
    a twentieth of the time of a small run.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        """The options."""
        return _as_typed(super().get_params(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Create the options that the arguments need, then parse them."""
        from losscli.plan.options import PLANNING

        self._take_options()
        flags = {flag for parameter in self.params for flag in (*parameter.opts, *parameter.secondary_opts)}
        has_unknown = any(arg.startswith("--") and arg.partition("=")[0] not in flags for arg in args)
        if self.name in PLANNING and (has_unknown or ctx.resilient_parsing):
            self.params = [*self.params, *_loss_parameters()]
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help, which is the docstring of the command's function."""
        assert self.name is not None
        self._take_options(with_help=True)
        self.help = function_of(self.name).__doc__
        _print_help(self, ctx)

    def _take_options(self, with_help: bool = False) -> None:
        from losscli.plan.options import options_of

        assert self.name is not None
        self.params = [_parameter(option, with_help) for option in options_of(self.name)]

    def invoke(self, ctx: Any) -> None:
        """Call the command's function with the options from flags and settings files."""
        from losscli.cli.settings import configured
        from losscli.plan.options import check_not_empty

        assert self.name is not None
        flags = dict(self._given(ctx))
        check_not_empty(flags)
        with configured(self.name, flags) as given:
            try:
                function_of(self.name)(given)
            except SystemExit as error:
                if isinstance(error.__context__, BrokenPipeError):
                    raise  # how rich and Typer react to a closed pipe
                # Only code of users can raise it: a status of 0 would read as passed gates.
                raise UsageError(f"code of a loss ended the program: SystemExit: {error}") from error

    def _given(self, ctx: Any) -> Iterator[tuple[str, Any]]:
        """The name and value of each parameter given on the command line."""
        from losscli.plan.options import OPTIONS

        for name, value in ctx.params.items():
            source = ctx.get_parameter_source(name)
            if source is not None and source.name == "COMMANDLINE":
                is_repeatable = isinstance(value, tuple | list)
                join = OPTIONS[name].kind.join if is_repeatable and name in OPTIONS else None
                yield name, list(value) if is_repeatable and join is None else join(value) if join else value


class Program(TyperGroup):
    """The program, which lists its commands without importing them."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The options of the program itself."""
        return _as_typed(super().get_params(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help."""
        _print_help(self, ctx)

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = {name: Command(name, help=line) for name, line in COMMANDS.items()}
