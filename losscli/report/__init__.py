"""The report as plain data, saved reports, and whether two can be compared."""
