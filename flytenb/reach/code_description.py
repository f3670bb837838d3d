"""Digests of functions, methods, types and entities by their code.

Bytecode counts without its line numbers, so that comments and formatting have no effect; docstrings are constants like
others. Installed code is identified by its name and version.
"""

from __future__ import annotations

import functools
import marshal
import sys
import typing
from collections.abc import Hashable, Iterable
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from flytenb.bridge import private
from flytenb.bridge.entities.kind import CONNECTOR_TASKS, function_of, inner_workflow, is_entity
from flytenb.bridge.execution.connector_facts import registered_for
from flytenb.reach.class_description import describe_annotated, describe_class, describe_module
from flytenb.reach.installed_names import home_of, scope_of
from flytenb.reach.name_lookup import is_module
from flytenb.reach.object_digest import OpaqueError, hashed, items_of
from flytenb.reach.ownership import is_installed, is_own_class, is_own_module, version_of
from flytenb.reach.reach_walk import ReachWalker
from flytenb.reach.variables_and_files import READS_ENVIRONMENT

_CACHES = frozenset(["dispatch_cache", "cache_token", "_clear_cache"])
"""The cache of `functools.singledispatch`."""
_TYPING = frozenset(["typing", "types", "typing_extensions", "collections.abc"])


def describe(walker: ReachWalker, value: Any) -> bytes | None:
    """Return the digest of a function, class, type, module or entity; None for anything else."""
    kind = type(value)
    if kind is FunctionType:
        return _describe_function(walker, value)
    if kind is CodeType:
        return _describe_code(walker, value)
    if issubclass(kind, type):
        return describe_class(walker, value)
    if kind is MethodType:
        return hashed(b"method", walker.of(value.__func__), walker.of(value.__self__))
    if kind is BuiltinFunctionType:
        owner = None if is_module(value.__self__) else value.__self__
        walker.take(value)
        return hashed(b"builtin", f"{value.__module__} {value.__qualname__}".encode(), walker.of(owner))
    if issubclass(kind, ModuleType):
        return describe_module(walker, value)
    if kind in (staticmethod, classmethod):
        return hashed(kind.__name__.encode(), walker.of(value.__func__))
    if kind is property:
        return hashed(b"property", *map(walker.of, (value.fget, value.fset, value.fdel, value.__doc__)))
    if kind is functools._lru_cache_wrapper:
        settings = value.cache_parameters() if hasattr(value, "cache_parameters") else None
        return hashed(b"cached", walker.of(settings), walker.of(value.__wrapped__))
    if home_of(kind) in _TYPING and (origin := typing.get_origin(value)) is not None:
        return hashed(b"type", walker.of(origin), *map(walker.of, typing.get_args(value)))
    if is_entity(value):
        return describe_entity(walker, value)
    home = home_of(kind).partition(".")[0]
    if home in ("IPython", "ipykernel"):
        raise OpaqueError(f"the code reaches the notebook itself, an object of type {kind.__qualname__!r}")
    return _describe_named(walker, value) if callable(value) and not is_own_class(kind) else None


def _describe_named(walker: ReachWalker, value: Any) -> bytes | None:
    """Return the digest of a callable that an installed module contains under the callable's own name, else None."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    held = sys.modules.get(module) if type(module) is str else None
    if held is None or type(name) is not str or is_own_module(held) or scope_of(held).get(name) is not value:
        return None
    walker.take(value)
    return hashed(b"named", f"{module} {name} {version_of(str(module))}".encode())


def describe_entity(walker: ReachWalker, entity: Any) -> bytes:
    """Return the digest of a task, by its function and its settings, or of a workflow by its function."""
    workflow = inner_workflow(entity)
    if workflow is not None:
        return hashed(b"workflow", str(entity.name).encode(), walker.of(function_of(workflow)))
    settings = _settings(entity)
    walker.watch(_read_settings, entity)
    interface = getattr(entity, "python_interface", None)
    inputs, outputs = ({}, {}) if interface is None else (interface.inputs, interface.outputs)
    script = private.script_file(entity)
    content = walker.measure(lambda: _file(script)) if type(script) is str else b""
    types = map(walker.of_named, (inputs, outputs))
    transformers = _describe_transformers(walker, (*inputs.values(), *outputs.values()))
    parts = (walker.of(type(entity)), content, walker.of_named(settings), *types, transformers)
    return hashed(b"task", *parts, _describe_connector(walker, entity))


def _describe_connector(walker: ReachWalker, task: Any) -> bytes:
    """Return the digest of the connector that is registered for a task: its class and its attributes."""
    if not isinstance(task, CONNECTOR_TASKS):
        return b""
    walker.watch(_registered, task)
    connector = registered_for(task)
    with walker.at(f"connector {type(connector).__qualname__}"):
        return walker.of(connector)


def _registered(task: Any) -> list[Any]:
    return [registered_for(task)]


def _describe_transformers(walker: ReachWalker, declared: Iterable[Any]) -> bytes:
    """Return the digest of the user's own transformers of these types, which write and read stored values."""
    registry = private.transformer_registry()
    pieces = []
    for inner in declared:
        if isinstance(inner, Hashable):
            walker.watch(_registry_entry, inner)
            transformer = registry.get(inner)
            if transformer is not None and is_own_class(type(transformer)):
                pieces.append(walker.of(transformer))
        pieces.append(_describe_transformers(walker, typing.get_args(inner)))
    return hashed(*pieces)


