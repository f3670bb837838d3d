"""Values between nodes. Packing and unpacking them is left to `packers`."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

from flytekit.core.type_engine import TypeEngine
from flytekit.models.literals import Literal
from flytekit.models.types import LiteralType

from flytenb.bridge.crossing.copiers import Copier, UnprovenError
from flytenb.bridge.crossing.literal import to_literal, to_native
from flytenb.locks import new_lock

_making = new_lock()


class OutputType:
    """Type of an output: the properties that all its values share."""

    __slots__ = ("_literal_type", "copier", "python_type")

    def __init__(self, python_type: Any, literal_type: LiteralType | None, copier: Copier | None) -> None:
        self.python_type = python_type
        self.copier = copier
        self._literal_type = literal_type

    @property
    def trusted_copier(self) -> Copier:
        """The copier of a value that was packed by one."""
        assert self.copier is not None
        return self.copier

    @property
    def literal_type(self) -> LiteralType:
        """The literal type, computed on first use."""
        if self._literal_type is None:
            self._literal_type = TypeEngine.to_literal_type(self.python_type)
        return self._literal_type


class CrossingValue:
    """A value that a node produced, isolated from its producer and its consumers."""

    __slots__ = ("output_type",)

    def __init__(self, output_type: OutputType) -> None:
        self.output_type = output_type

    @property
    def python_type(self) -> Any:
        """The type that the producer declared."""
        return self.output_type.python_type

    @property
    def literal_type(self) -> LiteralType:
        """The literal type of that type."""
        return self.output_type.literal_type

    @property
    def method(self) -> str:
        """How it crosses: `"share"`, `"copy"`, `"array"`, `"frame"` or `"literal"`."""
        return "literal"

    def literal(self) -> Literal:
        """Return the literal, made at the first call and kept; safe to call from several threads."""
        raise NotImplementedError

    def native(self) -> Any:
        """Return an isolated copy, as the declared type."""
        raise NotImplementedError

    def plain(self) -> str | int | None:
        """Return a text or integer without converting anything, None for all other values."""
        return None


class SharedValue(CrossingValue):
    """An immutable value. It has no lock: a literal that is made twice is equal."""

    __slots__ = ("_literal", "held")

    def __init__(self, output_type: OutputType, held: Any) -> None:
        self.output_type = output_type
        self.held = held
        self._literal: Literal | None = None

    @property
    def method(self) -> str:
        """Always `"share"`."""
        return "share"

    def literal(self) -> Literal:
        """Convert on first use."""
        if self._literal is None:
            self._literal = to_literal(self.held, self.output_type.python_type, self.output_type.literal_type)
        return self._literal

    def native(self) -> Any:
        """Return the value itself, unless its type has another transformer by now."""
        if self.output_type.trusted_copier.trust.holds():
            return self.held
        return to_native(self.literal(), self.output_type.python_type)

    def plain(self) -> str | int | None:
        """Return what is held, if it is one."""
        is_plain = type(self.held) in (str, int, bool) and self.output_type.trusted_copier.trust.holds()
        return self.held if is_plain else None


class CopiedValue(CrossingValue):
    """A value that was proven and copied: `held` has no other owner and is never changed."""

    __slots__ = ("_literal", "_lock", "held")

    def __init__(self, output_type: OutputType, held: Any) -> None:
        self.output_type = output_type
        self.held = held
        self._literal: Literal | None = None
        self._lock: threading.Lock | None = None  # made on first use: the garbage collector traverses locks

    @property
    def method(self) -> str:
        """The name of the type's copier."""
        return self.output_type.trusted_copier.name

    def literal(self) -> Literal:
        """Convert on first use, and only once: a file may have to be written."""
        with _making:
            lock = self._lock = self._lock or new_lock()
        with lock:
            if self._literal is None:
                self._literal = to_literal(self.held, self.output_type.python_type, self.output_type.literal_type)
            return self._literal

    def native(self) -> Any:
        """Copy the held value, unless its type has another transformer by now."""
        copier = self.output_type.trusted_copier
        if copier.trust.holds():
            return copier.renew([self.held])[0]
        return to_native(self.literal(), self.output_type.python_type)


class LiteralValue(CrossingValue):
    """A value that crosses as its literal; the converted value is kept if it can be proven."""

    __slots__ = ("_literal", "_proven")

    def __init__(self, output_type: OutputType, literal: Literal) -> None:
        self.output_type = output_type
        self._literal = literal
        self._proven: list[Any] = []

    def literal(self) -> Literal:
        """Return the literal."""
        return self._literal

    def plain(self) -> str | int | None:
        """Return a primitive of the literal, as flytekit's own transformers of `str` and `int` convert it."""
        return plain_primitive(self._literal, self.output_type.python_type)

    def native(self) -> Any:
        """Convert it; after the first time, copy the proven value."""
        copier = self.output_type.copier
        if copier is None or not copier.trust.holds():
            return to_native(self._literal, self.output_type.python_type)
        if self._proven:
            return copier.renew(self._proven)[0]
        native = to_native(self._literal, self.output_type.python_type)
        with suppress(UnprovenError):
            self._proven = copier.prove([native])
        return native


def plain_primitive(literal: Literal, python_type: Any) -> str | int | None:
    """Return the text or integer of a literal, None for all other types."""
    primitive = None if literal.scalar is None else literal.scalar.primitive
    if primitive is None or python_type not in (str, int):
        return None
    found: str | int | None = primitive.string_value if python_type is str else primitive.integer
    return found
