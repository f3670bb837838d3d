"""Sizes and times of the local files that stored literals refer to; a literal holds only the path."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgpack

from flytenb.bridge.type_engine import Literal
from flytenb.reach.digest_pieces import add_piece


def stamp_of(literals: Iterable[Literal], *, in_fields: bool) -> bytes:
    """Return a digest of the sizes and times of all local files that literals name; empty if they name none.

    Args:
        literals: the outputs of a task.
        in_fields: whether a field `path` or `uri` of a dataclass may be a file and not just text.
    """
    paths = sorted({path for literal in literals for path in local_paths(literal, in_fields=in_fields)})
    if not paths:
        return b""
    digest = hashlib.blake2b(digest_size=16)
    for path in paths:
        _add_stat(digest, Path(path))
    return digest.digest()


def _add_stat(digest: Any, path: Path) -> None:
    add_piece(digest, str(path).encode("utf-8", "surrogateescape"))
    if path.is_dir():
        for inner in sorted(path.iterdir()):
            _add_stat(digest, inner)
    elif path.exists():
        found = path.stat()
        add_piece(digest, b"%d %d" % (found.st_size, found.st_mtime_ns))
    else:
        add_piece(digest, b"missing")


def local_paths(literal: Literal, *, in_fields: bool) -> Iterator[str]:
    """Yield the local files and directories that a literal names; arguments as for `stamp_of`."""
    scalar = literal.scalar
    if literal.collection is not None:
        for inner in literal.collection.literals:
            yield from local_paths(inner, in_fields=in_fields)
    elif literal.map is not None:
        for inner in literal.map.literals.values():
            yield from local_paths(inner, in_fields=in_fields)
    elif scalar is None:
        return
    elif scalar.union is not None:
        yield from local_paths(scalar.union.value, in_fields=in_fields)
    elif scalar.binary is not None:
        if in_fields:
            yield from _paths_in_fields(msgpack.unpackb(scalar.binary.value, strict_map_key=False))
    elif (holder := scalar.blob or scalar.structured_dataset) is not None and holder.uri:
        yield from _if_local(holder.uri)


def _paths_in_fields(value: Any) -> Iterator[str]:
    """Yield files in dataclasses: flytekit writes each as a map with its `path`, a dataset with its `uri` (1.16.31)."""
    if isinstance(value, dict):
        is_file = value.keys() <= {"path", "metadata"}  # other texts may be relative paths by chance
        for key, inner in value.items():
            if key in ("path", "uri") and isinstance(inner, str):
                at = (found for found in _if_local(inner) if found and Path(found).exists())
                yield from (found for found in at if is_file or Path(found).is_absolute())
            else:
                yield from _paths_in_fields(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _paths_in_fields(inner)


def _if_local(uri: str) -> Iterator[str]:
    path = uri.removeprefix("file://")
    if "://" not in path:
        yield path
