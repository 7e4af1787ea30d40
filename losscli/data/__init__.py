"""Inputs: files to one aligned stream of rows."""
