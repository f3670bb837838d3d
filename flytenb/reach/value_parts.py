"""Parts of abstract values: elements, items, slices and views.

Of an existing object whose parts aren't known, each part counts as the object: to change one changes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from flytenb.reach.abstract_values import (
    OWN,
    PLAIN,
    SELECTION,
    UNKNOWN,
    AbstractValue,
    ExistingObject,
    LibraryResult,
    Method,
    NewCollection,
    Special,
    existing,
    join,
    new_collection,
)
from flytenb.reach.table_parts import indexed, is_size, returns_selection

_MOST = 48
"""Maximum number of elements that are distinguished."""
_COLLECTIONS = (list, tuple, dict, set, frozenset)
_VIEWING_METHODS = re.compile(
    r"reshape|ravel|view|transpose|swapaxes|squeeze|diagonal|cast|toreadonly|__(getitem|iter|enter|array)__"
)
_VIEWING_FUNCTIONS = re.compile(
    r"memoryview|typing\.cast|contextlib\.(nullcontext|closing)|torch\.(from_numpy|as_tensor)|"
    r"numpy\.(\w+\.)*(as\w*array|ravel|reshape|transpose|swapaxes|squeeze|diagonal|atleast_\w+|broadcast_\w+|expand_dims|"
    r"moveaxis|rollaxis|flip\w*|rot90|\w*split|frombuffer|nditer|ndenumerate|as_strided|sliding_window_view)"
)
_ITERATING_FUNCTIONS = re.compile(
    r"list|tuple|set|frozenset|dict|sorted|reversed|enumerate|zip|filter|map|iter|copy\.copy|itertools\.\w+|"
    r"collections\.\w+|heapq\.(nlargest|nsmallest|merge)"
)
_CHOOSING_FUNCTIONS = re.compile(r"max|min|functools\.reduce|random\.choice|operator\.getitem")


def root_of(one: Any) -> Any:
    """Return the object that an attribute is taken from, directly or not; anything else itself."""
    while isinstance(one, Method):
        one = one.owner
    return one


def elements(value: AbstractValue) -> AbstractValue:
    """Return the result of iterating or indexing a value."""
    found: list[AbstractValue] = []
    for one in value:
        root = root_of(one)
        if isinstance(one, NewCollection):
            found.append(one.values or UNKNOWN)
        elif isinstance(one, ExistingObject) and type(one.value) in _COLLECTIONS and len(one.value) <= _MOST:
            items = list(one.value.values() if type(one.value) is dict else one.value)
            found += [existing(item, one.owner) for item in items]
        elif is_size(one):
            found.append(PLAIN)
        elif root is Special.OWN:
            found.append(OWN)
        elif isinstance(root, ExistingObject):
            found.append(PLAIN if one is root and _holds_numbers(root.value) else frozenset([root]) | UNKNOWN)
        else:
            found.append(UNKNOWN)
    return join(found) or UNKNOWN


def _holds_numbers(value: Any) -> bool:
    """Tell whether the elements of a value are numbers or texts: those of an array with one dimension."""
    return isinstance(value, bytearray | memoryview | range) or (
        getattr(value, "ndim", None) == 1 and getattr(getattr(value, "dtype", None), "kind", "O") in "biufcSUmM"
    )


def item(owner: AbstractValue, key: AbstractValue) -> AbstractValue:
    """Return the result of indexing; an item of an existing dict by a known key is that one."""
    only, name = next(iter(owner), None), next(iter(key), None)
    if (
        isinstance(only, ExistingObject)
        and type(only.value) is dict
        and len(owner) == 1
        and getattr(name, "end", "") is None
    ):
        return existing(only.value[name.start], only.owner) if name.start in only.value else UNKNOWN  # type: ignore[union-attr]
    if owner == SELECTION and (Special.SLICE in key or key == SELECTION):
        return SELECTION
    if len(owner) == 1 and (part := indexed(root_of(only), only, key)) is not None:
        return part
    if key == PLAIN:
        return elements(owner)
    whole = frozenset(one for one in owner if isinstance(one, ExistingObject) and _holds_numbers(one.value))
    if Special.SLICE not in key:
        return elements(owner) | whole
    return whole | new_collection([elements(owner)]) | UNKNOWN


def has_parts_of(one: Any, method: str) -> AbstractValue | None:
    """Return what a method returns if it holds parts of its object or selects some; otherwise None."""
    root = root_of(one)
    if isinstance(one, NewCollection) or (isinstance(root, ExistingObject) and not isinstance(root.value, type)):
        inner = elements(frozenset([one]))
        if method in ("values", "items", "copy", "most_common", "elements"):
            return new_collection([inner, new_collection([inner])]) | UNKNOWN
        if method in ("get", "pop", "popleft", "popitem", "setdefault", "__getitem__", "__next__"):
            return inner | UNKNOWN
        if isinstance(root, ExistingObject) and _VIEWING_METHODS.fullmatch(method):
            return frozenset([root]) | UNKNOWN
    return SELECTION if returns_selection(f".{method}", 0) else None


def with_parts_of(name: str, args: Sequence[AbstractValue]) -> AbstractValue | None:
    """Return what a function returns if it holds parts of its arguments or selects some; otherwise None."""
    if name == "range":
        return new_collection([PLAIN])
    if _VIEWING_FUNCTIONS.fullmatch(name):
        return join(args) | UNKNOWN
    inner = join(map(elements, args))
    if name in ("max", "min") and len(args) == 1:
        return inner
    if _CHOOSING_FUNCTIONS.fullmatch(name):
        return join([inner, *args]) | UNKNOWN
    if _ITERATING_FUNCTIONS.fullmatch(name):
        return frozenset([LibraryResult(name)]) | new_collection([inner, new_collection([inner])]) | UNKNOWN
    return SELECTION if returns_selection(name, len(args)) else None


def is_plain(values: Iterable[AbstractValue]) -> bool:
    """Tell whether values are numbers or the like."""
    return all(
        value and all(isinstance(one, LibraryResult) and one.name == "plain" for one in value) for value in values
    )
