"""Stale workflows: detection, and compiling them again. One is stale if something that it names has been redefined."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import CodeType, MappingProxyType, SimpleNamespace
from typing import Any

from flytenb.bridge import private
from flytenb.bridge.context import compile_lock
from flytenb.bridge.entities.kind import inner_workflow, is_entity, short_name
from flytenb.bridge.workflow import compiler
from flytenb.bridge.workflow.compiler import all_nodes, check_composed, compile_workflow, compiled_workflows, is_known
from flytenb.bridge.workflow.reading_cache import forget_readings, read_once, settle_readings
from flytenb.bridge.workflow.relinking import can_replace, relink
from flytenb.reach.bytecode import uses_of
from flytenb.reach.code_description import describe
from flytenb.reach.earlier_definitions import check_current, holds_earlier
from flytenb.reach.name_lookup import is_own
from flytenb.reach.object_digest import OpaqueError, WatchingWalker, hashed
from flytenb.reach.object_state import state_as_read
from flytenb.reach.reach_walk import ReachWalker


def recompile_stale(entity: Any) -> None:
    """Compile the workflow behind an entity, and those inside it, where they aren't up to date.

    Raises:
        DefinitionError: if an entity in it holds an earlier definition of another.
        Exception: why one of them can't be compiled.
    """
    check_current([entity])
    workflow = inner_workflow(entity)
    if workflow is not None:
        with compile_lock:
            _refresh(workflow, set())


def recompile_inner(workflow: Any) -> None:
    """Compile the workflows that a dynamic's nodes call where they aren't up to date.

    Raises:
        DefinitionError: if a node calls an earlier definition of an entity.
    """
    check_current(_entities(workflow), short_name(workflow))
    for inner in _inner_workflows(workflow):
        recompile_stale(inner)


def is_stale(entity: Any) -> bool:
    """Tell whether anything that an entity's workflow was compiled from has been redefined."""
    workflow = inner_workflow(entity)
    return holds_earlier([entity], is_direct=False) or (workflow is not None and _is_stale(workflow, set()))


def redefined_names(entity: Any) -> dict[str, bool]:
    """Return the names that have been redefined since a workflow was compiled from them, and whether they still exist.

    Those that a workflow inside it was compiled from count too.
    """
    workflow = inner_workflow(entity)
    return {} if workflow is None else _redefined_in(workflow, set())


def _redefined_in(workflow: Any, seen: set[int]) -> dict[str, bool]:
    if id(workflow) in seen:
        return {}
    seen.add(id(workflow))
    before = _compiled_from.get(workflow)
    found = {} if before is None else before.rebound_names()
    for inner in _inner_workflows(workflow):
        found |= _redefined_in(inner, seen)
    return found


def forget_stale() -> None:
    """Put aside what stale workflows were compiled to.

    flytekit compiles each again when it is used next, so that an error appears there and not at an unrelated cell.
    While another thread compiles, nothing is done: runs of flytenb bring their workflow up to date first.
    """
    private.forget_pickled()
    if not compile_lock.acquire(blocking=False):
        return
    try:
        stale = [workflow for workflow in compiled_workflows() if not _is_up_to_date(workflow)]
        if stale:
            settle_readings()
            for workflow in stale:
                _put_aside(workflow)
            forget_readings()
    finally:
        compile_lock.release()


_HOLDERS = (list, tuple, dict, set, frozenset, partial, SimpleNamespace)


class _Names(ReachWalker):
    """What a workflow's function and its helpers take by name.

    An entity is the same only as long as it is the same object, and so is an object of a library: its content may
    change while a workflow is compiled, as that of a counter does.

    Args:
        workflow: the workflow.
        replaced: the entities that count as another one, by the id of that one.
    """

    def __init__(self, workflow: Any, replaced: Mapping[int, Any] = MappingProxyType({})) -> None:
        super().__init__(_describe, _state_of)
        self.replacing = {id(now): before for before, now in replaced.items()}
        self.replaced = replaced
        self.holds_replaced = False
        self._inspected: set[tuple[int, str]] = set()
        self.digest = self.of(private.workflow_function(workflow))

    def of(self, value: Any) -> bytes:
        """Return the digest of an object."""
        try:
            return super().of(value)
        except (OpaqueError, RecursionError):
            return _identity(value)

    def reach(self, code: CodeType, scope: dict[str, Any], cells: dict[str, Any], *, is_source: bool = False) -> bytes:
        """Return the digest of what code takes; a text in it may be a name too, as in `globals()["step"]`."""
        named = [text for text in uses_of(code).strings if text in scope]
        for text in named:
            self.watch_name(scope, text)
            self._inspected.add((id(scope), text))
        for use in uses_of(code).uses:
            if use.attributes or use.how != "call":
                self._inspected.add((id(scope), use.origin.name))
        reached = super().reach(code, scope, cells, is_source=is_source)
        return hashed(reached, self.of_named({text: scope[text] for text in named}))

    def identity(self, entity: Any) -> bytes:
        """Return the digest of an entity."""
        self.holds_replaced = self.holds_replaced or id(entity) in self.replaced
        return _identity(entity, self.replacing.get(id(entity)))

    def redefined_tasks(self) -> dict[int, Any]:
        """Return the entities that names refer to now, by the id of those that they referred to.

        It is empty unless code only calls what these names refer to.
        """
        found: dict[int, Any] = {}
        for scope, name, before in self._names:
            now = scope.get(name)
            if now is before:
                continue
            is_called = is_entity(before) and is_entity(now) and (id(scope), name) not in self._inspected
            if not is_called or not can_replace(before, now) or found.setdefault(id(before), now) is not now:
                return {}
        return found


