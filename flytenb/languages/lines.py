"""Lines format: values as text that a program of any language can read and write.

A value is a line that begins with a tag, then the lines of its parts. Every line ends in a newline, the text is UTF-8.

- `n` None, `b0` and `b1` bool, `i-12` int, `d0.5` float (also `NaN`, `Inf`, `-Inf`), `sTEXT` str with `\\\\`, `\\n` and
  `\\r` for backslash, newline and carriage return, `aYYYY-MM-DD` date, `TSECONDS NANOS` datetime since 1970 in UTC,
  `DSECONDS NANOS` timedelta. Nanoseconds of a datetime are positive, those of a timedelta have its sign.
- `lN` a list, then N values. `mN` a dict or record, then N times a line with the escaped key and a value.
- `vTN` a list of N values of one tag `T`, then N lines without the tag, `\\N` for None. `xN` a list of N floats: a line
  with 16 hexadecimal digits each, IEEE 754 with the sign first, then a line with the positions of those that are None.
- `tROWS COLUMNS` a table: per column a line with its escaped name, then `x` or `v` as above (`vTN ZONE` with the name
  of a time zone), or `cORDERED LEVELS ROWS` with ORDERED 0 or 1, the levels, and per row the position of its level
  from 1 on or `\\N`.

Programs of Python cells contain the source of this module: it needs Python 3.8 and nothing else.
"""

from __future__ import annotations

import datetime
import itertools
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from flytenb.languages.scalar_lines import (
    MISSING,
    SCALAR_READERS,
    moment_text,
    plain,
    read_nanos,
    read_scalar,
    span_text,
    to_float,
    unexpected,
    write_scalar,
)
from flytenb.languages.shape_notation import Shape, read_shape
from flytenb.languages.tables import TableColumn, make_table, moment_of, read_table, span_of, swapped

DEEPEST = 1000
"""Levels of lists, dicts and records within each other."""


# --- writing ---------------------------------------------------------------------------------------------------------


def dumps(value: Any, shape: str) -> str:
    """Return the lines of a value of a shape.

    Parts wait on a stack with their shape and place, so that deep values need no deep recursion. A place is that of
    what contains the part, the text of the step to it, and its depth.

    Raises:
        ValueError: for a value that isn't of this shape, with its place.
    """
    lines: list[str] = []
    waiting: list[Any] = [(value, read_shape(shape), None)]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            lines.append(item)
            continue
        try:
            waiting += reversed(_write(lines, *item))
        except (ValueError, TypeError, OverflowError) as error:
            where = _place_text(item[2])
            raise ValueError(f"{error}{f', at {where}' if where else ''}") from None
    lines.append("")
    return "\n".join(lines)


def _place_text(place: tuple[Any, str, int] | None) -> str:
    steps = []
    while place is not None:
        steps.append(place[1])
        place = place[0]
    return "".join(reversed(steps))


def _write(lines: list[str], value: Any, shape: Shape, place: tuple[Any, str, int] | None) -> list[Any]:
    """Write a value's first line; return its parts, each a line or a value with its shape and place."""
    tag = shape.tag
    if tag == "o":
        return [(value, Shape("n", [], [], 0) if value is None else shape.parts[0], place)]
    if tag == "j":
        return [(value, _shape_of(value), place)]
    if tag == "t":
        _write_table(lines, read_table(value))
        return []
    if tag not in "lmr":
        lines.append(tag + write_scalar(tag, value))
        return []
    if place is not None and place[2] >= DEEPEST:
        raise ValueError(f"expected at most {DEEPEST} levels of lists and dicts")
    return _write_list(lines, value, shape, place) if tag == "l" else _write_map(lines, value, shape, place)


def _shape_of(value: Any) -> Shape:
    """Return the shape of a value that has no declared type."""
    value = plain(value)
    if isinstance(value, (list, tuple)):
        kinds = set(map(type, value))
        kind = _TAGS.get(kinds.pop()) if len(kinds) == 1 else None
        return Shape("l", [Shape(kind or "j", [], [], 0)], [], 1)
    if isinstance(value, Mapping):
        return Shape("m", [Shape("j", [], [], 0)], [], 1)
    tag = _TAGS.get(type(value)) or next((tag for kind, tag in _TAGS.items() if isinstance(value, kind)), None)
    if tag is None:
        raise unexpected("a value that JSON has", value)
    return Shape(tag, [], [], 0)


