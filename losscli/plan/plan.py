"""The frozen description of a run, and its signature."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from shlex import quote
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from losscli.catalog.loss import Choice
from losscli.data.stream import STANDARD_INPUT, Roles
from losscli.engines.devices import CPU
from losscli.errors import DeviceError
from losscli.plan.placement import Place
from losscli.tasks.base import Batch
from losscli.tasks.catalog import TASKS
from losscli.tasks.multilabel import MultilabelScore
from losscli.text import join_names

LEVEL = 0.95
"""Of intervals, where none is asked for."""
BLOCK_NUMBERS = 1 << 21
"""Numbers that a block may hold in one matrix: with 8 columns or fewer a block has 262,144 rows."""
DEVICE_NUMBERS = 1 << 23
"""The same on a GPU: many beside the microseconds in which a kernel starts, few beside its memory."""
LEAST_ROWS = 256
"""Of a block, however wide its rows are."""
_SHORT = {"pred": "-p", "target": "-y", "weight": "-w", "loss": "-l"}
_REPEATED = ("by", "loss")


class Plan(Struct, frozen=True):
    """What is evaluated, how, and with which policies; `profiled` asks for the profile of the one loss."""

    roles: Roles
    choices: tuple[Choice, ...]
    level: float | None = LEVEL
    place: Place = Place(CPU)
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
        width = max(len(self.roles.predictions), len(self.roles.names), *self.roles.widths.values(), 1)
        numbers, least = (BLOCK_NUMBERS, 8) if self.device == CPU else (DEVICE_NUMBERS, 1)
        return max(LEAST_ROWS, 1 << (numbers // max(width, least)).bit_length() - 1)

    @property
    def device(self) -> str:
        """Where to compute, by name."""
        return self.place.device

    def instead(self, error: DeviceError) -> Plan:
        """The plan on the CPU, where `auto` chose a device that fails.  Raises the error where a user did."""
        if not self.place.why:
            raise error
        return replace(self, place=Place(CPU, error.problems[0].what))

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

    def options(self) -> dict[str, Any]:
        """The plan as options by name: the same files with them give the same results."""
        roles = self.roles
        classes = roles.names if roles.task == "multiclass" else ()
        positive = roles.names[1] if roles.task == "binary" and roles.target_form == "label" else None
        weights = roles.class_weight
        found = {
            "task": roles.task,
            "pred": [name[2:] for name in roles.predictions],
            "target": [name[2:] for name in roles.targets],
            "on": [name[2:] for name in roles.ids],
            "weight": roles.weight[2:] if roles.weight else None,
            "group": roles.group[2:] if roles.group else None,
            "from_logits": roles.link == "logit",
            "from_log_probs": roles.link == "log_prob",
            "classes": list(classes),
            "positive": positive,
            "class_weight": dict(zip(roles.names, weights, strict=True)) if weights else None,
            "ignore_label": roles.ignore_label,
            "like": roles.like,
            "eps": roles.eps if not roles.like and roles.eps != self.default_eps else None,
            "normalize": roles.normalize,
            "missing": "drop" if roles.drop_missing else None,
            "unmatched": "drop" if roles.drop_unmatched else None,
            "where": self.where,
            "by": [join_names(slicing.text) for slicing in roles.slicings],
            "cluster": roles.cluster[2:] if roles.cluster else None,
            "loss": [str(choice) for choice in self.choices],
            "ci": "none" if self.level is None else self.level if self.level != LEVEL else None,
            "device": self.device if self.device != CPU else None,
        }
        return {
            name: value
            for name, value in found.items()
            if not (value is None or value is False or value == [])
        }

    def flags(self) -> str:
        """The plan as flags that can be pasted."""
        words = list[str]()
        for name, value in self.options().items():
            flag = _SHORT.get(name, f"--{name.replace('_', '-')}")
            texts = value if name in _REPEATED else [_text(value)]
            words += [flag] if value is True else [word for text in texts for word in (flag, text)]
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
            *([["cluster", roles.cluster[2:]]] if roles.cluster else []),
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def _text(value: object) -> str:
    """The value of an option as a shell takes it."""
    if isinstance(value, Mapping):
        return join_names(f"{name}={weight!r}" for name, weight in value.items())
    return join_names(value) if isinstance(value, list) else str(value)
