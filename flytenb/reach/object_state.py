"""The content of objects that are neither data nor code: attributes and slots, or the state that their library copies.

The copy protocol of an object (`__getstate__`, `__reduce__`) is only used if a library defines it: that of own code
may omit attributes that a task reads.
"""

from __future__ import annotations

import collections
import copyreg
import itertools
import logging
import os
import pickle
import re
import sys
import threading
import typing
from collections.abc import Callable, Hashable, Iterable
from contextvars import ContextVar
from datetime import date, time, timedelta, tzinfo
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import cache, partial
from pathlib import PurePath
from types import (
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodDescriptorType,
    WrapperDescriptorType,
)
from typing import Any, ForwardRef, ParamSpec, TypeVar
from uuid import UUID
from weakref import ref

from flytenb.reach.installed_names import home_of
from flytenb.reach.object_digest import OpaqueError, Walker, WatchingWalker, items_of
from flytenb.reach.ownership import is_own_class

_MANAGED_DICT = 1 << 4
_COPYING = ("__reduce_ex__", "__reduce__", "__getstate__", "__getnewargs_ex__", "__getnewargs__")
_DICT_VIEWS: tuple[type, ...] = (type({}.keys()), type({}.values()), type({}.items()))
_LOCKS = (
    *(type(threading.Lock()), type(threading.RLock())),
    *(threading.Condition, threading.Semaphore, threading.BoundedSemaphore, threading.Barrier),
)
_NAMED = (MemberDescriptorType, GetSetDescriptorType, MethodDescriptorType, WrapperDescriptorType)

_CONTENT: dict[type, Callable[[Any], Any]] = {
    collections.OrderedDict: lambda v: [(key, dict.__getitem__(v, key)) for key in collections.OrderedDict.__iter__(v)],
    dict: lambda v: list(itertools.chain.from_iterable(dict.items(v))),
    list: lambda v: list(list.__iter__(v)),
    tuple: lambda v: list(tuple.__iter__(v)),
    set: lambda v: frozenset(set.__iter__(v)),
    frozenset: lambda v: frozenset(frozenset.__iter__(v)),
    collections.deque: lambda v: [v.maxlen, *collections.deque.__iter__(v)],
    bytearray: lambda v: bytes(memoryview(v)),
    int: int.__index__,
    float: float.__float__,
    complex: complex.__complex__,
    str: str.__str__,
    bytes: lambda v: bytes(memoryview(v)),
    BaseException: lambda v: [BaseException.__reduce__(v)[1], v.__cause__, v.__context__, v.__suppress_context__],
}
"""Readers of the content of built-in types besides attributes, for classes that inherit from them."""

_IMMUTABLE = (
    date, time, timedelta, tzinfo, Decimal, Fraction, UUID, PurePath, re.Pattern, range, slice, logging.Logger
)  # fmt: skip
"""Types whose copied state is read only once: they are immutable; of a logger only the name counts."""


def _shared_memory(memory: Any) -> tuple[Any, ...]:
    raise OpaqueError(f"other processes may write to the shared memory {memory.name!r}")


_CONTENT_OF: dict[str, Callable[[Any], tuple[Any, ...]]] = {
    "_struct.Struct": lambda v: (v.format,),
    "_json.Scanner": lambda v: (
        v.strict,
        v.object_hook,
        v.object_pairs_hook,
        v.parse_float,
        v.parse_int,
        v.parse_constant,
    ),
    "_json.Encoder": lambda v: (
        v.markers,
        v.default,
        v.encoder,
        v.indent,
        v.key_separator,
        v.item_separator,
        v.sort_keys,
    ),
    "operator.attrgetter": lambda v: v.__reduce__()[1],
    "operator.methodcaller": lambda v: v.__reduce__()[1:],
    "pydantic._internal._decorators.Decorator": lambda v: (v.cls_var_name, v.func, v.shim, v.info),
    "pydantic._internal._validate_call.ValidateCallWrapper": lambda v: (
        v.function,
        v.validate_return,
        v.config_wrapper.config_dict,
    ),
    "multiprocessing.shared_memory.SharedMemory": _shared_memory,
    "_hashlib.HASH": lambda v: (v.name, v.digest()),
}
"""Readers of objects that can't be copied, or whose copied state contains an address, by type name."""

