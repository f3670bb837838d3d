"""Controls for lists and dicts: a row for each item, with buttons to add and remove rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args, get_origin

import ipywidgets as widgets

from flytenb.notebook.forms.control import Control, ControlError
from flytenb.notebook.forms.control_context import ControlContext
from flytenb.notebook.forms.control_registry import BUILT_IN
from flytenb.notebook.forms.python_source import PythonSource
from flytenb.wording.types import bare

_MOST = 30
"""Most rows in a form."""


@BUILT_IN.register(lambda declared: get_origin(bare(declared)) is list and len(get_args(bare(declared))) == 1)
def list_control(declared: Any, context: ControlContext) -> ListControl:
    """Return a control with a row for each item."""
    return ListControl(get_args(bare(declared))[0], context)


@BUILT_IN.register(lambda declared: get_origin(bare(declared)) is dict and len(get_args(bare(declared))) == 2)
def dict_control(declared: Any, context: ControlContext) -> DictControl:
    """Return a control with a row for each key and value."""
    key, item = get_args(bare(declared))
    return DictControl(key, item, context)


class _Rows:
    """Rows of controls, each with a remove button, and an add button."""

    def __init__(self, make_row: Callable[[], tuple[Control, ...]], what: str) -> None:
        self._make_row = make_row
        self._what = what
        self._changed: Callable[[], None] = lambda: None
        self.rows: list[tuple[Control, ...]] = []
        self._box = widgets.VBox([])
        add = widgets.Button(description=f"add {what}", icon="plus", layout=widgets.Layout(width="max-content"))
        add.on_click(lambda _: self._added())
        self.widget = widgets.VBox([self._box, add])
        self.widget.add_class("ft-form-rows")

    def watch(self, changed: Callable[[], None]) -> None:
        """Call `changed` when a row is added, removed or changed."""
        self._changed = changed

    def add(self) -> tuple[Control, ...]:
        """Add a row and return its controls."""
        row = self._make_row()
        for control in row:
            control.watch(lambda: self._changed())
        remove = widgets.Button(icon="times", tooltip=f"remove this {self._what}", layout=widgets.Layout(width="36px"))
        line = widgets.HBox([*(control.widget for control in row), remove])
        remove.on_click(lambda _: self._removed(row, line))
        self.rows.append(row)
        self._box.children = (*self._box.children, line)
        return row

    def clear(self) -> None:
        """Remove all rows."""
        self.rows.clear()
        self._box.children = ()

    def _added(self) -> None:
        self.add()
        self._changed()

    def _removed(self, row: tuple[Control, ...], line: Any) -> None:
        self.rows.remove(row)
        self._box.children = tuple(child for child in self._box.children if child is not line)
        self._changed()


class ListControl:
    """Control for a list."""

    def __init__(self, item: Any, context: ControlContext) -> None:
        self._rows = _Rows(lambda: (context.make(item),), "item")
        self.widget = self._rows.widget
        self.watch = self._rows.watch

    def read(self) -> list[Any]:
        """Return the items."""
        return [_read_at(i, item.read) for i, (item,) in enumerate(self._rows.rows)]

    def write(self, value: Any) -> None:
        """Create a row for each item."""
        if type(value) is not list:
            raise ControlError(f"expected a list, got {value!r}")
        _check_size(value)
        self._rows.clear()
        for item in value:
            self._rows.add()[0].write(item)

    def code(self, source: PythonSource) -> str:
        """Return Python code for the list."""
        return f"[{', '.join(item.code(source) for (item,) in self._rows.rows)}]"


class DictControl:
    """Control for a dict."""

    def __init__(self, key: Any, item: Any, context: ControlContext) -> None:
        self._rows = _Rows(lambda: (context.make(key), context.make(item)), "entry")
        self.widget = self._rows.widget
        self.watch = self._rows.watch

    def read(self) -> dict[Any, Any]:
        """Return the entries."""
        made: dict[Any, Any] = {}
        for i, (key, item) in enumerate(self._rows.rows):
            name = _read_at(i, key.read)
            if name in made:
                raise ControlError(f"duplicate key {name!r}")
            made[name] = _read_at(name, item.read)
        return made

    def write(self, value: Any) -> None:
        """Create a row for each entry."""
        if type(value) is not dict:
            raise ControlError(f"expected a dict, got {value!r}")
        _check_size(value)
        self._rows.clear()
        for key, item in value.items():
            row = self._rows.add()
            row[0].write(key)
            row[1].write(item)

    def code(self, source: PythonSource) -> str:
        """Return Python code for the dict."""
        return f"{{{', '.join(f'{key.code(source)}: {item.code(source)}' for key, item in self._rows.rows)}}}"


def _read_at(where: Any, read: Callable[[], Any]) -> Any:
    """Read a nested value and add its place to an error."""
    try:
        return read()
    except ControlError as error:
        raise error.within(f"[{where!r}]") from None


def _check_size(value: Any) -> None:
    if len(value) > _MOST:
        raise ControlError(f"{len(value):,} items don't fit a form: pick a variable")
