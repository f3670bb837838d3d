"""Evaluation of a branch's conditions over literals, as a cluster evaluates them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import msgpack
from flytekit.core.promise import get_primitive_val
from flytekit.models.literals import Literal

from flytenb.model.workflow import Condition, ConjunctionExpression, Operand

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def is_met(condition: Condition | None, operands: Mapping[str, Literal]) -> bool:
    """Tell whether a condition holds; the condition of `else` always does.

    Args:
        condition: the condition of a case.
        operands: the branch's inputs by name.

    Raises:
        ValueError: for an operand that can't be compared.
    """
    if condition is None:
        return True
    if isinstance(condition, ConjunctionExpression):
        is_left_met = is_met(condition.left, operands)
        if condition.operator == "and":
            return is_left_met and is_met(condition.right, operands)
        return is_left_met or is_met(condition.right, operands)
    left, right = _value(condition.left, operands), _value(condition.right, operands)
    if (left is None or right is None) and condition.operator not in ("==", "!="):
        return False  # None has no order
    return bool(_COMPARE[condition.operator](left, right))


def _value(operand: Operand, operands: Mapping[str, Literal]) -> Any:
    return plain_value(operands[operand.name]) if operand.name else operand.value


def plain_value(literal: Literal) -> Any:
    """Return the Python value of a primitive, None or union literal; a condition compares nothing else.

    Raises:
        ValueError: for any other literal, with flytekit's message.
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
