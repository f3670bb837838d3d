"""One input of a form: its label, its control or a variable, and its validation message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets

from flytenb.bridge.entities.inputs import Input
from flytenb.notebook.forms.control import Control, ControlError
from flytenb.notebook.forms.control_context import ControlContext, make_control
from flytenb.notebook.forms.controls.variables import VariableControl
from flytenb.notebook.forms.labels import label, name_inputs, note, set_note
from flytenb.notebook.forms.python_source import PythonSource
from flytenb.types.plain_data import refusal
from flytenb.wording.values import brief

VALUE, VARIABLE, DEFAULT = "value", "variable", "default"


@dataclass(frozen=True)
class SavedInput:
    """How an input was filled the last time: its origin, and the value or the variable's name."""

    origin: str
    value: Any = None


class Field:
    """One input, typed, taken from a variable of the notebook, or left at its default."""

    def __init__(self, given: Input, context: ControlContext, changed: Callable[[], None]) -> None:
        self.input = given
        self._changed = changed
        self._context = context
        self._variables: VariableControl | None = None
        self.control = make_control(given.type, context)
        self.problem = ""
        origins = [VALUE, *([] if isinstance(self.control, VariableControl) else [VARIABLE])]
        origins += [DEFAULT] if given.has_default else []
        self.origin = widgets.Dropdown(options=origins, value=VALUE, layout=widgets.Layout(width="94px"))
        name_inputs(self.origin, f"origin of {self.input.name}")
        self.origin.tooltip = "type a value, pick a variable, or use the default"
        self._box = widgets.Box([self.control.widget])
        self._box.add_class("ft-form-inside")
        self._problem = note("", "ft-form-problem")
        self._write_default()
        self.control.watch(self._value_changed)
        self.origin.observe(lambda _: self._origin_changed(), names="value")
        self.widget = self._make_widget(len(origins) > 1)

    def _make_widget(self, has_choice: bool) -> Any:
        head = label(self.input.name, self.input.type, is_required=not self.input.has_default)
        line = widgets.HBox([head, self._box, *([self.origin] if has_choice else [])])
        line.add_class("ft-form-line")
        doc = note(self.input.doc, "ft-form-doc")
        field = widgets.VBox([line, doc, self._problem])
        field.add_class("ft-form-field")
        return field

    def _write_default(self) -> None:
        if not self.input.has_default:
            return
        try:
            self.control.write(self.input.default)
        except ControlError:
            self.origin.value = DEFAULT
            self._origin_changed()

    @property
    def _current(self) -> Control:
        """The control that provides the value."""
        if self.origin.value != VARIABLE:
            return self.control
        if self._variables is None:
            self._variables = VariableControl(self.input.type, self._context)
            name_inputs(self._variables.widget, self.input.name)
            self._variables.watch(self._value_changed)
        return self._variables

    def _origin_changed(self) -> None:
        if self.origin.value == DEFAULT:
            shown = note(f"default: {brief(self.input.default)}", "ft-form-doc")
        else:
            shown = self._current.widget
        self._box.children = (shown,)
        self._value_changed()

    def _value_changed(self) -> None:
        self.check()
        self._changed()

    # --- the value ---------------------------------------------------------------------------------------------------

    @property
    def is_default(self) -> bool:
        """Whether the default is used."""
        return bool(self.origin.value == DEFAULT)

    def read(self) -> Any:
        """Return the value.

        Raises:
            ControlError: if it isn't valid for the input's type.
        """
        value = self._current.read()
        refused = refusal(value, self.input.type)
        if refused:
            raise ControlError(refused)
        return value

    def check(self) -> str:
        """Validate the value and show the problem, if any."""
        self.problem = ""
        if not self.is_default:
            try:
                self.read()
            except ControlError as error:
                self.problem = error.message
            except Exception as error:  # a registered control, or a property of the user's class
                self.problem = brief(error, 200)
        set_note(self._problem, self.problem)
        return self.problem

    def code(self, source: PythonSource) -> str:
        """Return Python code for the value."""
        return self._current.code(source)

    # --- saved inputs ------------------------------------------------------------------------------------------------

    def remember(self) -> SavedInput:
        """Return how it is filled."""
        origin = str(self.origin.value)
        if origin == VARIABLE:
            assert self._variables is not None
            return SavedInput(origin, self._variables.name)
        return SavedInput(origin, None if origin == DEFAULT else self.control.read())

    def restore(self, last: SavedInput) -> None:
        """Fill it from a saved input, if that is still valid."""
        try:
            if last.origin == VARIABLE:
                VariableControl(self.input.type, self._context).choose(last.value)
                self.origin.value = VARIABLE
                assert self._variables is not None
                self._variables.choose(last.value)
            elif last.origin == VALUE:
                self.control.write(last.value)
            elif self.input.has_default:
                self.origin.value = DEFAULT
        except ControlError:
            self._write_default()
