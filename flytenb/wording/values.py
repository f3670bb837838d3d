"""Any value as one short line, whatever its methods do. Longer forms are in `display`."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import re
import types
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from flytenb.wording.packages import packages_of
from flytenb.wording.quantities import duration_text, more_text, number_text
from flytenb.wording.text import PATIENCE, LateError, message_of, name_of, repr_in_time
from flytenb.wording.text import class_name as class_name
from flytenb.wording.text import clean as clean
from flytenb.wording.text import clip as clip

BRIEF = 80
"""Characters of a value unless another limit is given."""
SHORT = 40
"""Characters of a value inside a drawing: a default, a constant."""
LONG = 500
"""Characters of a value on a line of its own."""

_DEPTH = 4
_ITEMS = 12
_SAFE_DIGITS = 300

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


class Unquoted(str):
    """Text that takes the place of a value and is shown without quotes."""

    __slots__ = ()


def brief(value: Any, limit: int = BRIEF) -> str:
    """Return a value in one line of at most `limit` characters.

    Never raises, and reads only as much of a container as is shown.
    """
    return clip(clean(_guarded(value, limit, _DEPTH, frozenset()).replace("\n", " ")), limit)


def has_generated_repr(cls: type) -> bool:
    """Whether a dataclass's `__repr__` is the generated one, which calls `repr` of all fields."""
    return cls.__repr__.__qualname__ == f"{cls.__qualname__}.__repr__" and hasattr(cls.__repr__, "__wrapped__")


def has_no_repr(cls: type) -> bool:
    """Whether a class has no `__repr__` other than `object`'s."""
    return getattr(cls, "__repr__", None) is object.__repr__


def own_repr(value: Any, limit: int) -> str:
    """Return the object's own repr, guarded and without memory addresses."""
    if has_no_repr(type(value)):
        return f"<{class_name(value)} object>"
    # Not `repr(value)`: that raises for anything but text, and a FlyteFile's `__repr__` may return a path.
    text = repr_in_time(value)
    # An address differs on every run.
    return _ADDRESS.sub("", text[: limit + 40])


def is_told_by_repr(value: Any) -> bool:
    """Whether `brief` calls the value's own `__repr__`, which may take any time."""
    cls = type(value)
    is_ours = isinstance(value, list | tuple | set | frozenset | dict) or _is_plain_dataclass(cls) or has_no_repr(cls)
    return not (_spelling(cls) is not None or is_ours or _sized(value, cls))


def pass_interrupt(error: BaseException) -> None:
    """Raise an interrupt again. Everything else that the code of a value raises is reported, `SystemExit` too.

    Not every error is an `Exception`: a panic of a library in Rust isn't.
    """
    if isinstance(error, KeyboardInterrupt | GeneratorExit):
        raise error


def _guarded(value: Any, limit: int, depth: int, around: frozenset[int]) -> str:
    try:
        return _brief(value, limit, depth, around)
    except BaseException as error:
        pass_interrupt(error)
        why = (
            f"takes more than {duration_text(PATIENCE)}"
            if isinstance(error, LateError)
            else f"raised {class_name(error)}"
        )
        return f"<{class_name(value)}, whose repr {why}>"


def _brief(value: Any, limit: int, depth: int, around: frozenset[int]) -> str:
    cls = type(value)
    spell = _spelling(cls)
    if spell is not None:
        return str(spell(value, limit))
    if isinstance(value, list | tuple | set | frozenset | dict) or _is_plain_dataclass(cls):
        if id(value) in around:
            return "<cycle>"
        if depth == 0:
            return "…"
        return _brief_inside(value, limit, depth - 1, around | {id(value)})
    sized = _sized(value, cls)
    return sized if sized else own_repr(value, limit)


def _spelling(cls: type) -> Callable[[Any, int], Any] | None:
    if issubclass(cls, enum.Enum):  # before text and numbers, which members may be as well
        return _spell_enum
    return next((_SPELL[c] for c in cls.__mro__ if c in _SPELL), None)


