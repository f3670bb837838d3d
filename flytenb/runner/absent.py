"""Values that a run no longer holds, as those who ask for several get them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flytenb.errors import AbsentValueError


class Absent:
    """Takes the place of a value that isn't held, among others that are. Never equal to another one.

    Attributes:
        error: the AbsentValueError with the reason.
    """

    def __init__(self, error: AbsentValueError) -> None:
        self.error = error

    def __repr__(self) -> str:
        return f"<absent: {self.error.message}>"


def read_or_absent(read: Callable[[], Any]) -> Any:
    """Return what `read` returns, an `Absent` if the value isn't held."""
    try:
        return read()
    except AbsentValueError as e:
        return Absent(e)
