"""Type transformers written in a notebook: carried along when their class is redefined, and put to the test."""

from flytenb.bridge.transformers.carry import carry_transformers
from flytenb.bridge.transformers.conformance import Check, run_checks
from flytenb.bridge.transformers.redefined import explain_redefined, old_classes_of

__all__ = ["Check", "carry_transformers", "explain_redefined", "old_classes_of", "run_checks"]
