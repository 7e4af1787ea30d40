"""What several test files share: the program run in this process, in an empty folder."""

from __future__ import annotations

import pytest
from support.program import Program

from losscli.plan import plan as plans

plans.BLOCK_NUMBERS = 1 << 18
"""In this process narrow blocks have 32,768 rows, so that few rows make several; programs that tests start
have those of users."""


@pytest.fixture
def losscli(tmp_path, monkeypatch, capsys) -> Program:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own"))  # not that of who runs the tests
    return Program(tmp_path, capsys)
