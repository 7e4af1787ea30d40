"""Input: read files, and data in memory, as one aligned row stream."""
