"""Compiling workflows, and reading what they compiled to."""
