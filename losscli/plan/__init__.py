"""Make a plan from options: choose losses, find columns, open files, set up the alignment."""
