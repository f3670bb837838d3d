"""How Flyte treats a type, as frozen data. `display.type_lens` shows it."""

from flytenb.types.type_facts import MISSING, TypeFacts, read_type

__all__ = ["MISSING", "TypeFacts", "read_type"]
