"""Calls of tasks as a pod makes them: values packed, files, containers, connectors, maps, gates."""