_STATELESS = (object, type(None), type(NotImplemented))


def state_as_copied(walker: Walker, value: Any) -> tuple[Any, ...]:
    """Return the content of a value that crosses between tasks: its copied state.

    Raises:
        OpaqueError: if it can't be copied.
    """
    return special_state(walker, value) or _reduced(value)


def state_as_read(walker: WatchingWalker, value: Any) -> tuple[Any, ...]:
    """Return the content of an object that code reaches: everything that the code may read of it.

    Raises:
        OpaqueError: if something of it can't be read.
    """
    kind = type(value)
    found = special_state(walker, value)
    if found is not None:
        return found
    if issubclass(kind, _IMMUTABLE) or _is_numpy_scalar(kind):
        if issubclass(kind, logging.Logger):
            walker.add_logger(value)
        return (*_reduced(value), *(_attributes_of(value) if is_own_class(kind) else ()))
    if _is_copied_by_library(kind):
        with walker.volatile():
            reduced = _reduced(value)
            walker.of_all(reduced)
        return (*reduced, *_attributes_of(value)) if is_own_class(kind) else reduced
    base = _content_base(kind)
    if base is None and not _is_transparent(kind):
        raise OpaqueError(f"an object of type {_name(kind)!r} can't be read")
    if is_own_class(kind) or not issubclass(kind, Enum):
        walker.watch(_parts_of, value)
    content = _CONTENT[base](value) if base is not None else ()
    return (b"own", kind, content, *_attributes_of(value))


def special_state(walker: Walker, value: Any) -> tuple[Any, ...] | None:
    """Return the state of built-in objects that can't be copied, or whose copied state is too small or too large."""
    kind = type(value)
    if kind in _LOCKS:
        walker.add_lock(value)
        return (b"lock", kind, getattr(value, "parties", None))
    if kind is type(os.environ):
        return (b"environment", walker.of_all_variables())
    if kind is typing.NewType:
        return (b"new type", value.__name__, value.__module__, value.__supertype__)
    if kind is threading.Event:
        return (b"event", value.is_set())
    if kind in _NAMED:
        return (b"named", kind.__name__, value.__objclass__, value.__name__)
    if kind is MappingProxyType:
        return (b"proxy", {**value})
    if kind in _DICT_VIEWS:
        return (b"view", kind.__name__, list(value))
    if kind is memoryview:
        return (b"memory", value.format, value.shape, value.readonly, walker.measure(value.tobytes))
    if kind is bytearray:
        return (b"bytearray", walker.measure(lambda: bytes(value)))
    if kind is ContextVar:
        walker.watch(_read_variable, value)
        return (b"variable", value.name, *_read_variable(value))
    if kind is partial:
        walker.watch(_parts_of, value)
        return (b"partial", value.func, value.args, value.keywords, _dict_of(value))
    if issubclass(kind, ref):
        walker.watch(_read_reference, value)
        return (b"reference", kind, value())
    if (content := _CONTENT_OF.get(_name(kind))) is not None:
        return (b"content", _name(kind), *content(value))
    if kind is ForwardRef:
        return (b"forward", value.__forward_arg__)
    if kind in (TypeVar, ParamSpec):
        variance = (value.__covariant__, value.__contravariant__, getattr(value, "__infer_variance__", False))
        return (b"variable", value.__name__, value.__bound__, getattr(value, "__constraints__", ()), variance)
    return (b"bare", kind) if kind in _STATELESS else None


def _read_variable(variable: ContextVar[Any]) -> list[Any]:
    try:
        return [variable.get()]
    except LookupError:  # it has neither a value here nor a default
        return []


def _read_reference(reference: Any) -> list[Any]:
    return [reference()]


def _attributes_of(value: Any) -> tuple[Any, ...]:
    """Return the attributes of an object in the order of `vars`."""
    held = {**_dict_of(value), **dict(_slots_of(value))}
    return (tuple(held), *held.values())


