"""Type checks of the bindings of a compiled workflow: refuse what a cluster's compiler refuses, with Python's types.

flytekit binds a promise to any input or output. A cluster compares the types when a workflow is registered
(`flytepropeller/pkg/compiler/validators/`: `bindings.go`, `branch.go`). A type that isn't known here is accepted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, NamedTuple, NoReturn, get_args, get_origin

from flyteidl.core.literals_pb2 import Scalar
from flyteidl.core.types_pb2 import LiteralType, SimpleType, StructuredDatasetType, UnionType
from flytekit.core.condition import BranchNode
from flytekit.core.constants import MESSAGEPACK
from flytekit.core.gate import Gate
from flytekit.models.types import LiteralType as LiteralTypeModel

from flytenb.bridge import private
from flytenb.bridge.entities.kind import short_name
from flytenb.bridge.type_engine.literal_data import literal_type_text
from flytenb.bridge.type_engine.literal_forms import SIMPLE_TYPES
from flytenb.bridge.workflow.castable import are_castable
from flytenb.bridge.workflow.node_paths import cases_of
from flytenb.errors import DefinitionError, closest
from flytenb.wording.types import type_text
from flytenb.wording.values import brief

_HINT = (
    "declare the same type on both sides, or convert the value in a task between them; "
    "a cluster refuses to register the workflow as it is"
)


class Declared(NamedTuple):
    """A type as Python annotation, if that is known, and as Flyte's literal type."""

    python: Any
    literal: LiteralType

    def __str__(self) -> str:
        if self.python is not None:
            return type_text(self.python)
        return literal_type_text(LiteralTypeModel.from_flyte_idl(self.literal))


def refuse_wrong_inputs(workflow: Any, nodes: Iterable[Any]) -> None:
    """Raise if the binding of a node's input has a type that doesn't fit.

    Args:
        workflow: a compiled workflow.
        nodes: its nodes, those inside its conditionals too.

    Raises:
        DefinitionError: with the input, the nodes and both types.
    """
    checks = _Checks(workflow)
    for node in nodes:
        if isinstance(node.flyte_entity, BranchNode):
            checks.refuse_different_cases(node)
        elif not isinstance(node.flyte_entity, Gate):
            checks.refuse_wrong_inputs(node)


def refuse_wrong_outputs(workflow: Any) -> None:
    """Raise if the binding of a workflow's output has a type that doesn't fit.

    Raises:
        DefinitionError: with the output, the node and both types.
    """
    _Checks(workflow).refuse_wrong_outputs()


