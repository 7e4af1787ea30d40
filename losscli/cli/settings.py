"""Files of settings under the command line: flags first, then the nearest file, then the user's own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from losscli.cli.messages import say
from losscli.errors import LossCliError, UsageError, all_of
from losscli.plan.options import CONFIGURED, Use, loss_params, options_of
from losscli.settings import files
from losscli.settings.files import Settings


@contextmanager
def configured(command: str, flags: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The options of a command: those of flags, then those of files of settings.

    What the files set is shown with the plan, and before an error, which may come from there.
    """
    if command not in CONFIGURED:
        yield flags
        return
    given, above, shown = dict(flags), flags, list[tuple[bool, str]]()
    settings = _settings(flags.pop("config", None), flags.pop("no_config", False), above)
    taken = {option.name for option in options_of(command) if option.use is not Use.CALL}
    if settings:  # otherwise only the given parameters of losses matter
        taken |= loss_params().keys()
    for each in settings:
        used = {key: value for key, value in files.below(each.values, above).items() if key in taken}
        overruled = [key for key in each.values if key in taken and key not in used]
        shown.append((bool(used), _shown(each.name, used, overruled)))
        given |= used
        above = used | above
    for name in ("config", "no_config"):
        given.pop(name, None)
    explained = given.get("verbose") or given.get("dry_run")
    if explained:
        for _, line in shown:
            say(line)
    try:
        yield given
    except LossCliError:
        if not (explained or given.get("quiet")):
            for line in (line for used_some, line in shown if used_some):
                say(line)
        raise


def _settings(config: str | None, no_config: bool, flags: Mapping[str, Any]) -> list[Settings]:
    """The settings that hold here, the nearest first.  Raises UsageError with all that is wrong in them."""
    if no_config:
        if config is not None:
            raise UsageError("--config and --no-config exclude each other")
        return []
    nearest = files.find(_here()) if config is None else Path(config)
    folder = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    own = Path(folder, "losscli", "config.toml")
    found: list[Settings] = all_of(
        *([lambda: files.read(nearest, flags)] if nearest else []),
        *([lambda: files.users_own(own)] if os.path.isfile(own) else []),
    )
    return found


def _here() -> Path:
    """The current folder.  Raises UsageError if it was deleted."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise UsageError("the current folder does not exist", remedy="cd to another one") from None


def _shown(name: str, used: Mapping[str, Any], overruled: list[str]) -> str:
    """What a file sets, and what is set above it."""
    instead = (
        f", but not {', '.join(overruled)}: set by flags, the environment or a nearer file"
        if overruled
        else ""
    )
    return f"{name} sets {', '.join(used) or 'nothing'}{instead}"
