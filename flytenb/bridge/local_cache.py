"""Settings of flytekit's local cache, and task outputs as bytes to be stored in it."""

from __future__ import annotations

from collections.abc import Mapping

import msgpack
from flyteidl.core import literals_pb2
from flytekit.configuration import LocalConfig
from flytekit.models.literals import Literal, LiteralMap
from google.protobuf.message import DecodeError

from flytenb.bridge.type_engine.key_order import orders_of, put_in_order


def is_enabled() -> bool:
    """Tell whether flytekit's configuration enables the local cache."""
    return bool(LocalConfig.auto().cache_enabled)


def is_overwritten() -> bool:
    """Tell whether flytekit's configuration has cached results replaced."""
    return bool(LocalConfig.auto().cache_overwrite)


def dump_literals(literals: Mapping[str, Literal]) -> bytes:
    """Return named literals as bytes."""
    data = bytes(LiteralMap(dict(literals)).to_flyte_idl().SerializeToString())
    orders = orders_of(*(literals[name] for name in sorted(literals)))
    return bytes(msgpack.packb((data, orders), unicode_errors="surrogatepass"))


def load_literals(data: bytes) -> dict[str, Literal] | None:
    """Return the named literals that `dump_literals` made bytes of; None if the bytes are damaged."""
    try:
        wire, orders = msgpack.unpackb(data, unicode_errors="surrogatepass")
        literals: dict[str, Literal] = LiteralMap.from_flyte_idl(literals_pb2.LiteralMap.FromString(wire)).literals
        put_in_order((literals[name] for name in sorted(literals)), orders)
    except (DecodeError, ValueError, TypeError, LookupError):
        return None
    return literals
