"""Existing objects that code reaches: their names, attributes and identity, found without running any code."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from types import CellType, FunctionType, ModuleType
from typing import Any

from flytenb.reach.abstract_values import AbstractValue, ExistingObject, Instance, LibraryResult, Method, Shared
from flytenb.reach.name_lookup import MISSING, is_module
from flytenb.reach.ownership import is_own_class
from flytenb.reach.process_state import kind_of_object


def required_parameters(function: FunctionType) -> int:
    """Return how many parameters of a function have no default."""
    return function.__code__.co_argcount - len(function.__defaults__ or ())


def result_argument(function: Any, args: Sequence[AbstractValue]) -> AbstractValue:
    """Return the argument that a ufunc of numpy writes to."""
    count = getattr(function, "nin", len(args)) if type(function).__name__ == "ufunc" else len(args)
    return args[count] if count < len(args) else frozenset()


def defaults_of(function: FunctionType) -> dict[str, Any]:
    """Return the defaults of a function's parameters, by name."""
    code, values = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[: code.co_argcount]
    return {**dict(zip(names[len(names) - len(values) :], values, strict=True)), **(function.__kwdefaults__ or {})}


def dotted_name(value: Any) -> str:
    """Return the public dotted name of an installed function or class; of a builtin, its name alone."""
    module = str(getattr(value, "__module__", None) or type(value).__module__)
    if isinstance(getattr(value, "__self__", None), ModuleType):
        module = value.__self__.__name__
    module = {"posix": "os", "nt": "os", "posixpath": "os.path", "ntpath": "os.path"}.get(module, module)
    module = module.removeprefix("_")
    name = str(getattr(value, "__qualname__", type(value).__qualname__))
    return name if module == "builtins" or (module, name) == ("io", "open") else f"{module}.{name}"


def method_name(method: Method) -> str:
    """Return the dotted name of a method of an installed object; of one of an unknown class, it starts with a dot."""
    owner = method.owner
    if isinstance(owner, LibraryResult):
        return f"{owner.name}.{method.name}"
    if not isinstance(owner, ExistingObject):
        return f".{method.name}"
    return f"{dotted_name(owner.value if isinstance(owner.value, type) else type(owner.value))}.{method.name}"


def shared_global(scope: Mapping[str, Any], name: str) -> Shared:
    """Return a global as what tasks share."""
    module = str(scope.get("__name__"))
    return Shared((module, name), f"global {module}.{name}")


def shared_cell(cell: CellType, name: str) -> Shared:
    """Return a variable that functions share."""
    return Shared(("cell", id(cell)), f"variable {name}")


def shared_object(value: Any, name: str) -> Shared:
    """Return an object as what tasks share."""
    return Shared(id(value), name)


def is_fixed(value: Any) -> bool:
    """Whether nothing of an object changes as tasks use it: modules, functions, installed classes."""
    return is_module(value) or isinstance(value, FunctionType) or (isinstance(value, type) and not is_own_class(value))


def kind_of(value: Any) -> str | None:
    """Return the kind of process-wide state that an object is, None if it is none."""
    if isinstance(value, logging.Logger | logging.Handler):
        return "logging"
    return kind_of_object(value)


def kind_of_result(one: Any) -> str | None:
    """Return the kind of process-wide state that a new-found object of a library is: each call returns the same one."""
    return "logging" if isinstance(one, LibraryResult) and one.name == "logging.getLogger" else None


def class_of(one: Any) -> type | None:
    """Return the class of a possibility, as far as it is known."""
    if isinstance(one, Instance):
        return one.cls
    return type(one.value) if isinstance(one, ExistingObject) else None


def static_attribute(cls: type, name: str) -> Any:
    """Return an attribute of a class without calling a descriptor; MISSING if there is none."""
    for base in type.__getattribute__(cls, "__mro__"):
        if name in vars(base) and base is not object:
            return vars(base)[name]
    return MISSING


def instance_dict(value: Any) -> dict[str, Any]:
    """Return an object's own attributes without asking its class."""
    try:
        found = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return found if type(found) is dict else {}
