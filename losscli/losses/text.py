"""Error rates of text: the edits that turn it into the reference, relative to lengths, over all rows."""

from __future__ import annotations

from typing import Literal

from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array, Namespace
from losscli.states.reductions import Reduction, ratio
from losscli.tasks.text import CharacterEdits, WordEdits

Matches = Literal["longest", "aligned"]
"""The number of matching words: the length of the longer text minus the edits, or from an alignment."""


@loss("wer", "WordErrorRate", reduction=ratio)
def word_error_rate(batch: WordEdits) -> tuple[Array, Array]:
    """The insertions, deletions and substitutions of words for each word of the reference.

    sum of the fewest edits / sum of the words of the target.  Unit: 1.

    Words are separated by whitespace, and compared as written.

    Morris, Maier and Green (2004), doi:10.21437/Interspeech.2004-668
    """
    return batch.edits, batch.target_length


@loss("cer", "CharErrorRate", "character_error_rate", reduction=ratio)
def char_error_rate(batch: CharacterEdits) -> tuple[Array, Array]:
    """The insertions, deletions and substitutions of characters for each character of the reference.

    sum of the fewest edits / sum of the characters of the target, blanks included.  Unit: 1.

    Morris, Maier and Green (2004), doi:10.21437/Interspeech.2004-668
    """
    return batch.edits, batch.target_length


def _matches(batch: WordEdits, matches: str) -> Array:
    if matches == "aligned":
        return batch.matches
    return batch.xp.maximum(batch.prediction_length, batch.target_length) - batch.edits


@loss("mer", "MatchErrorRate", reduction=ratio, worst=1.0)
def match_error_rate(batch: WordEdits, *, matches: Matches = "longest") -> tuple[Array, Array]:
    """The probability that a word of text or reference has no match in the other.

    sum of the fewest edits / sum of the edits and matches.  Unit: 1.

    Matches are the words of the longer text minus the edits, or with matches=aligned the maximum number in an
    alignment with the fewest edits; the two differ where an alignment both inserts and deletes words.

    Morris, Maier and Green (2004), doi:10.21437/Interspeech.2004-668
    """
    return batch.edits, batch.edits + _matches(batch, matches)


def _information(xp: Namespace, m: Array) -> Array:
    """1 - H^2 / (N P), from the means of H, N - H and P - H, which is accurate for nearly correct texts."""
    hits, missed, added = m[..., 0], m[..., 1], m[..., 2]
    lengths = missed + hits, added + hits
    return (hits * (missed + added) + missed * added) / (lengths[0] * lengths[1])


LOST = Reduction(_information, undefined="a side has no words")


@loss("wil", "WordInfoLost", reduction=LOST, worst=1.0)
def word_information_lost(batch: WordEdits, *, matches: Matches = "longest") -> tuple[Array, Array, Array]:
    """The share of the information in words that is lost between reference and text.

    1 - (H / N) (H / P), with the sums of the matches H, of the words of the target N, and of the words of the
    prediction P.  Unit: 1.

    Matches are the words of the longer text minus the edits, or with matches=aligned the maximum number in an
    alignment with the fewest edits; the two differ where an alignment both inserts and deletes words.

    Morris, Maier and Green (2004), doi:10.21437/Interspeech.2004-668
    """
    hits = _matches(batch, matches)
    return hits, batch.target_length - hits, batch.prediction_length - hits
