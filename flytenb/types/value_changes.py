"""The first change between a value before and after a round trip, and its reason."""

from __future__ import annotations

import dataclasses
import datetime
import filecmp
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePath
from typing import Any

from flytenb.bridge.crossing.value_equality import is_same
from flytenb.bridge.type_engine import FlyteDirectory, FlyteFile, FlyteIterator, StructuredDataset
from flytenb.wording.quantities import count_text
from flytenb.wording.text import class_name, name_of
from flytenb.wording.types import type_text
from flytenb.wording.values import SHORT, brief

_SHOWN = 80
_DEEPEST = 40


@dataclass(frozen=True)
class Change:
    """One part of a value that a round trip changes.

    Attributes:
        path: the part, as in Python: `.points[3].x`; `""` is the value itself.
        before: the part before, in one line.
        after: the part after, in one line.
        reason: why it changes.
    """

    path: str
    before: str
    after: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path or 'the value'}: {self.before} became {self.after}: {self.reason}"


def first_change(before: Any, after: Any, path: str = "") -> Change | None:
    """Return the first change between two values, in type or content, or None.

    NaN is equal to NaN, and a file to another one with the same content; both files must exist.
    """
    return next(_changes(before, after, path, 0), None)


def _changes(before: Any, after: Any, path: str, depth: int) -> Iterator[Change]:
    if before is after or depth > _DEEPEST:
        return
    # Each evaluation of FlyteFile["csv"] is another class.
    if any(isinstance(before, kind) and isinstance(after, kind) for kind in (FlyteFile, FlyteDirectory)):
        yield from _of_stored(before, after, path)
        return
    if isinstance(before, datetime.datetime) and type(after) is type(before):
        yield from _of_datetimes(before, after, path)
        return
    if type(before) is not type(after):
        yield _made(path, before, after, _why_other_type(before, after), with_type=True)
        return
    for known, compare in _COMPARE:
        if known(before):
            yield from compare(before, after, path, depth)
            return
    yield from _of_objects(before, after, path, depth)


def _made(path: str, before: Any, after: Any, reason: str, *, with_type: bool = False) -> Change:
    def text_of(value: Any) -> str:
        text = describe_value(value, _SHOWN)
        return f"{text} ({type_text(type(value))})" if with_type and value is not None else text

    return Change(path, text_of(before), text_of(after), reason)


def describe_value(value: Any, limit: int = _SHOWN) -> str:
    """Return a value in one line; a file or directory without its temporary folder."""
    if isinstance(value, FlyteFile | FlyteDirectory):
        return f"{type_text(type(value))}(…/{PurePath(str(value.path)).name})"
    return brief(value, limit)


def _why_other_type(before: Any, after: Any) -> str:
    """Return the reason for a change of type."""
    old, new = type(before), type(after)
    for olds, news, reason in _TYPE_REASONS:
        if issubclass(old, olds) and issubclass(new, news):
            return reason
    if new in old.__mro__[1:]:
        return f"only the fields of {name_of(new)} are sent, those that {name_of(old)} adds are lost"
    if (old.__module__, old.__qualname__) == (new.__module__, new.__qualname__):
        return f"{name_of(old)} has been redefined: there are two classes of this name"
    return "the declared type is another one, and its values are read back"


_TYPE_REASONS: tuple[tuple[Any, Any, str], ...] = (
    (bool, (int, float), "the declared type is a number, which a bool is as well"),
    (int, float, "the declared type is float, so an int is read back as a float"),
    (float, int, "the declared type is int, so the fraction is cut off"),
    (tuple, list, "MessagePack and JSON have lists, but no tuples"),
    ((set, frozenset), list, "MessagePack and JSON have lists, but no sets"),
    (str, Enum, "the declared type is the Enum, so its value is read back as a member"),
    (Enum, (str, int, float), "the declared type isn't the Enum, so the value of the member is sent"),
    ((str, os.PathLike), (FlyteFile, FlyteDirectory), "flytekit converts a path to a FlyteFile or FlyteDirectory"),
    (Iterator, FlyteIterator, "an iterator can be read once, so flytekit returns one over the items of the literal"),
    (object, type(None), "nothing of it was sent"),
)


def _of_datetimes(before: datetime.datetime, after: datetime.datetime, path: str) -> Iterator[Change]:
    if before.tzinfo is None and after.tzinfo is not None:
        same = before.replace(tzinfo=datetime.UTC) == after
        reason = "Flyte's datetimes are instants: one without a time zone is read as UTC"
        yield _made(path, before, after, reason if same else f"{reason}, and the instant differs")
    elif (before.tzinfo is None) != (after.tzinfo is None) or before != after:
        yield _made(path, before, after, "the instant differs")
    elif before.utcoffset() != after.utcoffset():
        yield _made(path, before, after, "literals hold UTC: the instant is kept, the time zone isn't")


