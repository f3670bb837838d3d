"""The widgets of a form: fields made from the interface, the line that says the same, a button that starts the run."""

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
from flytenb.bridge.entities.interface import KIND_WORDS, kind_of, read_interface, short_name
from flytenb.errors import FlytenbError, InputError
from flytenb.notebook.forms import controls as _built_in  # noqa: F401  (importing it fills the built-in registry)
from flytenb.notebook.forms.control import ControlError
from flytenb.notebook.forms.control_context import ControlContext
from flytenb.notebook.forms.control_registry import CONTROLS
from flytenb.notebook.forms.field import Field, SavedInput
from flytenb.notebook.forms.labels import note, set_note
from flytenb.notebook.forms.python_source import PythonSource, name_of
from flytenb.wording.values import brief, clean

display: Any = _display

Names = Callable[[], Mapping[str, Any]]
"""Gives the notebook's variables."""

Start = Callable[..., Any]
"""Starts a run of an entity (the one positional argument) with inputs by name, and returns it at once."""

Memory = MutableMapping[str, Mapping[str, SavedInput]]
"""By the entity's name: how each input was filled the last time."""


class FormWidgets:
    """The widgets of one form.

    Attributes:
        fields: a field for each input, by name.
        widget: all of it.
        button: starts a run.
        run: the last run that it started, None before.
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
        self.fields = {i.name: Field(i, self._place(i), self._changed) for i in read_inputs(entity)}
        self._line = widgets.HTML()
        self._line.add_class("ft-form-call")
        self._said = note("", "ft-form-said")
        self.button = widgets.Button(description="Run", icon="play", button_style="primary")
        self.button.on_click(lambda _: self.submit())
        self.widget = self._laid_out()
        self._restore()
        self._changed()

    def stand_here(self) -> None:
        """Let what is shown from now on appear in the cell that runs at this moment."""
        self._context = contextvars.copy_context()

    def _place(self, given: Input) -> ControlContext:
        return ControlContext(given.name, CONTROLS, self._names, self._uploads)

    def _uploads(self) -> Path:
        """Where uploaded files lie for as long as the form is there."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="flytenb-form-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder

    def _laid_out(self) -> Any:
        kind = kind_of(self._entity)
        word = KIND_WORDS.get(kind, str(kind))
        css = (files("flytenb.notebook.forms") / "form.css").read_text(encoding="utf-8")
        head = widgets.HTML(
            f"<style>{css}</style><b>{escape(clean(self._name))}</b> <span>{escape(word)}</span>"
        )  # fmt: skip
        head.add_class("ft-form-head")
        doc = note(read_interface(self._entity).doc.partition("\n\n")[0], "ft-form-doc")
        fields = [field.widget for field in self.fields.values()]
        foot = widgets.HBox([self.button, self._said])
        foot.add_class("ft-form-foot")
        form = widgets.VBox([head, doc, *fields, self._line, foot])
        form.add_class("ft-form")
        return form

    # --- what is in it -----------------------------------------------------------------------------------------------

    @property
    def values(self) -> dict[str, Any]:
        """The inputs that would be given; what is left at its default isn't.

        Raises:
            InputError: with every input that is no value of its type yet.
        """
        values, wrong = {}, []
        for name, field in self.fields.items():
            if field.is_left:
                continue
            try:
                values[name] = field.read()
            except ControlError as error:
                wrong.append(error.within(name).message)
            except Exception as error:
                wrong.append(f"{name}: {brief(error, 200)}")
        if wrong:
            raise InputError(f"{self._name}: {'; '.join(wrong)}", hint="each field says what it takes")
        return values

    @property
    def line(self) -> str:
        """The Python that does the same as the button; `…` stands for what is no value yet."""
        names = self._names()
        source = PythonSource(names)
        arguments = [name_of(self._entity, names) or self._name]
        for name, field in self.fields.items():
            if field.is_left:
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
            return  # the fields are still being made
        self._line.value = f"<pre>{escape(clean(self.line))}</pre>"
        set_note(self._said, "")

    # --- running -----------------------------------------------------------------------------------------------------

    def submit(self) -> Any:
        """Start a run with what is in the form, and show it; say in the form why not, if not."""
        for field in self.fields.values():
            field.check()
        try:
            values = self.values
            self._memory[self._name] = {name: field.remember() for name, field in self.fields.items()}
            # A front end puts what is shown into the cell that the form came from, by the context of that cell.
            self.run = self._context.copy().run(self._begin, values)
        except Exception as error:  # the kernel lives on, and the form says what happened
            told = error.message if isinstance(error, FlytenbError) else f"{type(error).__name__}: {brief(error, 300)}"
            self._said.add_class("ft-form-problem")
            set_note(self._said, told)
            return None
        self._said.remove_class("ft-form-problem")
        set_note(self._said, f"{self._name} runs: the run is below, and as form.run")
        return self.run

    def _begin(self, values: dict[str, Any]) -> Any:
        run = self._start(self._entity, **values)
        display(run)
        return run

    def _restore(self) -> None:
        for name, last in self._memory.get(self._name, {}).items():
            if name in self.fields:
                self.fields[name].restore(last)
