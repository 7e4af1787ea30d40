"""The program: it runs a command and turns every outcome into an exit status."""

from __future__ import annotations

import errno
import io
import os
import sys
import traceback
from contextlib import suppress
from typing import Annotated

import typer
from typer.exceptions import TyperException

from losscli._version import __version__
from losscli.cli import interrupt, native, origin, results
from losscli.cli.messages import MORE_MEMORY, say, write
from losscli.cli.parser import COMMANDS, Program
from losscli.data import scratch
from losscli.errors import MORE_FILES, LossCliError, Status, too_many_files
from losscli.text import either

CLOSED_PIPE = 141
"""The exit status that a shell reports for a program whose pipe was closed: 128 + SIGPIPE."""

app = typer.Typer(
    name="losscli",
    cls=Program,
    help="Evaluate loss functions: predictions and targets in, exact numbers with their noise out.",
    epilog="Exit status: 0 evaluated and gates pass, 1 a gate failed, 2 usage, 3 wrong data, 70 a bug, "
    "130 interrupted.",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _version(requested: bool) -> None:
    if requested:
        print(f"losscli {__version__}")
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
    origin.remember(argv)
    try:
        status = app(args=argv, prog_name="losscli", standalone_mode=False)
        if callable(status):
            status = status()
        sys.stdout.flush()
    except typer.Exit as ended:
        status = ended.exit_code
    except LossCliError as error:
        _trace(argv)
        for problem in error.problems:
            say(*f"error: {problem}".split("\n"))
        return int(error.status)
    except TyperException as error:
        # Without arguments, the help was shown, and the message is empty.
        command = next((word for word in argv[:1] if word in COMMANDS), "")
        option = getattr(error, "option_name", "")
        if message := _foreign_option(option, command) or error.format_message():
            say(f"error: {message}", f"  -> {f'losscli {command}'.strip()} --help")
        return int(Status.USAGE)
    except (KeyboardInterrupt, typer.Abort):
        status = int(Status.INTERRUPTED)
    except (BrokenPipeError, SystemExit) as error:
        # Typer and rich answer a closed pipe with sys.exit(1), which would read as a failed gate.
        if isinstance(error, SystemExit) and not isinstance(error.__context__, BrokenPipeError):
            return error.code if isinstance(error.code, int) else int(Status.BUG)
        # The reader has what it needs; Python must not fail when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE
    except OSError as error:
        _trace(argv)
        if error.errno == errno.EMFILE:  # of Python's own modules
            say(f"error: {too_many_files()}", f"  -> {MORE_FILES}")
        else:
            say(f"error: {error.filename or 'output'}: {error.strerror}")
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(Status.DATA)
    except BaseException as error:  # Python's own status 1 would read as a failed gate
        if isinstance(error.__cause__, KeyboardInterrupt):  # in a class that was being created by an import
            say(interrupt.word())
            return interrupt.status()
        _trace(argv)
        return int(_report_unexpected(error, "" if "--debug" in argv else "; --debug shows where"))
    if status == Status.INTERRUPTED:  # or ended by another signal
        say(interrupt.word())
        return interrupt.status()
    return status if isinstance(status, int) else 0


def _foreign_option(flag: str, command: str) -> str:
    """A message with the commands that have an option which `command` lacks; '' for an unknown option."""
    from losscli.plan.options import OPTIONS  # the parser has it, unless no command was named

    commands = [name for option in OPTIONS.values() if flag in option.flags for name in option.commands]
    if not commands or command in commands:
        return ""
    reasons = [
        option.lacks[command]
        for option in OPTIONS.values()
        if flag in option.flags and command in option.lacks
    ]
    message = f"{flag} is an option of {either(dict.fromkeys(commands))}, not of {command or 'losscli'}"
    return ": ".join([message, *reasons])


def _report_unexpected(error: BaseException, hint: str) -> Status:
    """Report an exception that no other code handled; return the status for wrong data, usage, or a bug."""
    if isinstance(error, MemoryError):
        say(f"error: not enough memory: {error}{hint}", f"  -> {MORE_MEMORY}")
        return Status.DATA
    if "can't start new thread" in str(error):
        say(f"error: {error}{hint}", f"  -> {MORE_MEMORY}")
        return Status.DATA
    if (custom := sys.modules.get("losscli.catalog.custom.file")) and (text := custom.blamed(error)):
        say(f"error: {text}{hint}")
        return Status.USAGE
    if type(error).__name__ == "PanicException":  # raised by Polars, not an Exception
        say(f"error: the data cannot be decoded{hint}", "  -> write the files again")
        return Status.DATA
    say(f"bug: {type(error).__name__}: {error}{hint}")
    return Status.BUG


def _trace(argv: list[str]) -> None:
    if "--debug" in argv:
        write(*traceback.format_exc().splitlines())


def main() -> None:
    """The entry point of the program."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            # Closed by the shell (>&-): its output is discarded, as requested.
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  open to the end
        elif isinstance(stream := getattr(sys, name), io.TextIOWrapper):
            # Characters that the encoding lacks (± in ASCII) become ? instead of an error.
            stream.reconfigure(errors="replace")
    interrupt.watch()
    is_verbose = not {"-v", "--verbose", "--debug"}.isdisjoint(sys.argv)
    is_redirected = native.redirect_stderr(backtraces=is_verbose)
    results.reserve_stdout()
    status = run(sys.argv[1:])
    is_spark = "losscli.engines.spark.session" in sys.modules  # native stderr is the log of its JVM
    if is_redirected and (is_verbose or not is_spark) and (text := native.captured(panics=is_verbose)):
        write(*text.splitlines())
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    scratch.remove_all()
    if spool := sys.modules.get("losscli.data.spool"):
        for spool_ in spool.Spool.kept:
            spool_.close()
    # All output is written.  Shutting the interpreter down would take a fifth of the time of a small run, and
    # Python would replace our status by its own if a stream cannot be flushed again.
    os._exit(status)
