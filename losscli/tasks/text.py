"""Text: what was recognized or written, and the reference; both as words, or as characters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from losscli.data.stream import Part
from losscli.numeric.arrays import Array, Namespace
from losscli.numeric.edits import Sequences, edits
from losscli.tasks.base import Batch
from losscli.tasks.catalog import Task
from losscli.tasks.named import Column, Named, read

Split = Callable[[str], Sequence[str]]
"""From a text to its elements."""


class _Edits(Named, frozen=True):
    """The fewest insertions, deletions and substitutions that make a text its reference (n,).

    `matches` are the elements that are equal, the most that an alignment with so few edits has;
    `prediction_length` and `target_length` are the numbers of elements of both texts.
    """

    task: ClassVar[str] = "text"
    split: ClassVar[Split]
    reads: ClassVar[Mapping[str, Column]] = {
        "prediction": Column(text=True, also=("text", "hypothesis", "transcript", "pred", "y_pred")),
        "target": Column(role="target", text=True, also=("text", "reference", "transcript")),
    }
    edits: Array
    matches: Array
    prediction_length: Array
    target_length: Array

    @classmethod
    def made(cls, xp: Namespace, part: Part, values: Mapping[str, Array]) -> tuple[Batch, ...]:
        """The batch of pairs of texts."""
        codes: dict[str, int] = {}
        prediction, target = (
            Sequences.of([[codes.setdefault(each, len(codes)) for each in cls.split(text)] for text in own])
            for own in (values["prediction"], values["target"])
        )
        found = edits(target, prediction)
        counts = (found.edits, found.matches, prediction.lengths, target.lengths)
        return (cls(xp, *(xp.asarray(own).astype(float) for own in counts)),)


class WordEdits(_Edits, frozen=True):
    """The fewest insertions, deletions and substitutions of words that make a text its reference (n,).

    Words are what stands between blanks and line ends.  `matches` are the words that are equal, the most that
    an alignment with so few edits has; `prediction_length` and `target_length` are the numbers of words.
    """

    split: ClassVar[Split] = str.split


class CharacterEdits(_Edits, frozen=True):
    """As WordEdits, for characters, blanks included."""

    split: ClassVar[Split] = str


TASK = Task("text", read, usual=("word_error_rate", "char_error_rate"), batches=(WordEdits, CharacterEdits))
