"""The formulas: a module for each family of losses, and nothing else."""
