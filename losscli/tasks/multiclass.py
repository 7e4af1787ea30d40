"""Multiclass classification: one probability, logit or score per class, or a label."""

from __future__ import annotations

from losscli.data.stream import Roles
from losscli.numeric.arrays import Array, Namespace, np, on_device, on_host
from losscli.numeric.softmax import pick, row_maxima
from losscli.report.findings import Code
from losscli.tasks.base import Batch, Rows
from losscli.tasks.block import LARGEST, Block
from losscli.tasks.catalog import Task
from losscli.tasks.classes import (
    Multiclass,
    MulticlassAmount,
    MulticlassLabel,
    MulticlassScore,
    OneVsAll,
    one_hot,
)
from losscli.tasks.probabilities import (
    check_sum,
    clip_params,
    normalized,
    note_clipped,
    probabilities,
    probabilities_within,
)
from losscli.text import shortened


def read(block: Block, xp: Namespace, wanted: frozenset[type[Batch]], pilot: None) -> Rows:
    """The wanted batches; soft targets have no true class."""
    roles = block.roles
    code, soft = _read_target(block, wanted)
    if roles.link == "label":
        scores = label_codes(block, roles.predictions[0], "predicted label")
    else:
        scores = _read_scores(block, xp, wanted)
    needs_label = MulticlassScore in wanted or any(issubclass(kind, MulticlassLabel) for kind in wanted)
    if soft is not None and needs_label:
        block.flag(soft.max(axis=1) != 1.0, Code.SOFT_LABEL, roles.targets[0], needed="one true class")
    code, soft, scores = block.drop_marked(code, soft, scores)
    amounts = wanted == {MulticlassAmount}
    if soft is not None and not amounts and _are_one_hot(soft):
        # One-hot rows are read as labels, so that both forms give the same bits.
        code, soft = soft.argmax(axis=1), None
    return _rows(block, xp, wanted, code, soft, scores)


def _are_one_hot(soft: Array) -> bool:
    """Whether all rows (n, classes) are labels; amounts that a library takes may have a one beside others."""
    return bool(np.all(soft.max(axis=1, initial=0.0) == 1.0)) and bool((soft.sum(axis=1) < 1.5).all())


def _rows(
    block: Block,
    xp: Namespace,
    wanted: frozenset[type[Batch]],
    code: Array | None,
    soft: Array | None,
    scores: Array,
) -> Rows:
    roles = block.roles
    weights = None if roles.row_factors is None else xp.asarray(roles.row_factors)
    made: dict[type[Batch], tuple[Batch, ...]] = {}
    read = scores
    if roles.link != "label" and not on_host(xp):
        scores = on_device(xp, read)
    hard = None if code is None else xp.asarray(code)
    distribution = None if soft is None else xp.asarray(soft)
    if Multiclass in wanted:
        if roles.notes_clips:
            _note_clipped(block, code, soft, read)
        held = roles.held[0] if roles.link == "probability" and not roles.normalize else "float64"
        spread = weights if roles.spreads_class_weight else None
        made[Multiclass] = (Multiclass(xp, scores, roles.link, roles.eps, hard, distribution, spread, held),)
    if MulticlassAmount in wanted:
        amount = MulticlassAmount(xp, scores, roles.link, 0.0, hard, distribution, weights)
        made[MulticlassAmount] = (amount,)
    if MulticlassScore in wanted and hard is not None:
        own = None if roles.class_weight is None else xp.asarray(roles.class_weight)
        made[MulticlassScore] = (MulticlassScore(xp, scores, hard, own),)
    if OneVsAll in wanted:
        target = distribution if hard is None else one_hot(xp, hard, scores.shape[1]).astype(float)
        if roles.notes_clips:
            note_clipped(block, target, scores, roles.eps)
        made[OneVsAll] = (_one_vs_all(xp, roles, scores, target),)
    labels = [kind for kind in wanted if issubclass(kind, MulticlassLabel)]
    if labels and hard is not None:
        predicted = xp.asarray(scores) if roles.link == "label" else row_maxima(xp, scores)[0]
        made |= {kind: kind.made(xp, predicted, hard, len(roles.names)) for kind in labels}
    factor = None
    if weights is not None:
        if hard is not None:
            factor = weights[hard]
        elif roles.spreads_class_weight:
            factor = xp.sum(distribution * weights, axis=1)
        else:
            factor = weights[xp.argmax(distribution, axis=1)]
        if wanted == {MulticlassAmount} and hard is None:
            whole = xp.sum(distribution, axis=1)
            factor = factor / xp.where(whole == 0, 1.0, whole)
    codes = hard if hard is not None else xp.full(block.height, -1)
    return Rows(made, codes, factor)


