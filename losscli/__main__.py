"""python -m losscli."""

from __future__ import annotations

import sys

if not sys.flags.safe_path:
    # The current folder, of which Python would take modules; it holds data, and may be anyone's.  The script
    # losscli takes none from there either.
    del sys.path[0]

from losscli.cli import main

main()