def _of_floats(before: float, after: float, path: str, depth: int) -> Iterator[Change]:
    if not (before == after or (math.isnan(before) and math.isnan(after))):
        yield _made(path, before, after, "the number differs")


def _of_sequences(before: Any, after: Any, path: str, depth: int) -> Iterator[Change]:
    for i, (one, other) in enumerate(zip(before, after, strict=False)):
        yield from _changes(one, other, f"{path}[{i}]", depth + 1)
    if len(before) != len(after):
        counts = [count_text(len(items), "item") for items in (before, after)]
        yield Change(path, counts[0], counts[1], "items were lost or added")


def _of_dicts(before: dict[Any, Any], after: dict[Any, Any], path: str, depth: int) -> Iterator[Change]:
    for key, value in before.items():
        if key in after and type(key) is type(next(k for k in after if k == key)):
            yield from _changes(value, after[key], f"{path}[{brief(key, SHORT)}]", depth + 1)
            continue
        twin = next((k for k in after if str(k) == str(key)), None)
        reason = "JSON has only text as keys" if isinstance(twin, str) else "the key was lost"
        yield _made(f"{path} (a key)", key, twin, reason, with_type=True)
    for key in after:
        if key not in before:
            yield _made(f"{path} (a key)", None, key, "the key was added")


def _of_sets(before: Any, after: Any, path: str, depth: int) -> Iterator[Change]:
    if before != after:
        yield _made(path, before, after, "the members differ")


def _of_dataclasses(before: Any, after: Any, path: str, depth: int) -> Iterator[Change]:
    fields = dataclasses.fields(before)
    for field in fields:
        reason = "" if field.init else "a field with init=False is not read back"
        found = next(_attribute(before, after, field.name, path, depth), None)
        if found is not None:
            yield dataclasses.replace(found, reason=reason) if reason else found
    extra = sorted(set(getattr(before, "__dict__", {})) - {f.name for f in fields})
    for name in extra:
        if name not in getattr(after, "__dict__", {}) and not name.startswith("__"):
            yield _made(f"{path}.{name}", getattr(before, name), None, "it isn't a field, so it isn't sent")


def _of_models(before: Any, after: Any, path: str, depth: int) -> Iterator[Change]:
    for name in type(before).model_fields:
        yield from _attribute(before, after, name, path, depth)


def _attribute(before: Any, after: Any, name: str, path: str, depth: int) -> Iterator[Change]:
    missing = object()
    one, other = getattr(before, name, missing), getattr(after, name, missing)
    if one is missing and other is missing:
        return
    if one is missing or other is missing:
        lost = None if one is missing else one
        yield _made(f"{path}.{name}", lost, None if other is missing else other, "the attribute is missing on one side")
        return
    yield from _changes(one, other, f"{path}.{name}", depth + 1)


def _of_objects(before: Any, after: Any, path: str, depth: int) -> Iterator[Change]:
    """Compare by `==`; by attributes if that is False, isn't a bool or isn't defined."""
    answer = _own_answer(before, after)
    if answer is True:
        return
    names = list(getattr(before, "__dict__", {})) + [
        n for c in type(before).__mro__ for n in _slots(c) if hasattr(before, n)
    ]
    for name in names:
        yield from _attribute(before, after, name, path, depth)
    if answer is False:
        is_plain = type(before).__module__ == "builtins"
        reason = "the value differs" if is_plain else f"{class_name(before)}.__eq__ returned False"
        yield _made(path, before, after, reason)
    elif not names and type(before).__init__ is not vars(object)["__init__"]:
        yield _made(
            path, before, after, f"{class_name(before)} can't be compared: it has neither __eq__ nor attributes"
        )


def _own_answer(before: Any, after: Any) -> bool | None:
    """Return the result of the class's own `==`, None if it has none or the result isn't a bool."""
    if getattr(type(before), "__eq__", None) is vars(object)["__eq__"]:
        return None
    try:
        answer = before == after
    except Exception:
        return None
    return answer if isinstance(answer, bool) else None


def _slots(cls: type) -> tuple[str, ...]:
    slots = cls.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


# --- files, frames and arrays ------------------------------------------------------------------------------------


def _of_stored(before: Any, after: Any, path: str) -> Iterator[Change]:
    old, new = Path(os.fspath(before)), Path(os.fspath(after))
    if old.is_dir() != new.is_dir():
        yield Change(path, str(old), str(new), "one is a file, the other a directory")
    elif not old.is_dir():
        if not filecmp.cmp(old, new, shallow=False):
            yield Change(path, str(old), str(new), "the files differ in content")
    else:
        names = [{str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()} for root in (old, new)]
        if names[0] != names[1]:
            odd = ", ".join(sorted(names[0] ^ names[1])[:3])
            counts = [count_text(len(found), "file") for found in names]
            yield Change(path, counts[0], counts[1], f"only on one side: {odd}")
            return
        for name in sorted(names[0]):
            if not filecmp.cmp(old / name, new / name, shallow=False):
                yield Change(f"{path}/{name}", str(old / name), str(new / name), "the files differ in content")


