"""Displays of single values: None, numbers, text, bytes, times, enum members."""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import types
import uuid
from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Any

from flytenb.display.part import Note, Part, Section, Text, Value
from flytenb.display.registry import BUILT_IN
from flytenb.display.view import View
from flytenb.wording.quantities import bytes_text, count_text, duration_text, more_text
from flytenb.wording.values import brief, class_name, clip

register = BUILT_IN.register
_HEX_BYTES = 128


@register(type(None))
def show_none(value: None, view: View) -> Part:
    """Show None."""
    return Value("None")


@register(bool)
@register(int)
@register(float)
@register(complex)
@register(decimal.Decimal)
@register(fractions.Fraction)
def show_number(value: Any, view: View) -> Any:
    """Show a number in full."""
    if isinstance(value, enum.Enum):
        return NotImplemented
    return Value(brief(value, view.limits.block), class_name(value), is_number=True)


@register(uuid.UUID)
@register(types.FunctionType)
@register(types.BuiltinFunctionType)
@register(types.MethodType)
@register(types.ModuleType)
def show_reference(value: Any, view: View) -> Part:
    """Show an object by its name."""
    return Value(brief(value, view.limits.block), class_name(value))


@register(type)
def show_class(value: type, view: View) -> Part:
    """Show a class by its qualified name."""
    return Value(f"class {value.__module__}.{value.__qualname__}")


@register(str)
def show_str(value: str, view: View) -> Any:
    """Show a short string as its repr, a long or multi-line one as a block."""
    if isinstance(value, enum.Enum):
        return NotImplemented
    size = str.__len__(value)
    if size <= view.limits.cell and "\n" not in value:
        return Value(brief(value, 2 * view.limits.cell), class_name(value))
    lines = str.count(value, "\n") + 1
    facts = (count_text(size, "character"), count_text(lines, "line") if lines > 1 else "")
    cut = str.__getitem__(value, slice(0, view.limits.block))
    return Section(class_name(value), facts, Text(cut, missing=size - len(cut)))


@register(bytes)
@register(bytearray)
@register(memoryview)
def show_bytes(value: Any, view: View) -> Part:
    """Show the number of bytes and the first of them."""
    size = value.nbytes if isinstance(value, memoryview) else len(value)
    head = bytes(value[:_HEX_BYTES]) if size == len(value) else b""
    if size <= 16:
        return Value(brief(head, view.limits.cell), class_name(value), (bytes_text(size),))
    lines = [_hex_line(head[i : i + 16]) for i in range(0, len(head), 16)]
    if size > len(head):
        lines.append(f"… {more_text(size - len(head), 'byte')}")
    return Section(class_name(value), (bytes_text(size),), Text("\n".join(lines), "code"))


@register(datetime.datetime)
def show_datetime(value: datetime.datetime, view: View) -> Part:
    """Show a date and time with its time zone."""
    zone = "naive" if value.tzinfo is None else f"zone {brief(value.tzname() or str(value.tzinfo), 40)}"
    return Value(value.isoformat(" "), class_name(value), (zone.replace("'", ""),))


@register(datetime.date)
@register(datetime.time)
def show_date(value: datetime.date | datetime.time, view: View) -> Part:
    """Show a date or a time of day."""
    return Value(value.isoformat(), class_name(value))


@register(datetime.timedelta)
def show_timedelta(value: datetime.timedelta, view: View) -> Part:
    """Show a duration as Python writes it and in words."""
    return Value(str(value), class_name(value), (duration_text(value.total_seconds()),))


@register(enum.Enum)
def show_enum(value: enum.Enum, view: View) -> Part:
    """Show an enum member by name and value, with the names of all members."""
    members = ", ".join(list(type(value).__members__)[:12])
    return Value(brief(value), f"value {brief(value._value_, 40)}", (clip(f"one of {members}", 60),))


@register(Iterator)
@register(AsyncIterator)
@register(Awaitable)
def show_unconsumed(value: Any, view: View) -> Part:
    """Name an object that iterating or awaiting would consume."""
    return Section(class_name(value), (), Note("not consumed: showing its items would use them up"))


def _hex_line(chunk: bytes) -> str:
    printable = "".join(chr(b) if 32 <= b < 127 else "·" for b in chunk)
    return f"{chunk.hex(' '):<47}  {printable}"
