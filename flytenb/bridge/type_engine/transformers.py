"""Transformers and literal types, as the type engine finds them; its log messages, captured."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import is_dataclass
from typing import Any, get_args, get_origin

from flytekit.core.context_manager import FlyteContextManager
from flytekit.core.type_engine import DataclassTransformer, EnumTransformer, TypeEngine, TypeTransformer
from flytekit.loggers import logger
from flytekit.models.types import LiteralType
from flytekit.types.pickle.pickle import FlytePickleTransformer
from flytekit.types.structured import StructuredDataset

from flytenb.bridge import private

# Not per thread: flytekit converts members of unions and items of lists on threads of its own, in the same context.
_capture: ContextVar[_Capture | None] = ContextVar("_capture", default=None)


@contextmanager
def captured_log() -> Iterator[list[str]]:
    """Keep the messages that flytekit logs in this context out of its log; yield the list of them."""
    capture = _Capture()
    before = _capture.set(capture)
    logger.addFilter(capture)
    try:
        yield capture.messages
    finally:
        logger.removeFilter(capture)
        _capture.reset(before)


class _Capture(logging.Filter):
    """Takes the messages of one context; a run in the background keeps its log."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        if _capture.get() is not self:
            return True
        self.messages.append(record.getMessage())
        return False


def find_transformer(python_type: Any) -> TypeTransformer[Any]:
    """Return the transformer that flytekit uses for a type, without logging its warning about pickle."""
    with captured_log():
        return TypeEngine.get_transformer(python_type)


def literal_type_of(python_type: Any) -> LiteralType:
    """Return the literal type of a Python type; raise what flytekit raises for a type that it rejects."""
    return TypeEngine.to_literal_type(python_type)


def is_converted_by_content(python_type: Any) -> bool:
    """Tell whether flytekit's own dataclass, enum or pickle transformer converts a type: only the content counts."""
    transformer = type(TypeEngine.get_transformer(python_type))
    if transformer is DataclassTransformer:
        return is_dataclass(python_type)
    return transformer in (EnumTransformer, FlytePickleTransformer)


def register(transformer: TypeTransformer[Any], python_type: Any) -> None:
    """Register a transformer for a type."""
    TypeEngine.register_additional_type(transformer, python_type)


def types_of(transformer: TypeTransformer[Any]) -> list[Any]:
    """Return the types that a transformer is registered for."""
    return [python_type for python_type, known in private.transformer_registry().items() if known is transformer]


def frame_types() -> list[Any]:
    """Return the classes that flytekit stores as a structured dataset."""
    engine = type(find_transformer(StructuredDataset))
    return [python_type for python_type, known in private.transformer_registry().items() if type(known) is engine]


def without_codecs(transformer: TypeTransformer[Any]) -> TypeTransformer[Any]:
    """Return a copy of a transformer that can be pickled."""
    bare = copy.copy(transformer)
    private.forget_codecs(bare)
    return bare


def accepts_none(transformer: TypeTransformer[Any], python_type: Any) -> bool:
    """Whether a transformer converts None, called as a union calls it: the type engine itself rejects None earlier."""
    context = FlyteContextManager.current_context()
    try:
        transformer.to_literal(context, None, python_type, literal_type_of(python_type))
    except Exception:
        return False
    return True


def html_of(transformer: TypeTransformer[Any], value: Any, python_type: Any) -> Any:
    """Return the HTML of a value as a deck shows it."""
    return transformer.to_html(FlyteContextManager.current_context(), value, python_type)


def own_html(declared: Any) -> Callable[[Any], str] | None:
    """Return the `to_html` that a transformer outside of flytekit defines for a type, as a function of the value.

    flytekit's own are left out: they render whole frames and fail on some values, and the built-in displays cover
    these types. Only registered types are looked up, since flytekit logs a warning about pickle for any other.
    """
    transformer = _registered(declared)
    if transformer is None:
        return None
    home = next(c for c in type(transformer).__mro__ if "to_html" in vars(c))
    if home.__module__.partition(".")[0] == "flytekit":
        return None

    def html(value: Any) -> str:
        source: str = html_of(transformer, value, declared)
        return source

    html.__qualname__ = f"{home.__qualname__}.to_html"
    return html


def _registered(declared: Any) -> TypeTransformer[Any] | None:
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
    except TypeError:  # an unhashable type, such as a StructuredDataset with columns
        return False
