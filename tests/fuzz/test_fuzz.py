"""A few inputs of each kind; CI runs 6,000, and `python -m tests.fuzz` as many as wanted."""

from __future__ import annotations

import pytest

import losscli

from .judge import judged
from .kinds import KINDS, made
from .kinds.bytes import VALUE, WRITERS, written_as
from .program import alone
from .session import Figures, session


@pytest.mark.parametrize("runs", [5, pytest.param(12, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", KINDS)
def test_no_input_is_a_bug_or_passes_unseen(kind, runs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own"))
    found = {number: judged(made(kind, 0, number), tmp_path)[1] for number in range(runs)}
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


@pytest.mark.slow
def test_an_input_can_be_run_in_a_process_of_its_own(tmp_path):
    (tmp_path / "d.csv").write_text("prediction,target\n1,2\n")
    done = alone(str(tmp_path), ["evaluate", "d.csv", "-l", "mae", "--bare"])
    assert (done.status, done.out) == (0, "1.0\n")


@pytest.mark.slow
def test_a_session_tells_the_figures_of_each_kind(tmp_path):
    figures = Figures()
    for found in session(["settings"], 0, range(3), 1, tmp_path):
        figures.add(found)
    assert figures.runs == {"settings": 3}
    assert not figures.wrong["settings"]
    assert "settings       3" in str(figures)
