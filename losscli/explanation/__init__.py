"""The catalog as a list, and one loss explained: its curve, its facts, its page."""
