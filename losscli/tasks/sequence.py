"""Sequences of labels: the scores of the classes in each frame, and the labels in their order."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import ClassVar

from losscli.data.stream import Part
from losscli.errors import UsageError
from losscli.numeric.arrays import Array, Namespace, np
from losscli.numeric.cached import cached_property
from losscli.numeric.ranges import Range
from losscli.numeric.softmax import log_softmax
from losscli.report.findings import Code
from losscli.tasks.base import Batch
from losscli.tasks.block import Block
from losscli.tasks.catalog import Task
from losscli.tasks.named import Column, Keys, Named, read
from losscli.text import shortened

SCORES = Column(role="family", pattern=r"t(\d+)_k(\d+)", vector=False, like="t0_k0, t0_k1, t1_k0, ...")


class Frames(Named, frozen=True):
    """The logits of the classes in each frame (n, frames, classes), and the labels of the sequence.

    `labels` (n, longest) are classes, padded with -1, and `length` (n,) is the length of each sequence.  Only
    the first `frames` (n,) frames count.
    """

    task: ClassVar[str] = "sequence"
    may_be_infinite: ClassVar[bool] = True
    reads: ClassVar[Mapping[str, Column]] = {
        "logits": SCORES,
        "labels": Column(role="target", text=True, also=("labels",)),
        "frames": Column(Range(1, whole=True), optional=True, also=("input_length",)),
    }
    logits: Array
    labels: Array
    length: Array
    frames: Array

    @classmethod
    def cells(cls, keys: Mapping[str, Keys], widths: Mapping[str, int]) -> tuple[str, ...]:
        """No cells.  Raises UsageError if a class of a frame is missing."""
        cells = keys["logits"]
        frames, classes = (dict.fromkeys(numbers) for numbers in zip(*cells, strict=True))
        if list(cells) != [*product(frames, range(len(classes)))]:
            raise UsageError(
                "each frame needs a column for each class, with numbers from 0",
                remedy="name them t0_k0, t0_k1, t1_k0, t1_k1, ...",
            )
        return ()

    @classmethod
    def check(cls, block: Block, part: Part, values: Mapping[str, Array]) -> None:
        """Flag targets that are not sequences of classes, and too large numbers of frames."""
        classes, text = _classes(part), values["labels"]
        wrong = np.array([_sequence(value, classes) is None for value in text], dtype=bool)
        kind = f"whole numbers from 0 to {classes - 1} with blanks between them"
        block.flag(
            wrong,
            Code.OUT_OF_RANGE,
            part.arrays["labels"],
            lambda i: shortened(repr(text[i])),
            remedy=f"write {kind}, as in '1 2 1'",
            range=kind,
        )
        if "frames" in values:
            frames, most = values["frames"][:, 0], values["logits"].shape[1] // classes
            block.flag(
                frames > most,
                Code.OUT_OF_RANGE,
                part.arrays["frames"],
                lambda i: f"{frames[i]:g}",
                remedy=f"the columns of scores are those of {most} frames",
                range=f"a number of frames up to {most}",
            )

    @classmethod
    def made(cls, xp: Namespace, part: Part, values: Mapping[str, Array]) -> tuple[Batch, ...]:
        """The batch of the sequences."""
        classes, logits = _classes(part), xp.ascontiguousarray(values["logits"])
        sequences = [_sequence(text, classes) or [] for text in values["labels"]]
        length = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
        labels = np.full((len(sequences), length.max(initial=0)), -1)
        for row, sequence in zip(labels, sequences, strict=True):
            row[: len(sequence)] = sequence
        shape = (len(sequences), logits.shape[1] // classes, classes)
        frames = values.get("frames", xp.full(shape[0], float(shape[1])))
        return (cls(xp, logits.reshape(shape), xp.asarray(labels), xp.asarray(length), frames),)

    @cached_property
    def log_prob(self) -> Array:
        """The log-probability of each class in each frame (n, frames, classes)."""
        flat = self.logits.reshape(-1, self.logits.shape[2])
        return log_softmax(self.xp, flat).reshape(self.logits.shape)


def _classes(part: Part) -> int:
    return len({label for _, label in part.keys["logits"]})


def _sequence(text: str, classes: int) -> list[int] | None:
    """The labels in a text; None if it is not a sequence of classes."""
    words = text.split()
    if not all(word.isascii() and word.isdigit() for word in words):
        return None
    labels = [int(word) for word in words]
    return labels if all(label < classes for label in labels) else None


TASK = Task("sequence", read, usual=("ctc",), batches=(Frames,), shown=(Frames,))
