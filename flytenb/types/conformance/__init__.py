"""Conformance checks of type transformers."""
