"""What rows leave behind: states that merge, and the values they reduce to."""
