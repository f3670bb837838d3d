"""The first place where a value that came back is not the value that went in, and why; converting is left to `trip`."""

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

from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile
from flytekit.types.iterator import FlyteIterator
from flytekit.types.structured import StructuredDataset

from flytenb.wording.quantities import count_text
from flytenb.wording.text import class_name, name_of
from flytenb.wording.types import type_text
from flytenb.wording.values import SHORT, brief

_SHOWN = 80
_DEEPEST = 40


@dataclass(frozen=True)
class Difference:
    """One place where two values differ.

    Attributes:
        path: where, as one would write it in Python: `.points[3].x`; `""` is the value itself.
        before: what went in, in short.
        after: what came back, in short.
        reason: why, as far as it is known.
    """

    path: str
    before: str
    after: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path or 'the value'}: {self.before} became {self.after}: {self.reason}"


def first_difference(before: Any, after: Any, path: str = "") -> Difference | None:
    """Return the first difference between two values, exact in type and content, or None.

    NaN equals NaN here, and a file equals another of the same content. Files are read, so call it while they exist.
    """
    return next(_differences(before, after, path, 0), None)


def _differences(before: Any, after: Any, path: str, depth: int) -> Iterator[Difference]:
    if before is after or depth > _DEEPEST:
        return
    # FlyteFile["csv"] is another class each time that it is written.
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


def _made(path: str, before: Any, after: Any, reason: str, *, with_type: bool = False) -> Difference:
    def told(value: Any) -> str:
        text = tell(value, _SHOWN)
        return f"{text} ({type_text(type(value))})" if with_type and value is not None else text

    return Difference(path, told(before), told(after), reason)


def tell(value: Any, limit: int = _SHOWN) -> str:
    """Return a value in short; a file or directory by its name, since where it lies for the moment says nothing."""
    if isinstance(value, FlyteFile | FlyteDirectory):
        return f"{type_text(type(value))}(…/{PurePath(str(value.path)).name})"
    return brief(value, limit)


def _why_other_type(before: Any, after: Any) -> str:
    """The reason for a type that changed."""
    old, new = type(before), type(after)
    for olds, news, reason in _TYPE_REASONS:
        if issubclass(old, olds) and issubclass(new, news):
            return reason
    if new in old.__mro__[1:]:
        return f"only what {name_of(new)} declares is sent: {name_of(old)} and what it adds is lost"
    if (old.__module__, old.__qualname__) == (new.__module__, new.__qualname__):
        return f"{name_of(old)} has been redefined: these are two classes of the same name"
    return "the type declares something else, and that is what is read back"


_TYPE_REASONS: tuple[tuple[Any, Any, str], ...] = (
    (bool, (int, float), "the type declares a number, and a bool counts as one"),
    (int, float, "the type declares a float, so an int is read back as one"),
    (float, int, "the type declares an int: the fraction is cut off"),
    (tuple, list, "MessagePack and JSON know no tuple, only lists"),
    ((set, frozenset), list, "MessagePack and JSON know no set, only lists"),
    (str, Enum, "the type declares the Enum, so its value is read back as a member"),
    (Enum, (str, int, float), "what is declared isn't the Enum, so its value is sent"),
    ((str, os.PathLike), (FlyteFile, FlyteDirectory), "flytekit makes a FlyteFile or FlyteDirectory of a path"),
    (Iterator, FlyteIterator, "an iterator can be read once: flytekit gives one that reads the literal's items"),
    (object, type(None), "nothing of it was sent"),
)


def _of_datetimes(before: datetime.datetime, after: datetime.datetime, path: str) -> Iterator[Difference]:
    if before.tzinfo is None and after.tzinfo is not None:
        same = before.replace(tzinfo=datetime.UTC) == after
        reason = "Flyte's datetimes are instants: one without a zone is taken as UTC"
        yield _made(path, before, after, reason if same else f"{reason}, and the instant differs")
    elif (before.tzinfo is None) != (after.tzinfo is None) or before != after:
        yield _made(path, before, after, "the instant differs")
    elif before.utcoffset() != after.utcoffset():
        yield _made(path, before, after, "the instant is kept, its zone is not: literals hold UTC")