def _parts_of(value: Any) -> list[Any]:
    base = _content_base(type(value))
    content = _CONTENT[base](value) if base is not None else ()
    read = [content] if base is bytearray else list(content) if type(content) in (list, tuple, frozenset) else []
    return [type(value), *items_of(_dict_of(value)), *(held for _, held in _slots_of(value)), *read]


def _dict_of(value: Any) -> dict[str, Any]:
    try:
        found = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return found if type(found) is dict else dict(found)


def _slots_of(value: Any) -> list[tuple[str, Any]]:
    found = []
    kind: Any = type(value)
    for name, member in _slots(kind):
        try:
            found.append((name, member.__get__(value)))
        except AttributeError:  # not set
            continue
    return found


@cache
def _slots(kind: Hashable) -> list[tuple[str, Any]]:
    classes = [cls for cls in getattr(kind, "__mro__", ()) if cls is not BaseException]
    return [
        (f"{cls.__qualname__}.{name}", member)
        for cls in classes
        for name, member in vars(cls).items()
        if type(member) is MemberDescriptorType and not name.endswith(("offset__", "__weakref__", "__dict__"))
    ]


def _content_base(kind: type) -> type | None:
    return next((base for base in kind.__mro__ if base in _CONTENT), None)


def _is_transparent(kind: type) -> bool:
    """Return whether objects of this type have only attributes and slots; the check of `object.__getstate__`."""
    size = object.__basicsize__ + (kind.__weakrefoffset__ > 0) * 8 + len(_slots(kind)) * 8
    if kind.__dictoffset__ and not kind.__flags__ & _MANAGED_DICT:
        size += 8
    return kind.__basicsize__ <= size and not kind.__itemsize__


def _is_copied_by_library(kind: type) -> bool:
    if kind in copyreg.dispatch_table:
        return True
    for cls in kind.__mro__:
        if home_of(cls) != "enum" and cls is not object and any(name in vars(cls) for name in _COPYING):
            return cls not in _CONTENT and not is_own_class(cls)
    return False


def _is_numpy_scalar(kind: type) -> bool:
    return home_of(kind).partition(".")[0] == "numpy" and kind.__name__ not in ("ndarray", "matrix", "Generator")


def _is_at(module: str, name: str, value: Any) -> bool:
    """Tell whether a name leads to an object."""
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found is value


def _reduced(value: Any) -> tuple[Any, ...]:
    """Return the copied state of an object: its constructor, the arguments and the state."""
    kind = type(value)
    reduce = copyreg.dispatch_table.get(kind)
    try:
        reduced = reduce(value) if reduce is not None else value.__reduce_ex__(4)
    except Exception as e:
        raise OpaqueError(f"an object of type {_name(kind)!r} can't be read: {e}") from e
    if isinstance(reduced, str):
        module = getattr(value, "__module__", None) or pickle.whichmodule(value, reduced)  # type: ignore[attr-defined]
        wrapped = getattr(value, "__wrapped__", None)
        if wrapped is None and not _is_at(module, reduced, value):
            raise OpaqueError(f"an object of type {_name(kind)!r} can't be read: {module}.{reduced} is another one")
        return (b"global", f"{module} {reduced}", kind, wrapped)
    make, arguments, state, *items = (*reduced, None, None, None)[:5]
    parts: list[Iterable[Any]] = [tuple(more) if more is not None else () for more in items]
    return (b"made", make, arguments, *_in_no_order(state), *parts)


def _in_no_order(state: Any) -> tuple[Any, ...]:
    """Sort attributes, whose order doesn't count."""
    if type(state) is dict and all(type(name) is str for name in state):
        return (b"state", sorted(state), *(state[name] for name in sorted(state)))
    if type(state) is tuple:
        return (b"states", *itertools.chain.from_iterable(map(_in_no_order, state)))
    return (b"other", state)


def _name(kind: type) -> str:
    return f"{home_of(kind)}.{kind.__qualname__}"
