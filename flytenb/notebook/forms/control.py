"""What asks for one value: a widget, and the value in it; which control serves which type is the registry's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from flytenb.errors import FlytenbError
from flytenb.notebook.forms.python_source import PythonSource


class ControlError(FlytenbError, ValueError):
    """What is in a control isn't a value yet, or a value can't be put into it; the message stands next to it.

    Args:
        reason: what is wrong.
        where: the place inside the value, as one would write it in Python: `.points[3].x`.
    """

    def __init__(self, reason: str, where: str = "") -> None:
        super().__init__(f"{where}: {reason}" if where else reason)
        self.reason = reason
        self.where = where

    def within(self, step: str) -> ControlError:
        """Return the same mistake as seen from one level further out."""
        return ControlError(self.reason, step + self.where)


class Control(Protocol):
    """What every control offers.

    Attributes:
        widget: the ipywidgets widget to show.
    """

    widget: Any

    def read(self) -> Any:
        """Return the value.

        Raises:
            ControlError: if what was typed is none.
        """

    def write(self, value: Any) -> None:
        """Put a value into it.

        Raises:
            ControlError: if it can't hold this one.
        """

    def watch(self, changed: Callable[[], None]) -> None:
        """Call `changed` whenever the value may be another."""

    def code(self, source: PythonSource) -> str:
        """Return Python that makes the value."""


class ValueControl:
    """A control around one widget whose `value` says all; `parse` and `show` stand between the two.

    Attributes:
        field: the widget that holds the value.
        widget: what is shown: the same, unless something is put around it.
    """

    def __init__(
        self,
        widget: Any,
        parse: Callable[[Any], Any] = lambda shown: shown,
        show: Callable[[Any], Any] = lambda value: value,
    ) -> None:
        self.field = widget
        self.widget = widget
        self._parse = parse
        self._show = show

    def read(self) -> Any:
        """Return what the widget's value means."""
        return self._parse(self.field.value)

    def write(self, value: Any) -> None:
        """Put a value in, as the widget shows it."""
        try:
            self.field.value = self._show(value)
        except FlytenbError:
            raise
        except Exception as error:  # a trait's own message, or that of a format which doesn't know the value
            raise ControlError(f"{value!r} can't be shown here: {error}") from error

    def watch(self, changed: Callable[[], None]) -> None:
        """Call it when the widget's value changes."""
        self.field.observe(lambda _: changed(), names="value")

    def code(self, source: PythonSource) -> str:
        """Write the value."""
        return source.write(self.read())
