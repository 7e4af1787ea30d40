"""Text: what was recognized or written, and the reference; both as words, or as characters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from losscli.data.stream import Part
from losscli.numeric.arrays import Array, Namespace, np, pl
from losscli.numeric.edits import Sequences, edits
from losscli.tasks.base import Batch
from losscli.tasks.catalog import Task
from losscli.tasks.named import Column, Named, read

Split = Callable[[Array], Sequences]
"""From texts (n,) to the elements of each, as numbers: the same for equal elements."""


def words(texts: Array) -> Sequences:
    """The words of each text: what stands between blanks and line ends."""
    found = pl.Series(texts, dtype=pl.String).str.extract_all(r"\S+")
    each = found.explode().drop_nulls()
    codes = each.cast(pl.Enum(each.unique())).to_physical()
    return Sequences(codes.to_numpy().astype(np.int32), found.list.len().to_numpy().astype(np.int64))


def characters(texts: Array) -> Sequences:
    """The characters of each text, by their code points."""
    joined = "".join(texts).encode("utf-32-le", errors="surrogatepass")
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    return Sequences(np.frombuffer(joined, dtype="<i4"), lengths)


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
        prediction, target = cls.split(np.concatenate([values["prediction"], values["target"]])).halves()
        found = edits(target, prediction)
        counts = (found.edits, found.matches, prediction.lengths, target.lengths)
        return (cls(xp, *(xp.asarray(own).astype(float) for own in counts)),)


class WordEdits(_Edits, frozen=True):
    """The fewest insertions, deletions and substitutions of words that make a text its reference (n,).

    Words are what stands between blanks and line ends.  `matches` are the words that are equal, the most that
    an alignment with so few edits has; `prediction_length` and `target_length` are the numbers of words.
    """

    split: ClassVar[Split] = staticmethod(words)


class CharacterEdits(_Edits, frozen=True):
    """As WordEdits, for characters, blanks included."""

    split: ClassVar[Split] = staticmethod(characters)


TASK = Task("text", read, usual=("word_error_rate", "char_error_rate"), batches=(WordEdits, CharacterEdits))