def _of_datasets(before: StructuredDataset, after: StructuredDataset, path: str, depth: int) -> Iterator[Change]:
    if before.dataframe is not None:
        came = after.dataframe if after.dataframe is not None else after.open(type(before.dataframe)).all()
        yield from _changes(before.dataframe, came, path, depth + 1)


def _of_pandas(before: Any, after: Any, path: str, depth: int) -> Iterator[Change]:
    if list(before.columns) != list(after.columns):
        yield _made(f"{path}.columns", list(before.columns), list(after.columns), "Parquet keeps names as text")
        return
    for name in before.columns:
        one, other = before[name], after[name]
        where = f"{path}[{name!r}]"
        if one.dtype != other.dtype:
            yield Change(f"{where}.dtype", str(one.dtype), str(other.dtype), "Parquet has no such column type")
        elif not one.reset_index(drop=True).equals(other.reset_index(drop=True)):
            yield _first_item(where, one, other)
    if not before.index.equals(after.index) or type(before.index) is not type(after.index):
        yield _made(f"{path}.index", list(before.index[:3]), list(after.index[:3]), "the index isn't kept as it was")


def _of_arrays(before: Any, after: Any, path: str, depth: int) -> Iterator[Change]:
    import numpy as np

    for name in ("dtype", "shape"):
        one, other = getattr(before, name), getattr(after, name)
        if one != other:
            yield Change(f"{path}.{name}", str(one), str(other), "the array is stored in another form")
            return
    both_nan = (before != before) & (after != after)
    unequal = np.argwhere(~((before == after) | both_nan))
    if len(unequal):
        where = tuple(int(i) for i in unequal[0])
        index = ", ".join(map(str, where))
        yield _made(f"{path}[{index}]", before[where], after[where], "the values differ")


def _of_tables(before: Any, after: Any, path: str, depth: int) -> Iterator[Change]:
    if before.schema != after.schema:
        yield _made(f"{path}.schema", str(before.schema), str(after.schema), "the columns differ")
        return
    for name in before.schema if hasattr(before, "item") else before.column_names:
        yield from _of_equals(before[name], after[name], f"{path}[{name!r}]", depth)


def _of_equals(before: Any, after: Any, path: str, depth: int) -> Iterator[Change]:
    if not before.equals(after):
        yield _first_item(path, before, after)


def _first_item(path: str, before: Any, after: Any) -> Change:
    """Return the first items that differ, or the beginnings if one has more items than the other."""
    at = ".iloc" if hasattr(before, "iloc") else ""
    if len(before) == len(after):
        for i, (one, other) in enumerate(zip(before, after, strict=True)):
            if not is_same(one, other):
                return _made(f"{path}{at}[{i}]", one, other, "the values differ")
    return _made(path, list(before[:3]), list(after[:3]), "the values differ")


def _of_errors(before: BaseException, after: BaseException, path: str, depth: int) -> Iterator[Change]:
    # Exceptions have no `==` of their own.
    yield from _changes(before.args, after.args, f"{path}.args", depth + 1)
    for name in sorted(vars(before).keys() | vars(after).keys()):
        yield from _changes(vars(before).get(name), vars(after).get(name), f"{path}.{name}", depth + 1)


def _is_a(*names: str) -> Callable[[Any], bool]:
    """Whether the class of a value, or an ancestor of it, has one of these names; nothing is imported."""
    return lambda value: any(f"{c.__module__.partition('.')[0]}.{c.__name__}" in names for c in type(value).__mro__)


def _is_instance(*classes: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, classes)


_COMPARE: tuple[tuple[Callable[[Any], bool], Callable[[Any, Any, str, int], Iterator[Change]]], ...] = (
    (_is_instance(float), _of_floats),
    (_is_instance(list, tuple), _of_sequences),
    (_is_instance(dict), _of_dicts),
    (_is_instance(set, frozenset), _of_sets),
    (_is_instance(StructuredDataset), _of_datasets),
    (_is_instance(BaseException), _of_errors),
    (dataclasses.is_dataclass, _of_dataclasses),
    (lambda value: hasattr(type(value), "model_fields"), _of_models),
    (_is_a("pandas.DataFrame"), _of_pandas),
    (_is_a("numpy.ndarray"), _of_arrays),
    (_is_a("polars.DataFrame", "pyarrow.Table"), _of_tables),
    (_is_a("pandas.Series", "pandas.Index", "polars.Series"), _of_equals),
)
"""The comparison of each kind of value; the first match counts."""
