"""Conventions: how other libraries define, clip and average the same losses."""
