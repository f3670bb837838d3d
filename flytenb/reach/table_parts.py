"""Parts of existing arrays and tables: which ways of indexing copy, and which give a number or a text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from flytenb.reach.abstract_values import (
    PLAIN,
    SELECTION,
    AbstractValue,
    ExistingObject,
    KnownText,
    LibraryResult,
    Method,
    NewCollection,
)

_SELECTING = re.compile(
    r"numpy\.(\w+\.)*(argsort|argwhere|argpartition|arange|nonzero|flatnonzero|is(nan|finite|inf|in|close)|logical_\w+)|"
    r"\.(isin|isna|isnull|notna|notnull|between|duplicated|contains|startswith|endswith|argsort|nonzero|permutation)"
)
"""Functions and methods that return truth values or positions, always an array of them or a truth value."""
_SIZES = frozenset(["shape", "size", "ndim", "nbytes", "itemsize", "strides", "dtype", "dtypes"])
_BY_PLACE = ("at", "iat", "loc", "iloc")
_MOST_OBJECTS = 100_000
"""Maximum number of Python objects of an array or table whose types are looked at."""
_SCALARS = frozenset([str, bytes, int, float, complex, bool, type(None)])


def returns_selection(name: str, count: int) -> bool:
    """Tell whether what a function or method returns, given `count` arguments, copies as a key.

    Args:
        name: the dotted name of a function; of a method, its name after a dot.
        count: how many arguments it is called with.
    """
    return _SELECTING.fullmatch(name) is not None or (count == 1 and name == "numpy.where")


def is_size(one: Any) -> bool:
    """Tell whether a possibility is an attribute of an array or table that holds numbers or types only."""
    return (
        isinstance(one, Method)
        and one.name in _SIZES
        and isinstance(one.owner, ExistingObject)
        and _is_indexed(one.owner.value)
    )


def indexed(root: Any, one: Any, key: AbstractValue) -> AbstractValue | None:
    """Return an item of an existing array or table that is a copy or a scalar; None if it may share content.

    Args:
        root: the object.
        one: the object or an attribute of it, such as `frame.loc`.
        key: what it is indexed with.
    """
    if not isinstance(root, ExistingObject) or not _is_indexed(root.value):
        return None
    by_place = isinstance(one, Method) and one.owner is root and one.name in _BY_PLACE
    if not by_place and one is not root:
        return None
    is_apart = (_copies(key) or _is_cell(root.value, one, key)) and _holds_scalars(root.value)
    return PLAIN if is_apart else None


def _copies(key: Iterable[Any]) -> bool:
    """Tell whether a key makes copies: an array of truth values or positions, a list, a tuple of these."""
    return all(
        one in SELECTION or (isinstance(one, NewCollection) and (one.is_list or (one.length and _copies(one.values))))
        for one in key
    )


def _is_cell(value: Any, one: Any, key: AbstractValue) -> bool:
    """Tell whether a key names one cell: as many numbers or texts as there are dimensions."""
    if not all(isinstance(each, NewCollection) and each.length == value.ndim for each in key):
        return False
    if not all(
        each in PLAIN or _is_number(each) or isinstance(each, KnownText) for whole in key for each in whole.values
    ):
        return False
    if not isinstance(one, Method):
        return type(value).__module__ == "numpy"
    return one.name in ("iat", "iloc") or all(
        axis.is_unique and getattr(axis, "nlevels", 1) == 1 for axis in value.axes
    )


def _is_number(one: Any) -> bool:
    return isinstance(one, LibraryResult) and one.name == "plain"


def _is_indexed(value: Any) -> bool:
    home = f"{type(value).__module__}."
    return (home == "numpy." and type(value).__name__ == "ndarray") or (
        home.startswith("pandas.") and type(value).__name__ in ("DataFrame", "Series")
    )


def holds_objects(value: Any) -> bool:
    """Tell whether cells of an array or table may be objects that change."""
    return _is_indexed(value) and not _holds_scalars(value)


def _holds_scalars(value: Any) -> bool:
    """Tell whether what an array or table holds are numbers and texts, so that a copy shares nothing with it."""
    columns = [value.iloc[:, n] for n in range(value.shape[1])] if type(value).__name__ == "DataFrame" else [value]
    return all(map(_is_of_scalars, columns))


def _is_of_scalars(column: Any) -> bool:
    if column.dtype.kind in "biufcSUmM":
        return True
    if column.dtype.kind != "O" or column.size > _MOST_OBJECTS:
        return False
    values = column.ravel() if type(column).__module__ == "numpy" else column
    return {*map(type, values)} <= _SCALARS
