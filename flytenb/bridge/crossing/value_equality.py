"""Equality of values by content: files by their bytes, frames by their cells, NaN as equal to itself."""

from __future__ import annotations

import dataclasses
import filecmp
import itertools
import os
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile
from flytekit.types.structured import StructuredDataset

from flytenb.errors import headline
from flytenb.wording.text import class_name

_MOST_ITEMS = 100_000
_PLAIN = (str, bytes, int, float, complex, type(None))


class IncomparableError(Exception):
    """Two values that can't be compared, and why."""


def is_same(this: Any, other: Any) -> bool:
    """Tell whether two values have equal content, at any depth.

    Files and directories are read, also from remote storage; their names don't count. Types must be equal,
    or have equal names: a class of a cell that was run again counts as the earlier class.

    Raises:
        IncomparableError: if that can't be determined.
    """
    try:
        return _Comparison().is_same(this, other)
    except IncomparableError:
        raise
    except Exception as e:
        raise IncomparableError(headline(e)) from e


class _Comparison:
    """One comparison, which ends at the first difference: a pair that was met before is equal, or still compared."""

    def __init__(self) -> None:
        self._met: dict[tuple[int, int], tuple[Any, Any]] = {}
        self._around: list[str] = []

    def is_same(self, this: Any, other: Any) -> bool:
        if this is other:
            return True
        for kind, compare in _BY_KIND:
            if isinstance(this, kind) and isinstance(other, kind):
                return compare(self, this, other)
        if not _is_one_type(type(this), type(other)):
            return False
        if _is_schema(this):
            return self.is_same(this.open().all(), other.open().all())
        if isinstance(this, _PLAIN):
            return _is_equal(this, other)
        pair = (id(this), id(other))
        if pair in self._met:
            return True
        self._met[pair] = (this, other)
        return self._is_same_object(this, other)

    def _is_same_object(self, this: Any, other: Any) -> bool:
        if isinstance(this, (list, tuple)):
            return len(this) == len(other) and all(map(self.is_same, this, other))
        if isinstance(this, Mapping):
            return this.keys() == other.keys() and all(self.is_same(this[key], other[key]) for key in this)
        if isinstance(this, Iterator):
            return self._is_same_iterator(this, other)
        library = type(this).__module__.partition(".")[0]
        if library in _BY_LIBRARY:
            return _BY_LIBRARY[library](self, this, other)
        if dataclasses.is_dataclass(this):
            return all(self._has_same(this, other, f.name) for f in dataclasses.fields(this) if f.compare)
        if hasattr(type(this), "model_fields"):
            return self.is_same(vars(this), vars(other))
        cls: Any = type(this)
        if cls.__eq__ is object.__eq__:
            return self._has_same_attributes(this, other)
        return _is_equal(this, other)

    def _is_same_iterator(self, this: Any, other: Any) -> bool:
        """Compare the items of an output; those of an attribute stay unread, since reading would change its object."""
        if self._around:
            raise self._undecided(this)
        pairs = itertools.zip_longest(this, other, fillvalue=_NOTHING)
        if not all(self.is_same(*pair) for pair in itertools.islice(pairs, _MOST_ITEMS)):
            return False
        if next(pairs, None) is not None:
            raise IncomparableError(f"iterators of more than {_MOST_ITEMS:,} items")
        return True

    def _has_same(self, this: Any, other: Any, name: str) -> bool:
        return self.is_same(getattr(this, name), getattr(other, name))

    def _has_same_attributes(self, this: Any, other: Any) -> bool:
        """Compare objects of a class without `__eq__`."""
        if isinstance(this, (type, types.FunctionType)) or not hasattr(this, "__dict__"):
            raise self._undecided(this)
        self._around.append(class_name(this))
        try:
            return self.is_same(vars(this), vars(other))
        finally:
            self._around.pop()

    def _undecided(self, value: Any) -> IncomparableError:
        """Return the error of a value, which also names the outermost object around it."""
        around = f" in {self._around[0]}" if self._around else ""
        return IncomparableError(f"type {class_name(value)}{around} doesn't say when two are equal")

    # --- files and datasets --------------------------------------------------------------------------------------

    def is_same_file(self, this: Any, other: Any) -> bool:
        return filecmp.cmp(os.fspath(this), os.fspath(other), shallow=False)

    def is_same_directory(self, this: Any, other: Any) -> bool:
        one, two = Path(os.fspath(this)), Path(os.fspath(other))
        names = _tree(one)
        return names == _tree(two) and all(
            filecmp.cmp(one / name, two / name, shallow=False) for name, is_file in names.items() if is_file
        )

    def is_same_dataset(self, this: Any, other: Any) -> bool:
        return self.is_same(_frame_of(this), _frame_of(other))

    # --- frames and arrays ---------------------------------------------------------------------------------------

    def is_same_pandas(self, this: Any, other: Any) -> bool:
        if not hasattr(this, "equals"):
            return _is_equal(this, other)
        try:
            if this.equals(other):
                return True
        except ValueError:  # arrays inside cells
            pass
        if not hasattr(this, "columns"):
            return _has_objects(this) and self.is_same(list(this), list(other))
        is_alike = this.columns.equals(other.columns) and this.index.equals(other.index)
        if not is_alike or list(this.dtypes) != list(other.dtypes) or not any(map(_is_object, this.dtypes)):
            return False
        return all(self.is_same(list(this.iloc[:, i]), list(other.iloc[:, i])) for i in range(this.shape[1]))

    def is_same_arrow(self, this: Any, other: Any) -> bool:
        """Compare by Arrow's `equals`, then value by value, since Arrow treats NaN as unequal to NaN."""
        if not hasattr(this, "equals"):
            return _is_equal(this, other)
        if this.equals(other) or not hasattr(this, "to_pylist"):
            return bool(this.equals(other))
        kind = "schema" if hasattr(this, "schema") else "type"
        return getattr(this, kind).equals(getattr(other, kind)) and self.is_same(this.to_pylist(), other.to_pylist())

    def is_same_polars(self, this: Any, other: Any) -> bool:
        if hasattr(this, "collect"):
            return self.is_same(this.collect(), other.collect())
        if getattr(this, "schema", None) != getattr(other, "schema", None):
            return False
        return bool(this.equals(other)) if hasattr(this, "equals") else _is_equal(this, other)

    def is_same_array(self, this: Any, other: Any) -> bool:
        """Arrays, tensors, and the scalars that are in them."""
        if getattr(this, "dtype", None) != getattr(other, "dtype", None):
            return False
        if getattr(this, "shape", ()) != getattr(other, "shape", ()):
            return False
        if getattr(getattr(this, "dtype", None), "hasobject", False):
            return self.is_same(this.tolist(), other.tolist())
        return _is_equal(this, other)