_TAGS = {bool: "b", int: "i", float: "d", str: "s", datetime.datetime: "T", datetime.timedelta: "D", datetime.date: "a"}
_TAGS[type(None)] = "n"


def _write_list(lines: list[str], value: Any, shape: Shape, place: tuple[Any, str, int] | None) -> list[Any]:
    value = plain(value)
    if not isinstance(value, (list, tuple)):
        raise unexpected(f"a {shape}", value)
    item = shape.parts[0]
    scalar = item.parts[0].tag if item.tag == "o" else item.tag
    if scalar in "bidsTDa":
        _write_vector(lines, scalar, value, has_missing=item.tag == "o")
        return []
    lines.append(f"l{len(value)}")
    depth = place[2] + 1 if place else 1
    return [(part, item, (place, f"[{i}]", depth)) for i, part in enumerate(value)]


def _write_map(lines: list[str], value: Any, shape: Shape, place: tuple[Any, str, int] | None) -> list[Any]:
    if shape.tag == "m":
        if not isinstance(value, Mapping):
            raise unexpected(f"a {shape}", value)
        pairs = [(key, part, shape.parts[0]) for key, part in value.items()]
    else:
        pairs = [(n, _field(value, n, shape), part) for n, part in zip(shape.names, shape.parts)]
    lines.append(f"m{len(pairs)}")
    depth = place[2] + 1 if place else 1
    texts = ((write_scalar("s", key), (part, item, (place, f"[{key!r}]", depth))) for key, part, item in pairs)
    return list(itertools.chain.from_iterable(texts))


def _field(value: Any, name: str, shape: Shape) -> Any:
    try:
        return value[name] if isinstance(value, Mapping) else getattr(value, name)
    except (KeyError, AttributeError):
        raise unexpected(f"a record with the fields {', '.join(shape.names)}", value) from None


def _write_vector(lines: list[str], tag: str, values: Sequence[Any], *, has_missing: bool) -> None:
    has_missing = has_missing and not isinstance(values, array)
    missing = [i for i, value in enumerate(values) if value is None] if has_missing else []
    try:
        if tag == "d":
            if not isinstance(values, array) and not set(map(type, values)) <= {float}:
                values = [0.0 if value is None and has_missing else to_float(value) for value in values]
            lines += (f"x{len(values)}", swapped(array("d", values)).tobytes().hex(), " ".join(map(str, missing)))
            return
        texts = [MISSING if value is None and has_missing else write_scalar(tag, value) for value in values]
    except (ValueError, TypeError, OverflowError) as error:
        raise ValueError(f"{error}, at [{_first_bad(tag, values, has_missing)}]") from None
    lines.append(f"v{tag}{len(values)}")
    lines += texts


def _first_bad(tag: str, values: Sequence[Any], has_missing: bool) -> int:
    for i, value in enumerate(values):
        try:
            if value is not None or not has_missing:
                write_scalar(tag, value)
        except (ValueError, TypeError, OverflowError):
            return i
    raise AssertionError("one of them is wrong")


def _write_table(lines: list[str], table: dict[str, TableColumn]) -> None:
    rows = len(next(iter(table.values())).values) if table else 0
    lines.append(f"t{rows} {len(table)}")
    for name, column in table.items():
        lines.append(write_scalar("s", name))
        try:
            _write_column(lines, column)
        except ValueError as error:
            raise ValueError(f"column {name!r}: {error}") from None


def _write_column(lines: list[str], column: TableColumn) -> None:
    values = column.values
    if column.kind in "cTD":
        if column.kind == "c":
            lines.append(f"c{int(column.is_ordered)} {len(column.levels)} {len(values)}")
            lines += (write_scalar("s", level) for level in column.levels)
        else:
            lines.append(f"v{column.kind}{len(values)}{' ' if column.zone else ''}{column.zone}")
        convert = {"c": lambda code: str(code + 1), "T": moment_text, "D": span_text}[column.kind]
        lines += (MISSING if value is None else convert(value) for value in values)
    else:
        _write_vector(lines, column.kind, values, has_missing=True)


# --- reading ----------------------------------------------------------------------------------------------------------


def loads(text: str) -> Any:
    """Return the value that lines hold; a table as a pandas frame where pandas can be found, else as a dict of lists.

    Raises:
        ValueError: for lines of another format, with the number of the line.
    """
    lines = _Lines(text)
    try:
        value = _read(lines)
        if lines.at != len(lines.texts):
            raise ValueError("expected no more lines")
    except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
        got = repr(lines.texts[lines.at - 1])[:100] if 0 < lines.at <= len(lines.texts) else "nothing"
        raise ValueError(f"line {lines.at}: {error or 'unexpected'}, got {got}") from None
    return value


