"""flytekit's boolean expressions as conditions of the model."""

from __future__ import annotations

from typing import Any

from flytekit.core.promise import get_primitive_val
from flytekit.models.core import condition as models

from flytenb.model.workflow import ComparisonExpression, Condition, ConjunctionExpression, Operand

_COMPARISONS = {
    models.ComparisonExpression.Operator.EQ: "==",
    models.ComparisonExpression.Operator.NEQ: "!=",
    models.ComparisonExpression.Operator.GT: ">",
    models.ComparisonExpression.Operator.GTE: ">=",
    models.ComparisonExpression.Operator.LT: "<",
    models.ComparisonExpression.Operator.LTE: "<=",
}
_CONJUNCTIONS = {
    models.ConjunctionExpression.LogicalOperator.AND: "and",
    models.ConjunctionExpression.LogicalOperator.OR: "or",
}


def read_condition(expression: Any) -> Condition | None:
    """Read flytekit's `BooleanExpression` (flyteidl `core/condition.proto`); None is the condition of `else`."""
    if expression is None:
        return None
    comparison, conjunction = expression.comparison, expression.conjunction
    if comparison is not None:
        operator = _COMPARISONS[comparison.operator]
        return ComparisonExpression(operator, _operand(comparison.left_value), _operand(comparison.right_value))
    left, right = read_condition(conjunction.left_expression), read_condition(conjunction.right_expression)
    assert left is not None, "a conjunction has two sides"
    assert right is not None, "a conjunction has two sides"
    return ConjunctionExpression(_CONJUNCTIONS[conjunction.operator], left, right)


def _operand(operand: Any) -> Operand:
    if operand.var:
        return Operand(operand.var)
    return Operand(value=None if operand.primitive is None else get_primitive_val(operand.primitive))