def _brief_inside(value: Any, limit: int, depth: int, around: frozenset[int]) -> str:
    def spell(item: Any) -> str:
        # Half of the line per item: the cost of nested items halves with each level.
        return _guarded(item, max(limit // 2, 16), depth, around)

    cls = type(value)
    if isinstance(value, dict):
        pairs = (f"{spell(k)}: {spell(v)}" for k, v in dict.items(value))
        return _wrapped(value, "{", "}", pairs, dict.__len__(value), limit, dict)
    if isinstance(value, set | frozenset):
        size = set.__len__(value) if isinstance(value, set) else frozenset.__len__(value)
        if not size:
            return f"{name_of(cls)}()"
        # Sets of strings iterate differently in every process.
        ordered = sorted(spell(v) for v in islice(iter(value), 1000))
        return _wrapped(value, "{", "}", ordered, size, limit, set, frozenset)
    if isinstance(value, tuple):
        fields = getattr(cls, "_fields", None)
        if isinstance(fields, tuple) and fields and len(fields) == tuple.__len__(value):
            named = (f"{k}={spell(v)}" for k, v in zip(fields, tuple.__iter__(value), strict=True))
            return name_of(cls) + _joined("(", ")", named, len(fields), limit)
        end = ",)" if tuple.__len__(value) == 1 else ")"
        return _wrapped(value, "(", end, map(spell, tuple.__iter__(value)), tuple.__len__(value), limit, tuple)
    if isinstance(value, list):
        return _wrapped(value, "[", "]", map(spell, list.__iter__(value)), list.__len__(value), limit, list)
    names = [f.name for f in dataclasses.fields(value) if f.repr]
    parts = (f"{n}={spell(getattr(value, n, '<missing>'))}" for n in names)
    return name_of(cls) + _joined("(", ")", parts, len(names), limit)


def _wrapped(value: Any, start: str, end: str, items: Iterable[str], total: int, limit: int, *plain: type) -> str:
    body = _joined(start, end, items, total, limit)
    return body if type(value) in plain else f"{class_name(value)}({body})"


def _joined(start: str, end: str, items: Iterable[str], total: int, limit: int) -> str:
    """Join items until the line is full; append how many are missing."""
    shown: list[str] = []
    room = limit - len(start) - len(end)
    for item in islice(items, max(_ITEMS, limit // 7)):
        room -= len(item) + 2
        if shown and room < 0:
            break
        shown.append(item)
    while True:
        missing = total - len(shown)
        more = [f"… {more_text(missing)}"] if missing > 0 else []
        text = start + ", ".join([*shown, *more]) + end
        if len(text) <= limit or len(shown) < 2:  # the number of missing items is worth more than one more item
            return text
        shown.pop()


def _is_plain_dataclass(cls: type) -> bool:
    return dataclasses.is_dataclass(cls) and has_generated_repr(cls)


def _spell_int(value: int, limit: int) -> str:
    bits = int.bit_length(value)
    if bits > _SAFE_DIGITS * 3:
        # Spelling out a huge int takes quadratic time, and Python refuses beyond 4300 digits.
        return f"<int of {bits:,} bits>"
    return int.__repr__(value)


def _spell_str(value: str, limit: int) -> str:
    text = repr(str.__getitem__(value, slice(0, limit + 1)))
    if str.__len__(value) <= limit:
        return text
    return text[:-1] + "…" + text[-1]


def _spell_bytes(value: bytes | bytearray, limit: int) -> str:
    text = repr(bytes(value[:limit]))
    return text if len(value) <= limit else text[:-1] + "…" + text[-1]


def _spell_enum(value: enum.Enum, limit: int) -> str:
    return f"{class_name(value)}.{value._name_}" if value._name_ else f"{class_name(value)}({value._value_!r})"


def _spell_error(value: BaseException, limit: int) -> str:
    text = message_of(value)[: limit + 1].strip()
    return f"{class_name(value)}: {text}" if text else class_name(value)


def _spell_callable(value: Any, limit: int) -> str:
    return f"function {getattr(value, '__qualname__', '?').rpartition('<locals>.')[2]}"


def _spell_iterator(value: Iterator[Any], limit: int) -> str:
    return f"<{class_name(value)}, not consumed>"


def dtype_text(dtype: Any) -> str:
    """Return the type of an array's elements without its library: `float32` for PyTorch's `torch.float32`."""
    library, _, name = str(dtype).partition(".")
    return name if library.isidentifier() and name.isidentifier() else str(dtype)[:80]


def _sized(value: Any, cls: type) -> str:
    """Return arrays and frames as `ndarray float64 3 × 4`; their own reprs are slow or long, or compute something."""
    if not (hasattr(cls, "__dlpack_device__") or packages_of(cls) & {"numpy", "pandas", "polars", "pyarrow"}):
        return ""
    try:
        shape = getattr(value, "shape", None)
    except Exception:
        # A nested tensor of PyTorch raises for its shape.
        return name_of(cls)
    # The content of a device isn't waited for.
    is_here = str(getattr(value, "device", "cpu")) == "cpu"
    if shape == () and is_here and isinstance(getattr(value, "item", None), types.BuiltinMethodType):
        return number_text(value.item()) if cls.__name__ != "ndarray" else f"ndarray of {value.item()!r}"
    if not isinstance(shape, tuple):
        return ""
    dtype = dtype_text(getattr(value, "dtype", ""))
    return " ".join(filter(None, (name_of(cls), dtype, " × ".join(map(str, shape)) or "scalar")))


_SPELL: dict[type, Any] = {
    type(None): lambda value, limit: "None",
    bool: lambda value, limit: repr(value),
    int: _spell_int,
    float: lambda value, limit: float.__repr__(value),
    Unquoted: lambda value, limit: str(value),
    str: _spell_str,
    bytes: _spell_bytes,
    bytearray: _spell_bytes,
    datetime.datetime: lambda value, limit: value.isoformat(" "),
    datetime.date: lambda value, limit: value.isoformat(),
    datetime.time: lambda value, limit: value.isoformat(),
    datetime.timedelta: lambda value, limit: str(value),
    BaseException: _spell_error,
    types.FunctionType: _spell_callable,
    types.BuiltinFunctionType: _spell_callable,
    types.MethodType: _spell_callable,
    types.ModuleType: lambda value, limit: f"module {value.__name__}",
    type: lambda value, limit: f"class {name_of(value)}",
    types.GeneratorType: _spell_iterator,
    types.CoroutineType: _spell_iterator,
    types.AsyncGeneratorType: _spell_iterator,
    map: _spell_iterator,
    filter: _spell_iterator,
    zip: _spell_iterator,
}
"""The spelling of each type and of its subclasses."""
