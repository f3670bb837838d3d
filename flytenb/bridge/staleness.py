"""Whether a compiled workflow still says what its code says: what it was made from, remembered and compared.

A workflow's body names tasks, workflows, helpers and constants of the notebook. flytekit compiles it once; when one of
those names stands for something else, the compiled nodes are of the past.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any

from flytekit.core.condition import BranchNode
from flytekit.core.workflow import PythonFunctionWorkflow

from flytenb.bridge import private
from flytenb.bridge.bodies import refuse_cycles
from flytenb.bridge.context import compile_lock
from flytenb.bridge.entities import inner_workflow, is_entity
from flytenb.bridge.readings import forget_readings, read_once, read_what_is_pending
from flytenb.errors import DefinitionError

_PLAIN = (int, float, str, bool, bytes, type(None))
_MUTABLE = (list, dict, set)
_WRITTEN = re.compile(r"Promise\(node:[\w-]*\.\w+\.\[")
"""What `str()` makes of a promise."""

_made_from: weakref.WeakKeyDictionary[Any, dict[tuple[int, str], Any]] = weakref.WeakKeyDictionary()


def recompile_stale(entity: Any) -> None:
    """Compile the workflow behind an entity, and those inside it, afresh where they are stale."""
    with compile_lock:
        workflow = inner_workflow(entity)
        if workflow is not None:
            _refresh(workflow, set())


def is_stale(entity: Any) -> bool:
    """Tell whether anything that an entity's workflow was compiled from has been redefined."""
    workflow = inner_workflow(entity)
    return workflow is not None and _is_stale(workflow, set())


def _refresh(workflow: Any, seen: set[int]) -> None:
    if id(workflow) in seen:
        return
    seen.add(id(workflow))
    if isinstance(workflow, PythonFunctionWorkflow):
        if not _has_same_makings(workflow):
            read_what_is_pending()
            private.forget_compiled(workflow)
        # Taken before compiling: what a compile meets while the notebook goes on belongs to the next one.
        makings = dict(_makings(workflow))
        if not workflow.compiled:
            forget_readings()
            workflow.compile()
            refuse_cycles(workflow)
            refuse_written_promises(workflow)
        _made_from[workflow] = makings
    for inner in read_once(workflow, "inner workflows", lambda: _inner_workflows(workflow)):
        _refresh(inner, seen)


def refuse_written_promises(workflow: Any, given: Mapping[str, Any] | None = None) -> None:
    """Raise for an input or output that is, or holds, the text of a promise: an f-string takes one silently.

    Args:
        workflow: compiled.
        given: the values that a dynamic was called with; a text that one of them holds is the user's own.
    """
    inputs = ((f"the input {b.var!r} of {node.id}", b) for node in _all_nodes(workflow) for b in node.bindings)
    outputs = ((f"the output {b.var!r}", b) for b in private.compiled_outputs(workflow))
    for place, binding in (*inputs, *outputs):
        for text in _texts(binding.binding):
            found = _WRITTEN.search(text)
            if found is None or any(found[0] in repr(value) for value in (given or {}).values()):
                continue
            private.forget_compiled(workflow)
            raise DefinitionError(
                f"{workflow.short_name}: {place} would be the text {text!r}",
                hint="in a workflow a task's output is a promise, also in an f-string or str(): "
                "make the text inside a task",
            )


def _texts(data: Any) -> Iterator[str]:
    """The texts that a binding holds, at any depth."""
    if data.collection is not None:
        for inner in data.collection.bindings:
            yield from _texts(inner)
    elif data.map is not None:
        for inner in data.map.bindings.values():
            yield from _texts(inner)
    elif data.scalar is not None and data.scalar.primitive is not None:
        yield data.scalar.primitive.string_value or ""


def _is_stale(workflow: Any, seen: set[int]) -> bool:
    if id(workflow) in seen:
        return False
    seen.add(id(workflow))
    if isinstance(workflow, PythonFunctionWorkflow):
        if not workflow.compiled:
            return False
        if not _has_same_makings(workflow):
            return True
    inner = (inner_workflow(n.flyte_entity) for n in private.compiled_nodes(workflow) if is_entity(n.flyte_entity))
    return any(_is_stale(w, seen) for w in inner if w is not None)


def _has_same_makings(workflow: PythonFunctionWorkflow) -> bool:
    """Compare what the names stand for with what they stood for; one never compared is checked by its nodes."""
    before = _made_from.get(workflow)
    now = dict(_makings(workflow))
    if before is not None:
        return before.keys() == now.keys() and all(_is_same(before[k], now[k]) for k in now)
    if not workflow.compiled:
        return True
    named = {id(v) for v in now.values()}
    by_name = {key[1] for key in now}
    return all(
        id(n.flyte_entity) in named or getattr(n.flyte_entity, "name", None) not in by_name
        for n in private.compiled_nodes(workflow)
    )


def _is_same(before: Any, now: Any) -> bool:
    if isinstance(before, _Copy):
        return type(now) is _Copy and before.value == now.value
    if type(before) in _PLAIN:
        return type(before) is type(now) and bool(before == now)
    return before is now


class _Copy:
    """What a list, dict or set held at that moment."""

    def __init__(self, value: Any) -> None:
        self.value = value.copy()


def _makings(workflow: PythonFunctionWorkflow) -> Iterator[tuple[tuple[int, str], Any]]:
    """Everything that the workflow's function, and the helpers it reaches, take from the notebook by name."""
    todo = [private.workflow_function(workflow), workflow.on_failure]
    seen: set[int] = set()
    while todo:
        function = todo.pop()
        function = getattr(function, "__wrapped__", function)
        if not isinstance(function, FunctionType) or id(function) in seen:
            continue
        seen.add(id(function))
        scope = function.__globals__
        for name in _names(function.__code__):
            if name not in scope:
                continue
            value = scope[name]
            yield (id(scope), name), _Copy(value) if isinstance(value, _MUTABLE) else value
            if isinstance(value, FunctionType) and value.__globals__ is scope:
                todo.append(value)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _inner_workflows(workflow: Any) -> list[Any]:
    """The workflows that a workflow's nodes call, those inside its conditionals too, each once."""
    entities = (node.flyte_entity for node in _all_nodes(workflow))
    found = [inner_workflow(entity) for entity in entities if is_entity(entity)]
    return list({id(w): w for w in found if w is not None}.values())


def _all_nodes(workflow: Any) -> Iterator[Any]:
    """The nodes of a workflow, those inside its conditionals too."""
    from flytenb.bridge.graphs.paths import name_nodes

    nodes = private.compiled_nodes(workflow)
    if not any(isinstance(node.flyte_entity, BranchNode) for node in nodes):
        yield from nodes
        return
    scope = name_nodes(nodes, private.compiled_outputs(workflow))
    for level in scope.levels.values():
        yield from level
