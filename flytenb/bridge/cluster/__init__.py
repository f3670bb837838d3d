"""Flyte clusters: connections, registration, executions and their values."""
