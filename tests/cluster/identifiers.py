"""Keys of what the cluster stores, and the ids of node executions."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from flyteidl.core import identifier_pb2 as ids

Key = tuple[int, str, str, str, str]
_ALPHABET = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"abcdefghijklmnopqrstuvwxyz123456")
_LONGEST_UNIQUE_ID = 20


def key_of(identifier: ids.Identifier) -> Key:
    return (
        identifier.resource_type,
        identifier.project,
        identifier.domain,
        identifier.name,
        identifier.version,
    )


def shown(identifier: ids.Identifier) -> str:
    """The identifier as Go prints a message."""
    kind = ids.ResourceType.Name(identifier.resource_type)
    parts = [f'{name}:"{getattr(identifier, name)}"' for name in ("project", "domain", "name", "version")]
    return f"resource_type:{kind} " + " ".join(parts)


@dataclass(frozen=True)
class Parent:
    """The node whose children are run: propeller's ParentInfo."""

    unique_id: str
    attempt: int = 0


def unique_id(parent: Parent | None, node_id: str) -> str:
    """The id of a node's execution; one that would be too long is a hash."""
    joined = node_id if parent is None else f"{parent.unique_id}-{parent.attempt}-{node_id}"
    return joined if len(joined) <= _LONGEST_UNIQUE_ID else "f" + hashed(joined)


def child_name(execution: str, unique_id: str, attempt: int) -> str:
    """The name of the execution that a node launches."""
    joined = f"{execution}-{unique_id}-{attempt}"
    return joined if len(joined) <= _LONGEST_UNIQUE_ID else "f" + hashed(joined, 64)


def hashed(text: str, bits: int = 32) -> str:
    """FNV-1a in the cluster's base 32."""
    digest, prime = (0x811C9DC5, 0x01000193) if bits == 32 else (0xCBF29CE484222325, 0x100000001B3)
    for byte in text.encode():
        digest = (digest ^ byte) * prime % (1 << bits)
    return base64.b32encode(digest.to_bytes(bits // 8)).rstrip(b"=").translate(_ALPHABET).decode()
