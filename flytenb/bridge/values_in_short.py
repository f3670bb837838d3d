"""Values and literals in a few characters, for a default or a constant; showing them whole is left to `display`."""

from __future__ import annotations

import dataclasses
import datetime
import reprlib
from collections.abc import Mapping
from enum import Enum
from typing import Any, get_args, get_origin

import msgpack
from flytekit.core.constants import MESSAGEPACK
from flytekit.models import literals as literal_models
from flytekit.types.pickle.pickle import FlytePickleTransformer
from google.protobuf.json_format import MessageToDict

from flytenb.wording.text import repr_in_time

SHORT = 40
"""Characters of a value in short."""

LONG = 500
"""Characters of a value that is told in full."""


class Words(str):
    """Text that is its own repr: what stands for a value that is better told by a name than by its content."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class _BoundedRepr(reprlib.Repr):
    """A repr that is bounded before it is made, with enum members, times and dataclasses as one would write them."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.maxlevel = 4
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdict = limit // 2
        self.maxstring = self.maxother = self.maxlong = limit

    def repr1(self, x: Any, level: int) -> str:
        """Return the repr of a value at one level of nesting; one of the user's that raises shows the type instead."""
        try:
            match x:
                case Words():
                    return str(x)
                case Enum():
                    return f"{type(x).__name__}.{x.name}"
                case datetime.timedelta():
                    return str(x)
                case datetime.date():
                    return x.isoformat()
            if dataclasses.is_dataclass(x) and not isinstance(x, type):
                return self._repr_dataclass(x, level)
            return super().repr1(x, level)
        except Exception:
            return f"<{type(x).__name__}>"

    def repr_instance(self, x: Any, level: int) -> str:
        """Return the repr of any other object; an address tells nobody anything."""
        own: Any = type(x).__repr__
        if own is object.__repr__:
            return f"<{type(x).__name__}>"
        return cut(repr_in_time(x), self.maxother)

    def _repr_dataclass(self, x: Any, level: int) -> str:
        if level <= 0:
            return f"{type(x).__name__}(…)"
        fields = ((f.name, getattr(x, f.name)) for f in dataclasses.fields(x))
        return f"{type(x).__name__}({', '.join(f'{k}={self.repr1(v, level - 1)}' for k, v in fields)})"


def shorten(value: Any, limit: int = SHORT) -> str:
    """Return a Python value as text of at most `limit` characters, on one line."""
    return cut(_BoundedRepr(limit).repr(value), limit)


def cut(text: str, limit: int) -> str:
    """Return the text on one line, its end replaced by `…` where it is longer than `limit`."""
    line = " ".join(text.split()) if "\n" in text or "\r" in text else text
    return line if len(line) <= limit else line[: limit - 1] + "…"


def read_literal(literal: literal_models.Literal | None, python_type: Any = None) -> Any:
    """Return what a literal holds as plain Python data, without loading anything from where it points to."""
    if literal is None:
        return None
    if literal.collection is not None:
        item = (get_args(python_type) or (None,))[0]
        return [read_literal(x, item) for x in literal.collection.literals]
    if literal.map is not None:
        item = (get_args(python_type) or (None, None))[-1]
        return {k: read_literal(x, item) for k, x in literal.map.literals.items()}
    return None if literal.scalar is None else _read_scalar(literal.scalar, python_type)


def _read_scalar(scalar: literal_models.Scalar, python_type: Any) -> Any:
    if scalar.primitive is not None:
        return _read_primitive(scalar.primitive.value, python_type)
    if scalar.union is not None:
        return read_literal(scalar.union.value, _strip_optional(python_type))
    if scalar.binary is not None:
        if scalar.binary.tag != MESSAGEPACK:
            return Words(f"<{len(scalar.binary.value)} bytes>")
        return _as_dataclass(msgpack.loads(scalar.binary.value, strict_map_key=False), python_type)
    if scalar.generic is not None:
        return _as_dataclass(MessageToDict(scalar.generic), python_type)
    if scalar.blob is not None and scalar.blob.metadata.type.format == FlytePickleTransformer.PYTHON_PICKLE_FORMAT:
        return Words("a pickled value")
    for stored in (scalar.blob, scalar.schema, scalar.structured_dataset):
        if stored is not None:
            return Words(stored.uri or "<empty>")
    if scalar.error is not None:
        return Words(f"FlyteError({scalar.error.message!r})")
    return None


def _read_primitive(value: Any, python_type: Any) -> Any:
    if isinstance(python_type, type) and issubclass(python_type, Enum):
        member = next((m for m in python_type if m.value == value), None)
        return value if member is None else member
    return value


def _strip_optional(python_type: Any) -> Any:
    """The other side of an Optional; a wider union leaves no one type to name."""
    rest = [t for t in get_args(python_type) if t is not type(None)]
    return rest[0] if len(rest) == 1 and get_origin(python_type) not in (list, dict) else None


def _as_dataclass(data: Any, python_type: Any) -> Any:
    """A mapping that came from a dataclass, in the words of its constructor."""
    if isinstance(data, Mapping) and dataclasses.is_dataclass(python_type) and isinstance(python_type, type):
        return Words(f"{python_type.__name__}({', '.join(f'{k}={shorten(v, LONG)}' for k, v in data.items())})")
    return data
