"""The program: commands, and every way in which one can end as an exit status."""

from __future__ import annotations

import io
import os
import sys
import traceback
from typing import Annotated

import typer
from typer.exceptions import TyperException

import losscli
from losscli.cli.evaluate import check, evaluate
from losscli.cli.explain import explain
from losscli.cli.options import with_inputs
from losscli.errors import LossCliError, Status

CLOSED_PIPE = 141
"""What a shell reports of a program whose reader went away: 128 + SIGPIPE."""

app = typer.Typer(
    name="losscli",
    help="Evaluate loss functions: predictions and targets in, exact numbers with their noise out.",
    epilog="Exit status: 0 evaluated and gates pass, 1 a gate failed, 2 usage, 3 wrong data, 70 a bug, "
    "130 interrupted.",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(with_inputs(evaluate))
app.command()(with_inputs(check))
app.command()(explain)


def _version(shown: bool) -> None:
    if shown:
        print(f"losscli {losscli.__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options of the program itself."""


def run(argv: list[str]) -> int:
    """Run the program and return its exit status; nothing is raised."""
    try:
        status = app(args=argv, prog_name="losscli", standalone_mode=False)
        sys.stdout.flush()
    except LossCliError as error:
        if "--debug" in argv:
            traceback.print_exc()
        for problem in error.problems:
            print(f"losscli: error: {problem}", file=sys.stderr)
        return int(error.status)
    except TyperException as error:
        # Without arguments the help was shown, and there is no message.
        if message := error.format_message():
            print(f"losscli: error: {message}\n  -> losscli --help", file=sys.stderr)
        return int(Status.USAGE)
    except (KeyboardInterrupt, typer.Abort):
        print("losscli: interrupted", file=sys.stderr)
        return int(Status.INTERRUPTED)
    except BrokenPipeError:
        # The reader has what it wanted; Python must not complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE
    except OSError as error:
        print(f"losscli: error: {error.filename or 'output'}: {error.strerror}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(Status.DATA)
    except Exception as error:  # Python's own status 1 would read as a failed gate
        if "--debug" in argv:
            traceback.print_exc()
        hint = "" if "--debug" in argv else "; --debug shows where"
        print(f"losscli: bug: {type(error).__name__}: {error}{hint}", file=sys.stderr)
        return int(Status.BUG)
    return status if isinstance(status, int) else 0


def main() -> None:
    """The entry point of the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A stream that cannot show a sign (± in ASCII) shows ? rather than fail.
            stream.reconfigure(errors="replace")
    status = run(sys.argv[1:])
    sys.stderr.flush()
    sys.exit(status)