class _Checks:
    def __init__(self, workflow: Any) -> None:
        self._workflow = workflow
        self._known: dict[tuple[int, str, str], Declared | None] = {}

    def _declared(self, entity: Any, side: str, name: str) -> Declared | None:
        """Return what an entity declares, read once for all its nodes."""
        key = (id(entity), side, name)
        if key not in self._known:
            self._known[key] = _declared(entity, side, name)
        return self._known[key]

    def refuse_wrong_inputs(self, node: Any) -> None:
        for binding in node.bindings:
            expected = self._declared(node.flyte_entity, "inputs", binding.var)
            problem = self._problem_of(binding, expected)
            if problem is not None:
                self._refuse(f"the input {binding.var!r} of {_name(node)} takes {expected}, {problem}")

    def refuse_wrong_outputs(self) -> None:
        for binding in private.compiled_outputs(self._workflow):
            expected = self._declared(self._workflow, "outputs", binding.var)
            problem = self._problem_of(binding, expected)
            if problem is not None:
                self._refuse(f"the output {binding.var!r} is declared {expected}, {problem}")

    def _problem_of(self, binding: Any, expected: Declared | None) -> str | None:
        return None if expected is None else self._problem(binding.binding, expected)

    def _refuse(self, what: str) -> NoReturn:
        raise DefinitionError(f"{self._workflow.short_name}: {what}", hint=_HINT)

    def refuse_different_cases(self, branch: Any) -> None:
        """Raise if the cases of a conditional have an output of one name with different types."""
        thens = [case.then for case in cases_of(branch.flyte_entity) if case.then is not None]
        first = thens[0] if thens else None
        common = self._outputs(first) if first is not None else {}
        for then in thens[1:]:
            found = self._outputs(then)
            common = {name: known for name, known in common.items() if name in found}
            for name, known in common.items():
                if found[name].literal != known.literal:
                    raise DefinitionError(
                        f"{self._workflow.short_name}: the cases of {_name(branch)} give {name!r} different types: "
                        f"{_name(first)} gives {known}, {_name(then)} gives {found[name]}",
                        hint="a cluster takes a conditional only if its cases give one type",
                    )

    def _outputs(self, node: Any) -> dict[str, Declared]:
        """Return the outputs of a case's node; of a nested conditional, those that all its cases share."""
        entity = node.flyte_entity
        if isinstance(entity, BranchNode):
            inside = [self._outputs(case.then) for case in cases_of(entity) if case.then is not None]
            return {name: d for name, d in inside[0].items() if all(name in o for o in inside)} if inside else {}
        names = getattr(getattr(entity, "interface", None), "outputs", None) or ()
        found = {name: self._output(node, name) for name in names}
        return {name: declared for name, declared in found.items() if declared is not None}

    def _output(self, node: Any, name: str) -> Declared | None:
        """Return the type of one output of a node; of a workflow input for the start node."""
        if not node.id:
            return self._declared(self._workflow, "inputs", name)
        entity = node.flyte_entity
        if isinstance(entity, BranchNode):
            thens = (case.then for case in cases_of(entity) if case.then is not None)
            return next((found for then in thens if (found := self._output(then, name)) is not None), None)
        if isinstance(entity, Gate) and entity.literal_type is not None:
            return Declared(entity.input_type, entity.literal_type.to_flyte_idl())
        if isinstance(entity, Gate):  # an approval passes its input on
            bound = next((b.binding.promise for b in node.bindings if b.var == name), None)
            return None if bound is None else self._promised(bound)
        return self._declared(entity, "outputs", name)

    def _promised(self, promise: Any) -> Declared | None:
        """Return the type of a promise after its attributes.

        Raises:
            DefinitionError: for a field that a dataclass doesn't have.
        """
        found = self._output(promise.node, promise.var)
        for attribute in promise.attr_path or ():
            if found is None:
                return None
            fields = found.literal.structure.dataclass_type
            if found.literal.WhichOneof("type") == "simple" and fields and attribute not in fields:
                raise DefinitionError(
                    f"{self._workflow.short_name}: {promise.var!r} of {_name(promise.node)} has no field "
                    f"{brief(attribute, 60)}",
                    hint=closest(str(attribute), fields),
                )
            found = _attribute(found, attribute)
        return found

    # --- bindings ----------------------------------------------------------------------------------------------

    def _problem(self, binding: Any, expected: Declared) -> str | None:
        """Return what is wrong with a binding, as the rest of a sentence that ends in the expected type."""
        if binding.promise is not None:
            return self._problem_of_promise(binding.promise, expected)
        if binding.scalar is not None:
            return _problem_of_scalar(binding.scalar.to_flyte_idl(), expected)
        if expected.literal.WhichOneof("type") == "union_type":
            return self._problem_of_union(binding, expected)
        if binding.collection is not None:
            return self._problem_of_items("collection_type", "a list", enumerate(binding.collection.bindings), expected)
        if binding.map is not None:
            return self._problem_of_items("map_value_type", "a dict", binding.map.bindings.items(), expected)
        return None

    def _problem_of_promise(self, promise: Any, expected: Declared) -> str | None:
        given = self._promised(promise)
        if given is None or given.literal == expected.literal or are_castable(given.literal, expected.literal):
            return None
        where = "".join(f".{a}" if isinstance(a, str) else f"[{a}]" for a in promise.attr_path or ())
        of = f" of {_name(promise.node)}" if promise.node.id else ", the workflow's own input,"
        source = f"{promise.var!r}{where}{of}"
        if str(given) == str(expected):
            return f"{source} gives a {given} that has other fields or was defined elsewhere"
        fitting = [v for v in _variants(expected) if are_castable(given.literal, v.literal)]
        several = f", which fits more than one of these: {', '.join(map(str, fitting))}" if len(fitting) > 1 else ""
        return f"{source} gives {given}{several}"

    def _problem_of_union(self, binding: Any, expected: Declared) -> str | None:
        """Check that a list or dict of promises fits exactly one variant."""
        fitting = [v for v in _variants(expected) if self._problem(binding, v) is None]
        if len(fitting) == 1:
            return None
        what = "a list" if binding.collection is not None else "a dict"
        if fitting:
            return f"{what} fits more than one of these: {', '.join(map(str, fitting))}"
        return f"{what} of node outputs fits none of these"

    def _problem_of_items(self, kind: str, what: str, items: Any, expected: Declared) -> str | None:
        if expected.literal.WhichOneof("type") != kind:
            return f"{what} is given"
        inner = _inner(expected)
        problems = ((key, self._problem(item, inner)) for key, item in items)
        return next((f"its [{key!r}] takes {inner}, {found}" for key, found in problems if found is not None), None)


