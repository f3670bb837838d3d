"""Controls: the interface of a widget for one value, and the common implementation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from flytenb.errors import FlytenbError
from flytenb.notebook.forms.python_source import PythonSource


class ControlError(FlytenbError, ValueError):
    """An invalid input in a control, or a value that the control can't hold; the message is shown beside it.

    Args:
        reason: the problem.
        where: place inside the value, as Python code: `.points[3].x`.
    """

    def __init__(self, reason: str, where: str = "") -> None:
        super().__init__(f"{where}: {reason}" if where else reason)
        self.reason = reason
        self.where = where

    def within(self, step: str) -> ControlError:
        """Return the error with its place extended by an outer step."""
        return ControlError(self.reason, step + self.where)


class Control(Protocol):
    """Interface of a control.

    Attributes:
        widget: the ipywidgets widget.
    """

    widget: Any

    def read(self) -> Any:
        """Return the value.

        Raises:
            ControlError: if the input is invalid.
        """

    def write(self, value: Any) -> None:
        """Set the value.

        Raises:
            ControlError: if the control can't hold it.
        """

    def watch(self, changed: Callable[[], None]) -> None:
        """Call `changed` whenever the value may have changed."""

    def code(self, source: PythonSource) -> str:
        """Return Python code for the value."""


class ValueControl:
    """A control for one widget, whose `value` trait is converted by `parse` and `show`.

    Attributes:
        field: the widget that holds the value.
        widget: the widget to show, `field` itself or a container of it.
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
        """Return the parsed value of the widget."""
        return self._parse(self.field.value)

    def write(self, value: Any) -> None:
        """Set the widget's value."""
        try:
            self.field.value = self._show(value)
        except FlytenbError:
            raise
        except Exception as error:  # a trait's message, or that of a formatter which can't handle the value
            raise ControlError(f"{value!r} can't be shown here: {error}") from error

    def watch(self, changed: Callable[[], None]) -> None:
        """Call `changed` when the widget's value changes."""
        self.field.observe(lambda _: changed(), names="value")

    def code(self, source: PythonSource) -> str:
        """Return Python code for the value."""
        return source.write(self.read())
