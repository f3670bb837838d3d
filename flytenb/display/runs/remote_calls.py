"""Messages of failed gRPC calls; gRPC isn't imported."""

from __future__ import annotations

from typing import Any

from flytenb.errors import say
from flytenb.wording.text import LONGEST, clean, in_time, uncolored


def is_rpc(error: BaseException) -> bool:
    """Whether an error is a gRPC error."""
    return any(c.__module__ == "grpc" and c.__name__ == "RpcError" for c in type(error).__mro__)


def refused_call(error: BaseException) -> BaseException | None:
    """Return the gRPC error in the causes of an error, or None."""
    seen: set[int] = set()
    at = error.__cause__
    while at is not None and id(at) not in seen:
        if is_rpc(at):
            return at
        seen.add(id(at))
        at = at.__cause__
    return None


def server_message(error: Any) -> str:
    """Return the server's message and the status of the call: `no such project (NOT_FOUND)`."""

    def ask() -> str:
        # A streaming call blocks here until it ends.
        details, code = error.details(), error.code()
        status = getattr(code, "name", "")
        return f"{details} ({status})" if details and status else str(details or status)

    try:
        words = in_time(type(error), ask)
    except Exception:
        words = ""
    return clean(uncolored(words[:LONGEST])) or say(error)