def _problem_of_scalar(scalar: Scalar, expected: Declared) -> str | None:
    given = _type_of_scalar(scalar)
    if given is not None and not are_castable(given, expected.literal):
        return f"a value of type {Declared(None, given)} is given"
    values = expected.literal.enum_type.values
    text = scalar.primitive.string_value
    if expected.literal.WhichOneof("type") == "enum_type" and text not in values:
        return f"{brief(text, 60)} is given; {closest(text, values)}"
    return None


def _type_of_scalar(scalar: Scalar) -> LiteralType | None:
    """Return the type of a constant, as far as its literal determines it."""
    kind = scalar.WhichOneof("value")
    if kind == "primitive":
        return LiteralType(simple=SIMPLE_TYPES.get(scalar.primitive.WhichOneof("value"), SimpleType.NONE))
    if kind == "binary":
        return LiteralType(simple=SimpleType.STRUCT if scalar.binary.tag == MESSAGEPACK else SimpleType.BINARY)
    if kind == "blob":
        return LiteralType(blob=scalar.blob.metadata.type) if scalar.blob.HasField("metadata") else None
    if kind == "schema":
        return LiteralType(schema=scalar.schema.type)
    if kind == "structured_dataset":
        return LiteralType(
            structured_dataset_type=scalar.structured_dataset.metadata.structured_dataset_type
            if scalar.structured_dataset.HasField("metadata")
            else StructuredDatasetType()
        )
    if kind == "union":
        return LiteralType(union_type=UnionType(variants=[scalar.union.type]))
    simple = {"none_type": SimpleType.NONE, "error": SimpleType.ERROR, "generic": SimpleType.STRUCT}.get(kind or "")
    return None if simple is None else LiteralType(simple=simple)


def _declared(entity: Any, side: str, name: str) -> Declared | None:
    """Return what an entity declares for an input or output, None if that isn't known."""
    variables = getattr(getattr(entity, "interface", None), side, None) or {}
    if name not in variables:
        return None
    try:
        python = getattr(entity.python_interface, side).get(name)
    except (AttributeError, ValueError):  # fetched from a cluster
        python = None
    return Declared(python, variables[name].type.to_flyte_idl())


def _inner(declared: Declared) -> Declared:
    """Return the type of the items of a list or the values of a dict."""
    literal = declared.literal
    arguments = get_args(_unannotated(declared.python))
    inner = literal.collection_type if literal.WhichOneof("type") == "collection_type" else literal.map_value_type
    return Declared(arguments[-1] if arguments else None, inner)


def _attribute(declared: Declared, attribute: Any) -> Declared:
    """Return the type of an item or field; a type without known fields, such as a plain dict, stays the same."""
    literal = declared.literal
    if literal.WhichOneof("type") in ("collection_type", "map_value_type"):
        return _inner(declared)
    fields = literal.structure.dataclass_type
    return Declared(None, fields[attribute]) if fields else declared


def _variants(declared: Declared) -> list[Declared]:
    """Return the variants of a union in flytekit's order; empty for any other type."""
    literals = declared.literal.union_type.variants
    found = get_args(_unannotated(declared.python))
    if len(found) != len(literals):
        found = (None,) * len(literals)
    return [Declared(python, literal) for python, literal in zip(found, literals, strict=True)]


def _unannotated(python_type: Any) -> Any:
    while get_origin(python_type) is Annotated:
        python_type = get_args(python_type)[0]
    return python_type


def _name(node: Any) -> str:
    """`node n0 (double)`; a conditional by its own name."""
    entity = node.flyte_entity
    name = str(entity.name) if isinstance(entity, BranchNode) else short_name(entity)
    return f"node {node.id} ({name})"
