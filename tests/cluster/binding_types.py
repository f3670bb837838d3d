"""The compiler's check of a binding against the type of the input that it is for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flyteidl.core import interface_pb2 as iface
from flyteidl.core import literals_pb2 as lit
from flyteidl.core import types_pb2 as typ
from flyteidl.core import workflow_pb2 as wf

from tests.cluster.literal_types import are_castable, type_of_scalar

Problem = tuple[str, str]
"""A code and a description."""


@dataclass(frozen=True)
class BindingTypes:
    """Checks the bindings of a node.

    Attributes:
        node: the node.
        promised: returns a node by its id, and the variable that it gives.
    """

    node: wf.Node
    promised: Callable[[typ.OutputReference], tuple[wf.Node, iface.Variable] | None]

    def problems(self, name: str, data: lit.BindingData, expected: typ.LiteralType) -> Iterator[Problem]:
        match data.WhichOneof("value"):
            case "scalar":
                yield from self._scalar_problems(name, data.scalar, expected)
            case "promise":
                yield from self._promise_problems(name, data.promise, expected)
            case "collection" | "map" as kind:
                bindings = data.collection.bindings if kind == "collection" else data.map.bindings.values()
                yield from self._problems_within(name, data, list(bindings), expected)

    def _problems_within(
        self, name: str, data: lit.BindingData, bindings: list[lit.BindingData], expected: typ.LiteralType
    ) -> Iterator[Problem]:
        if expected.HasField("union_type"):
            fitting = [v for v in expected.union_type.variants if not list(self.problems(name, data, v))]
            if len(fitting) == 1:
                return
            code = "AmbiguousBindingUnionValue" if fitting else "IncompatibleBindingUnionValue"
            words = "is ambiguous" if fitting else "does not match any of the variants."
            start = f"Input [{name}] on node [{self.node.id}] expects bindings of union type [{shown(expected)}]."
            yield code, f"{start}  Received [{shown(data)}] which {words}"
            return
        kind = "collection_type" if data.HasField("collection") else "map_value_type"
        if not expected.HasField(kind):
            start = f"Input [{name}] on node [{self.node.id}] expects bindings of type [{shown(expected)}]."
            yield "MismatchingBindings", f"{start}  Received [{shown(data)}]"
            return
        for each in bindings:
            yield from self.problems(name, each, getattr(expected, kind))

    def _scalar_problems(self, name: str, scalar: lit.Scalar, expected: typ.LiteralType) -> Iterator[Problem]:
        given = type_of_scalar(scalar)
        if not are_castable(given, expected):
            words = f"Variable [{name}] (type [{shown(given)}]) doesn't match expected type [{shown(expected)}]."
            yield "MismatchingTypes", words
        values, value = list(expected.enum_type.values), scalar.primitive.string_value
        if values and value not in values:
            start = f"Input [{name}] on node [{self.node.id}] is an Enum and expects value to be one of "
            yield "IllegalEnumValue", f"{start}[{values}].  Received [{value}]"

    def _promise_problems(
        self, name: str, promise: typ.OutputReference, expected: typ.LiteralType
    ) -> Iterator[Problem]:
        found = self.promised(promise)
        if found is None:
            return
        source, variable = found
        given = variable.type
        for step in promise.attr_path:
            if given.HasField("collection_type"):
                given = given.collection_type
            elif given.HasField("map_value_type"):
                given = given.map_value_type
            elif given.structure.dataclass_type:
                fields = given.structure.dataclass_type
                if step.string_value not in fields:
                    start = f"Variable [{promise.var}] (type [{shown(given)}]) doesn't have field"
                    yield "FieldNotFound", f"{start} [{step.string_value}]."
                    return
                given = fields[step.string_value]
        if not are_castable(given, expected):
            outer, inner = _full_name(source, promise.var), _full_name(self.node, name)
            start = f"The output variable '{outer}' has type [{shown(given)}], but it's assigned to the input variable"
            yield "MismatchingTypes", f"{start} '{inner}' which has type type [{shown(expected)}]."


def _full_name(node: wf.Node, variable: str) -> str:
    return f"{node.metadata.name}.{variable}" if node.HasField("metadata") else variable


def shown(message: typ.LiteralType | lit.BindingData) -> str:
    """A message on one line, as Go prints it."""
    return " ".join(str(message).split()).replace(": ", ":")
