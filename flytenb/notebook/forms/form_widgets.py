"""Widgets of a form: a field for each input, the equivalent Python code, and the button that starts the run."""

from __future__ import annotations

import contextvars
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping, MutableMapping
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import ipywidgets as widgets
from IPython.display import display as _display

from flytenb.bridge.entities.inputs import Input, read_inputs
from flytenb.bridge.entities.interface import kind_of, read_interface, short_name
from flytenb.errors import FlytenbError, InputError
from flytenb.notebook.forms import controls as _built_in  # noqa: F401  (importing it fills the built-in registry)
from flytenb.notebook.forms.control import ControlError
from flytenb.notebook.forms.control_context import ControlContext
from flytenb.notebook.forms.control_registry import CONTROLS
from flytenb.notebook.forms.field import Field, SavedInput
from flytenb.notebook.forms.labels import note, set_note
from flytenb.notebook.forms.python_source import PythonSource, name_of
from flytenb.wording.kinds import entity_text
from flytenb.wording.text import class_name
from flytenb.wording.values import brief, clean

display: Any = _display

Names = Callable[[], Mapping[str, Any]]
"""Returns the notebook's variables."""

Start = Callable[..., Any]
"""Starts a run of an entity (the positional argument) with inputs by name, and returns it at once."""

Memory = MutableMapping[str, Mapping[str, SavedInput]]
"""Saved inputs, by the entity's name and the input's name."""


class FormWidgets:
    """The widgets of one form.

    Attributes:
        fields: the field of each input, by name.
        widget: the outermost widget.
        button: starts a run.
        run: the run that was started last, None if there is none.
    """

    def __init__(self, entity: Any, start: Start, names: Names, memory: Memory) -> None:
        self.run: Any = None
        self._entity = entity
        self._start = start
        self._names = names
        self._memory = memory
        self._folder: Path | None = None
        self._context = contextvars.copy_context()
        self._name = short_name(entity)
        self.fields = {i.name: Field(i, self._control_context(i), self._changed) for i in read_inputs(entity)}
        self._line = widgets.HTML()
        self._line.add_class("ft-form-call")
        self._status = note("", "ft-form-said")
        self.button = widgets.Button(description="Run", icon="play", button_style="primary")
        self.button.on_click(lambda _: self.submit())
        self.widget = self._make_widget()
        self._restore()
        self._changed()

    def bind_to_current_cell(self) -> None:
        """Publish the output of later runs in the current cell."""
        self._context = contextvars.copy_context()

    def _control_context(self, given: Input) -> ControlContext:
        return ControlContext(given.name, CONTROLS, self._names, self._uploads)

    def _uploads(self) -> Path:
        """Return the directory of uploaded files, which exists as long as the form."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="flytenb-form-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder

    def _make_widget(self) -> Any:
        kind = kind_of(self._entity)
        word = entity_text(kind)
        css = (files("flytenb.notebook.forms") / "form.css").read_text(encoding="utf-8")
        head = widgets.HTML(
            f"<style>{css}</style><b>{escape(clean(self._name))}</b> <span>{escape(word)}</span>"
        )  # fmt: skip
        head.add_class("ft-form-head")
        doc = note(read_interface(self._entity).doc.partition("\n\n")[0], "ft-form-doc")
        fields = [field.widget for field in self.fields.values()]
        foot = widgets.HBox([self.button, self._status])
        foot.add_class("ft-form-foot")
        form = widgets.VBox([head, doc, *fields, self._line, foot])
        form.add_class("ft-form")
        return form

    # --- values ------------------------------------------------------------------------------------------------------

    @property
    def values(self) -> dict[str, Any]:
        """The inputs of the run, without those left at their defaults.

        Raises:
            InputError: naming every invalid input.
        """
        values, wrong = {}, []
        for name, field in self.fields.items():
            if field.is_default:
                continue
            try:
                values[name] = field.read()
            except ControlError as error:
                wrong.append(error.within(name).message)
            except Exception as error:
                wrong.append(f"{name}: {brief(error, 200)}")
        if wrong:
            raise InputError(f"{self._name}: {'; '.join(wrong)}", hint="see the message below each field")
        return values

    @property
    def line(self) -> str:
        """Python code that does the same as the button; `…` marks an invalid value."""
        names = self._names()
        source = PythonSource(names)
        arguments = [name_of(self._entity, names) or self._name]
        for name, field in self.fields.items():
            if field.is_default:
                continue
            try:
                arguments.append(f"{name}={'…' if field.problem else field.code(source)}")
            except Exception:
                arguments.append(f"{name}=…")
        has_front_door = getattr(names.get("flytenb"), "__name__", "") == "flytenb"
        imports = [*([] if has_front_door else ["import flytenb"]), *source.imports]
        return "\n".join([*imports, f"flytenb.run({', '.join(arguments)})"])

    def _changed(self) -> None:
        if not hasattr(self, "widget"):
            return  # the fields are still being created
        self._line.value = f"<pre>{escape(clean(self.line))}</pre>"
        set_note(self._status, "")

    # --- running -----------------------------------------------------------------------------------------------------

    def submit(self) -> Any:
        """Start a run with the form's values and show it; show the problem if that fails."""
        for field in self.fields.values():
            field.check()
        try:
            values = self.values
            self._memory[self._name] = {name: field.remember() for name, field in self.fields.items()}
            # A front end shows output in the cell given by the context.
            self.run = self._context.copy().run(self._begin, values)
        except Exception as error:  # shown in the form, not as a traceback in some cell
            message = error.message if isinstance(error, FlytenbError) else f"{class_name(error)}: {brief(error, 300)}"
            self._status.add_class("ft-form-problem")
            set_note(self._status, message)
            return None
        self._status.remove_class("ft-form-problem")
        set_note(self._status, f"{self._name} is running: see below, or form.run")
        return self.run

    def _begin(self, values: dict[str, Any]) -> Any:
        run = self._start(self._entity, **values)
        display(run)
        return run

    def _restore(self) -> None:
        for name, last in self._memory.get(self._name, {}).items():
            if name in self.fields:
                self.fields[name].restore(last)
