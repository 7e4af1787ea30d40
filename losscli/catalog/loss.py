"""A loss: its function, and the facts in its signature and docstring."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from losscli.catalog.conventions.policy import Policy
from losscli.catalog.params import Param
from losscli.errors import UsageError
from losscli.numeric.arrays import Array
from losscli.numeric.cached import cached_property
from losscli.numeric.indicators import Indicators, in_full
from losscli.states.base import State
from losscli.states.binned import Binned
from losscli.states.moments import Moments
from losscli.states.order import Order, order_of_quantile
from losscli.states.ranks import Ranks
from losscli.states.reductions import BoundReduction, Reduction, mean, ratio
from losscli.tasks.base import Batch
from losscli.tasks.classes import Multiclass
from losscli.text import param_text


class Replacement(Struct, frozen=True):
    """How a loss replaces numbers that it is not defined for.

    `words` complete "rows on which a loss ...", with the parameters of the loss in braces; `rows` is a
    function from a batch and the parameters to the rows that it replaces (n,).
    """

    words: str
    rows: Callable[[Any, Mapping[str, Any]], Array]


class Loss(Struct, frozen=True, eq=False, dict=True):
    """A loss: the function from a batch to row columns, and the facts in its signature and docstring.

    `batch` is the type of batch that the function takes, and its `task` is the loss's task.

    `best` is the value of a perfect prediction, None if that depends on the targets; `limit` then bounds it.
    `worst` is the value that no prediction exceeds, None if unbounded.  With `signed` the value can be on
    either side of the best one, and with `score` larger values are better.

    `domain` describes the values that the loss is defined for, if those are not all values of its task,
    `remedy` says how to handle others, and `replaces` describes the values that it replaces.

    `zero_class` says when rows count whose class has weight zero: if labels are smoothed, since the weights
    of other classes then count too, or always, since the mean divides by rows.  With `counts_apart` the loss
    is a sum of costs over a sum of weights, to which these rows add no weight.

    A zero in the parameter `infinite_at_zero` allows infinite row losses, and a loss that `clips` replaces
    probabilities of 0 and 1, of which it takes the logarithm.  The parameters `increasing` must
    increase in that order.  `tail` is the parameter beyond which residuals are treated differently, and how:
    linear.

    `state` is the type of state that the reduction turns into the value; `order` is the function of sorted
    rows of a loss of order.  A `quantile` of the row losses may replace their mean.  `origin` is a function
    that finds the loss in another process, with its arguments.  A custom loss has a `request`, by which users
    name it, and a `digest` of its source if the request does not contain it.
    """

    name: str
    aliases: tuple[str, ...]
    function: Callable[..., Array | tuple[Array | Indicators, ...]]
    reduction: Reduction
    best: float | None
    score: bool
    origin: tuple[Callable[..., Loss], tuple[Any, ...]]
    domain: str = ""
    remedy: str = ""
    replaces: Replacement | None = None
    zero_class: Literal["", "smoothed", "always"] = ""
    counts_apart: bool = False
    infinite_at_zero: str = ""
    clips: bool = False
    increasing: tuple[str, ...] = ()
    tail: tuple[str, str] | None = None
    request: str = ""
    digest: str = ""
    state: type[State] = Moments
    worst: float | None = None
    limit: float | None = None
    signed: bool = False
    order: Order | None = None
    quantile: float | None = None

    def __repr__(self) -> str:
        return f"<loss {self.name} of {self.task}>"

    def __reduce__(self) -> tuple[Callable[..., Loss], tuple[Any, ...]]:
        """Pickle the loss as its origin: no function is sent, and a worker runs its own copy of the code."""
        return self.origin

    # Annotations are evaluated on demand, since most runs use only a few losses.

    @cached_property
    def batch(self) -> type[Batch]:
        """The type of the function's first argument."""
        # Resolving a name needs this of every loss; inspect.signature would take fifty times as long.
        annotation: type[Batch] = self._annotation(self.function.__code__.co_varnames[0])
        return annotation

    @cached_property
    def params(self) -> tuple[Param, ...]:
        """The keyword arguments of the function, with their ranges."""
        _, *others = inspect.signature(self.function).parameters.values()
        return tuple(
            Param.of(p.name, self._annotation(p.name), ... if p.default is p.empty else p.default)
            for p in others
        )

    def _annotation(self, argument: str) -> Any:
        text = self.function.__annotations__[argument]
        if not isinstance(text, str):
            return text
        # Looking up a plain name gives the same result as eval in a tenth of the time.
        scope = self.function.__globals__
        return scope[text] if text in scope else eval(text, scope)

    @property
    def additive(self) -> bool:
        """Whether the value is the mean of one row column or its root, so that each row has a share of it."""
        return issubclass(self.state, Moments) and self.reduction.additive

    @property
    def has_row_loss(self) -> bool:
        """Whether the value is the mean or a quantile of row losses."""
        return self.reduction is mean and (self.order is None or self.quantile is not None)

    @property
    def has_means(self) -> bool:
        """Whether the value is a function of means, which comparisons, clusters and leaderboards require.

        A loss of order is one once its rows are sorted.
        """
        return issubclass(self.state, Moments | Ranks)

    @property
    def asked_as(self) -> str:
        """Its name on the command line."""
        return self.request or self.name

    @property
    def task(self) -> str:
        """The task whose columns it reads."""
        return self.batch.task

    @property
    def bounds(self) -> tuple[float, float]:
        """The minimum and the maximum value, infinite if unknown."""
        best = None if self.signed else self.limit if self.best is None else self.best
        low, high = (self.worst, best) if self.score else (best, self.worst)
        return -math.inf if low is None else low, math.inf if high is None else high

    @cached_property
    def doc(self) -> str:
        """The docstring, without its indentation."""
        return inspect.getdoc(self.function) or ""

    @property
    def summary(self) -> str:
        """The first line of the docstring; for a quantile, a description of the quantile."""
        if self.quantile is not None:
            kind, percent = "score" if self.score else "loss", self.name.rpartition("@p")[2]
            return f"The {kind} that {percent} % of the rows stay below."
        return self.doc.split("\n", 1)[0]

    @property
    def formula(self) -> str:
        """The second paragraph of the docstring, without the unit."""
        paragraphs = self.doc.split("\n\n")
        formula = re.sub(r"\s*Unit: .*", "", paragraphs[1], flags=re.DOTALL) if len(paragraphs) > 1 else ""
        return formula if self.quantile is None else f"The {self.quantile:g}-quantile over rows of {formula}"

    @property
    def details(self) -> tuple[str, ...]:
        """The paragraphs of the docstring between formula and reference: conventions, one line each."""
        return tuple(" ".join(paragraph.split()) for paragraph in self.doc.split("\n\n")[2:-1])

    @property
    def reference(self) -> str:
        """The source of the formula: the last paragraph."""
        return self.doc.split("\n\n")[-1]

    @property
    def unit(self) -> str:
        """The unit of the value, in words: 'target', 'nat', '1'."""
        match = re.search(r"Unit:\s+(.*?)\.(?:\s|$)", self.doc, flags=re.DOTALL)
        return match.group(1) if match else "1"

    def param(self, name: str) -> Param | None:
        """The parameter of that name, or None."""
        return next((param for param in self.params if param.name == name), None)

    def columns(self, batch: Batch, params: Mapping[str, Any]) -> Sequence[Array]:
        """The row columns of a batch, each of shape (n,)."""
        compact = self.compact_columns(batch, params)
        columns = Binned.of(batch.xp, compact) or in_full(batch.xp, compact)
        if not self.counts_apart:
            return columns
        assert isinstance(batch, Multiclass)
        return (*columns, batch.counted)

    def compact_columns(self, batch: Batch, params: Mapping[str, Any]) -> tuple[Array | Indicators, ...]:
        """As `columns`, with those of classes in one."""
        columns = self.function(batch, **params)
        return columns if isinstance(columns, tuple) else (columns,)

    def keeps_zero_class(self, params: Mapping[str, Any]) -> bool:
        """Whether rows whose class has weight zero count."""
        return self.zero_class == "always" or bool(self.zero_class and params.get("label_smoothing"))

    def at_quantile(self, percent: str, find: Callable[[str, str], Loss]) -> Loss:
        """The loss whose value is a quantile of the row losses: see `registry.find`.

        `find` returns the same loss from the name of this one.  Raises UsageError if there are no row losses.
        """
        name, share = f"{self.name}@p{percent}", float(Decimal(percent) / 100)
        if not self.has_row_loss:
            raise UsageError(
                f"{self.name} is not a mean of row losses, so {name} is not defined",
                remedy="choose one that is: mae@p95 is a quantile of |error|",
            )
        origin, order = (find, (self.name, percent)), order_of_quantile(share)
        return replace(self, name=name, aliases=(), state=Ranks, order=order, quantile=share, origin=origin)

    def as_ratio(self) -> Loss:
        """The same loss as a ratio: a sum of costs over a sum of weights."""
        origin = (_as_ratio, self.origin)
        return replace(self, reduction=ratio, counts_apart=True, origin=origin)


