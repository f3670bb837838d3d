"""Values of bindings, attributes of values, and conditions, as propeller resolves them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgpack
from flyteidl.core import condition_pb2, types_pb2
from flyteidl.core import literals_pb2 as lit
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct

NONE = lit.Literal(scalar=lit.Scalar(none_type=lit.Void()))


class Unresolved(Exception):
    """A value can't be found."""


def resolve_all(bindings: Iterable[lit.Binding], outputs: Mapping[str, lit.LiteralMap]) -> lit.LiteralMap:
    """Return the values of bindings.

    Args:
        bindings: the bindings.
        outputs: what nodes gave, by id.
    """
    return lit.LiteralMap(literals={b.var: resolve(b.binding, outputs) for b in bindings})


def resolve(data: lit.BindingData, outputs: Mapping[str, lit.LiteralMap]) -> lit.Literal:
    match data.WhichOneof("value"):
        case "collection":
            items = [resolve(each, outputs) for each in data.collection.bindings]
            return lit.Literal(collection=lit.LiteralCollection(literals=items))
        case "map":
            values = {name: resolve(each, outputs) for name, each in data.map.bindings.items()}
            return lit.Literal(map=lit.LiteralMap(literals=values))
        case "promise":
            promise = data.promise
            given = outputs.get(promise.node_id)
            if given is None or promise.var not in given.literals:
                raise Unresolved(f"Failed to find [{promise.node_id}.{promise.var}]")
            return attribute(given.literals[promise.var], promise.attr_path)
        case "scalar":
            return lit.Literal(scalar=data.scalar)
    raise Unresolved("a binding has no value")


def promised_by(data: lit.BindingData) -> Iterator[str]:
    """Return the ids of the nodes that a binding refers to."""
    if data.HasField("promise"):
        yield data.promise.node_id
    for each in (*data.collection.bindings, *data.map.bindings.values()):
        yield from promised_by(each)


def attribute(literal: lit.Literal, path: Sequence[types_pb2.PromiseAttribute]) -> lit.Literal:
    """Return a part of a literal: an item, or a field of a dataclass."""
    for i, step in enumerate(path):
        match literal.WhichOneof("value"):
            case "map":
                if step.string_value not in literal.map.literals:
                    raise Unresolved(f"key [{step.string_value}] does not exist in literal {literal.map.literals}")
                literal = literal.map.literals[step.string_value]
            case "collection":
                if step.int_value >= len(literal.collection.literals):
                    raise Unresolved(f"index [{step.int_value}] is out of range of {literal.collection.literals}")
                literal = literal.collection.literals[step.int_value]
            case _:
                return _field(literal.scalar, path[i:])
    return literal


def _field(scalar: lit.Scalar, path: Sequence[types_pb2.PromiseAttribute]) -> lit.Literal:
    is_binary = scalar.HasField("binary")
    if is_binary and scalar.binary.tag != "msgpack":
        raise Unresolved(f"Unsupported format '{scalar.binary.tag}' found for literal value.")
    value: Any = msgpack.unpackb(scalar.binary.value, strict_map_key=False) if is_binary else None
    if not is_binary:
        value = MessageToDict(scalar.generic)
    for step in path:
        key = step.string_value if step.HasField("string_value") else step.int_value
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            raise Unresolved(f"key [{key}] does not exist in literal {value}") from None
    return _literal(value, is_binary=is_binary)


def _literal(value: Any, *, is_binary: bool) -> lit.Literal:
    if isinstance(value, list) and is_binary:
        items = [lit.Literal(scalar=lit.Scalar(binary=_packed(each))) for each in value]
        return lit.Literal(collection=lit.LiteralCollection(literals=items))
    if isinstance(value, list):
        items = [_literal(each, is_binary=is_binary) for each in value]
        return lit.Literal(collection=lit.LiteralCollection(literals=items))
    match value:
        case bool():
            primitive = lit.Primitive(boolean=value)
        case int():
            primitive = lit.Primitive(integer=value)
        case float():
            primitive = lit.Primitive(float_value=value)
        case str():
            primitive = lit.Primitive(string_value=value)
        case _ if is_binary:
            return lit.Literal(scalar=lit.Scalar(binary=_packed(value)))
        case dict():
            struct = Struct()
            struct.update(value)
            return lit.Literal(scalar=lit.Scalar(generic=struct))
        case _:
            return NONE
    return lit.Literal(scalar=lit.Scalar(primitive=primitive))


def _packed(value: Any) -> lit.Binary:
    return lit.Binary(value=msgpack.packb(value), tag="msgpack")


# --- conditions -------------------------------------------------------------------------------------------------------

_Operator = condition_pb2.ComparisonExpression


def holds(expression: condition_pb2.BooleanExpression, inputs: lit.LiteralMap) -> bool:
    """Tell whether a condition of a branch holds."""
    if expression.HasField("conjunction"):
        conjunction = expression.conjunction
        sides = [holds(side, inputs) for side in (conjunction.left_expression, conjunction.right_expression)]
        return any(sides) if conjunction.operator == condition_pb2.ConjunctionExpression.OR else all(sides)
    comparison = expression.comparison
    left, right = (_primitive(each, inputs) for each in (comparison.left_value, comparison.right_value))
    kinds = left.WhichOneof("value"), right.WhichOneof("value")
    if kinds[0] != kinds[1]:
        raise Unresolved(f"Comparison between different primitives types. lVal[{kinds[0]}]:rVal[{kinds[1]}]")
    a, b = _comparable(left), _comparable(right)
    operator = comparison.operator
    if isinstance(a, bool) and operator not in (_Operator.EQ, _Operator.NEQ):
        raise Unresolved(f"[{_Operator.Operator.Name(operator)}] not defined for boolean operands.")
    match operator:
        case _Operator.EQ:
            return bool(a == b)
        case _Operator.NEQ:
            return bool(a != b)
        case _Operator.GT:
            return bool(a > b)
        case _Operator.GTE:
            return bool(a == b or a > b)
        case _Operator.LT:
            return not (a > b or a == b)
        case _:
            return not a > b


def _primitive(operand: condition_pb2.Operand, inputs: lit.LiteralMap) -> lit.Primitive:
    if operand.HasField("primitive"):
        return operand.primitive
    if operand.var not in inputs.literals:
        raise Unresolved(f"Failed to find Value for Variable [{operand.var}]")
    scalar = inputs.literals[operand.var].scalar
    if not scalar.HasField("primitive"):
        raise Unresolved("Only primitives can be compared. RHS Variable is non primitive.")
    return scalar.primitive


def _comparable(primitive: lit.Primitive) -> Any:
    value = getattr(primitive, primitive.WhichOneof("value") or "")
    return value.seconds if hasattr(value, "seconds") else value