def _one_vs_all(xp: Namespace, roles: Roles, scores: Array, target: Array) -> OneVsAll:
    if roles.link == "log_prob":
        log_p = xp.minimum(scores, 0.0)
        return OneVsAll(xp, target, log_p - xp.log(-xp.expm1(log_p)), "logit", 0.0)
    return OneVsAll(xp, target, scores, roles.link, roles.eps)


def _read_target(block: Block, wanted: frozenset[type[Batch]]) -> tuple[Array | None, Array | None]:
    """Codes of labels (n,), or a distribution (n, classes); amounts if all losses accept them."""
    roles = block.roles
    if roles.target_form == "label":
        return label_codes(block, roles.targets[0], "label"), None
    target = block.numbers(roles.targets)
    if wanted == {MulticlassAmount}:
        _check_amounts(block, roles.targets)
        return None, target
    target = probabilities(block, roles.targets, "target ", "one-hot columns must hold 0 and 1")
    check_sum(block, target, "target ", roles.targets, "each row of one-hot or soft targets sums to one")
    return None, target


def label_codes(block: Block, column: str, kind: str) -> Array:
    """The index of each label among the classes (n,).  Flags labels outside the classes."""
    codes, names = block.codes(column), block.roles.names
    series = block.frame[column]
    shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    block.flag(
        codes < 0,
        Code.UNKNOWN_LABEL,
        column,
        lambda i: shortened(repr(series[i])),
        kind=kind,
        count=len(names),
        names=shown,
    )
    return codes


def _read_scores(block: Block, xp: Namespace, wanted: frozenset[type[Batch]]) -> Array:
    roles = block.roles
    columns = roles.predictions
    # Logits become float64 piece by piece on use, or on a device.
    logits = roles.link == "logit" and (wanted <= {Multiclass} or not on_host(xp))
    scores = block.as_held(columns) if logits else block.numbers(columns)
    if roles.link == "probability":
        if roles.normalize:
            scores = normalized(block)
        elif wanted == {MulticlassAmount}:
            _check_amounts(block, roles.predictions)
        elif wanted & {Multiclass, MulticlassAmount, OneVsAll}:
            scores = probabilities(block, columns, rows=Multiclass in wanted)
        if Multiclass in wanted:
            remedy = "--normalize rescales them, --from-logits takes logits"
            check_sum(block, scores, "", roles.predictions, remedy)
        return scores
    # Models that mask classes write -inf, the logit or log-probability of an impossible class.
    bounded = roles.link == "log_prob" and wanted != {MulticlassAmount}
    highest = 1e-6 if bounded else LARGEST
    code = Code.POSITIVE_LOG_PROBABILITY if bounded else Code.NOT_FINITE
    hint = None if bounded else "-inf is the logit of an impossible class; no class may have inf"
    block.check_range(roles.predictions, -np.inf, highest, code, hint)
    return scores


def _check_amounts(block: Block, columns: tuple[str, ...]) -> None:
    """Flag numbers that are not amounts."""
    block.check_range(columns, 0, LARGEST, Code.INVALID_AMOUNT)


def _note_clipped(block: Block, code: Array | None, soft: Array | None, scores: Array) -> None:
    if probabilities_within(block, block.roles.eps, np.inf):
        return
    if soft is not None:
        hit = ((scores < block.roles.eps) & (soft > 0)).any(axis=1)
    else:
        assert code is not None
        hit = pick(np, scores, code) < block.roles.eps
    block.flag(hit, Code.CLIPPED_PROBABILITY, leave_out=False, **clip_params(block.roles))


TASK = Task(
    "multiclass",
    read,
    usual=("categorical_cross_entropy", "multiclass_brier", "multiclass_zero_one"),
    usual_labels=("multiclass_zero_one",),
    cell="class",
)
