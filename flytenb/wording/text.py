"""Text that users' objects give: without control characters, bounded in length and in time."""

from __future__ import annotations

import contextvars
import re
import threading
import weakref
from collections.abc import Callable
from types import WrapperDescriptorType
from typing import Any

PATIENCE = 1.0
"""Seconds that an object's own `__str__` or `__repr__` may take."""
LONGEST = 100_000
"""Characters of a message that are read."""
_PLAIN = (str, bytes, int, float, bool, type(None))

# Control characters, lone surrogates (no front end can receive one) and the marks that turn the reading direction
# (they make a text read as something else). Newline and tab stay.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
_late: weakref.WeakSet[type] = weakref.WeakSet()
"""Classes of which an object took longer than `PATIENCE`: the others aren't asked."""


class LateError(Exception):
    """An object took too long to describe itself."""

    def __str__(self) -> str:
        return f"it takes more than {PATIENCE:g} s"


def clean(text: str) -> str:
    """Return the text with every character that a page or terminal can't show written as its escape."""
    return _UNPRINTABLE.sub(lambda m: m[0].encode("unicode_escape").decode("ascii"), text)


def one_line(text: str) -> str:
    """Return the cleaned text on one line."""
    return clean(text).replace("\n", "\\n").replace("\t", "\\t")


def in_time(cls: type, words: Callable[[], str]) -> str:
    """Return what `words` returns, which may run code of the class.

    It runs in a thread of its own, which is left behind when it takes longer than `PATIENCE`; from then on no object
    of the class is asked.

    Raises:
        LateError: if it takes too long.
        BaseException: what `words` raises.
    """
    if cls in _late:
        raise LateError
    found: list[str] = []
    raised: list[BaseException] = []
    is_done = threading.Event()

    def ask() -> None:
        try:
            found.append(words())
        except BaseException as error:
            raised.append(error)
        finally:
            is_done.set()

    run = contextvars.copy_context().run
    try:
        threading.Thread(target=run, args=(ask,), name="flytenb-words", daemon=True).start()
    except RuntimeError:  # Python is about to end
        ask()
    if not is_done.wait(PATIENCE):
        _late.add(cls)
        raise LateError
    if raised:
        raise raised[0]
    return found[0]


def repr_in_time(value: Any) -> str:
    """Return `repr(value)`; one that Python code makes is bounded in time.

    Raises:
        LateError: if it takes too long.
        BaseException: what the object's own code raises.
    """
    cls: Any = type(value)
    if isinstance(cls.__repr__, WrapperDescriptorType):
        return str(cls.__repr__(value))
    return in_time(cls, lambda: str(cls.__repr__(value)))


def class_name(value: Any) -> str:
    """Return the name of the value's class, which no method of the value can change."""
    # Past the metaclass, which may answer anything.
    name: str = type.__getattribute__(type(value), "__qualname__")
    return one_line(name.rpartition("<locals>.")[2])


def message_of(error: BaseException) -> str:
    """Return what an exception says, cleaned and bounded.

    Raises:
        LateError: if its own code takes too long.
        BaseException: what its own code raises.
    """
    cls: Any = type(error)
    args = error.args
    is_plain = isinstance(cls.__str__, WrapperDescriptorType) and all(type(arg) in _PLAIN for arg in args)
    if not is_plain:
        text = in_time(cls, lambda: str(error)[: LONGEST + 1])
    elif any(isinstance(arg, str | bytes) and len(arg) > LONGEST for arg in args):
        short = tuple(arg[: LONGEST + 1] if isinstance(arg, str | bytes) else arg for arg in args)
        text = str(short[0] if len(short) == 1 else short)
    else:
        text = str(error)
    return clean(text if len(text) <= LONGEST else f"{text[:LONGEST]}…")
