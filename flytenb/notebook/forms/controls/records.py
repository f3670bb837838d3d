"""Controls for dataclasses and pydantic models: a labelled control for each field."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Annotated, Any

import ipywidgets as widgets

from flytenb.notebook.forms.control import Control, ControlError
from flytenb.notebook.forms.control_context import ControlContext
from flytenb.notebook.forms.control_registry import BUILT_IN
from flytenb.notebook.forms.labels import label, note, set_note
from flytenb.notebook.forms.python_source import PythonSource
from flytenb.wording.types import bare, field_types
from flytenb.wording.values import brief

_NONE = object()


@BUILT_IN.register(lambda declared: dataclasses.is_dataclass(bare(declared)))
def dataclass_control(declared: Any, context: ControlContext) -> RecordControl:
    """Return a control for each field of the constructor."""
    cls = bare(declared)
    types = field_types(cls)
    fields = {f.name: types.get(f.name, f.type) for f in dataclasses.fields(cls) if f.init}
    defaults = {f.name: _default(f) for f in dataclasses.fields(cls) if f.init}
    return RecordControl(cls, fields, defaults, context)


@BUILT_IN.register(lambda declared: isinstance(getattr(bare(declared), "model_fields", None), dict))
def model_control(declared: Any, context: ControlContext) -> RecordControl:
    """Return a control for each field of a pydantic model."""
    cls = bare(declared)
    annotated: Any = Annotated
    # pydantic keeps a field's constraints apart from its type.
    fields = {
        name: annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
        for name, info in cls.model_fields.items()
    }
    defaults = {
        name: _NONE if info.is_required() else info.get_default(call_default_factory=True)
        for name, info in cls.model_fields.items()
    }
    return RecordControl(cls, fields, defaults, context)


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else _NONE


class _KeptControl:
    """Keeps a field's default that its control can't hold (a long list)."""

    def __init__(self, default: Any) -> None:
        self._value = default
        self.widget = note("", "ft-form-doc")
        self.write(default)

    def read(self) -> Any:
        return self._value

    def write(self, value: Any) -> None:
        self._value = value
        set_note(self.widget, brief(value))

    def watch(self, changed: Callable[[], None]) -> None:
        """The value never changes."""

    def code(self, source: PythonSource) -> str:
        return source.write(self._value)


class RecordControl:
    """Control for an object, field by field."""

    def __init__(self, cls: Any, fields: dict[str, Any], defaults: dict[str, Any], context: ControlContext) -> None:
        self._cls = cls
        self._fields: dict[str, Control] = {name: context.make(kind, name) for name, kind in fields.items()}
        rows = []
        for name, control in self._fields.items():
            if defaults[name] is not _NONE:
                try:
                    control.write(defaults[name])
                except ControlError:
                    control = self._fields[name] = _KeptControl(defaults[name])
            rows.append(widgets.HBox([label(name, fields[name]), control.widget]))
        self.widget = widgets.VBox(rows)
        self.widget.add_class("ft-form-record")

    def read(self) -> Any:
        """Create the object; an error of its constructor becomes a ControlError."""
        values = {}
        for name, control in self._fields.items():
            try:
                values[name] = control.read()
            except ControlError as error:
                raise error.within(f".{name}") from None
        try:
            return self._cls(**values)
        except Exception as error:
            raise ControlError(f"invalid {self._cls.__name__}: {brief(error, 200)}") from error

    def write(self, value: Any) -> None:
        """Set the control of each field."""
        if type(value) is not self._cls:
            raise ControlError(f"expected {self._cls.__name__}, got {brief(value)}")
        for name, control in self._fields.items():
            control.write(getattr(value, name))

    def watch(self, changed: Callable[[], None]) -> None:
        """Call `changed` when a field changes."""
        for control in self._fields.values():
            control.watch(changed)

    def code(self, source: PythonSource) -> str:
        """Return Python code for the object."""
        inside = ", ".join(f"{name}={control.code(source)}" for name, control in self._fields.items())
        return f"{source.name(self._cls)}({inside})"
