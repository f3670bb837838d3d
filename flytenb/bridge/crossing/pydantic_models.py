"""Pydantic models, and lists of them, converted by flytekit's own transformer without the type engine around it.

The engine looks each element's transformer up, which takes ten times as long as the conversion of a small model.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import Any, get_args, get_origin

from flytekit.core.type_engine import ListTransformer, TypeEngine
from flytekit.models.literals import Literal, LiteralCollection

from flytenb.bridge import private
from flytenb.bridge.crossing.copiers import Trust

_LOCAL: Any = None
"""The context that flytekit's transformer of models takes and doesn't use (1.16.31)."""


class Models:
    """Converter of the instances of one class, or of lists of them.

    Args:
        cls: the class.
        is_list: whether the values are lists.
        transformer: flytekit's transformer of models.
        trust: the state of the type engine's registry that this relies on.
    """

    def __init__(self, cls: type, is_list: bool, transformer: Any, trust: Trust) -> None:
        self.trust = trust
        self._cls = cls
        self._is_list = is_list
        self._transformer = transformer

    def to_literal(self, value: Any) -> Literal | None:
        """Convert a value, or return None for one that the type engine must convert."""
        convert, cls = self._transformer.to_literal, self._cls
        if not self._is_list:
            return convert(_LOCAL, value, cls, None) if type(value) is cls else None
        if type(value) is not list or not set(map(type, value)) <= {cls}:
            return None
        return Literal(collection=LiteralCollection([convert(_LOCAL, each, cls, None) for each in value]))

    def to_native(self, literal: Literal) -> Any:
        """Convert a literal, or return None for one that isn't as `to_literal` makes it."""
        convert, cls = self._transformer.to_python_value, self._cls
        if not self._is_list:
            return convert(_LOCAL, literal, cls) if _is_packed(literal) else None
        if literal.offloaded_metadata or literal.collection is None:
            return None
        literals = literal.collection.literals
        return [convert(_LOCAL, each, cls) for each in literals] if all(map(_is_packed, literals)) else None


def find_models(python_type: Any) -> Models | None:
    """Return the converter of a type that is a class of models or a list of such, else None."""
    if "pydantic" not in sys.modules:
        return None
    try:
        found = _cached(python_type)
    except TypeError:  # an annotation may be unhashable
        return None
    return found if found is not None and found.trust.holds() else None


@lru_cache(maxsize=512)
def _cached(python_type: Any) -> Models | None:
    from pydantic import BaseModel

    is_list = get_origin(python_type) is list and len(get_args(python_type)) == 1
    cls = get_args(python_type)[0] if is_list else python_type
    if not isinstance(cls, type) or get_origin(cls) is not None or not issubclass(cls, BaseModel):
        return None
    from flytekit.extras.pydantic_transformer.transformer import PydanticTransformer

    transformer = TypeEngine.get_transformer(cls)
    if type(transformer) is not PydanticTransformer:
        return None
    if is_list and type(TypeEngine.get_transformer(python_type)) is not ListTransformer:
        return None
    registry = private.transformer_registry()
    keys = (*cls.__mro__, python_type, list) if is_list else cls.__mro__
    return Models(cls, is_list, transformer, Trust({key: registry.get(key) for key in keys}))


def _is_packed(literal: Literal) -> bool:
    scalar = literal.scalar
    return scalar is not None and scalar.binary is not None and not literal.offloaded_metadata
