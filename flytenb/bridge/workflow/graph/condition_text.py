"""Text of a case's condition, with the names of its operands."""

from __future__ import annotations

from collections.abc import Mapping

from flytenb.model.workflow import ComparisonExpression, Condition, ConjunctionExpression, Operand
from flytenb.wording.values import SHORT, brief

_IS = {"==": "is", "!=": "is not"}
"""Operators before a truth value or None."""


def condition_text(condition: Condition | None, names: Mapping[str, str]) -> str:
    """Return a condition as text: `p > 3 and q < 9`.

    Args:
        condition: None for the last case.
        names: the name of each operand of the branch, by its variable.
    """
    if condition is None:
        return "else"
    if isinstance(condition, ComparisonExpression):
        return _comparison_text(condition, names)
    sides = (condition.left, condition.right)
    return f" {condition.operator} ".join(_side_text(side, condition.operator, names) for side in sides)


def _side_text(side: Condition, operator: str, names: Mapping[str, str]) -> str:
    """One side of and/or, in brackets where it mixes the two."""
    text = condition_text(side, names)
    return f"({text})" if isinstance(side, ConjunctionExpression) and side.operator != operator else text


def _comparison_text(comparison: ComparisonExpression, names: Mapping[str, str]) -> str:
    right, operator = comparison.right, comparison.operator
    if not right.name and (right.value is None or isinstance(right.value, bool)):
        operator = _IS.get(operator, operator)
    return f"{_operand_text(comparison.left, names)} {operator} {_operand_text(right, names)}"


def _operand_text(operand: Operand, names: Mapping[str, str]) -> str:
    if operand.name:
        return names.get(operand.name, operand.name)
    return str(operand.value).lower() if isinstance(operand.value, bool) else brief(operand.value, SHORT)