def _describe(walker: Any, value: Any) -> bytes | None:
    return walker.identity(value) if is_entity(value) else describe(walker, value)


def _state_of(walker: WatchingWalker, value: Any) -> tuple[Any, ...]:
    return state_as_read(walker, value) if is_own(value) or isinstance(value, _HOLDERS) else (id(value),)


def _identity(value: Any, counts_as: int | None = None) -> bytes:
    return hashed(b"identity", str(counts_as or id(value)).encode())


_compiled_from: weakref.WeakKeyDictionary[Any, _Names] = weakref.WeakKeyDictionary()


def _note(workflow: Any) -> None:
    _compiled_from[workflow] = _Names(workflow)


compiler.observers.append(_note)


def _has_changed(workflow: Any) -> bool:
    """Return whether anything that a workflow was last compiled from has changed, as far as that is known."""
    before = _compiled_from.get(workflow)
    if before is None or before.is_current():
        return False
    now = _Names(workflow)
    if now.digest != before.digest:
        return True
    _compiled_from[workflow] = now
    return False


def _is_up_to_date(workflow: Any) -> bool:
    """Return whether a workflow was compiled here, and so checked, with the current meaning of its names."""
    return is_known(workflow) and workflow in _compiled_from and not _has_changed(workflow)


def _refresh(workflow: Any, seen: set[int]) -> None:
    if id(workflow) in seen:
        return
    seen.add(id(workflow))
    if private.workflow_function(workflow) is None:
        check_composed(workflow)
    elif not _is_relinked(workflow) and not (workflow.compiled and _is_up_to_date(workflow)):
        settle_readings()
        if workflow.compiled:
            _put_aside(workflow)
        forget_readings()
        compile_workflow(workflow)
        _aside.pop(workflow, None)
    check_current(_entities(workflow), short_name(workflow))
    for inner in _inner_workflows(workflow):
        _refresh(inner, seen)


_aside: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
"""What stale workflows were compiled to."""


def _put_aside(workflow: Any) -> None:
    if is_known(workflow):
        _aside[workflow] = private.compiled_state(workflow)
    private.forget_compiled(workflow)


def _is_relinked(workflow: Any) -> bool:
    """Let the nodes that a workflow was compiled to call redefined tasks; return False if there is more to do."""
    before = _compiled_from.get(workflow)
    is_compiled = workflow.compiled and is_known(workflow)
    state = private.compiled_state(workflow) if is_compiled else _aside.get(workflow)
    replaced = {} if before is None or state is None else before.redefined_tasks()
    if before is None or state is None or not replaced:
        return False
    now = _Names(workflow, replaced)
    if now.digest != before.digest or now.holds_replaced:
        return False
    settle_readings()
    forget_readings()
    private.restore_compiled(workflow, state)
    relink(workflow, replaced)
    _note(workflow)
    _aside.pop(workflow, None)
    return True


@contextmanager
def as_compiled_before(entity: Any) -> Iterator[bool]:
    """Let a workflow that can't be compiled any more be read as it was compiled before; yield whether it was."""
    workflow = inner_workflow(entity)
    with compile_lock:
        state = None if workflow is None else _aside.get(workflow)
        if state is None:
            yield False
            return
        forget_readings()
        private.restore_compiled(workflow, state)
        try:
            yield True
        finally:
            private.forget_compiled(workflow)
            forget_readings()


def _is_stale(workflow: Any, seen: set[int]) -> bool:
    if id(workflow) in seen:
        return False
    seen.add(id(workflow))
    return (
        _has_changed(workflow)
        or holds_earlier(_entities(workflow), is_direct=True)
        or any(_is_stale(inner, seen) for inner in _inner_workflows(workflow))
    )


def _entities(workflow: Any) -> list[Any]:
    """The entities that a workflow's nodes call, those inside its conditionals too, each once."""
    return read_once(workflow, "entities", lambda: _read_entities(workflow))


def _read_entities(workflow: Any) -> list[Any]:
    called = (node.flyte_entity for node in all_nodes(workflow))
    return list({id(entity): entity for entity in called if is_entity(entity)}.values())


def _inner_workflows(workflow: Any) -> list[Any]:
    found = map(inner_workflow, _entities(workflow))
    return list({id(w): w for w in found if w is not None}.values())
