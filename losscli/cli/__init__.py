"""The command line: the Python API and a renderer, nothing more."""