def _registry_entry(declared: Any) -> list[Any]:
    return [private.transformer_registry().get(declared)]


def _settings(entity: Any) -> dict[str, Any]:
    held = getattr(entity, "__dict__", {})
    return {name: held[name] for name in sorted(held) if name not in private.TASK_LABELS and not name.startswith("__")}


def _read_settings(entity: Any) -> list[Any]:
    return [*getattr(entity, "__dict__", {}).values()]


def _file(path: str) -> bytes:
    try:
        return hashed(Path(path).read_bytes())
    except OSError as e:
        return f"missing {e.errno}".encode()


def _describe_function(walker: ReachWalker, function: FunctionType) -> bytes:
    code = function.__code__
    name = f"{function.__module__} {function.__qualname__}".encode()
    walker.watch(_read_function, function)
    if is_installed(code.co_filename):
        version = version_of(str(function.__globals__.get("__name__"))).encode()
        walker.take(function)
        if function in READS_ENVIRONMENT:
            return hashed(b"installed", name, walker.of_all_variables())
        if _is_named(function):
            return hashed(b"installed", name, version)
        own = [walker.of_named({n: v for n, v in held.items() if n not in _CACHES}) for held in _dicts_of(function)]
        own.append(walker.of_types(function.__annotations__))
        cells = [_content(cell) for at, cell in _cells(function).items() if at not in _CACHES]
        return hashed(b"installed", name, version, *own, *map(walker.of, (function.__defaults__, *cells)))
    own = [walker.of(function.__defaults__), *map(walker.of_named, _dicts_of(function))]
    own.append(walker.of_types(function.__annotations__))
    said = [_describe_constant(walker, part) for part in (function.__name__, function.__doc__)]
    with walker.at(function.__qualname__):
        walker.add_texts(function.__defaults__)
        walker.add_texts(function.__kwdefaults__)
        reached = walker.reach(code, function.__globals__, _cells(function))
    return hashed(
        b"function",
        name,
        _describe_code(walker, code),
        *own,
        *said,
        walker.of(getattr(function, "__type_params__", ())),
        describe_annotated(walker, function),
        reached,
    )


def _cells(function: FunctionType) -> dict[str, Any]:
    return dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))


def _read_function(function: FunctionType) -> list[Any]:
    parts = [function.__code__, function.__defaults__, function.__doc__, function.__name__]
    for held in (*_dicts_of(function), function.__annotations__):
        parts += items_of(held)
    return parts


def _dicts_of(function: FunctionType) -> tuple[dict[str, Any], ...]:
    return (function.__kwdefaults__ or {}, function.__dict__)


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # of a name that isn't bound yet
        return None


def _is_named(function: FunctionType) -> bool:
    """Return whether a function is the object of its name in its module, and not one of several with this name."""
    at: Any = sys.modules.get(function.__module__)
    if at is None or is_own_module(at):  # `functools.wraps` gives a library's function the name of the user's
        return False
    for name in function.__qualname__.split("."):
        at = (scope_of(at) if is_module(at) else getattr(at, "__dict__", {})).get(name)
        at = getattr(at, "__func__", at) if type(at) in (staticmethod, classmethod) else at
    return at is function


def _describe_code(walker: ReachWalker, code: CodeType) -> bytes:
    facts = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars, code.co_flags, code.co_name)
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount)
    return hashed(
        b"code",
        code.co_code,
        code.co_exceptiontable,
        marshal.dumps((facts, counts), 2),
        *(_describe_constant(walker, constant) for constant in code.co_consts),
    )


def _describe_constant(walker: ReachWalker, constant: Any) -> bytes:
    """Return the digest of a constant; texts that may be paths are collected by `reach`, where the code loads them."""
    return hashed(marshal.dumps(constant, 2)) if type(constant) is str else walker.of(constant)
