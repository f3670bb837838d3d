"""Classes that a cell has defined again: the latest definition, entities that use an older one, error messages."""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from flytekit.core.type_engine import TypeTransformerFailedError


def successor(cls: Any, namespace: Mapping[str, Any] | None = None) -> type | None:
    """Return the latest definition of a class of the notebook, None if there is no later one."""
    if not isinstance(cls, type) or cls.__module__ != "__main__" or "<locals>" in cls.__qualname__:
        return None
    found: Any = vars(sys.modules["__main__"]) if namespace is None else namespace
    for name in cls.__qualname__.split("."):
        found = found.get(name) if isinstance(found, Mapping) else getattr(found, name, None)
    is_successor = isinstance(found, type) and found is not cls and _name(found) == _name(cls)
    return found if is_successor else None


def old_classes_of(entity: Any, namespace: Mapping[str, Any] | None = None) -> tuple[str, ...]:
    """Return the names of redefined classes whose older definitions an entity's inputs or outputs use."""
    # Late: this is imported while flytekit is being imported, and that module imports all of it.
    from flytenb.bridge.entities.interface import python_interface

    interface = python_interface(entity)
    if interface is None:
        return ()
    types = [*interface.inputs.values(), *interface.outputs.values()]
    old = (c.__qualname__ for t in types for c in _classes_in(t, set()) if successor(c, namespace) is not None)
    return tuple(dict.fromkeys(old))


def _classes_in(python_type: Any, seen: set[int]) -> Iterator[type]:
    """Yield the classes that a type is made of, with their ancestors and the fields of dataclasses."""
    if id(python_type) in seen:
        return
    seen.add(id(python_type))
    if get_origin(python_type) is Literal:
        return
    for argument in get_args(python_type):
        yield from _classes_in(argument, seen)
    if isinstance(python_type, type):
        yield from (c for c in python_type.__mro__ if c.__module__ == "__main__")
        if dataclasses.is_dataclass(python_type):
            for field in dataclasses.fields(python_type):
                yield from _classes_in(field.type, seen)


def _name(cls: type) -> tuple[str, str]:
    return cls.__module__, cls.__qualname__


# --- error messages --------------------------------------------------------------------------------------------------


def explain_redefined(original: Any) -> Any:
    """Explain a refused value whose class, or the class that is expected, has been redefined.

    flytekit says `Expected value of type <class '__main__.Audio'> but got … of type <class '__main__.Audio'>`.
    """

    @functools.wraps(original)
    def assert_type(self: Any, t: Any, v: Any) -> Any:
        try:
            return original(self, t, v)
        except TypeTransformerFailedError as error:
            explanation = _explain(t, v)
            if not explanation:
                raise
            raise TypeTransformerFailedError(explanation) from error

    return assert_type


def _explain(python_type: Any, value: Any) -> str:
    """Return why a type rejects a value, `""` if no class of the notebook has been redefined."""
    given = type(value)
    for expected in _classes_in(python_type, set()):
        if expected is given or _name(expected) != _name(given):
            continue
        name = given.__qualname__
        if successor(expected) is given:
            return f"{name} has been redefined since its old self was written into this interface: run that cell again"
        return f"this {name} was made before {name} was redefined: make it again"
    return ""
