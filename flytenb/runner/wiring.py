"""How values get from node to node: each value of a run has a key, each input the number of its conversion.

The part fixed by the workflow, its `Wired` nodes, is read once and kept with the compiled workflow. The part that
depends on the types' transformers is prepared once per run, as `Wires`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from flytenb.bridge.crossing import (
    CrossingValue,
    Slot,
    collector,
    from_literal,
    hash_of,
    hashed_dict,
    hashed_list,
    is_same_type,
    packer,
    unpacker,
)
from flytenb.model.workflow import (
    Binding,
    Constant,
    DictBinding,
    ListBinding,
    Policy,
    Promise,
    Workflow,
    WorkflowNode,
)
from flytenb.runner.use import Getter, Input, Key, NodeUse, PassOn, Source, Unpack, Use, Values, Wires


class InputConversions:
    """Conversions of a workflow's inputs, by number: few pairs of types, many edges."""

    def __init__(self) -> None:
        self.all: list[tuple[Binding | Unpack, Any]] = []
        self._numbers: dict[tuple[int, int, tuple[Any, ...]], int] = {}
        self._interfaces: dict[int, tuple[Any, Mapping[str, Any], tuple[str, ...]]] = {}

    def _interface(self, entity: Any) -> tuple[Mapping[str, Any], tuple[str, ...]]:
        """The types of an entity's inputs and the names of its outputs; flytekit makes both anew at each access."""
        found = self._interfaces.get(id(entity))
        if found is None:
            interface = entity.python_interface
            found = self._interfaces[id(entity)] = (entity, interface.inputs, tuple(interface.outputs))
        return found[1:]

    def number(self, binding: Binding | Unpack, consumer: Any) -> int:
        """The number of the conversion of a binding to an input of type `consumer`."""
        if not isinstance(binding, Promise):
            self.all.append((binding, consumer))
            return len(self.all) - 1
        # The list keeps the types, so that their ids aren't reused; a type need not be hashable.
        key = (id(binding.python_type), id(consumer), binding.attributes)
        found = self._numbers.get(key)
        if found is None:
            self.all.append((binding, consumer))
            found = self._numbers[key] = len(self.all) - 1
        return found

    def use(
        self,
        path: str,
        entity: Any,
        bindings: Mapping[str, Binding],
        policy: Policy,
        given: Mapping[str, Unpack] | None = None,
    ) -> NodeUse:
        """Return the use of an entity at `path`; `given` are inputs without a binding."""
        types, names = self._interface(entity)
        inputs: list[Input] = [
            (name, _key_of(b), self.number(b, types[name])) for name, b in bindings.items() if name in types
        ]
        for name, take in (given or {}).items():
            inputs.append((name, None, self.number(take, types[name])))
        outputs = tuple((name, (path, name)) for name in names)
        sources = _sources(bindings) if policy.cache_version is not None else ()
        return NodeUse(path, entity, bindings, tuple(inputs), outputs, policy, sources)


@dataclass(frozen=True, slots=True)
class Wired:
    """The wiring of a workflow's nodes, equal for all runs: derived from the compiled workflow only.

    Attributes:
        workflow: the workflow.
        uses: the use at each node, those inside conditionals too, by path.
        conversions: of the inputs.
        links: the nodes that wait for others, each with these.
    """

    workflow: Workflow
    uses: dict[str, Use]
    conversions: InputConversions
    links: tuple[tuple[str, tuple[str, ...]], ...] = field(default=())

    @classmethod
    def of(cls, workflow: Workflow) -> Wired:
        """Wire a workflow's nodes."""
        conversions = InputConversions()
        nodes = list(workflow.walk())
        uses = {node.path: _branch_use(node, conversions) if node.cases else _use(node, conversions) for node in nodes}
        waiting = ((node.path, tuple(sorted(needs(node) & uses.keys()))) for node in nodes)
        return cls(workflow, uses, conversions, tuple((path, sources) for path, sources in waiting if sources))


def _use(node: WorkflowNode, conversions: InputConversions) -> Use:
    return conversions.use(node.path, node.entity, node.bindings, node.policy)


def _branch_use(node: WorkflowNode, conversions: InputConversions) -> Use:
    refs = [ref for ref in node.bindings.values() if isinstance(ref, Promise)]
    inputs = tuple((ref.output, _key_of(ref), conversions.number(ref, ref.python_type)) for ref in refs)
    outputs = tuple((name, (node.path, name)) for name in node.outputs)
    return NodeUse(node.path, None, node.bindings, inputs, outputs, node.policy)


