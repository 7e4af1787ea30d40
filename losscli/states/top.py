"""The rows of greatest loss."""

from __future__ import annotations

import numpy as np
import polars as pl
from msgspec import Struct

from losscli.numeric.arrays import Array


class Top(Struct, frozen=True, eq=False):
    """The rows of greatest `score` among those seen, the greatest first, earlier rows before equal ones."""

    frame: pl.DataFrame
    score: Array

    @classmethod
    def of(cls, frame: pl.DataFrame, score: Array, most: int) -> Top:
        """The greatest of a block; what is not a number is greatest."""
        score = np.where(np.isnan(score), np.inf, score)
        if len(score) > most:
            least = np.partition(score, len(score) - most)[len(score) - most]
            near = np.flatnonzero(score >= least)
        else:
            near = np.arange(len(score))
        at = near[np.argsort(-score[near], kind="stable")][:most]
        return cls(frame[at], score[at])

    def merge(self, later: Top, most: int) -> Top:
        """The greatest of both."""
        score = np.concatenate([self.score, later.score])
        at = np.argsort(-score, kind="stable")[:most]
        return Top(pl.concat([self.frame, later.frame])[at], score[at])
