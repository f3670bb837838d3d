"""The built-in displays, a file per family; importing this fills the built-in registry."""

# Predicates are tried newest first, so the order here is from the general to the particular.
from flytenb.display.values import (  # noqa: F401, I001
    scalars,
    containers,
    records,
    frames,
)
