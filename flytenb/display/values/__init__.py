"""Built-in displays, one file per family of types; importing this package fills the built-in registry."""

# Predicates are tried newest first: the rich repr of an object (`reprs`) has precedence over `records`.
from flytenb.display.values import (  # noqa: F401, I001
    scalars,
    records,
    containers,
    frames,
    arrow,
    lazy,
    arrays,
    pictures,
    files,
    datasets,
    markup,
    exceptions,
    reprs,
    entities,
    runs,
)
