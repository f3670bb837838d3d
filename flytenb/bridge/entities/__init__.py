"""Entities of flytekit: kind, interface, settings, inputs, source, stubs."""
