"""Hostile inputs, made from a seed: damaged files, odd tables, texts, settings, options, reports, losses.

`kinds/` has a file for each kind, whose `case` makes an input from random numbers.  `program` runs the
program on it in this process, `judge` says what must hold whatever the input is, and `session` runs many in
worker processes that it watches.  `python -m tests.fuzz --help` runs as many as wanted.
"""
