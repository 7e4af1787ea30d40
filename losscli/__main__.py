"""python -m losscli."""

from __future__ import annotations

from losscli.cli import main

main()
