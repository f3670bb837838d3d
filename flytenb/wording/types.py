"""Declared types: their text, their members and items, the member of a union that a value belongs to."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from flytenb.wording.text import clean, name_of
from flytenb.wording.values import brief

_SPECIFIC_FORMATS = ("_SpecificFormatClass", "_SpecificFormatDirectoryClass")
"""The classes that flytekit makes of `FlyteFile["csv"]` and `FlyteDirectory["png"]` (checked against 1.16.31)."""


def type_text(declared: Any) -> str:
    """Return a type as one writes it in Python: `dict[str, Coordinate]`, `int | None`, `FlyteFile['csv']`.

    `Annotated` is left out; a NewType and a TypeVar keep their names.
    """
    try:
        return clean(_spell(declared))
    except Exception:
        return clean(brief(declared))


def union_text(members: Iterable[str]) -> str:
    """Return the texts of a union's members as one, `None` last, each once."""
    return " | ".join(dict.fromkeys(sorted(members, key=lambda text: text == "None")))


def is_annotation(value: Any) -> bool:
    """Whether an object can be the annotation of a parameter: a class, None, or an object of `typing`."""
    is_of_typing = type(value).__module__ in ("typing", "types", "typing_extensions")
    return value is None or isinstance(value, type) or get_origin(value) is not None or is_of_typing


def bare(declared: Any) -> Any:
    """Return the type behind `Annotated`, a NewType or a TypeVar (its bound or constraints, else `Any`)."""
    while True:
        if get_origin(declared) is Annotated:
            declared = get_args(declared)[0]
        elif isinstance(declared, typing.NewType):
            declared = declared.__supertype__
        elif isinstance(declared, typing.TypeVar):
            constraints = declared.__constraints__
            declared = Union.__getitem__(constraints) if constraints else declared.__bound__ or Any
        else:
            return declared


def union_members(declared: Any) -> tuple[Any, ...]:
    """Return the members of a Union or Optional, else none."""
    declared = bare(declared)
    return get_args(declared) if get_origin(declared) in (Union, types.UnionType) else ()


def member_of(value: Any, members: tuple[Any, ...]) -> Any:
    """Return the member of a union that a value belongs to; `None` if several or none may be it."""
    exact = [m for m in members if _plain_class(m) is type(value)]
    if len(exact) == 1:
        return exact[0]
    fitting = [m for m in members if (cls := _plain_class(m)) is not None and isinstance(value, cls)]
    return fitting[0] if len(fitting) == 1 else None


def item_types(declared: Any) -> tuple[Any, ...]:
    """Return the arguments of a generic type: `(str, int)` for `dict[str, int]`, else `()`."""
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
    return origin if isinstance(origin, type) and origin is not Any else None


def _spell(declared: Any) -> str:
    if declared is None or declared is type(None):
        return "None"
    if isinstance(declared, type):
        return _class_text(declared)
    if declared is ...:
        return "..."
    if isinstance(declared, str):
        return declared
    if isinstance(declared, list):  # the parameters of a Callable
        return f"[{', '.join(map(_spell, declared))}]"
    if isinstance(declared, typing.ForwardRef):
        return declared.__forward_arg__
    origin, arguments = get_origin(declared), get_args(declared)
    if origin is Annotated:
        return _spell(arguments[0])
    if origin in (Union, types.UnionType):
        return union_text(map(_spell, arguments))
    if origin is Literal:
        return f"Literal[{', '.join(brief(a, 30) for a in arguments)}]"
    if origin is not None and arguments:
        return f"{_class_text(origin)}[{', '.join(map(_spell, arguments))}]"
    return _class_text(origin or declared)


def _class_text(cls: Any) -> str:
    if not isinstance(cls, type):
        return str(getattr(cls, "__name__", None) or getattr(cls, "_name", None) or cls)
    if (name := name_of(cls)) not in _SPECIFIC_FORMATS:
        return name
    specific: Any = cls
    return f"{name_of(specific.__origin__)}[{specific.extension()!r}]"
