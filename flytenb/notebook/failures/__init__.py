"""Tracebacks in a notebook, and the short form of an error."""
