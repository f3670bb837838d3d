"""A case's condition in words, with the names that a reader knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flytekit.models.core.condition import ComparisonExpression, ConjunctionExpression

from flytenb.bridge.values_in_short import shorten

_SYMBOLS = {
    ComparisonExpression.Operator.EQ: "==",
    ComparisonExpression.Operator.NEQ: "!=",
    ComparisonExpression.Operator.GT: ">",
    ComparisonExpression.Operator.GTE: ">=",
    ComparisonExpression.Operator.LT: "<",
    ComparisonExpression.Operator.LTE: "<=",
}
_IS = {"==": "is", "!=": "is not"}
"""How a truth value or None is compared in words."""
_WORDS = {
    ConjunctionExpression.LogicalOperator.AND: "and",
    ConjunctionExpression.LogicalOperator.OR: "or",
}


def put_in_words(condition: Any, names: Mapping[str, str]) -> str:
    """Return a boolean expression as a reader would say it: `p > 3 and q < 9`.

    Args:
        condition: flytekit's `BooleanExpression`; None is the last case.
        names: how each operand's variable is called.
    """
    if condition is None:
        return "else"
    if condition.comparison is not None:
        return _compare(condition.comparison, names)
    conjunction = condition.conjunction
    word = _WORDS[conjunction.operator]
    sides = (conjunction.left_expression, conjunction.right_expression)
    return f" {word} ".join(_side(side, conjunction.operator, names) for side in sides)


def _side(expression: Any, operator: int, names: Mapping[str, str]) -> str:
    """One side of and/or, in brackets where it mixes the two."""
    text = put_in_words(expression, names)
    is_mixed = expression.conjunction is not None and expression.conjunction.operator != operator
    return f"({text})" if is_mixed else text


def _compare(comparison: Any, names: Mapping[str, str]) -> str:
    left, right = comparison.left_value, comparison.right_value
    symbol = _SYMBOLS[comparison.operator]
    if not right.var and (_value(right) is None or isinstance(_value(right), bool)):
        symbol = _IS.get(symbol, symbol)
    return f"{_operand(left, names)} {symbol} {_operand(right, names)}"


def _operand(operand: Any, names: Mapping[str, str]) -> str:
    if operand.var:
        return names.get(operand.var, operand.var)
    value = _value(operand)
    return str(value).lower() if isinstance(value, bool) else shorten(value)


def _value(operand: Any) -> Any:
    return None if operand.primitive is None else operand.primitive.value
