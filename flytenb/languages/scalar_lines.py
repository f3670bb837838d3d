"""Values without parts as text, as the lines format has them after their tags.

Programs of Python cells contain the source of this module: it needs Python 3.8 and nothing else.
"""

from __future__ import annotations

import datetime
import numbers
import re
from collections.abc import Callable
from typing import Any

from flytenb.languages.tables import NANOS, moment_of, nanos_of, span_of

MISSING = "\\N"
"""A missing value of a list of scalars."""
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r"})
_ESCAPED = {"\\\\": "\\", "\\n": "\n", "\\r": "\r"}


def plain(value: Any) -> Any:
    """Return a number or array of NumPy as Python's own."""
    return value.tolist() if hasattr(value, "tolist") else value


def unexpected(what: str, value: Any) -> ValueError:
    """Return the error of a value of another type."""
    return ValueError(f"expected {what}, got {type(value).__name__} {value!r:.100}")


def write_scalar(tag: str, value: Any) -> str:
    """Return a value without parts as the text after its tag."""
    if tag not in _WRITERS:
        raise ValueError(f"a value of shape {tag!r} has no lines: it is a file itself")
    return _WRITERS[tag](value)


def _write_bool(value: Any) -> str:
    value = plain(value)
    if not isinstance(value, bool):
        raise unexpected("a bool", value)
    return "1" if value else "0"


def _write_int(value: Any) -> str:
    if type(value) is not int:
        if isinstance(value, bool) or not isinstance(value, numbers.Integral):
            raise unexpected("an int", value)
        value = int(value)
    if not -(2**63) <= value < 2**63:
        raise ValueError(f"expected an int of at most 64 bits, got {value!r:.100}")
    return str(value)


def to_float(value: Any) -> float:
    """Return a number as a float.

    Raises:
        ValueError: if it isn't a number, or a float can't hold it.
    """
    if type(value) is float:
        return value
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise unexpected("a float", value)
    number = float(value)
    if isinstance(value, numbers.Integral) and int(number) != value:
        raise ValueError(f"expected a number that a float can hold, got {value!r:.100}")
    return number


def write_float(value: Any) -> str:
    """Return the shortest decimal text that reads back."""
    return repr(to_float(value)).replace("nan", "NaN").replace("inf", "Inf")


def _write_text(value: Any) -> str:
    if not isinstance(value, str):
        raise unexpected("a str", value)
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"expected text without half a surrogate pair, got {value[error.start]!r}") from None
    return value.translate(_ESCAPES) if "\\" in value or "\n" in value or "\r" in value else value


def _write_moment(value: Any) -> str:
    if not isinstance(value, datetime.datetime):
        raise unexpected("a datetime", value)
    return moment_text(nanos_of(value))


def _write_span(value: Any) -> str:
    if not isinstance(value, datetime.timedelta):
        raise unexpected("a timedelta", value)
    return span_text(nanos_of(value))


def moment_text(nanos: int) -> str:
    """Return seconds and nanoseconds since 1970, these positive."""
    return f"{nanos // NANOS} {nanos % NANOS}"


def span_text(nanos: int) -> str:
    """Return seconds and nanoseconds of a duration, both with its sign."""
    sign = -1 if nanos < 0 else 1
    return f"{sign * (abs(nanos) // NANOS)} {sign * (abs(nanos) % NANOS)}"


def _write_date(value: Any) -> str:
    if isinstance(value, datetime.datetime) or not isinstance(value, datetime.date):
        raise unexpected("a date", value)
    return value.isoformat()


def _write_none(value: Any) -> str:
    if value is not None:
        raise unexpected("None", value)
    return ""


_WRITERS: dict[str, Callable[[Any], str]] = {
    "b": _write_bool,
    "i": _write_int,
    "d": write_float,
    "s": _write_text,
    "T": _write_moment,
    "D": _write_span,
    "a": _write_date,
    "n": _write_none,
}


def read_nanos(text: str) -> int:
    """Return the nanoseconds of a text of seconds and nanoseconds."""
    seconds, nanos = text.split(" ")
    return int(seconds) * NANOS + int(nanos)


def _read_text(text: str) -> str:
    return re.sub(r"\\.?", lambda found: _ESCAPED[found[0]], text) if "\\" in text else text


SCALAR_READERS: dict[str, Callable[[str], Any]] = {
    "b": {"0": False, "1": True}.__getitem__,
    "i": int,
    "d": float,
    "s": _read_text,
    "T": lambda text: moment_of(read_nanos(text)),
    "D": lambda text: span_of(read_nanos(text)),
    "a": datetime.date.fromisoformat,
    "n": lambda text: None,
}


def read_scalar(tag: str, text: str) -> Any:
    """Return the value of a text after its tag."""
    if tag not in SCALAR_READERS:
        raise ValueError(f"expected one of the tags {' '.join(SCALAR_READERS)}")
    return SCALAR_READERS[tag](text)