def _as_ratio(find: Callable[..., Loss], args: tuple[str, ...]) -> Loss:
    return find(*args).as_ratio()


class Choice(Struct, frozen=True, dict=True):
    """A loss chosen for a run, with all its parameters.

    `policy` is the convention of the library of --like; `label` is the name that the user wrote, with the
    parameters that were set.  With `keeps_zero_class`, rows count whose class has weight zero.
    """

    loss: Loss
    params: Mapping[str, Any]
    policy: Policy | None = None
    label: str = ""
    keeps_zero_class: bool = False

    def __str__(self) -> str:
        """The text that requests it: 'huber:delta=2.0', without parameters at their defaults.

        The defaults of a library are included, since they may differ from those of the loss.
        """
        return self._text(self.loss.asked_as)

    @cached_property
    def reduction(self) -> BoundReduction:
        """The reduction from its means to its value."""
        loss = self.loss
        return BoundReduction(loss.reduction, self.params, loss.domain, loss.bounds, order=loss.order)

    @property
    def recorded(self) -> Mapping[str, Any]:
        """Its parameters in the form of reports: vectors and matrices as text."""
        return {
            name: param_text(value) if isinstance(value, tuple) else value
            for name, value in self.params.items()
        }

    @property
    def identity(self) -> str:
        """The text that identifies what it computes, with a digest if its source is not in the request."""
        return self._text(self.loss.digest or self.loss.asked_as)

    def _text(self, name: str) -> str:
        of_library = () if self.policy is None else self.policy.convention.params
        inline = ",".join(
            f"{param.name}={param_text(self.params[param.name])}"
            for param in self.loss.params
            if param.required or self.params[param.name] != param.default or param.name in of_library
        )
        return f"{name}:{inline}" if inline else name

    @property
    def may_be_infinite(self) -> bool:
        """Whether row losses may be infinite: for an impossible event, or because a parameter is zero."""
        param = self.loss.infinite_at_zero
        return self.loss.batch.may_be_infinite or (bool(param) and self.params[param] == 0)

    @property
    def by_rows(self) -> bool:
        """Whether a weighted mean divides by the number of rows, not by the sum of the weights."""
        return self.policy is not None and self.policy.by_rows and self.loss.order is None

    def columns(self, batch: Batch) -> Sequence[Array]:
        """The row columns of a batch, each of shape (n,)."""
        return self.loss.columns(self._with_policy(batch), self.params)

    def compact_columns(self, batch: Batch) -> tuple[Array | Indicators, ...]:
        """As `columns`, with those of classes in one."""
        return self.loss.compact_columns(self._with_policy(batch), self.params)

    def paired(self, a: Sequence[Any], b: Sequence[Any]) -> Sequence[Any]:
        """The row columns of two models from those of each: of a, then b - a; for a mean, b - a alone."""
        if self.loss.order is not None:
            return (*a, *b)  # both are settled before they are subtracted
        if isinstance(a, Binned) and isinstance(b, Binned):
            return a.paired(b)
        return (*(() if self.loss.reduction is mean else a), *(y - x for x, y in zip(a, b, strict=True)))

    def replaced(self, batch: Batch) -> Array | None:
        """The rows in which the loss replaces numbers (n,); None for no rows."""
        replaces = self.loss.replaces
        return None if replaces is None else replaces.rows(self._with_policy(batch), self.params)

    def _with_policy(self, batch: Batch) -> Batch:
        return batch if self.policy is None else self.policy.seen(batch)
