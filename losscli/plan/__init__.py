"""From options to a plan: losses chosen, columns found, files opened, alignment set up."""
