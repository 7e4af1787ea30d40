"""Engines: who folds the blocks."""
