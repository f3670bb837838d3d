"""The built-in displays, a file per family; importing this fills the built-in registry."""

# Predicates are tried newest first: an object that shows itself richly (`objects`) knows better than `records`.
from flytenb.display.values import (  # noqa: F401, I001
    scalars,
    records,
    containers,
    frames,
    arrow,
    lazy,
    arrays,
    tensors,
    pictures,
    files,
    datasets,
    markup,
    exceptions,
    objects,
    entities,
    runs,
)
