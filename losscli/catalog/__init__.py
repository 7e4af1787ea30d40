"""Losses by name: the registry, parameters, conventions of other libraries, and custom losses."""