def _of_floats(before: float, after: float, path: str, depth: int) -> Iterator[Difference]:
    if not (before == after or (math.isnan(before) and math.isnan(after))):
        yield _made(path, before, after, "the number differs")


def _of_sequences(before: Any, after: Any, path: str, depth: int) -> Iterator[Difference]:
    for i, (one, other) in enumerate(zip(before, after, strict=False)):
        yield from _differences(one, other, f"{path}[{i}]", depth + 1)
    if len(before) != len(after):
        counts = [count_text(len(items), "item") for items in (before, after)]
        yield Difference(path, counts[0], counts[1], "items were lost or added")


def _of_dicts(before: dict[Any, Any], after: dict[Any, Any], path: str, depth: int) -> Iterator[Difference]:
    for key, value in before.items():
        if key in after and type(key) is type(next(k for k in after if k == key)):
            yield from _differences(value, after[key], f"{path}[{brief(key, SHORT)}]", depth + 1)
            continue
        twin = next((k for k in after if str(k) == str(key)), None)
        reason = "JSON knows only text as keys" if isinstance(twin, str) else "the key was lost"
        yield _made(f"{path} (a key)", key, twin, reason, with_type=True)
    for key in after:
        if key not in before:
            yield _made(f"{path} (a key)", None, key, "the key was added")


def _of_sets(before: Any, after: Any, path: str, depth: int) -> Iterator[Difference]:
    if before != after:
        yield _made(path, before, after, "the members differ")


def _of_dataclasses(before: Any, after: Any, path: str, depth: int) -> Iterator[Difference]:
    fields = dataclasses.fields(before)
    for field in fields:
        reason = "" if field.init else "a field with init=False is not read back"
        found = next(_attribute(before, after, field.name, path, depth), None)
        if found is not None:
            yield dataclasses.replace(found, reason=reason) if reason else found
    extra = sorted(set(getattr(before, "__dict__", {})) - {f.name for f in fields})
    for name in extra:
        if name not in getattr(after, "__dict__", {}) and not name.startswith("__"):
            yield _made(f"{path}.{name}", getattr(before, name), None, "it is no field, so it isn't sent")


def _of_models(before: Any, after: Any, path: str, depth: int) -> Iterator[Difference]:
    for name in type(before).model_fields:
        yield from _attribute(before, after, name, path, depth)


def _attribute(before: Any, after: Any, name: str, path: str, depth: int) -> Iterator[Difference]:
    missing = object()
    one, other = getattr(before, name, missing), getattr(after, name, missing)
    if one is missing and other is missing:
        return
    if one is missing or other is missing:
        lost = None if one is missing else one
        yield _made(f"{path}.{name}", lost, None if other is missing else other, "the attribute is missing on one side")
        return
    yield from _differences(one, other, f"{path}.{name}", depth + 1)


def _of_objects(before: Any, after: Any, path: str, depth: int) -> Iterator[Difference]:
    """By their own `==`, by their attributes where it says no, gives no plain answer, or isn't there."""
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
        reason = "the value differs" if is_plain else f"they are unequal, says {class_name(before)}'s own =="
        yield _made(path, before, after, reason)
    elif not names and type(before).__init__ is not vars(object)["__init__"]:
        yield _made(path, before, after, f"{class_name(before)} can't be compared: it has no == and no attributes")


def _own_answer(before: Any, after: Any) -> bool | None:
    """What the class's own `==` says, None if it has none or doesn't say."""
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


# --- what lies in files, frames and arrays ------------------------------------------------------------------------


