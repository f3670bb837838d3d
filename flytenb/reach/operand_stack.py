"""Operand stack of interpreted bytecode; an operand that isn't there, in code that isn't understood, is unknown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flytenb.reach.abstract_values import UNKNOWN, AbstractValue, join


class OperandStack:
    """The operands of one call; places are counted from the top, which is 1."""

    def __init__(self, operands: Sequence[AbstractValue] = ()) -> None:
        self._operands = list(operands)

    @property
    def top(self) -> AbstractValue:
        """The operand on top."""
        return self.at(1)

    def at(self, place: int) -> AbstractValue:
        """Return the operand at a place."""
        return self._operands[-place] if place <= len(self._operands) else UNKNOWN

    def put(self, place: int, operand: AbstractValue) -> None:
        """Replace the operand at a place, if there is one."""
        if place <= len(self._operands):
            self._operands[-place] = operand

    def push(self, operand: AbstractValue) -> None:
        """Add an operand on top."""
        self._operands.append(operand)

    def extend(self, operands: Iterable[AbstractValue]) -> None:
        """Add operands, the last on top."""
        self._operands += operands

    def pop(self) -> AbstractValue:
        """Remove and return the operand on top."""
        return self._operands.pop() if self._operands else UNKNOWN

    def take(self, count: int) -> list[AbstractValue]:
        """Remove and return several operands, the top last."""
        return [self.pop() for _ in range(count)][::-1]

    def copy(self) -> OperandStack:
        """Return a copy."""
        return OperandStack(self._operands)

    def after(self, effect: int) -> OperandStack:
        """Return a copy with so many operands more, or less."""
        return OperandStack([*self._operands, *[UNKNOWN] * effect] if effect >= 0 else self._operands[:effect])

    def met(self, other: OperandStack) -> OperandStack:
        """Return the stack where two ways through the code meet; itself if they don't fit."""
        if not other._operands or len(self._operands) != len(other._operands):
            return self
        return OperandStack([join(pair) for pair in zip(self._operands, other._operands, strict=True)])