class _Lines:
    """The lines of a text, and how many of them have been read."""

    def __init__(self, text: str) -> None:
        self.texts = text.split("\n")
        self.at = 0
        if rest := self.texts.pop():
            raise ValueError(f"expected a newline at the end of the last line, got {rest!r:.100}")

    def next(self) -> str:
        """Return the next line."""
        self.at += 1
        if self.at > len(self.texts):
            raise ValueError("expected another line")
        return self.texts[self.at - 1]

    def many(self, count: int) -> list[str]:
        """Return that many lines."""
        self.at += count
        if count < 0 or self.at > len(self.texts):
            raise ValueError(f"expected {count} more lines")
        return self.texts[self.at - count : self.at]


def _read(lines: _Lines) -> Any:
    """Read a value: the innermost list or dict that isn't full takes the next one."""
    open_: list[tuple[Any, int]] = []
    key = ""
    keys: list[str] = []
    while True:
        line = lines.next()
        tag = line[:1]
        value: Any
        if tag in ("l", "m") and int(line[1:]):
            open_.append(([] if tag == "l" else {}, int(line[1:])))
            if len(open_) > DEEPEST:
                raise ValueError(f"expected at most {DEEPEST} levels of lists and dicts")
            keys.append(key)
            key = read_scalar("s", lines.next()) if tag == "m" else ""
            continue
        value = _read_whole(lines, tag, line[1:])
        while open_:
            holder, size = open_[-1]
            if isinstance(holder, list):
                holder.append(value)
            else:
                holder[key] = value
            if len(holder) < size:
                key = read_scalar("s", lines.next()) if isinstance(holder, dict) else ""
                if isinstance(holder, dict) and key in holder:
                    raise ValueError("expected every key once")
                break
            value = open_.pop()[0]
            key = keys.pop()
        if not open_:
            return value


def _read_whole(lines: _Lines, tag: str, rest: str) -> Any:
    """Read a value other than a list or dict with parts of their own."""
    if tag == "l":
        return []
    if tag == "m":
        return {}
    if tag == "t":
        return make_table(_read_table(lines, rest))
    if tag in ("v", "x"):
        column = _read_column(lines, tag + rest)
        convert = {"T": moment_of, "D": span_of}.get(column.kind)
        if convert is None:
            return list(column.values)
        return [None if value is None else convert(value) for value in column.values]
    return read_scalar(tag, rest)


def _read_table(lines: _Lines, rest: str) -> dict[str, TableColumn]:
    rows, columns = map(int, rest.split(" "))
    table: dict[str, TableColumn] = {}
    for _ in range(columns):
        name = read_scalar("s", lines.next())
        column = _read_column(lines, lines.next())
        if name in table or len(column.values) != rows:
            raise ValueError(f"expected every column once with {rows} values, got {name!r} with {len(column.values)}")
        table[name] = column
    return table


def _read_column(lines: _Lines, line: str) -> TableColumn:
    if line[:1] == "x":
        return TableColumn("d", _read_floats(lines, int(line[1:])))
    if line[:1] == "c":
        is_ordered, levels, rows = map(int, line[1:].split(" "))
        names = [read_scalar("s", name) for name in lines.many(levels)]
        codes = [None if code == MISSING else range(levels)[int(code) - 1] for code in lines.many(rows)]
        return TableColumn("c", codes, names, bool(is_ordered))
    if line[:1] != "v":
        raise ValueError("expected a column")
    kind, (count, _, zone) = line[1:2], line[2:].partition(" ")
    convert = read_nanos if kind in ("T", "D") else SCALAR_READERS[kind]
    texts = lines.many(int(count))
    values = [*map(convert, texts)] if MISSING not in texts else [None if t == MISSING else convert(t) for t in texts]
    return TableColumn(kind, values, zone=zone)


def _read_floats(lines: _Lines, count: int) -> Sequence[Any]:
    floats = array("d")
    floats.frombytes(bytes.fromhex(lines.next()))
    if len(floats) != count:
        raise ValueError(f"expected {count} floats")
    missing = lines.next().split()
    if not missing:
        return swapped(floats)
    values: list[Any] = swapped(floats).tolist()
    for position in missing:
        values[int(position)] = None
    return values
