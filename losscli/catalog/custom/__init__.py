"""Custom losses: expressions, functions in Python, and functions in files."""
