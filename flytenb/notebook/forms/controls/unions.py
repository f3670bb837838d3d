"""Control for Optional and Union: a choice of members over the control of the chosen one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from flytenb.notebook.forms.control import Control, ControlError
from flytenb.notebook.forms.control_context import ControlContext
from flytenb.notebook.forms.control_registry import BUILT_IN
from flytenb.notebook.forms.python_source import PythonSource
from flytenb.types.plain_data import may_be
from flytenb.wording.types import member_of, type_text, union_members
from flytenb.wording.values import brief


@BUILT_IN.register(lambda declared: bool(union_members(declared)))
def union_control(declared: Any, context: ControlContext) -> UnionControl:
    """Return a choice of members; None, if it is a member, is chosen at first."""
    return UnionControl(union_members(declared), context)


class UnionControl:
    """A choice of types, beside the control for the chosen type."""

    def __init__(self, members: tuple[Any, ...], context: ControlContext) -> None:
        self._members = sorted(members, key=lambda member: member is not type(None))
        self._context = context
        self._made: dict[int, Control] = {}
        self._changed: Callable[[], None] = lambda: None
        options = [(type_text(member), i) for i, member in enumerate(self._members)]
        self._choice = widgets.Dropdown(options=options, value=0, layout=widgets.Layout(width="max-content"))
        self._choice.observe(lambda _: self._chosen(), names="value")
        self._inside = widgets.Box()
        self._inside.add_class("ft-form-inside")
        self.widget = widgets.HBox([self._choice, self._inside])
        self._chosen()

    @property
    def _current(self) -> Control:
        """The control of the chosen member, created when first chosen: a type may contain itself."""
        chosen = self._choice.value
        if chosen not in self._made:
            self._made[chosen] = self._context.make(self._members[chosen])
            self._made[chosen].watch(lambda: self._changed())
        return self._made[chosen]

    def _chosen(self) -> None:
        is_none = self._members[self._choice.value] is type(None)
        # None needs no control.
        self._inside.children = () if is_none else (self._current.widget,)
        self._changed()

    def read(self) -> Any:
        """Return the value of the chosen member's control."""
        return self._current.read()

    def write(self, value: Any) -> None:
        """Choose the member that fits the value, and set its control."""
        member = member_of(value, tuple(self._members))
        fitting = [member] if member is not None else [m for m in self._members if may_be(value, m)]
        if value is None and type(None) in self._members:
            fitting = [type(None)]
        if not fitting:
            raise ControlError(f"expected a value of one of the listed types, got {brief(value)}")
        self._choice.value = next(i for i, m in enumerate(self._members) if m is fitting[0])
        self._current.write(value)

    def watch(self, changed: Callable[[], None]) -> None:
        """Call `changed` when another member is chosen or its value changes."""
        self._changed = changed

    def code(self, source: PythonSource) -> str:
        """Return Python code for the value."""
        return self._current.code(source)
