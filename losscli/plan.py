"""The frozen description of a run, and its signature."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from losscli.losses.registry import Choice
from losscli.tasks.base import Batch, Roles

BLOCK_NUMBERS = 524_288
"""Numbers that a block may hold in one matrix: with 16 columns or fewer a block has 32,768 rows."""


@dataclass(frozen=True)
class Plan:
    """What is evaluated, how, and with which policies."""

    roles: Roles
    choices: tuple[Choice, ...]
    level: float | None = 0.95
    device: str = "cpu"
    alignment: str = ""

    @property
    def wanted(self) -> frozenset[type[Batch]]:
        """The types of batch that the chosen losses take."""
        return frozenset(choice.loss.batch for choice in self.choices)

    @property
    def block_rows(self) -> int:
        """Rows of a block: a power of two that depends on the plan alone, and so do results."""
        width = max(len(self.roles.predictions), len(self.roles.names), 16)
        return max(256, 1 << (BLOCK_NUMBERS // width).bit_length() - 1)

    @property
    def cell(self) -> str:
        """What the cells besides overall are: class, label, output, or nothing."""
        if self.roles.task in ("binary", "multiclass"):
            return "class"
        if self.roles.task == "multilabel":
            return "label"
        return "output" if len(self.roles.predictions) > 1 else ""

    @property
    def files(self) -> tuple[str, ...]:
        """The files, one or two, quoted for a shell."""
        return tuple(_quoted(name) for name in dict.fromkeys(self.roles.files))

    def flags(self) -> str:
        """The plan as flags that can be pasted."""
        roles = self.roles
        words = [f"--task {roles.task}"]
        words += [f"-p {_quoted(name[2:])}" for name in roles.predictions]
        words += [f"-y {_quoted(name[2:])}" for name in roles.targets]
        words += [f"--on {_quoted(','.join(name[2:] for name in roles.ids))}"] if roles.ids else []
        words += [f"-w {_quoted(roles.weight[2:])}"] if roles.weight else []
        words += {"logit": ["--from-logits"], "log_prob": ["--from-log-probs"]}.get(roles.link, [])
        if roles.task == "multiclass":
            words.append(f"--classes {_quoted(','.join(roles.names))}")
        if roles.task == "binary" and roles.target_form == "label":
            words.append(f"--positive {_quoted(roles.names[1])}")
        words += [f"-l {_quoted(str(choice))}" for choice in self.choices]
        return " ".join(words)

    def signature(self) -> str:
        """A short digest of all that makes numbers comparable: losses with parameters, columns, policies."""
        roles = self.roles
        content = [
            [str(choice) for choice in self.choices],
            roles.task,
            roles.link,
            roles.target_form,
            roles.names,
            roles.predictions,
            roles.targets,
            roles.weight,
            roles.class_weight,
            roles.ignore_label,
            roles.eps,
            roles.normalize,
            roles.drop_missing,
            roles.drop_unmatched,
            bool(roles.ids),
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def _quoted(text: str) -> str:
    return (
        text if all(c.isalnum() or c in "_-.,:=/" for c in text) else "'" + text.replace("'", "'\\''") + "'"
    )
