"""Options from flags and settings files: flags override the nearest file, which overrides the user's own."""

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
    """The options of a command from flags and settings files.

    With a plan, and before an error, which they may cause, the settings in effect are shown.
    """
    if command not in CONFIGURED:
        yield flags
        return
    given, overriding, summaries = dict(flags), flags, list[tuple[bool, str]]()
    settings = _settings(flags.pop("config", None), flags.pop("no_config", False), overriding)
    accepted = {option.name for option in options_of(command) if option.use is not Use.CALL}
    if settings:  # otherwise only the given parameters of losses matter
        accepted |= loss_params().keys()
    for settings_ in settings:
        used = {
            key: value
            for key, value in files.not_overridden(settings_.values, overriding).items()
            if key in accepted
        }
        overruled = [key for key in settings_.values if key in accepted and key not in used]
        summaries.append((bool(used), _summary(settings_.name, used, overruled)))
        given |= used
        overriding = used | overriding
    for name in ("config", "no_config"):
        given.pop(name, None)
    is_verbose = given.get("verbose") or given.get("dry_run")
    if is_verbose:
        for _, line in summaries:
            say(line)
    try:
        yield given
    except LossCliError:
        if not (is_verbose or given.get("quiet")):
            for line in (line for has_effect, line in summaries if has_effect):
                say(line)
        raise


def _settings(config: str | None, no_config: bool, flags: Mapping[str, Any]) -> list[Settings]:
    """The settings that apply here, the nearest first.  Raises UsageError with all their errors."""
    if no_config:
        if config is not None:
            raise UsageError("--config and --no-config exclude each other")
        return []
    nearest = files.find(_current_folder()) if config is None else Path(config)
    folder = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    users_file = Path(folder, "losscli", "config.toml")
    settings: list[Settings] = all_of(
        *([lambda: files.read(nearest, flags)] if nearest else []),
        *([lambda: files.user_settings(users_file)] if os.path.isfile(users_file) else []),
    )
    return settings


def _current_folder() -> Path:
    """The current folder.  Raises UsageError if it does not exist."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise UsageError("the current folder does not exist", remedy="cd to another one") from None


def _summary(name: str, used: Mapping[str, Any], overruled: list[str]) -> str:
    """The options that a file sets, and those of it that are overridden."""
    suffix = (
        f", but not {', '.join(overruled)}: set by flags, the environment or a nearer file"
        if overruled
        else ""
    )
    return f"{name} sets {', '.join(used) or 'nothing'}{suffix}"
