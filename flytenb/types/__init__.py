"""What Flyte makes of a type, told as frozen data; how it is shown is left to `display.lens`."""

from flytenb.types.facts import MISSING, TypeFacts, read_type

__all__ = ["MISSING", "TypeFacts", "read_type"]
