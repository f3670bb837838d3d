"""What code does, as a digest: bytecode without its lines, and the helpers, classes and constants that it reaches.

What Python and installed packages bring is known by its name; comments, positions and docstrings say nothing.
"""

from __future__ import annotations

import dis
import enum
import importlib.util
import sys
import sysconfig
import typing
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from functools import cache, lru_cache
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, GenericAlias, MethodType, ModuleType, UnionType
from typing import Any, NamedTuple

from flytenb.bridge.digests.objects import OpaqueError, Walker, hashed
from flytenb.bridge.kinds import function_of, inner_workflow, is_entity

_OURS = str(Path(__file__).parents[2])
_HIDDEN = ("__annotations__", "__slots__", "__pydantic_fields__")
"""The dunder names of a class that aren't functions and still say something."""

_NOTES = (list, dict, set)
_WRITES = frozenset(["add", "append", "clear", "discard", "extend", "insert", "pop", "remove", "setdefault", "update"])
"""A function that calls one of these on a list, dict or set of the notebook keeps notes there: no constant."""

_LOADS = ("LOAD_GLOBAL", "LOAD_NAME")
_ITEM_WRITES = frozenset(["STORE_SUBSCR", "DELETE_SUBSCR"])
"""Two after a name is loaded, where the item is a name or constant; `x[0] += 1` copies both instead (3.11, 3.12)."""


def code_of(task: Any) -> bytes:
    """The digest of a task's code: its function, what it reaches, its types; without a function, its settings."""
    walker = Walker(describe, is_exact=False)
    interface = task.python_interface
    types = (*interface.inputs.items(), *interface.outputs.items())
    function = function_of(task)
    own = walker.of(function) if function is not None else walker.of(_plain_settings(task))
    return hashed(own, walker.of(type(task)), walker.of(types))


def structure_of(value: Any) -> bytes:
    """The digest of a value by what it holds.

    Raises:
        OpaqueError: if something in it doesn't tell what it holds.
    """
    try:
        return Walker(describe, is_exact=True).of(value)
    except RecursionError as e:
        raise OpaqueError("too deep") from e


def _plain_settings(task: Any) -> dict[str, Any]:
    """What a task without a function was made with: a script, a query, an image."""
    plain = (str, bytes, int, float, bool, list, tuple, dict, type(None))
    return {name: value for name, value in sorted(vars(task).items()) if type(value) in plain and name != "_name"}


def describe(walker: Walker, value: Any) -> bytes | None:
    """What a function, class, type, module or entity is; None for anything else."""
    kind = type(value)
    if kind is FunctionType:
        return _describe_function(walker, value)
    if kind is CodeType:
        return _describe_code(walker, value)
    if isinstance(value, type) and kind is not GenericAlias:
        return _describe_class(walker, value)
    if kind is MethodType:
        return hashed(b"method", walker.of(value.__func__), walker.of(value.__self__))
    if kind is BuiltinFunctionType:
        owner = None if isinstance(value.__self__, ModuleType) else value.__self__
        return hashed(b"builtin", f"{value.__module__} {value.__qualname__}".encode(), walker.of(owner))
    if kind is ModuleType:
        return hashed(b"module", value.__name__.encode())
    if kind in (staticmethod, classmethod):
        return hashed(kind.__name__.encode(), walker.of(value.__func__))
    if kind is property:
        return hashed(b"property", *map(walker.of, (value.fget, value.fset, value.fdel)))
    origin = typing.get_origin(value)
    if origin is not None or kind is UnionType:
        return hashed(b"type", walker.of(origin), *map(walker.of, typing.get_args(value)))
    return _describe_entity(walker, value) if is_entity(value) else None


def _describe_entity(walker: Walker, entity: Any) -> bytes:
    workflow = inner_workflow(entity)
    function = function_of(entity if workflow is None else workflow)
    return hashed(b"entity", str(entity.name).encode(), walker.of(function))


# --- functions -------------------------------------------------------------------------------------------------------


def _describe_function(walker: Walker, function: FunctionType) -> bytes:
    code = function.__code__
    cells = [walker.of(_content(cell)) for cell in function.__closure__ or ()]
    own = [*cells, walker.of(function.__defaults__), walker.of(sorted((function.__kwdefaults__ or {}).items()))]
    if _is_library(code.co_filename):
        return hashed(b"library", f"{function.__module__} {function.__qualname__}".encode(), *own)
    reached = _reached(walker, code, function.__globals__)
    return hashed(b"function", _describe_code(walker, code), *own, *reached)


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # of a name that isn't bound yet
        return MISSING


def _describe_code(walker: Walker, code: CodeType) -> bytes:
    consts = list(code.co_consts)
    if consts and code.co_flags & 0x2 and type(consts[0]) is str:
        consts[0] = None  # the docstring; where there is none, None stands
    facts = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars, code.co_flags)
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount)
    table = getattr(code, "co_exceptiontable", b"")
    return hashed(b"code", code.co_code, table, walker.of((facts, counts)), *map(walker.of, consts))


class _Names(NamedTuple):
    """What code takes from outside of itself, the functions inside it too.

    Attributes:
        loaded: the names that it looks up.
        written: those of them that it sets, sets an item of, or calls a method like `append` of.
        rebound: those of them that it sets.
        imported: the modules that it imports when it runs, each with how many packages up.
        attributes: what it may ask a module for.
    """

    loaded: tuple[str, ...]
    written: frozenset[str]
    rebound: frozenset[str]
    imported: tuple[tuple[str, int], ...]
    attributes: frozenset[str]


