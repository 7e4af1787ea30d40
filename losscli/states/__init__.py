"""States of rows: they merge, and reduce to values with intervals."""
