"""Which way a branch goes: its compiled conditions, evaluated over literals as the cluster does."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgpack
from flytekit.core.promise import get_primitive_val
from flytekit.models.core.condition import ComparisonExpression, ConjunctionExpression
from flytekit.models.literals import Literal

from flytenb.bridge.workflow.compiled import CompiledNode

_COMPARE: dict[int, Callable[[Any, Any], bool]] = {
    ComparisonExpression.Operator.EQ: operator.eq,
    ComparisonExpression.Operator.NEQ: operator.ne,
    ComparisonExpression.Operator.GT: operator.gt,
    ComparisonExpression.Operator.GTE: operator.ge,
    ComparisonExpression.Operator.LT: operator.lt,
    ComparisonExpression.Operator.LTE: operator.le,
}


@dataclass(frozen=True, slots=True)
class Way:
    """One case: whether it is taken, what stands in it, whose outputs count, or what it fails with."""

    holds: Callable[[Mapping[str, Literal]], bool]
    nodes: tuple[CompiledNode, ...]
    then: str | None
    error: str | None


def read_ways(node: CompiledNode) -> list[Way]:
    """The cases of a branch node, in the order in which they are asked."""
    return [Way(_condition(case.condition), case.nodes, case.then, case.error) for case in node.cases]


def _condition(expression: Any) -> Callable[[Mapping[str, Literal]], bool]:
    if expression is None:
        return lambda operands: True
    return lambda operands: _holds(expression, operands)


def _holds(expression: Any, operands: Mapping[str, Literal]) -> bool:
    """Evaluate a BooleanExpression model (flyteidl core/condition)."""
    if expression.conjunction is not None:
        both = expression.conjunction
        left = _holds(both.left_expression, operands)
        if both.operator == ConjunctionExpression.LogicalOperator.AND:
            return left and _holds(both.right_expression, operands)
        return left or _holds(both.right_expression, operands)
    comparison = expression.comparison
    left = _operand(comparison.left_value, operands)
    right = _operand(comparison.right_value, operands)
    if left is None or right is None:
        # None has no order: a comparison with it holds only for (in)equality.
        is_equality = comparison.operator in (ComparisonExpression.Operator.EQ, ComparisonExpression.Operator.NEQ)
        return is_equality and bool(_COMPARE[comparison.operator](left, right))
    return bool(_COMPARE[comparison.operator](left, right))


def _operand(operand: Any, operands: Mapping[str, Literal]) -> Any:
    if operand.var:
        return plain_value(operands[operand.var])
    if operand.primitive is not None:
        return get_primitive_val(operand.primitive)
    return None


def plain_value(literal: Literal) -> Any:
    """The Python value of a primitive, None or union literal, which is all that a condition may compare.

    Raises:
        ValueError: for anything else, as flytekit does.
    """
    scalar = literal.scalar
    while scalar is not None and scalar.union is not None:
        scalar = scalar.union.value.scalar
    if scalar is not None:
        if scalar.none_type is not None:
            return None
        if scalar.primitive is not None:
            return get_primitive_val(scalar.primitive)
        if scalar.binary is not None and scalar.binary.tag == "msgpack":
            value = msgpack.loads(scalar.binary.value, strict_map_key=False)
            if value is None or isinstance(value, bool | int | float | str):
                return value
    raise ValueError("Only primitive values can be used in comparison")


def branch_outputs(node: CompiledNode) -> list[str]:
    """The outputs that a branch has: those that every case which doesn't fail has too."""
    outputs: list[str] | None = None
    for case in node.cases:
        inner = next((n for n in case.nodes if n.path == case.then), None)
        if inner is None:
            continue
        names = branch_outputs(inner) if inner.cases else list(inner.entity.python_interface.outputs)
        outputs = names if outputs is None else [o for o in outputs if o in names]
    return outputs or []
