"""Python code for values, with the imports that it needs."""

from __future__ import annotations

import dataclasses
import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from flytenb.wording.text import class_name


def name_of(thing: Any, names: Mapping[str, Any]) -> str:
    """Return the name of the variable that holds an object, `""` if there is none."""
    return next((name for name, held in names.items() if held is thing and not name.startswith("_")), "")


@dataclass
class PythonSource:
    """Writes values as Python code for a notebook and collects missing imports.

    Attributes:
        names: the notebook's variables.
        imports: `from module import name` lines that the code needs.
    """

    names: Mapping[str, Any]
    imports: list[str] = field(default_factory=list)

    def name(self, thing: Any) -> str:
        """Return an expression for a class or function, importing it if the notebook doesn't have it."""
        short = thing.__qualname__.partition(".")[0]
        owner = self.names.get(short)
        if thing.__qualname__ == short and owner is thing:
            return str(short)
        if owner is not None and "." in thing.__qualname__ and _inside(owner, thing) is thing:
            return str(thing.__qualname__)
        module = self.names.get(thing.__module__)
        if getattr(module, short, None) is thing:
            return f"{thing.__module__}.{short}"
        line = f"from {thing.__module__} import {short}"
        if line not in self.imports:
            self.imports.append(line)
        return str(thing.__qualname__)

    def write(self, value: Any) -> str:
        """Return an expression for the value.

        Raises:
            ValueError: if there is no short expression for it, e.g. for a frame.
        """
        for known, write in _WRITERS:
            if isinstance(value, known):
                return str(write(self, value))
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = ((f.name, getattr(value, f.name)) for f in dataclasses.fields(value) if f.init)
            return self.call(type(value), fields)
        if hasattr(type(value), "model_fields"):
            return self.call(type(value), ((n, getattr(value, n)) for n in type(value).model_fields))
        raise ValueError(f"a {class_name(value)} can't be written as Python code: assign it to a variable")

    def call(self, cls: type, arguments: Any) -> str:
        """Return a call of a class with keyword arguments, given as pairs of name and value."""
        return f"{self.name(cls)}({', '.join(f'{name}={self.write(value)}' for name, value in arguments)})"


def _inside(owner: Any, thing: Any) -> Any:
    found = owner
    for part in thing.__qualname__.split(".")[1:]:
        found = getattr(found, part, None)
    return found


def _float(source: PythonSource, value: float) -> str:
    return repr(value) if math.isfinite(value) else f'float("{value}")'


def _items(source: PythonSource, values: Any) -> str:
    return ", ".join(source.write(v) for v in values)


def _tuple(source: PythonSource, value: tuple[Any, ...]) -> str:
    if type(value) is not tuple:
        raise ValueError(f"a {class_name(value)} can't be written as Python code: assign it to a variable")
    return f"({_items(source, value)}{',' if len(value) == 1 else ''})"


def _set(source: PythonSource, value: Any) -> str:
    inside = f"{{{_items(source, value)}}}" if value else ""
    return f"{class_name(value)}({inside})" if isinstance(value, frozenset) or not value else inside


def _dict(source: PythonSource, value: dict[Any, Any]) -> str:
    return f"{{{', '.join(f'{source.write(k)}: {source.write(v)}' for k, v in value.items())}}}"


def _datetime(source: PythonSource, value: datetime.datetime) -> str:
    parts = [value.year, value.month, value.day, value.hour, value.minute]
    if value.second or value.microsecond:
        parts.append(value.second)
    if value.microsecond:
        parts.append(value.microsecond)
    arguments = list(map(str, parts))
    if value.tzinfo is datetime.UTC:
        arguments.append(f"tzinfo={source.name(datetime.timezone)}.utc")
    elif value.tzinfo is not None:
        offset = source.write(value.utcoffset())
        arguments.append(f"tzinfo={source.name(datetime.timezone)}({offset})")
    return f"{source.name(datetime.datetime)}({', '.join(arguments)})"


def _timedelta(source: PythonSource, value: datetime.timedelta) -> str:
    parts = {"days": value.days, "seconds": value.seconds, "microseconds": value.microseconds}
    message = ", ".join(f"{name}={number}" for name, number in parts.items() if number)
    return f"{source.name(datetime.timedelta)}({message})"


def _stored(source: PythonSource, value: Any) -> str:
    """Return a FlyteFile or FlyteDirectory by its path; the format is part of the declared type."""
    plain = next(c for c in type(value).__mro__ if c.__name__ in ("FlyteFile", "FlyteDirectory"))
    return f"{source.name(plain)}({str(value.path)!r})"


class _Stored(type):
    """Recognises flytekit's files and directories without importing flytekit."""

    def __instancecheck__(cls, value: Any) -> bool:
        return any(
            c.__module__.startswith("flytekit.types.") and c.__name__ in ("FlyteFile", "FlyteDirectory")
            for c in type(value).__mro__
        )


class _FlyteStored(metaclass=_Stored):
    pass


_WRITERS: tuple[tuple[Any, Any], ...] = (
    (Enum, lambda source, value: f"{source.name(type(value))}.{value.name}"),
    (_FlyteStored, _stored),
    ((bool, int, str, bytes, type(None), complex), lambda source, value: repr(value)),
    (float, _float),
    (datetime.datetime, _datetime),
    (datetime.date, lambda s, value: f"{s.name(datetime.date)}({value.year}, {value.month}, {value.day})"),
    (datetime.timedelta, _timedelta),
    (list, lambda source, value: f"[{_items(source, value)}]"),
    (tuple, _tuple),
    ((set, frozenset), _set),
    (dict, _dict),
)
"""Functions that write values, by type; the first match is used. Enum is first since members may be ints or strs."""
