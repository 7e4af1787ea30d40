"""A few inputs of each kind; CI runs 20,000, and `python -m tests.fuzz` as many as wanted."""

from __future__ import annotations

import pytest

import losscli

from .judge import judged
from .kinds import KINDS, made
from .kinds.bytes import VALUE, WRITERS, written_as

RUNS = 20
"""Inputs of each kind."""


@pytest.mark.parametrize("kind", KINDS)
def test_no_input_is_a_bug_or_passes_unseen(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own"))
    found = {number: judged(made(kind, 0, number), tmp_path)[1] for number in range(RUNS)}
    assert not {number: wrong for number, wrong in found.items() if wrong}


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_not_damaged_is_read(name, tmp_path):
    sides = ["p", "t"] if name == "npy" else ["both"]
    for side in sides:
        (tmp_path / f"{side}.{name}").write_bytes(written_as(name, side))
    assert (
        losscli.evaluate(*(tmp_path / f"{side}.{name}" for side in sides), loss="mae")["mae"].value == VALUE
    )


def test_the_same_seed_makes_the_same_inputs():
    for kind in KINDS:
        one, other = (made(kind, 7, 3) for _ in range(2))
        assert (one.runs, one.files) == (other.runs, other.files)
        assert one.runs != made(kind, 8, 3).runs or one.files != made(kind, 8, 3).files
