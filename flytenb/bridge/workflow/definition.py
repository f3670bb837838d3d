"""Definitions of entities in a cell: decorators by kind, and undoing a definition when the cell fails."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, get_type_hints

import flytekit
from flytekit.core.context_manager import FlyteEntities
from flytekit.core.python_auto_container import PythonAutoContainerTask

from flytenb.bridge.entities.kind import is_entity
from flytenb.errors import DefinitionError

_DECORATORS = {
    "task": flytekit.task,
    "workflow": flytekit.workflow,
    "dynamic": flytekit.dynamic,
    "eager": flytekit.eager,
}
_ABSENT = object()


def decorator(kind: str) -> Callable[..., Callable[[Any], Any]]:
    """Return flytekit's decorator as a function of its arguments; it leaves an entity as it is."""
    made = _DECORATORS[kind]

    def with_arguments(**arguments: Any) -> Callable[[Any], Any]:
        def decorate(function: Any) -> Any:
            if is_entity(function):
                return function
            if function is None:
                raise DefinitionError(f"a decorator beneath @{kind} returned None", hint="return the wrapper")
            return made(**arguments)(function) if arguments else made(function)

        return decorate

    return with_arguments


def decorator_arguments(kind: str) -> dict[str, Any]:
    """Return the types of the arguments that a decorator takes, by name.

    Those of `eager` are the arguments of `task` that the constructor of its task accepts.
    """
    types = get_type_hints(flytekit.workflow if kind == "workflow" else flytekit.task)
    signature = inspect.signature(_DECORATORS["task" if kind == "eager" else kind])
    plain = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    names = [p.name for p in signature.parameters.values() if p.kind in plain and not p.name.startswith("_")]
    if kind == "eager":
        taken = set(inspect.signature(PythonAutoContainerTask.__init__).parameters) | {"docs"}
        names = [name for name in names if name in taken - {"task_config"}]
    return {name: types.get(name) for name in names if not (kind == "dynamic" and name == "execution_mode")}


@contextmanager
def rolled_back(namespace: dict[str, Any], names: Sequence[str]) -> Iterator[None]:
    """Restore names and flytekit's list of entities if the block, which defines entities, fails."""
    before = {name: namespace.get(name, _ABSENT) for name in names}
    count = len(FlyteEntities.entities)
    try:
        yield
    except BaseException:
        for name, value in before.items():
            if value is _ABSENT:
                namespace.pop(name, None)
            else:
                namespace[name] = value
        del FlyteEntities.entities[count:]
        raise


def forget_entity(entity: Any) -> None:
    """Remove a replaced entity from flytekit's list of all entities, which otherwise only grows."""
    FlyteEntities.entities[:] = [known for known in FlyteEntities.entities if known is not entity]
