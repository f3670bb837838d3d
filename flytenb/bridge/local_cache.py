"""Settings of flytekit's local cache, and task outputs as bytes to be stored in it."""

from __future__ import annotations

from collections.abc import Mapping

from flyteidl.core import literals_pb2
from flytekit.configuration import LocalConfig
from flytekit.models.literals import Literal, LiteralMap
from google.protobuf.message import DecodeError


def is_enabled() -> bool:
    """Tell whether flytekit's configuration enables the local cache."""
    return bool(LocalConfig.auto().cache_enabled)


def is_overwritten() -> bool:
    """Tell whether flytekit's configuration has cached results replaced."""
    return bool(LocalConfig.auto().cache_overwrite)


def dump_literals(literals: Mapping[str, Literal]) -> bytes:
    """Return named literals as bytes."""
    return bytes(LiteralMap(dict(literals)).to_flyte_idl().SerializeToString())


def load_literals(data: bytes) -> dict[str, Literal] | None:
    """Return the named literals that `dump_literals` made bytes of; None if the bytes are damaged."""
    try:
        literals: dict[str, Literal] = LiteralMap.from_flyte_idl(literals_pb2.LiteralMap.FromString(data)).literals
    except DecodeError:
        return None
    return literals
