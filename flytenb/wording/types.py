"""Declared types, read for a reader: their spelling, their members, the union's member that a value is."""

from __future__ import annotations

import collections.abc
import dataclasses
import types
import typing
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from flytenb.wording.values import brief, clean

_SPELLED = {"List": "list", "Dict": "dict", "Tuple": "tuple", "Set": "set", "FrozenSet": "frozenset"}


def type_text(declared: Any) -> str:
    """Return a type as a reader would write it: `dict[str, Coordinate]`, `int | None`."""
    try:
        return clean(_spell(declared))
    except Exception:
        return clean(brief(declared))


def bare(declared: Any) -> Any:
    """Return the type without `Annotated[...]` around it and without a NewType's name."""
    while True:
        if get_origin(declared) is Annotated:
            declared = get_args(declared)[0]
        elif isinstance(declared, typing.NewType):
            declared = declared.__supertype__
        elif isinstance(declared, typing.TypeVar):
            return declared.__bound__
        else:
            return declared


def union_members(declared: Any) -> tuple[Any, ...]:
    """Return the members of a Union or Optional, else none."""
    declared = bare(declared)
    return get_args(declared) if get_origin(declared) in (Union, types.UnionType) else ()


def member_of(value: Any, members: tuple[Any, ...]) -> Any:
    """Return the union's member that the value is; `None` if none is sure."""
    exact = [m for m in members if _plain_class(m) is type(value)]
    if len(exact) == 1:
        return exact[0]
    fitting = [m for m in members if (cls := _plain_class(m)) is not None and isinstance(value, cls)]
    return fitting[0] if len(fitting) == 1 else None


def item_types(declared: Any) -> tuple[Any, ...]:
    """Return what a generic type says about its items: `(str, int)` for `dict[str, int]`, `()` if nothing."""
    return tuple(get_args(bare(declared)))


def field_types(cls: type) -> dict[str, Any]:
    """Return the declared types of a class's fields; a name that can't be resolved stays as written."""
    try:
        return typing.get_type_hints(cls, include_extras=True)
    except Exception:
        if dataclasses.is_dataclass(cls):
            return {f.name: f.type for f in dataclasses.fields(cls)}
        return dict(getattr(cls, "__annotations__", {}))


def _plain_class(declared: Any) -> type | None:
    declared = bare(declared)
    if declared is None:
        return type(None)
    origin = get_origin(declared) or declared
    return origin if isinstance(origin, type) else None


def _spell(declared: Any) -> str:
    declared = bare(declared)
    if declared is None or declared is type(None):
        return "None"
    if isinstance(declared, str):
        return declared
    if declared is Any:
        return "Any"
    if declared is Ellipsis:
        return "..."
    if isinstance(declared, typing.ForwardRef):
        return declared.__forward_arg__
    if members := union_members(declared):
        # None reads best at the end, wherever it was written.
        ordered = sorted(members, key=lambda m: m is type(None))
        return " | ".join(dict.fromkeys(_spell(m) for m in ordered))
    origin, arguments = get_origin(declared), get_args(declared)
    if origin is Literal:
        return f"Literal[{', '.join(brief(a, 30) for a in arguments)}]"
    if origin is collections.abc.Callable:
        return "Callable"
    if origin is not None and arguments:
        return f"{_class_text(origin)}[{', '.join(_spell(a) for a in arguments)}]"
    return _class_text(declared)


def _class_text(cls: Any) -> str:
    # flytekit makes FlyteFile["csv"] a class of its own, whose name says nothing (checked against 1.16.31).
    if getattr(cls, "__name__", "") in ("_SpecificFormatClass", "_SpecificFormatDirectoryClass"):
        return f"{cls.__origin__.__name__}[{cls.extension()!r}]"
    name = getattr(cls, "__qualname__", None) or getattr(cls, "_name", None) or str(cls)
    name = str(name).rpartition("<locals>.")[2]
    return _SPELLED.get(name, name)
