"""Plain data as bytes: what is made of Python's own scalars, lists, tuples and dicts, level by level.

It takes no recursion and no Python call per item, so that a table of a million rows costs a fraction of a second.
"""

from __future__ import annotations

import marshal
from itertools import chain
from typing import Any

SCALARS: frozenset[type] = frozenset([int, float, complex, bool, str, bytes, type(None), type(Ellipsis)])
_CONTAINERS: frozenset[type] = frozenset([list, tuple, dict])
_CODES = {kind: code for code, kind in enumerate(sorted(SCALARS | _CONTAINERS, key=lambda kind: kind.__name__))}
_DEEPEST, _MOST = 10_000, 50_000_000
"""Maximum number of levels and items; recursive data has no end."""


def is_scalar(value: Any) -> bool:
    """Return whether a value is a built-in scalar."""
    return type(value) in SCALARS


def is_frozen(value: Any) -> bool:
    """Return whether a value is a scalar or a tuple of scalars, at any depth."""
    return type(value) in SCALARS or (type(value) is tuple and all(map(is_frozen, value)))


def _is_flat(value: Any) -> bool:
    return SCALARS.issuperset(map(type, value)) and (
        type(value) is not dict or SCALARS.issuperset(map(type, value.values()))
    )


def plain_bytes(value: Any) -> bytes | None:
    """Return bytes that two values share exactly if they are equal in types, order and content; None if not plain."""
    if type(value) in _CONTAINERS and _is_flat(value):
        return b"flat" + marshal.dumps(value, 2)
    pieces: list[bytes] = []
    level: list[Any] = [value]
    seen = 0
    while level:
        kinds = list(map(type, level))
        found = set(kinds)
        seen += len(level)
        if not found <= _CODES.keys() or seen > _MOST or len(pieces) > _DEEPEST:
            return None
        holders = level if found <= _CONTAINERS else [part for part in level if type(part) in _CONTAINERS]
        scalars = level if not holders else [part for part in level if type(part) in SCALARS]
        # Version 2 writes neither which objects are one nor which texts are interned.
        shape = (bytes(map(_CODES.__getitem__, kinds)), list(map(len, holders)), () if holders is level else scalars)
        pieces.append(marshal.dumps(shape, 2))
        flat = (chain.from_iterable(part.items()) if type(part) is dict else part for part in holders)
        level = list(chain.from_iterable(flat))
    return b"".join(pieces)