class ElementUse:
    """The use of a map's target at one element: what isn't common to all is made when it is asked for.

    Most of it is asked for once, and the garbage collector would traverse a dozen objects per element until then.

    Args:
        path: the path of the element.
        common: the use of the target at all elements, with the map's path.
    """

    __slots__ = ("_common", "path")

    def __init__(self, path: str, common: NodeUse) -> None:
        self.path = path
        self._common = common

    @property
    def entity(self) -> Any:
        return self._common.entity

    @property
    def policy(self) -> Policy:
        return self._common.policy

    @property
    def bindings(self) -> Mapping[str, Binding]:
        door, common = _door(self.path), self._common.bindings
        return {name: replace(binding, path=door) for name, binding in common.items() if isinstance(binding, Promise)}

    @property
    def inputs(self) -> tuple[Input, ...]:
        door = _door(self.path)
        return tuple([(name, key and (door, name), number) for name, key, number in self._common.inputs])

    @property
    def outputs(self) -> tuple[tuple[str, Key], ...]:
        return tuple([(name, (self.path, name)) for name, _ in self._common.outputs])

    @property
    def sources(self) -> tuple[tuple[str, Source], ...]:
        return _sources(self.bindings) if self._common.sources else ()


class Wiring:
    """The values of one run. Thread-safe: what two threads make at the same time is equal.

    Args:
        strict: whether every value crosses as a literal.
    """

    def __init__(self, *, strict: bool) -> None:
        self.strict = strict
        self.values: Values = {}
        self._unpackers: dict[tuple[int, int, tuple[Any, ...]], tuple[Unpack, Any, Any]] = {}

    def connect(self, conversions: InputConversions) -> Wires:
        """Prepare how inputs are taken, with the transformers that their types have now."""
        unpackers = [self._unpacker(conversion, consumer) for conversion, consumer in conversions.all]
        return Wires(self.values, unpackers)

    def _unpacker(self, conversion: Binding | Unpack, consumer: Any) -> Unpack:
        if isinstance(conversion, Promise):
            return self.unpacker_of(conversion.python_type, consumer, conversion.attributes)
        if isinstance(conversion, Constant):
            native = from_literal(conversion.literal, consumer).native
            return lambda _: native()
        if not isinstance(conversion, ListBinding | DictBinding):
            return conversion
        shape, refs = _shape(conversion)
        keys = [_key_of(ref) for ref in refs]
        collect, values = collector(consumer, shape, strict=self.strict), self.values
        return lambda _: collect([values.get(key) for key in keys])  # type: ignore[arg-type, misc]

    def unpacker_of(self, producer: Any, consumer: Any, attributes: tuple[Any, ...] = ()) -> Unpack:
        """How a value of one type is taken as another, made once: a workflow has few pairs of types and many edges.

        The types are kept, so that their ids aren't reused; a type need not be hashable.
        """
        key = (id(producer), id(consumer), attributes)
        found = self._unpackers.get(key)
        if found is None:
            take: Any = unpacker(producer, consumer, attributes, strict=self.strict)
            found = self._unpackers[key] = (take, producer, consumer)
        return found[0]

    def passer(self, binding: Binding, declared: Any) -> PassOn:
        """Return how a value crosses a workflow's boundary: packed again, unless both types are the same."""
        values = self.values
        take, key = self._unpacker(binding, declared), _key_of(binding)
        pass_on = self.packed(lambda: take(values.get(key)), declared)  # type: ignore[arg-type]
        if not isinstance(binding, Promise) or binding.attributes:
            return pass_on
        if is_same_type(binding.python_type, declared):
            # As on a cluster, which converts nothing here: a map with failed elements passes its None on as well.
            return lambda: values.get(key)  # type: ignore[arg-type, return-value]

        def pass_hashed() -> CrossingValue:
            """A literal that carries a hash of its producer's passes as it is, as on a cluster."""
            value = values.get(key)  # type: ignore[arg-type]
            is_hashed = value is not None and hash_of(value) is not None
            return from_literal(value.literal(), declared) if is_hashed else pass_on()  # type: ignore[union-attr]

        return pass_hashed

    def packed(self, get: Getter, declared: Any) -> PassOn:
        """How what a getter takes is passed on as `declared`."""
        pack = packer(declared, strict=self.strict)
        return lambda: pack(get())

    def given(self, value: Any, declared: Any) -> CrossingValue:
        """Pack a known input.

        Raises:
            Exception: the type engine's error for a value that the type doesn't admit.
        """
        return packer(declared, strict=self.strict)(value)

    def put(self, path: str, inputs: Mapping[str, CrossingValue]) -> dict[str, Binding]:
        """Store values as inputs of the node at `path`; return the bindings to them."""
        door = _door(path)
        for name, value in inputs.items():
            self.values[door, name] = value
        return {name: Promise(door, name, (), value.python_type) for name, value in inputs.items()}

    def put_elements(self, common: NodeUse, columns: Mapping[str, Sequence[CrossingValue]], total: int) -> list[Use]:
        """Store values as inputs of the elements of a map; return the use of its target at each.

        Args:
            common: the use of the target, with the map's path and bindings.
            columns: the values of each input, one per element, all of one type.
            total: the number of elements.
        """
        uses: list[Use] = [ElementUse(f"{common.path}/{number}", common) for number in range(total)]
        for name, column in columns.items():
            self.values.update(((_door(use.path), name), value) for use, value in zip(uses, column, strict=True))
        return uses


