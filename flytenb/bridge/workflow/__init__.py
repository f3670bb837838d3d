"""Compiling workflows, reading them into the model, and their graphs."""
