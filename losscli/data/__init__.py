"""Input: read files, and data in memory, as one aligned stream of rows."""
