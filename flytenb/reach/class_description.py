"""Digests of classes and modules. Of a class all of its dictionary counts except what `_GENERATED` lists."""

from __future__ import annotations

import abc
import inspect
import sys
from types import FunctionType, ModuleType
from typing import Any

from flytenb.reach.installed_names import scope_of
from flytenb.reach.library_patches import registered_with
from flytenb.reach.object_digest import OpaqueError, hashed, items_of
from flytenb.reach.ownership import is_own_class, is_own_module, version_of
from flytenb.reach.reach_walk import ReachWalker

_GENERATED = frozenset([
    "__dict__", "__weakref__",  # how Python finds an object's attributes
    "__module__",  # in the name
    "_abc_impl",  # subclass checks that an abstract class has cached
    "__slotnames__",  # what `copyreg` keeps of the slots at the first copy
    "_value2member_map_",  # what an enum makes of its members, and keeps of their combinations when they are used
    "__pydantic_core_schema__", "__pydantic_validator__", "__pydantic_serializer__", "__pydantic_parent_namespace__",
    "__signature__", "__pydantic_complete__", "__pydantic_fields_complete__",  # what pydantic makes of the fields
])  # fmt: skip
"""Entries of a class's dictionary that follow from the others, or that appear when the class is used."""

_GENERATED_PREFIX = "__mashumaro_"
"""Codecs that mashumaro creates when a dataclass is first converted to a literal."""


def describe_class(walker: ReachWalker, cls: type) -> bytes:
    """Return the digest of a class; of an installed one, of its name and version."""
    name = f"{type.__getattribute__(cls, '__module__')} {cls.__qualname__} {cls.__name__}".encode()
    if not is_own_class(cls):
        walker.take(cls)
        version = version_of(str(type.__getattribute__(cls, "__module__"))).encode()
        return hashed(b"class", name, version)
    walker.watch(_read_class, cls)
    members = _members(cls)
    if _is_generated_doc(cls):
        del members["__doc__"]
    with walker.at(cls.__qualname__):
        registered = _describe_registered(walker, cls)
        kinds = map(walker.of, (type(cls), *cls.__bases__))
        return hashed(b"own class", name, *kinds, walker.of_named(members), registered, describe_annotated(walker, cls))


def _describe_registered(walker: ReachWalker, cls: type) -> bytes:
    """Return the digest of the classes registered with an abstract class or its subclasses: `isinstance` uses them."""
    if not issubclass(type(cls), abc.ABCMeta):
        return b""
    walker.watch(registered_with, cls)
    return hashed(*sorted(set(map(walker.of, registered_with(cls)))))


def describe_annotated(walker: ReachWalker, holder: Any) -> bytes:
    """Return the digest of the own classes that annotations name as texts.

    `typing.get_type_hints` takes them from the module's names.
    """
    annotations = vars(holder).get("__annotations__") if isinstance(holder, type) else holder.__annotations__
    texts = [text for text in (annotations or {}).values() if type(text) is str]
    if not texts:
        return b""
    module = sys.modules.get(holder.__module__)
    scope = holder.__globals__ if type(holder) is FunctionType else scope_of(module) if module is not None else {}
    names = sorted({name for text in texts for name in _names_in(text)})
    walker.watch(lambda _: [scope.get(name) for name in names], None)
    return walker.of_named({name: scope[name] for name in names if isinstance(scope.get(name), type)})


def _names_in(text: str) -> tuple[str, ...]:
    try:
        return compile(text, "<annotation>", "eval").co_names
    except (SyntaxError, ValueError):
        return ()


def _members(cls: type) -> dict[str, Any]:
    held = type.__dict__["__dict__"].__get__(cls)
    found = {n: m for n, m in held.items() if n not in _GENERATED and not str(n).startswith(_GENERATED_PREFIX)}
    if found.get("__annotations__") == {}:  # exists after the first access
        del found["__annotations__"]
    return found


def _read_class(cls: type) -> list[Any]:
    return [*cls.__bases__, cls.__name__, cls.__qualname__, *items_of(_members(cls))]


def _is_generated_doc(cls: type) -> bool:
    """Return whether `dataclass` wrote the docstring, which contains the defaults; the order of a set in it varies."""
    if not str(cls.__doc__).startswith(f"{cls.__name__}(") or "__dataclass_fields__" not in vars(cls):
        return False
    try:
        return cls.__doc__ == cls.__name__ + str(inspect.signature(cls)).replace(" -> None", "")
    except (TypeError, ValueError):
        return False


def describe_module(walker: ReachWalker, module: ModuleType) -> bytes:
    """Return the digest of a module that is handed on as an object: all its names may be read."""
    scope = scope_of(module)
    name = str(scope.get("__name__"))
    if name == "__main__":
        raise OpaqueError("the code reads the notebook's namespace as a whole")
    if not is_own_module(module):
        walker.take(module)
        return hashed(b"module", name.encode(), version_of(name).encode())
    walker.watch(items_of, scope)
    names = sorted(name for name in scope if not name.startswith("__") or name in ("__getattr__", "__doc__", "__all__"))
    with walker.at(name):
        return hashed(b"own module", name.encode(), walker.of_named({n: scope[n] for n in names}))
