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
from losscli.data.labels import other_than
from losscli.data.stream import STANDARD_INPUT, Roles
from losscli.engines.devices import CPU
from losscli.errors import DeviceError
from losscli.numeric.cached import cached_property
from losscli.numeric.poisson import Resampling
from losscli.plan.options import ANALYTIC, BOOTSTRAP, OPTIONS, Request, flags, option_text, stated
from losscli.plan.placement import Place
from losscli.states.base import State
from losscli.states.sketch import Sketch
from losscli.tasks.base import Batch
from losscli.tasks.catalog import TASKS

BLOCK_NUMBERS = 1 << 21
"""Maximum numbers in one matrix of a block: with 8 columns or fewer, a block has 262,144 rows."""
DEVICE_NUMBERS = 1 << 23
"""The same on a GPU: takes much longer than a kernel launch, and is small compared with GPU memory."""
BLOCK_COUNTS = 1 << 24
"""Maximum bootstrap counts in a block, one byte each: 16,384 rows in 1,000 replicates."""
MIN_ROWS = 256
"""Minimum rows of a block, whatever their width."""


class Plan(Struct, frozen=True, dict=True):
    """What is evaluated, how, and with which policies; `profiled` requests the profile of the only loss."""

    roles: Roles
    choices: tuple[Choice, ...]
    request: Request
    place: Place = Place(CPU)
    alignment: str = ""
    default_eps: float = 0.0
    profiled: bool = False

    @property
    def level(self) -> float | None:
        """The level of intervals; None for no intervals."""
        return self.request.ci

    @property
    def resampling(self) -> Resampling | None:
        """The replicates of a bootstrap; None for analytic intervals."""
        request = self.request
        return Resampling(request.replicates, request.seed) if request.ci_method == BOOTSTRAP else None

    @property
    def analytic(self) -> Plan:
        """The same plan without a bootstrap, for runs that show no intervals."""
        return replace(self, request=replace(self.request, ci_method=ANALYTIC))

    @property
    def unit_columns(self) -> tuple[str, ...]:
        """The columns that identify the bootstrap units: clusters, groups or keys; empty for row numbers."""
        cluster = self.roles.cluster
        return (cluster,) if cluster is not None else self.roles.group_columns or self.roles.ids

    @property
    def where(self) -> str | None:
        """The condition of --where, as written."""
        return self.request.where

    @property
    def wanted(self) -> frozenset[type[Batch]]:
        """The types of batch that the chosen losses take."""
        return frozenset(choice.loss.batch for choice in self.choices)

    @property
    def block_rows(self) -> int:
        """Rows of a block: a power of two that depends only on the plan, so that results are reproducible."""
        return self.rows_of_width(len(self.roles.names))

    def rows_of_width(self, width: int) -> int:
        """Rows of a block whose matrices have at least this many columns."""
        width = max(width, len(self.roles.predictions), *self.roles.widths.values(), 1)
        numbers, min_width = (BLOCK_NUMBERS, 8) if self.device == CPU else (DEVICE_NUMBERS, 1)
        rows = numbers // max(width, min_width)
        if self.resampling is not None:
            rows = min(rows, BLOCK_COUNTS // self.resampling.replicates)
        return max(MIN_ROWS, 1 << rows.bit_length() - 1)

    @property
    def device(self) -> str:
        """The name of the device."""
        return self.place.device

    def instead(self, error: DeviceError) -> Plan:
        """The plan on the CPU, if `auto` chose a device that failed; raises `error` if the user chose it."""
        if not self.place.why:
            raise error
        return replace(self, place=Place(CPU, error.problems[0].what))

    @property
    def cell(self) -> str:
        """The kind of cells: class, label, output, quantile, or empty."""
        return TASKS[self.roles.task].cell

    @property
    def has_one_label(self) -> bool:
        """Whether the rows have only the positive label, so that the name of the negative one is unknown."""
        roles = self.roles
        is_labelled = roles.task == "binary" and roles.target_form == "label"
        return is_labelled and roles.names[0] == other_than(roles.names[1])

    def cells(self, choice: Choice) -> tuple[str, ...]:
        """The cells of a loss; empty if it has no value per class or label."""
        order = choice.loss.order
        if order is None:
            has_none = choice.loss.batch.of_cells == "none"
        else:
            # A loss of order has a value for each label, but for each class only with parts.
            has_none = self.cell == "class" and not order.parts
        if has_none:
            return ()
        for part in self.roles.parts:
            if part.batch is choice.loss.batch:
                return part.cells
        return () if self.cell == "output" and len(self.roles.predictions) == 1 else self.roles.names

    def state(self, choice: Choice) -> type[State]:
        """The type of state that summarizes the rows for a loss."""
        ordered = choice.loss.order is not None
        return Sketch if ordered and self.request.approximate else choice.loss.state

    def has_no_weight(self, place: int) -> bool:
        """Whether the cell at an index is that of a class with weight zero."""
        weights = self.roles.class_weight
        return self.cell == "class" and weights is not None and weights[place] == 0

    def outputs(self, choice: Choice) -> int:
        """The number of batches per block that a loss receives: one, or one per output, quantile or class."""
        several = self.cell in ("output", "quantile") or choice.loss.batch.of_cells == "each"
        return max(1, len(self.cells(choice))) if several else 1

    @property
    def files(self) -> tuple[str, ...]:
        """The files, one or two, quoted for a shell."""
        names = dict.fromkeys(self.roles.files)
        return tuple("-" if name == STANDARD_INPUT else quote(name) for name in names)

    def options(self) -> dict[str, Any]:
        """The plan as options by name, which reproduce the results for the same files."""
        roles = self.roles
        weights = roles.class_weight
        has_own_eps = not roles.like and roles.eps != self.default_eps
        resolved = replace(
            self.request,
            task=roles.task,
            pred=tuple(name[2:] for name in roles.predictions),
            target=tuple(name[2:] for name in roles.targets),
            on=tuple(name[2:] for name in roles.ids) or self.request.on,  # without a key: position
            group=self.request.group or next((column[2:] for column in roles.group_columns), None),
            from_logits=roles.link == "logit",
            from_log_probs=roles.link == "log_prob",
            classes=roles.names if roles.task == "multiclass" else (),
            positive=roles.names[1] if roles.task == "binary" and roles.target_form == "label" else None,
            class_weight=dict(zip(roles.names, weights, strict=True)) if weights else {},
            eps=roles.eps if has_own_eps else None,
            device=self.device,
        )
        options = stated(resolved)
        options.pop("loss", None)  # in the request they lack the parameters that separate flags set
        requested = self.request.loss
        not_run = [request.text for request in requested if not request.losses]
        chosen = (
            [] if requested and len(not_run) == len(requested) else [str(choice) for choice in self.choices]
        )
        return options | {"loss": [*chosen, *not_run]}

    def flags(self) -> str:
        """The plan as flags, quoted for a shell."""
        return flags(self.options())

    @cached_property
    def compared(self) -> Mapping[str, str]:
        """The values of the options in which two reports must agree, by their names in reports."""
        roles, options = self.roles, self.options()
        group = next(iter(roles.group_columns), None)
        columns = {"weight": roles.weight, "group": group, "cluster": roles.cluster}
        columns |= {"scale_by": roles.scale, "naive": roles.naive}
        options |= {name: column[2:] for name, column in columns.items() if column}
        return {
            OPTIONS[name].compared: option_text(value)
            for name, value in options.items()
            if OPTIONS[name].compared
        }

    @cached_property
    def signature(self) -> str:
        """A short digest of everything that determines values: losses with parameters, columns, policies."""
        roles = self.roles
        content = [
            [choice.identity for choice in self.choices],
            self.compared,
            roles.link,
            roles.target_form,
            roles.names,
            roles.predictions,
            roles.targets,
            roles.eps,
            bool(roles.ids),
            [(slicing.text, slicing.bins) for slicing in roles.slicings],
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
