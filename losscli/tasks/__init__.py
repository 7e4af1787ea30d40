"""Tasks: the typed batches that losses receive, and how they are read from a block of rows."""