def needs(node: WorkflowNode) -> set[str]:
    """Return the paths that a node waits for: those of its inputs, and its upstream nodes."""
    needed = set(node.upstream)
    # flytekit doesn't list a node that a case passes on (`.then(p)`) as upstream of the branch.
    needed |= {case.then for case in node.cases if case.then is not None and not case.then.startswith(f"{node.path}/")}
    todo = list(node.bindings.values())
    while todo:
        binding = todo.pop()
        if isinstance(binding, Promise):
            needed.add(binding.path)
        elif isinstance(binding, ListBinding):
            todo += binding.items
        elif isinstance(binding, DictBinding):
            todo += binding.items.values()
    needed.discard(node.path)
    return needed


def _door(path: str) -> str:
    return f"{path}/@given"


def _key_of(binding: Binding) -> Key | None:
    return (binding.path, binding.output) if isinstance(binding, Promise) else None


def _sources(bindings: Mapping[str, Binding]) -> tuple[tuple[str, Source], ...]:
    """Return the sources of inputs without an attribute path, whole or by the elements of a list or dict."""
    found = ((name, _source(binding)) for name, binding in bindings.items())
    return tuple((name, source) for name, source in found if source is not None)


def _source(binding: Binding) -> Source | None:
    if isinstance(binding, Promise):
        return None if binding.attributes else partial(_value_at, (binding.path, binding.output))
    if isinstance(binding, ListBinding):
        sources = [source for inner in binding.items if (source := _source(inner)) is not None]
        return partial(_list_of, sources) if len(sources) == len(binding.items) else None
    if isinstance(binding, DictBinding):
        named = {k: source for k, inner in binding.items.items() if (source := _source(inner)) is not None}
        return partial(_dict_of, named) if len(named) == len(binding.items) else None
    return partial(_constant, from_literal(binding.literal, None))


def _value_at(key: Key, values: Values) -> CrossingValue | None:
    return values.get(key)


def _constant(value: CrossingValue, values: Values) -> CrossingValue | None:
    return value


def _list_of(sources: list[Source], values: Values) -> CrossingValue | None:
    found = [source(values) for source in sources]
    return hashed_list([v for v in found if v is not None]) if None not in found else None


def _dict_of(sources: Mapping[str, Source], values: Values) -> CrossingValue | None:
    found = {key: source(values) for key, source in sources.items()}
    return hashed_dict({k: v for k, v in found.items() if v is not None}) if None not in found.values() else None


def _shape(binding: Binding) -> tuple[Any, list[Promise]]:
    """Return a list or dict binding as a `Shape`, and its promises in reading order."""
    if isinstance(binding, Promise):
        return Slot(binding.python_type, binding.attributes), [binding]
    if isinstance(binding, Constant):
        return binding.literal, []
    refs: list[Promise] = []
    if isinstance(binding, ListBinding):
        shapes = []
        for inner in binding.items:
            shape, found = _shape(inner)
            shapes.append(shape)
            refs += found
        return shapes, refs
    entries = {}
    for key, inner in binding.items.items():
        entries[key], found = _shape(inner)
        refs += found
    return entries, refs
