"""What a node produced under one output; how it is packed and taken is left to `ports`."""

from __future__ import annotations

from contextlib import suppress
from threading import Lock
from typing import Any

from flytekit.core.type_engine import TypeEngine
from flytekit.models.literals import Literal
from flytekit.models.types import LiteralType

from flytenb.bridge.crossing.literal import to_literal, to_native
from flytenb.bridge.crossing.ways import UnprovenError, Way


class Port:
    """What all values of one output have in common."""

    __slots__ = ("_literal_type", "python_type", "way")

    def __init__(self, python_type: Any, literal_type: LiteralType | None, way: Way | None) -> None:
        self.python_type = python_type
        self.way = way
        self._literal_type = literal_type

    @property
    def trusted_way(self) -> Way:
        """The way of a value that was packed by one."""
        assert self.way is not None
        return self.way

    @property
    def literal_type(self) -> LiteralType:
        """The literal type, asked for when first needed."""
        if self._literal_type is None:
            self._literal_type = TypeEngine.to_literal_type(self.python_type)
        return self._literal_type


class Value:
    """What a node produced under one output, isolated from its producer and from all who take it."""

    __slots__ = ("port",)

    def __init__(self, port: Port) -> None:
        self.port = port

    @property
    def python_type(self) -> Any:
        """The type that the producer declared."""
        return self.port.python_type

    @property
    def literal_type(self) -> LiteralType:
        """What the type engine makes of that type."""
        return self.port.literal_type

    @property
    def way(self) -> str:
        """How it crosses: `"share"`, `"copy"`, `"array"`, `"frame"` or `"literal"`."""
        return "literal"

    def literal(self) -> Literal:
        """Return the literal, made at the first call and kept; safe to call from several threads."""
        raise NotImplementedError

    def native(self) -> Any:
        """Return a copy of its own, as the declared type."""
        raise NotImplementedError


class SharedValue(Value):
    """An immutable value. It has no lock: whoever makes the literal a second time makes the same."""

    __slots__ = ("_literal", "held")

    def __init__(self, port: Port, held: Any) -> None:
        self.port = port
        self.held = held
        self._literal: Literal | None = None

    @property
    def way(self) -> str:
        """Always the cheapest."""
        return "share"

    def literal(self) -> Literal:
        """Convert when first asked."""
        if self._literal is None:
            self._literal = to_literal(self.held, self.port.python_type, self.port.literal_type)
        return self._literal

    def native(self) -> Any:
        """Return the value itself, unless its type has got another transformer since."""
        if self.port.trusted_way.trust.holds():
            return self.held
        return to_native(self.literal(), self.port.python_type)


class CopiedValue(Value):
    """A value that was proven and copied: `held` is nobody else's and never changed."""

    __slots__ = ("_literal", "_lock", "held")

    def __init__(self, port: Port, held: Any) -> None:
        self.port = port
        self.held = held
        self._literal: Literal | None = None
        self._lock = Lock()

    @property
    def way(self) -> str:
        """As the type's way is called."""
        return self.port.trusted_way.name

    def literal(self) -> Literal:
        """Convert when first asked, and only once: a file may have to be written."""
        with self._lock:
            if self._literal is None:
                self._literal = to_literal(self.held, self.port.python_type, self.port.literal_type)
            return self._literal

    def native(self) -> Any:
        """Copy what is held, unless its type has got another transformer since."""
        way = self.port.trusted_way
        if way.trust.holds():
            return way.renew([self.held])[0]
        return to_native(self.literal(), self.port.python_type)


class LiteralValue(Value):
    """A value that crosses as its literal; what it converts to is kept if it can be proven."""

    __slots__ = ("_literal", "_proven")

    def __init__(self, port: Port, literal: Literal) -> None:
        self.port = port
        self._literal = literal
        self._proven: list[Any] = []

    def literal(self) -> Literal:
        """Return it as it came."""
        return self._literal

    def native(self) -> Any:
        """Convert it, the second time from the proven value of the first."""
        way = self.port.way
        if way is None or not way.trust.holds():
            return to_native(self._literal, self.port.python_type)
        if self._proven:
            return way.renew(self._proven)[0]
        native = to_native(self._literal, self.port.python_type)
        with suppress(UnprovenError):
            self._proven = way.prove([native])
        return native
