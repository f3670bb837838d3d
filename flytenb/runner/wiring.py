"""How values get from node to node: each output has a slot, each input a getter that is made once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flytenb.bridge.crossing import Slot, Value, collector, from_literal, hash_of, packer, taker
from flytenb.bridge.workflow.compiled import Binding, CompiledNode, Constant, Entries, Items, Ref
from flytenb.runner.steps import Getter, Give, OutputSlot


class Wiring:
    """The slots of one run's values. Safe to use from several threads: what two make at once is the same.

    Args:
        strict: whether every value crosses as a literal.
    """

    def __init__(self, *, strict: bool) -> None:
        self.strict = strict
        self._slots: dict[tuple[str, str], OutputSlot] = {}
        self._takers: dict[tuple[int, int, tuple[Any, ...]], tuple[Any, Any, Any]] = {}

    def slot(self, path: str, output: str) -> OutputSlot:
        """The slot of one output."""
        key = (path, output)
        found = self._slots.get(key)
        return found if found is not None else self._slots.setdefault(key, OutputSlot())

    def slots(self, path: str, outputs: Iterable[str]) -> dict[str, OutputSlot]:
        """The slots of all of a node's outputs."""
        return {name: self.slot(path, name) for name in outputs}

    def getter(self, binding: Binding, consumer: Any) -> Getter:
        """How an input of type `consumer` is taken from the slots, each time afresh."""
        if isinstance(binding, Ref):
            slot = self.slot(binding.path, binding.output)
            take = self.take_as(binding.python_type, consumer, binding.attributes)
            return lambda: take(slot.value)
        if isinstance(binding, Constant):
            return from_literal(binding.literal, consumer).native
        shape, refs = _shape(binding)
        slots = [self.slot(r.path, r.output) for r in refs]
        collect = collector(consumer, shape, strict=self.strict)
        return lambda: collect([slot.value for slot in slots])  # type: ignore[misc]

    def take_as(self, producer: Any, consumer: Any, attributes: tuple[Any, ...] = ()) -> Any:
        """How a value of one type is taken as another, made once: a workflow has few pairs of types and many edges.

        The types are kept with it, so that the key stays their own; a type need not be hashable.
        """
        key = (id(producer), id(consumer), attributes)
        found = self._takers.get(key)
        if found is None:
            take = taker(producer, consumer, attributes, strict=self.strict)
            found = self._takers[key] = (take, producer, consumer)
        return found[0]

    def passer(self, binding: Binding, declared: Any) -> Give:
        """How a value goes through a workflow's boundary: packed anew, unless the types on both sides are one."""
        if isinstance(binding, Ref) and not binding.attributes and binding.python_type is declared:
            slot = self.slot(binding.path, binding.output)
            return lambda: slot.value  # type: ignore[return-value]
        give = self.packed(self.getter(binding, declared), declared)
        if not isinstance(binding, Ref) or binding.attributes:
            return give
        slot = self.slot(binding.path, binding.output)

        def give_hashed() -> Value:
            """A literal that carries a hash of its producer's passes as it is, as on a cluster."""
            value = slot.value
            is_hashed = value is not None and hash_of(value) is not None
            return from_literal(value.literal(), declared) if is_hashed else give()  # type: ignore[union-attr]

        return give_hashed

    def packed(self, get: Getter, declared: Any) -> Give:
        """How what a getter takes is passed on as `declared`."""
        pack = packer(declared, strict=self.strict)
        return lambda: pack(get())

    def getters(self, bindings: Mapping[str, Binding], types: Mapping[str, Any]) -> list[tuple[str, Getter]]:
        """The getters of all of a node's inputs."""
        return [(name, self.getter(b, types[name])) for name, b in bindings.items() if name in types]

    def given(self, value: Any, declared: Any) -> Getter:
        """How an input that is known already is taken, each time afresh.

        Raises:
            Exception: whatever the type engine says of a value that the type doesn't admit.
        """
        return packer(declared, strict=self.strict)(value).native


def needs(node: CompiledNode) -> set[str]:
    """The paths that a node waits for: what fills its inputs, and what must come before it."""
    needed = set(node.upstream)
    todo = list(node.bindings.values())
    while todo:
        binding = todo.pop()
        if isinstance(binding, Ref):
            needed.add(binding.path)
        elif isinstance(binding, Items):
            todo += binding.bindings
        elif isinstance(binding, Entries):
            todo += binding.bindings.values()
    needed.discard(node.path)
    return needed


def _shape(binding: Binding) -> tuple[Any, list[Ref]]:
    """A list or dict binding as the crossing's shape, and its promises in reading order."""
    if isinstance(binding, Ref):
        return Slot(binding.python_type, binding.attributes), [binding]
    if isinstance(binding, Constant):
        return binding.literal, []
    refs: list[Ref] = []
    if isinstance(binding, Items):
        shapes = []
        for inner in binding.bindings:
            shape, found = _shape(inner)
            shapes.append(shape)
            refs += found
        return shapes, refs
    entries = {}
    for key, inner in binding.bindings.items():
        entries[key], found = _shape(inner)
        refs += found
    return entries, refs
