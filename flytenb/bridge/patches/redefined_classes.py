"""Classes that a cell has defined again: which is the last one, who still holds an old one, and what to say then."""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from flytekit.core.type_engine import (
    DataclassTransformer,
    TypeTransformer,
    TypeTransformerFailedError,
    UnionTransformer,
)

if TYPE_CHECKING:
    from flytenb.bridge.patches.repairs import Repairs


def successor(cls: Any, namespace: Mapping[str, Any] | None = None) -> type | None:
    """Return the class of the notebook that has taken the place of this one, None if none has."""
    if not isinstance(cls, type) or cls.__module__ != "__main__" or "<locals>" in cls.__qualname__:
        return None
    found: Any = vars(sys.modules["__main__"]) if namespace is None else namespace
    for name in cls.__qualname__.split("."):
        found = found.get(name) if isinstance(found, Mapping) else getattr(found, name, None)
    is_successor = isinstance(found, type) and found is not cls and _name(found) == _name(cls)
    return found if is_successor else None


def old_classes_of(entity: Any, namespace: Mapping[str, Any] | None = None) -> tuple[str, ...]:
    """Return the names of redefined classes whose old selves an entity's inputs or outputs still mean."""
    # Late, since what is said below is put in place while flytekit is being imported, and that room imports all of it.
    from flytenb.bridge.entities.interface import python_interface

    interface = python_interface(entity)
    if interface is None:
        return ()
    types = [*interface.inputs.values(), *interface.outputs.values()]
    old = (c.__qualname__ for t in types for c in _classes_in(t, set()) if successor(c, namespace) is not None)
    return tuple(dict.fromkeys(old))


def _classes_in(python_type: Any, seen: set[int]) -> Iterator[type]:
    """The classes that a type is made of, ancestors and fields of dataclasses among them."""
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


# --- what to say -----------------------------------------------------------------------------------------------------


def explain_redefined(repairs: Repairs) -> None:
    """Say so where a value is refused only because its class, or the class that is asked for, has been redefined.

    flytekit says `Expected value of type <class '__main__.Audio'> but got … of type <class '__main__.Audio'>`.
    """
    for cls in (TypeTransformer, DataclassTransformer, UnionTransformer):
        repairs.replace(cls, "assert_type", _explained(vars(cls)["assert_type"]))


def _explained(original: Any) -> Any:
    @functools.wraps(original)
    def assert_type(self: Any, t: Any, v: Any) -> Any:
        try:
            return original(self, t, v)
        except TypeTransformerFailedError as error:
            told = _told(t, v)
            if not told:
                raise
            raise TypeTransformerFailedError(told) from error

    return assert_type


def _told(python_type: Any, value: Any) -> str:
    """What is to be said of a value that a type refuses; nothing if no class of the notebook has been redefined."""
    given = type(value)
    for asked in _classes_in(python_type, set()):
        if asked is given or _name(asked) != _name(given):
            continue
        name = given.__qualname__
        if successor(asked) is given:
            return f"{name} has been redefined since its old self was written into this interface: run that cell again"
        return f"this {name} was made before {name} was redefined: make it again"
    return ""
