"""Digests of inputs by content: equal values have equal digests, whichever file or object holds them.

Each type is digested in one way: values with a cheap structure by that, files by their content, all others by the
literal that the type's transformer makes, which may carry a hash set by the user.
"""

from __future__ import annotations

import marshal
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from flytenb.bridge.crossing import packer
from flytenb.bridge.execution.files import may_hold_files
from flytenb.bridge.type_engine import Literal
from flytenb.bridge.type_engine.transformers import is_converted_by_content
from flytenb.reach.array_digest import add_memory
from flytenb.reach.code_digest import structure_of
from flytenb.reach.digest_pieces import add_files, add_piece, local_path
from flytenb.reach.object_digest import OpaqueError
from flytenb.reach.plain_bytes import SCALARS


class ValueDigest:
    """Adds values of a declared type to a digest."""

    def __init__(self, declared: Any) -> None:
        self.declared = declared
        self._pack = packer(declared)
        self._is_named = may_hold_files(declared)
        self._is_structural = _is_structural(declared)

    def add(self, digest: Any, value: Any) -> None:
        """Add a value of the input.

        Raises:
            Exception: the type engine's error for a value that it can't convert.
        """
        if self._is_structural and type(value) in SCALARS:
            add_piece(digest, b"scalar" + marshal.dumps(value, 2))
            return
        if add_memory(digest, self.declared, value):
            return
        if self._is_structural:
            try:
                structure = structure_of(value)
            except OpaqueError:
                pass  # the pickle decides
            else:
                add_piece(digest, b"structure")
                add_piece(digest, structure)
                return
        add_piece(digest, b"literal")
        _add_literal(digest, self._pack(value).literal(), is_named=self._is_named)


def _is_structural(declared: Any) -> bool:
    """Tell whether content alone distinguishes the values of a type: no annotation, no transformer of the user's."""
    origin, args = get_origin(declared), get_args(declared)
    if origin in (list, dict, Union, UnionType) and args:
        return all(map(_is_structural, args))
    if declared in (None, NoneType, bool, int, float, str):
        return True
    return is_converted_by_content(declared)


def _add_literal(digest: Any, literal: Literal, *, is_named: bool) -> None:
    """Add a literal by its content: a hash set by the user, a file's content, else its deterministic bytes.

    Args:
        digest: the digest to update.
        literal: the literal of a value.
        is_named: whether the name of a file was chosen by the user, so that a task may read it, or by a transformer.
    """
    if literal.hash:
        add_piece(digest, b"hash:" + literal.hash.encode())
    elif literal.collection is not None:
        add_piece(digest, b"[%d" % len(literal.collection.literals))
        for inner in literal.collection.literals:
            _add_literal(digest, inner, is_named=is_named)
    elif literal.map is not None:
        add_piece(digest, b"{%d" % len(literal.map.literals))
        for key, inner in literal.map.literals.items():
            add_piece(digest, key.encode())
            _add_literal(digest, inner, is_named=is_named)
    elif literal.scalar is not None and literal.scalar.union is not None:
        add_piece(digest, literal.scalar.union.stored_type.to_flyte_idl().SerializeToString(deterministic=True))
        _add_literal(digest, literal.scalar.union.value, is_named=is_named)
    elif (path := _path_of(literal)) is not None:
        if is_named and literal.scalar.blob is not None and path.is_file():  # a directory has a random name
            add_piece(digest, path.name.encode("utf-8", "surrogateescape"))
        add_files(digest, path)
    else:
        add_piece(digest, literal.to_flyte_idl().SerializeToString(deterministic=True))


def _path_of(literal: Literal) -> Any:
    """Return the local path of a file, directory or dataset literal; None for other and for remote ones."""
    scalar = literal.scalar
    holder = None if scalar is None else scalar.blob or scalar.structured_dataset
    return None if holder is None else local_path(holder.uri)
