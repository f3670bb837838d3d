"""How values get from node to node: each output a slot, each input a getter made once; what runs when is the plan's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flytenb.bridge.compiled import Binding, CompiledNode, Constant, Entries, Items, Ref
from flytenb.bridge.crossing import Slot, Value, collector, from_literal, packer, taker
from flytenb.runner.steps import Env, Getter

Give = Callable[[Env], Value]


class Wiring:
    """The slots of one run's values.

    Args:
        env: where the values stand.
        strict: whether every value crosses as a literal.
    """

    def __init__(self, env: Env, *, strict: bool) -> None:
        self._env = env
        self._strict = strict
        self._slots: dict[tuple[str, str], int] = {}
        self._takers: dict[tuple[int, int, tuple[Any, ...]], tuple[Any, Any, Any]] = {}

    def slot(self, path: str, output: str) -> int:
        """The place of one output among the run's values."""
        key = (path, output)
        found = self._slots.get(key)
        if found is None:
            found = self._slots[key] = len(self._env)
            self._env.append(None)
        return found

    def slots(self, path: str, outputs: Iterable[str]) -> dict[str, int]:
        """The places of all of a node's outputs."""
        return {name: self.slot(path, name) for name in outputs}

    def getter(self, binding: Binding, consumer: Any) -> Getter:
        """How an input of type `consumer` is taken from the run's values, each time afresh."""
        if isinstance(binding, Ref):
            index = self.slot(binding.path, binding.output)
            take = self._taker(binding, consumer)
            return lambda env: take(env[index])
        if isinstance(binding, Constant):
            constant = from_literal(binding.literal, consumer)
            return lambda env: constant.native()
        shape, refs = _shape(binding)
        indices = [self.slot(r.path, r.output) for r in refs]
        collect = collector(consumer, shape, strict=self._strict)
        return lambda env: collect([env[i] for i in indices])  # type: ignore[misc]

    def _taker(self, binding: Ref, consumer: Any) -> Any:
        """The taker of a pair of types, made once: a workflow has few pairs and many edges.

        The types are kept with it, so that the key stays their own; a type need not be hashable.
        """
        key = (id(binding.python_type), id(consumer), binding.attributes)
        found = self._takers.get(key)
        if found is None:
            take = taker(binding.python_type, consumer, binding.attributes, strict=self._strict)
            found = self._takers[key] = (take, binding.python_type, consumer)
        return found[0]

    def passer(self, binding: Binding, declared: Any) -> Give:
        """How a value goes through a workflow's wall: packed anew, unless the types on both sides are one."""
        if isinstance(binding, Ref) and not binding.attributes and binding.python_type is declared:
            index = self.slot(binding.path, binding.output)
            return lambda env: env[index]  # type: ignore[return-value]
        get = self.getter(binding, declared)
        pack = packer(declared, strict=self._strict)
        return lambda env: pack(get(env))

    def getters(self, bindings: Mapping[str, Binding], types: Mapping[str, Any]) -> list[tuple[str, Getter]]:
        """The getters of all of a node's inputs."""
        return [(name, self.getter(b, types[name])) for name, b in bindings.items() if name in types]

    def given(self, value: Any, declared: Any) -> Getter:
        """How an input that is known already is taken, each time afresh."""
        packed = packer(declared, strict=self._strict)(value)
        return lambda env: packed.native()


def needs(node: CompiledNode) -> set[str]:
    """The paths that a node waits for: what fills its inputs, and what it was told to come after."""
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