def _of_stored(before: Any, after: Any, path: str) -> Iterator[Difference]:
    old, new = Path(os.fspath(before)), Path(os.fspath(after))
    if old.is_dir() != new.is_dir():
        yield Difference(path, str(old), str(new), "one is a file, the other a directory")
    elif not old.is_dir():
        if not filecmp.cmp(old, new, shallow=False):
            yield Difference(path, str(old), str(new), "the files differ in content")
    else:
        names = [{str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()} for root in (old, new)]
        if names[0] != names[1]:
            odd = ", ".join(sorted(names[0] ^ names[1])[:3])
            counts = [count_text(len(found), "file") for found in names]
            yield Difference(path, counts[0], counts[1], f"only on one side: {odd}")
            return
        for name in sorted(names[0]):
            if not filecmp.cmp(old / name, new / name, shallow=False):
                yield Difference(f"{path}/{name}", str(old / name), str(new / name), "the files differ in content")


def _of_datasets(before: StructuredDataset, after: StructuredDataset, path: str, depth: int) -> Iterator[Difference]:
    if before.dataframe is not None:
        came = after.dataframe if after.dataframe is not None else after.open(type(before.dataframe)).all()
        yield from _differences(before.dataframe, came, path, depth + 1)


def _of_pandas(before: Any, after: Any, path: str, depth: int) -> Iterator[Difference]:
    if list(before.columns) != list(after.columns):
        yield _made(f"{path}.columns", list(before.columns), list(after.columns), "Parquet keeps names as text")
        return
    for name in before.columns:
        one, other = before[name], after[name]
        where = f"{path}[{name!r}]"
        if one.dtype != other.dtype:
            yield Difference(f"{where}.dtype", str(one.dtype), str(other.dtype), "Parquet has no such column type")
        elif not one.reset_index(drop=True).equals(other.reset_index(drop=True)):
            yield _made(where, list(one[:3]), list(other[:3]), "the values differ")
    if not before.index.equals(after.index) or type(before.index) is not type(after.index):
        yield _made(f"{path}.index", list(before.index[:3]), list(after.index[:3]), "the index isn't kept as it was")


def _of_arrays(before: Any, after: Any, path: str, depth: int) -> Iterator[Difference]:
    import numpy as np

    for name in ("dtype", "shape"):
        one, other = getattr(before, name), getattr(after, name)
        if one != other:
            yield Difference(f"{path}.{name}", str(one), str(other), "the array is stored in another form")
            return
    both_nan = (before != before) & (after != after)
    unequal = np.argwhere(~((before == after) | both_nan))
    if len(unequal):
        where = tuple(int(i) for i in unequal[0])
        index = ", ".join(map(str, where))
        yield _made(f"{path}[{index}]", before[where], after[where], "the values differ")


def _of_tables(before: Any, after: Any, path: str, depth: int) -> Iterator[Difference]:
    if before.schema != after.schema:
        yield _made(f"{path}.schema", str(before.schema), str(after.schema), "there are other columns")
        return
    for name in before.schema if hasattr(before, "item") else before.column_names:
        yield from _of_equals(before[name], after[name], f"{path}[{name!r}]", depth)


def _of_equals(before: Any, after: Any, path: str, depth: int) -> Iterator[Difference]:
    if not before.equals(after):
        yield _made(path, list(before[:3]), list(after[:3]), "the values differ")


def _of_errors(before: BaseException, after: BaseException, path: str, depth: int) -> Iterator[Difference]:
    # An error equals only itself; what it says is in its arguments and attributes.
    yield from _differences(before.args, after.args, f"{path}.args", depth + 1)
    for name in sorted(vars(before).keys() | vars(after).keys()):
        yield from _differences(vars(before).get(name), vars(after).get(name), f"{path}.{name}", depth + 1)


def _is_a(*names: str) -> Callable[[Any], bool]:
    """Whether a value's class, or an ancestor of it, has one of these full names: nothing is imported to ask."""
    return lambda value: any(f"{c.__module__.partition('.')[0]}.{c.__name__}" in names for c in type(value).__mro__)


def _is_instance(*classes: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, classes)


_COMPARE: tuple[tuple[Callable[[Any], bool], Callable[[Any, Any, str, int], Iterator[Difference]]], ...] = (
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
"""How values of a kind are compared, the first that fits."""
