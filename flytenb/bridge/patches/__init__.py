"""Patches of flytekit in a kernel, each undone on unload."""
