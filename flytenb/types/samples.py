"""Sample values made from a type alone."""

from __future__ import annotations

import dataclasses
import datetime
import inspect
import types
import typing
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from google.protobuf.message import Message

from flytenb.bridge.type_engine import FlyteDirectory, FlyteFile, StructuredDataset
from flytenb.errors import FlytenbError
from flytenb.wording.text import name_of
from flytenb.wording.types import bare, type_text

_DEEPEST = 6


class NoSampleError(FlytenbError, ValueError):
    """A value can't be made from the type alone."""


def sample_of(python_type: Any, folder: Path) -> Any:
    """Return a value of the type; its files are written into `folder`.

    The values are those that a literal may change: a datetime without a zone, a text that isn't ASCII.

    Raises:
        NoSampleError: if none can be made from the type.
    """
    return _Maker(folder).make(python_type, 0)


class _Maker:
    """Makes one sample; the files are numbered."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    def make(self, python_type: Any, depth: int) -> Any:
        if depth > _DEEPEST:
            raise NoSampleError(f"{type_text(python_type)} is nested too deeply to make a sample of it", _HINT)
        python_type = bare(python_type)
        if python_type in _PLAIN:
            return _PLAIN[python_type]
        origin, arguments = get_origin(python_type), get_args(python_type)
        if origin in (Union, types.UnionType):
            return self._member(arguments, depth)
        if origin is Literal:
            return arguments[0]
        made = self._container(origin or python_type, arguments, depth)
        return self._of_class(python_type, depth) if made is _NOTHING else made

    def _member(self, members: tuple[Any, ...], depth: int) -> Any:
        """Return a value of the first union member that has one; None only if no other member has one."""
        has_none = type(None) in members
        for member in members:
            if member is type(None):
                continue
            try:
                return self.make(member, depth + 1)
            except NoSampleError:
                if not has_none and member is members[-1]:
                    raise
        return None

    def _container(self, origin: Any, arguments: tuple[Any, ...], depth: int) -> Any:
        inner = [a for a in arguments if a is not ...] or [int]
        if origin is list:
            return [self.make(inner[0], depth + 1)]
        if origin is dict:
            keys = inner[0] if arguments else str
            return {self.make(keys, depth + 1): self.make(inner[-1], depth + 1)}
        if origin is tuple:
            return tuple(self.make(a, depth + 1) for a in inner)
        if origin in (set, frozenset):
            return origin([self.make(inner[0], depth + 1)])
        return _NOTHING

    def _of_class(self, cls: Any, depth: int) -> Any:
        made: Any = cls
        if not inspect.isclass(cls):
            raise NoSampleError(f"no sample can be made of {type_text(cls)}", _HINT)
        if issubclass(cls, Enum):
            return next(iter(cls))
        if issubclass(cls, FlyteFile):
            return made(str(self._file()))
        if issubclass(cls, FlyteDirectory):
            return made(str(self._file().parent))
        if issubclass(cls, Message):
            return made()
        if issubclass(cls, StructuredDataset):
            return made(dataframe=_pandas())
        if dataclasses.is_dataclass(cls):
            return self._of_fields(cls, _dataclass_fields(cls), depth)
        if hasattr(cls, "model_fields"):
            return self._of_fields(cls, {n: f.annotation for n, f in made.model_fields.items()}, depth)
        known = _KNOWN.get(f"{cls.__module__}.{cls.__qualname__}")
        if known is not None:
            return known()
        raise NoSampleError(f"no sample can be made of {type_text(cls)}", _HINT)

    def _of_fields(self, cls: Any, fields: dict[str, Any], depth: int) -> Any:
        values = {name: self.make(declared, depth + 1) for name, declared in fields.items()}
        try:
            return cls(**values)
        except Exception as error:
            raise NoSampleError(f"{name_of(cls)} rejects the sample {values!r}: {error}", _HINT) from error

    def _file(self) -> Path:
        self._count += 1
        path = self._folder / str(self._count) / "sample.txt"
        path.parent.mkdir(parents=True)
        path.write_text("a,b\n1,2\n")
        return path


_NOTHING = object()
_HINT = "pass one: flytenb.lens(T, sample=…)"
_PLAIN: dict[Any, Any] = {
    int: 7,
    float: 2.5,
    bool: True,
    str: "añb",
    bytes: b"\x00\xff",
    complex: 1 + 2j,
    type(None): None,
    None: None,
    datetime.datetime: datetime.datetime(2024, 5, 6, 7, 8, 9, 123456),
    datetime.date: datetime.date(2024, 5, 6),
    datetime.time: datetime.time(7, 8, 9),
    datetime.timedelta: datetime.timedelta(days=1, microseconds=5),
    Any: 7,
}


def _dataclass_fields(cls: type) -> dict[str, Any]:
    try:
        hints = typing.get_type_hints(cls)
    except Exception as error:
        raise NoSampleError(f"{name_of(cls)} has a field whose type can't be resolved: {error}", _HINT) from error
    return {f.name: hints[f.name] for f in dataclasses.fields(cls) if f.init}


def _pandas() -> Any:
    import pandas as pd

    return pd.DataFrame({"a": [1, 2], "b": ["x", None]})


def _polars() -> Any:
    import polars as pl

    return pl.DataFrame({"a": [1, 2], "b": ["x", None]})


def _arrow() -> Any:
    import pyarrow as pa

    return pa.table({"a": [1, 2], "b": ["x", None]})


def _numpy() -> Any:
    import numpy as np

    return np.arange(6.0).reshape(2, 3)


_KNOWN: dict[str, Callable[[], Any]] = {
    "pandas.DataFrame": _pandas,
    "pandas.core.frame.DataFrame": _pandas,
    "polars.dataframe.frame.DataFrame": _polars,
    "pyarrow.lib.Table": _arrow,
    "numpy.ndarray": _numpy,
}
"""By name, so that nothing is imported."""