_NOTHING = object()
_Compare = Callable[[_Comparison, Any, Any], bool]

_BY_KIND: tuple[tuple[type, _Compare], ...] = (
    (FlyteFile, _Comparison.is_same_file),
    (FlyteDirectory, _Comparison.is_same_directory),
    (StructuredDataset, _Comparison.is_same_dataset),
)
_BY_LIBRARY: dict[str, _Compare] = {
    "pandas": _Comparison.is_same_pandas,
    "pyarrow": _Comparison.is_same_arrow,
    "polars": _Comparison.is_same_polars,
    "numpy": _Comparison.is_same_array,
    "torch": _Comparison.is_same_array,
}


def _is_equal(this: Any, other: Any) -> bool:
    """Compare by `==`; values that aren't equal to themselves, such as NaN, count as equal to each other."""
    equal = this == other
    if hasattr(equal, "all"):
        # `|` and `&` element by element; structured arrays have no NaN of their own to ask for.
        return bool(equal.all()) or bool((equal | ((this != this) & (other != other))).all())
    if equal is NotImplemented:
        raise IncomparableError(f"type {class_name(this)} doesn't say when two are equal")
    return bool(equal) or (bool(this != this) and bool(other != other))


def _is_schema(value: Any) -> bool:
    """Whether a value is a FlyteSchema; its module is only looked at if it is loaded, since it imports numpy."""
    module = sys.modules.get("flytekit.types.schema")
    return module is not None and isinstance(value, module.FlyteSchema)


def _is_one_type(this: type, other: type) -> bool:
    return this is other or (this.__module__, this.__qualname__) == (other.__module__, other.__qualname__)


def _is_object(dtype: Any) -> bool:
    return str(dtype) == "object"


def _has_objects(series: Any) -> bool:
    return _is_object(getattr(series, "dtype", None))


def _tree(root: Path) -> dict[str, bool]:
    """Return every path below a directory, and whether it is a file."""
    return {str(path.relative_to(root)): path.is_file() for path in root.rglob("*")}


def _frame_of(dataset: StructuredDataset) -> Any:
    """Return the frame of a dataset, read unless it is in memory."""
    if dataset.dataframe is not None:
        return dataset.dataframe
    import pandas as pd

    return dataset.open(pd.DataFrame).all()
