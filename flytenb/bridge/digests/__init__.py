"""Digests of what values say and of what code does, the same in every process; keys are made of them by the cache."""

from flytenb.bridge.digests.code import CodeDigest, UnreadableCodeError, code_of
from flytenb.bridge.digests.memory import add_memory
from flytenb.bridge.digests.pieces import add_piece
from flytenb.bridge.digests.stamps import stamp_of
from flytenb.bridge.digests.values import ValueDigest

__all__ = [
    "CodeDigest",
    "UnreadableCodeError",
    "ValueDigest",
    "add_memory",
    "add_piece",
    "code_of",
    "stamp_of",
]
