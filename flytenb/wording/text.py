"""Text of users' objects: without control characters, bounded in length and in time."""

from __future__ import annotations

import contextvars
import re
import shutil
import sys
import threading
import weakref
from collections.abc import Callable
from types import WrapperDescriptorType
from typing import Any

from flytenb.wording.quantities import duration_text

PATIENCE = 1.0
"""Seconds that an object's own `__str__` or `__repr__` may take."""
WIDTH = 100
"""Columns of a line of text."""
_NARROWEST = 40
LONGEST = 100_000
"""Characters of a message that are kept."""
_PLAIN = (str, bytes, int, float, bool, type(None))

# Control characters, lone surrogates (no front end can receive one) and the marks that turn the reading direction
# (they make a text read as something else). Newline and tab stay.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
_CODED = re.compile(r"(\w+: )?(?:USER|SYSTEM):\w+: error=(.*?)(?:, cause=.*)?", flags=re.S)
_STYLING = re.compile(r"\x1b\[[0-9;:]*[mK]")
"""Colours, and the erasure of a line."""
_late: weakref.WeakSet[type] = weakref.WeakSet()
"""Classes with an object that took longer than `PATIENCE`: their code isn't called again."""


class LateError(Exception):
    """The `__str__` or `__repr__` of an object took too long."""

    def __str__(self) -> str:
        return f"it takes more than {duration_text(PATIENCE)}"


def clean(text: str) -> str:
    """Return the text with every character that a page or terminal can't show written as its escape."""
    return _UNPRINTABLE.sub(lambda m: m[0].encode("unicode_escape").decode("ascii"), text)


def uncolored(text: str) -> str:
    """Return the text without the codes that give it a colour in a terminal."""
    return _STYLING.sub("", text)


def as_printed(text: str) -> str:
    r"""Return what remains of a printed text: without colours, of each line what follows its last `\r`; cleaned."""
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in uncolored(text).split("\n"))
    return clean("\n".join(lines))


def without_code(message: str) -> str:
    """Return the message of an error, or its name and message, without the code and the cause that flytekit adds."""
    coded = _CODED.fullmatch(message)
    return f"{coded[1] or ''}{coded[2]}" if coded else message


def one_line(text: str) -> str:
    """Return the cleaned text on one line, its line breaks written as escapes."""
    return clean(text).replace("\n", "\\n").replace("\t", "\\t")


def line_width() -> int:
    """Return the columns of a line that is printed now: `WIDTH`, in a narrower terminal its own."""
    try:
        is_terminal = sys.stdout.isatty()
    except (AttributeError, ValueError):  # there is none, or it is closed
        return WIDTH
    return max(min(shutil.get_terminal_size().columns, WIDTH), _NARROWEST) if is_terminal else WIDTH


def clip(text: str, limit: int) -> str:
    """Return at most `limit` characters, the last one `…` if some are missing."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + "…"


def clip_middle(text: str, limit: int) -> str:
    """Return at most `limit` characters, those in the middle replaced by `…`: the end of a path matters most."""
    tail = limit // 2
    return text if len(text) <= limit else f"{text[: limit - tail - 1]}…{text[len(text) - tail :]}"


def clip_line(text: str, limit: int) -> str:
    """Return the cleaned text on one line of at most `limit` characters, each line break as a space."""
    return clip(clean(" ".join(text.split()) if "\n" in text or "\r" in text else text), limit)


def in_time(cls: type, words: Callable[[], str]) -> str:
    """Return `words()`, which may run code of the class, within `PATIENCE` seconds.

    It runs in a thread of its own, which is abandoned when it takes longer; the class is then remembered, and later
    calls for it fail at once.

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
    """Return `repr(value)`, bounded in time unless it is implemented in C.

    Raises:
        LateError: if it takes too long.
        BaseException: what the object's own code raises.
    """
    cls: Any = type(value)
    if isinstance(cls.__repr__, WrapperDescriptorType):
        return str(cls.__repr__(value))
    return in_time(cls, lambda: str(cls.__repr__(value)))


def class_name(value: Any) -> str:
    """Return the name of a value's class; `value.__class__` isn't read."""
    return name_of(type(value))


def name_of(cls: type) -> str:
    """Return the name of a class as its module spells it: `Outer.Inner`, without the function around it."""
    # Past the metaclass, whose `__getattribute__` may return anything.
    name: str = type.__getattribute__(cls, "__qualname__")
    return one_line(name.rpartition("<locals>.")[2])


def message_of(error: BaseException) -> str:
    """Return the message of an exception, without colours, cleaned and bounded.

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
    return clean(uncolored(clip(text, LONGEST)))
