"""Losses: one module a family, each loss a function."""
