"""What a node produced under one output; how it is packed and taken is left to `ports`."""

from __future__ import annotations

from typing import Any, ClassVar

from flytekit.models.literals import Literal
from flytekit.models.types import LiteralType

from flytenb.bridge.crossing.literal import to_native


class Value:
    """What a node produced under one output, isolated from its producer and from all who take it.

    Attributes:
        python_type: the type that the producer declared.
        literal_type: what the type engine makes of it.
        way: how it crosses: `"share"`, `"copy"`, `"pickle"`, `"array"`, `"frame"` or `"literal"`.
    """

    __slots__ = ("literal_type", "python_type")
    way: ClassVar[str]

    def __init__(self, python_type: Any, literal_type: LiteralType) -> None:
        self.python_type = python_type
        self.literal_type = literal_type

    def literal(self) -> Literal:
        """Return the literal, made at the first call and kept; safe to call from several threads."""
        raise NotImplementedError

    def native(self) -> Any:
        """Return a copy of its own, as the declared type."""
        raise NotImplementedError


class LiteralValue(Value):
    """A value that crosses as its literal."""

    __slots__ = ("_literal",)
    way = "literal"

    def __init__(self, python_type: Any, literal_type: LiteralType, literal: Literal) -> None:
        super().__init__(python_type, literal_type)
        self._literal = literal

    def literal(self) -> Literal:
        """Return it as it came."""
        return self._literal

    def native(self) -> Any:
        """Convert it afresh."""
        return to_native(self._literal, self.python_type)
