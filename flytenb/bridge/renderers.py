"""What displays need to know from flytekit: a type's own `to_html`, where a file lies, what an entity is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args, get_origin

from flytekit.core.context_manager import FlyteContextManager
from flytekit.core.type_engine import TypeEngine, TypeTransformer


def transformer_html(declared: Any) -> Callable[[Any], str] | None:
    """Return the `to_html` that the transformer of a type overrides, ready to be called with a value.

    flytekit's own overrides don't count: they render whole frames and fail on some values, and the built-in displays
    know these types. Only types that are registered are looked up, since asking the type engine for any other one
    logs a warning about pickle.
    """
    transformer = _transformer(declared)
    if transformer is None:
        return None
    home = next(c for c in type(transformer).__mro__ if "to_html" in vars(c))
    if home.__module__.partition(".")[0] == "flytekit":
        return None

    def html(value: Any) -> str:
        source: str = transformer.to_html(FlyteContextManager.current_context(), value, declared)
        return source

    html.__qualname__ = f"{home.__qualname__}.to_html"
    return html


def _transformer(declared: Any) -> TypeTransformer[Any] | None:
    annotations = get_args(declared)[1:] if hasattr(declared, "__metadata__") else ()
    for annotation in annotations:
        if isinstance(annotation, TypeTransformer):
            return annotation
    declared = get_args(declared)[0] if annotations else declared
    known = TypeEngine.get_available_transformers()
    for candidate in (declared, get_origin(declared), *getattr(declared, "__mro__", ())):
        if candidate is not None and _is_among(candidate, known):
            return TypeEngine.get_transformer(candidate)
    return None


def _is_among(candidate: Any, known: Any) -> bool:
    try:
        return candidate is not object and candidate in known
    except TypeError:
        # An unhashable type, such as a StructuredDataset with its columns.
        return False
