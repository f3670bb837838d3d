"""Controls for dates, times and durations. Times are in UTC, as in Flyte."""

from __future__ import annotations

import datetime
import re
from typing import Any

import ipywidgets as widgets

from flytenb.notebook.forms.control import ControlError, ValueControl
from flytenb.notebook.forms.control_context import ControlContext
from flytenb.notebook.forms.control_registry import BUILT_IN

_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1, "ms": 1e-3, "us": 1e-6}
_NAMES = {
    **dict.fromkeys(("d", "day", "days"), "d"),
    **dict.fromkeys(("h", "hour", "hours"), "h"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("ms", "us"), ""),
    "ms": "ms",
    "us": "us",
}
_PART = re.compile(r"\s*,?\s*(\d+(?:\.\d+)?)\s*([a-z]+)")
_CLOCK = re.compile(r"\s*,?\s*(\d+):(\d\d)(?::(\d\d(?:\.\d{1,6})?))?\s*$")


@BUILT_IN.register(datetime.date)
def date_control(declared: Any, context: ControlContext) -> ValueControl:
    """Return a date picker."""
    return ValueControl(widgets.DatePicker(layout=widgets.Layout(width="auto")), _picked("a date"), _date)


@BUILT_IN.register(datetime.datetime)
def datetime_control(declared: Any, context: ControlContext) -> ValueControl:
    """Return a date and time picker, in UTC."""
    picker = widgets.NaiveDatetimePicker(layout=widgets.Layout(width="auto"))
    made = ValueControl(picker, lambda shown: _picked("a date and time")(shown).replace(tzinfo=datetime.UTC), _naive)
    made.widget = widgets.HBox([picker, widgets.Label("UTC")])
    return made


@BUILT_IN.register(datetime.timedelta)
def timedelta_control(declared: Any, context: ControlContext) -> ValueControl:
    """Return a text field for durations."""
    field = widgets.Text(placeholder="1h 30m, 90s, 2 days 1:30:00", layout=widgets.Layout(width="auto"))
    return ValueControl(field, parse_duration, format_duration)


def _picked(what: str) -> Any:
    def check(shown: Any) -> Any:
        if shown is None:
            raise ControlError(f"{what} is missing")
        return shown

    return check


def _date(value: Any) -> datetime.date:
    if type(value) is not datetime.date:
        raise ControlError(f"expected a date, got {value!r}")
    return value


def _naive(value: Any) -> datetime.datetime:
    if not isinstance(value, datetime.datetime):
        raise ControlError(f"expected a datetime, got {value!r}")
    return value if value.tzinfo is None else value.astimezone(datetime.UTC).replace(tzinfo=None)


def parse_duration(text: str) -> datetime.timedelta:
    """Parse `1h 30m`, `90s`, `1.5 hours`, `2 days 1:30:00`, `-5m`.

    Raises:
        ControlError: for anything else.
    """
    rest = text.strip().lower()
    sign = -1 if rest.startswith("-") else 1
    rest = rest.removeprefix("-").removeprefix("+")
    total, is_empty = datetime.timedelta(), True
    while rest:
        clock, part = _CLOCK.match(rest), _PART.match(rest)
        if clock is not None:
            hours, minutes, seconds = clock[1], clock[2], clock[3] or "0"
            total += datetime.timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds))
            rest, is_empty = "", False
        elif part is not None and _NAMES.get(part[2]):
            total += _times(part[1], _NAMES[part[2]])
            rest, is_empty = rest[part.end() :], False
        else:
            raise ControlError(f"expected a duration such as 1h 30m, got {text.strip()!r}")
    if is_empty:
        raise ControlError("a duration is missing")
    return sign * total


def _times(number: str, unit: str) -> datetime.timedelta:
    # Whole microseconds where possible: a float of seconds would lose them.
    if unit in ("ms", "us") and "." not in number:
        return datetime.timedelta(**{"ms": {"milliseconds": int(number)}, "us": {"microseconds": int(number)}}[unit])
    return datetime.timedelta(seconds=float(number) * _UNITS[unit])


def format_duration(value: Any) -> str:
    """Return a duration as text that `parse_duration` reads back exactly."""
    if not isinstance(value, datetime.timedelta):
        raise ControlError(f"expected a timedelta, got {value!r}")
    sign, value = ("-", -value) if value < datetime.timedelta() else ("", value)
    hours, seconds = divmod(value.seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    parts = {"d": value.days, "h": hours, "m": minutes, "s": seconds, "us": value.microseconds}
    return sign + (" ".join(f"{number}{unit}" for unit, number in parts.items() if number) or "0s")