def _reached(walker: Walker, code: CodeType, scope: dict[str, Any]) -> Iterator[bytes]:
    """What the names of a function's code stand for; what it keeps its own notes in is no part of it."""
    names = _names_in(code)
    for name in names.loaded:
        is_note = name in names.rebound or (name in names.written and type(scope.get(name)) in _NOTES)
        if name in scope and not is_note:
            yield name.encode()
            yield from _reached_value(walker, scope[name], names.attributes, set())
    for name, level in names.imported:
        yield walker.of(_source_of(name, level, scope.get("__package__") or ""))


def _reached_value(walker: Walker, value: Any, attributes: frozenset[str], seen: set[int]) -> Iterator[bytes]:
    """A value; of a module of the user's, only what the code may ask it for."""
    yield walker.of(value)
    if type(value) is ModuleType and _is_own_module(value) and id(value) not in seen:
        seen.add(id(value))
        for name in sorted(attributes & vars(value).keys()):
            yield name.encode()
            yield from _reached_value(walker, vars(value)[name], attributes, seen)


@lru_cache(maxsize=1024)
def _names_in(code: CodeType) -> _Names:
    instructions = list(dis.get_instructions(code))
    opnames = [i.opname for i in instructions]
    loaded: dict[str, None] = {}
    imported: dict[tuple[str, int], None] = {}
    attributes, written, rebound = set(code.co_names), set(), set()
    level = 0
    for at, (opname, instruction) in enumerate(zip(opnames, instructions, strict=True)):
        value = instruction.argval
        if opname in _LOADS:
            loaded[value] = None
            following = instructions[at + 1]  # at the least, it is returned or dropped
            is_called = following.opname in ("LOAD_METHOD", "LOAD_ATTR") and following.argval in _WRITES
            is_item = opnames[at + 2 : at + 4] == ["COPY", "COPY"] or not _ITEM_WRITES.isdisjoint(
                opnames[at + 2 : at + 3]
            )
            if is_called or is_item:
                written.add(value)
        elif opname == "STORE_GLOBAL":
            rebound.add(value)
        elif opname == "IMPORT_NAME":
            imported[value, level] = None
        elif opname == "LOAD_CONST":
            # What an import pushes before its name: how many packages up, then what it takes.
            level = value if type(value) is int else level
            if isinstance(value, CodeType):
                inner = _names_in(value)
                loaded.update(dict.fromkeys(inner.loaded))
                imported.update(dict.fromkeys(inner.imported))
                attributes |= inner.attributes
                written |= inner.written
                rebound |= inner.rebound
    return _Names(tuple(loaded), frozenset(written), frozenset(rebound), tuple(imported), frozenset(attributes))


def _source_of(name: str, level: int, package: str) -> bytes | str:
    """The text of a module of the user's that a function imports when it runs, whether it is loaded yet or not."""
    try:
        full = importlib.util.resolve_name("." * level + name, package) if level else name
        spec = importlib.util.find_spec(full)
        origin = spec.origin if spec is not None else None
        return name if origin is None or _is_library(origin) else Path(origin).read_bytes()
    except (ImportError, ValueError, AttributeError, OSError):
        return name


# --- classes ---------------------------------------------------------------------------------------------------------


def _describe_class(walker: Walker, cls: type) -> bytes:
    name = f"{cls.__module__} {cls.__qualname__}".encode()
    if not _is_own_class(cls):
        return hashed(b"class", name)
    return hashed(b"own class", name, *map(walker.of, cls.__bases__), *_members(walker, cls))


def _members(walker: Walker, cls: type) -> Iterator[bytes]:
    """What the user wrote in a class's body; what decorators and metaclasses generate follows from it."""
    if issubclass(cls, enum.Enum):
        yield walker.of([(name, member.value) for name, member in cls.__members__.items()])
    if is_dataclass(cls):
        for field in fields(cls):
            default = field.default if field.default is not MISSING else field.default_factory
            yield walker.of((field.name, field.type, default, field.init, field.repr, field.compare, field.kw_only))
    for name, member in vars(cls).items():
        function = getattr(member, "__func__", getattr(member, "fget", member))
        if isinstance(function, FunctionType):
            if _is_written(function.__code__):
                yield walker.of((name, member))
        elif name in _HIDDEN or not (name.startswith("_") or (issubclass(cls, enum.Enum) and name in cls.__members__)):
            yield walker.of((name, member))


def _is_written(code: CodeType) -> bool:
    """Whether a function of a class stands in the user's own code, and wasn't generated by a decorator or metaclass."""
    return code.co_filename != "<string>" and not _is_library(code.co_filename)


# --- whose it is -----------------------------------------------------------------------------------------------------


def _is_own_class(cls: type) -> bool:
    module = sys.modules.get(cls.__module__)
    return module is None or _is_own_module(module)


def _is_own_module(module: ModuleType) -> bool:
    """Whether the user wrote it; a notebook has no file, and neither has what is built into Python."""
    if module.__name__ == "__main__":
        return True
    file = getattr(module, "__file__", None)
    return file is not None and not _is_library(file)


@cache
def _roots() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    return (*{paths[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")}, _OURS, "<frozen ")


def _is_library(filename: str) -> bool:
    return filename.startswith(_roots())
