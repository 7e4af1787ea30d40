"""Text: recognized or generated text and its reference, compared by words or by characters."""

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
"""Split texts (n,) into elements, encoded as numbers: equal elements have equal numbers."""


def words(texts: Array) -> Sequences:
    """The words of each text, separated by whitespace."""
    lists = pl.Series(texts, dtype=pl.String).str.extract_all(r"\S+")
    tokens = lists.explode().drop_nulls()
    codes = tokens.cast(pl.Enum(tokens.unique())).to_physical()
    return Sequences(codes.to_numpy().astype(np.int32), lists.list.len().to_numpy().astype(np.int64))


def characters(texts: Array) -> Sequences:
    """The characters of each text, by their code points."""
    joined = "".join(texts).encode("utf-32-le", errors="surrogatepass")
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    return Sequences(np.frombuffer(joined, dtype="<i4"), lengths)


class _Edits(Named, frozen=True):
    """The minimum number of insertions, deletions and substitutions from a text to its reference (n,).

    `matches` is the maximum number of equal elements in an alignment with the minimum number of edits;
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
        distances = edits(target, prediction)
        counts = (distances.edits, distances.matches, prediction.lengths, target.lengths)
        return (cls(xp, *(xp.asarray(count).astype(float) for count in counts)),)


class WordEdits(_Edits, frozen=True):
    """The minimum number of inserted, deleted and substituted words from a text to its reference (n,).

    Words are separated by whitespace.  `matches` is the maximum number of equal words in an alignment with
    the minimum number of edits; `prediction_length` and `target_length` are the numbers of words.
    """

    split: ClassVar[Split] = staticmethod(words)


class CharacterEdits(_Edits, frozen=True):
    """As WordEdits, for characters, including spaces."""

    split: ClassVar[Split] = staticmethod(characters)


TASK = Task("text", read, usual=("word_error_rate", "char_error_rate"), batches=(WordEdits, CharacterEdits))
