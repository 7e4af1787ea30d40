"""The frozen description of a run, and its signature."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from shlex import quote

from losscli.losses.registry import Choice
from losscli.params import joined
from losscli.tasks.base import STANDARD_INPUT, Batch, Roles
from losscli.tasks.catalogue import TASKS
from losscli.tasks.multilabel import MultilabelScore

LEVEL = 0.95
"""Of intervals, where none is asked for."""
BLOCK_NUMBERS = 1 << 20
"""Numbers that a block may hold in one matrix: with 8 columns or fewer a block has 131,072 rows."""
LEAST_ROWS = 256
"""Of a block, however wide its rows are."""


@dataclass(frozen=True)
class Plan:
    """What is evaluated, how, and with which policies; `profiled` asks for the profile of the one loss."""

    roles: Roles
    choices: tuple[Choice, ...]
    level: float | None = LEVEL
    device: str = "cpu"
    alignment: str = ""
    default_eps: float = 0.0
    where: str | None = None
    profiled: bool = False

    @property
    def wanted(self) -> frozenset[type[Batch]]:
        """The types of batch that the chosen losses take."""
        return frozenset(choice.loss.batch for choice in self.choices)

    @property
    def block_rows(self) -> int:
        """Rows of a block: a power of two that depends on the plan alone, and so do results."""
        width = max(len(self.roles.predictions), len(self.roles.names), *self.roles.widths.values(), 8)
        return max(LEAST_ROWS, 1 << (BLOCK_NUMBERS // width).bit_length() - 1)

    @property
    def cell(self) -> str:
        """What the cells besides overall are: class, label, output, quantile, or nothing."""
        return TASKS[self.roles.task].cell

    def cells(self, choice: Choice) -> tuple[str, ...]:
        """The cells of a loss; none where it judges the order of labels, which one label alone has not."""
        if choice.loss.batch is MultilabelScore:
            return ()
        for part in self.roles.parts:
            if part.batch is choice.loss.batch:
                return part.cells
        return () if self.cell == "output" and len(self.roles.predictions) == 1 else self.roles.names

    def outputs(self, choice: Choice) -> int:
        """How many batches a loss sees of each block: one, or one for each output or quantile."""
        return max(1, len(self.cells(choice))) if self.cell in ("output", "quantile") else 1

    @property
    def files(self) -> tuple[str, ...]:
        """The files, one or two, as a shell takes them."""
        names = dict.fromkeys(self.roles.files)
        return tuple("-" if name == STANDARD_INPUT else quote(name) for name in names)

    def flags(self) -> str:
        """The plan as flags that can be pasted: the same files with them give the same results."""
        roles = self.roles
        words = ["--task", roles.task]
        words += ["-p", joined(name[2:] for name in roles.predictions)]
        words += ["-y", joined(name[2:] for name in roles.targets)]
        words += ["--on", joined(name[2:] for name in roles.ids)] if roles.ids else []
        words += ["-w", roles.weight[2:]] if roles.weight else []
        words += ["--group", roles.group[2:]] if roles.group else []
        words += {"logit": ["--from-logits"], "log_prob": ["--from-log-probs"]}.get(roles.link, [])
        words += ["--classes", joined(roles.names)] if roles.task == "multiclass" else []
        if roles.task == "binary" and roles.target_form == "label":
            words += ["--positive", roles.names[1]]
        if roles.class_weight is not None:
            pairs = zip(roles.names, roles.class_weight, strict=True)
            words += ["--class-weight", joined(f"{name}={weight!r}" for name, weight in pairs)]
        words += ["--ignore-label", roles.ignore_label] if roles.ignore_label is not None else []
        words += ["--like", roles.like] if roles.like else []
        words += ["--eps", repr(roles.eps)] if not roles.like and roles.eps != self.default_eps else []
        words += ["--normalize"] if roles.normalize else []
        words += ["--missing", "drop"] if roles.drop_missing else []
        words += ["--unmatched", "drop"] if roles.drop_unmatched else []
        words += ["--where", self.where] if self.where is not None else []
        words += [word for slicing in roles.slicings for word in ("--by", joined(slicing.text))]
        words += [word for choice in self.choices for word in ("-l", str(choice))]
        words += ["--ci", "none" if self.level is None else repr(self.level)] if self.level != LEVEL else []
        words += ["--device", self.device] if self.device != "cpu" else []
        return " ".join(map(quote, words))

    def signature(self) -> str:
        """A short digest of all that makes numbers comparable: losses with parameters, columns, policies."""
        roles = self.roles
        content = [
            [choice.identity for choice in self.choices],
            roles.task,
            roles.link,
            roles.target_form,
            roles.names,
            roles.predictions,
            roles.targets,
            roles.weight,
            roles.group,
            roles.class_weight,
            roles.ignore_label,
            roles.eps,
            roles.normalize,
            roles.drop_missing,
            roles.drop_unmatched,
            bool(roles.ids),
            self.where,
            [(slicing.text, slicing.edges) for slicing in roles.slicings],
            *([roles.like] if roles.like else []),
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
