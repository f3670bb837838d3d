"""An input form: fields made from the interface, the line that says the same, and a button that starts the run."""

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
from IPython.core.getipython import get_ipython
from IPython.display import display as _display

from flytenb.bridge.entities import KIND_WORDS, kind_of, read_interface, short_name
from flytenb.bridge.lens.inputs import Input, read_inputs
from flytenb.display.annotations import type_text
from flytenb.display.brief import brief, clean
from flytenb.display.form import controls as _built_in  # noqa: F401  (importing it fills the built-in registry)
from flytenb.display.form.control import ControlError
from flytenb.display.form.field import Field, Remembered
from flytenb.display.form.labels import note, set_note
from flytenb.display.form.place import Place
from flytenb.display.form.registry import CONTROLS
from flytenb.display.form.source import Source
from flytenb.display.limits import Limits
from flytenb.display.part import Group, Part, Section, Table, Text
from flytenb.display.run_view import has_reader
from flytenb.display.shown import Shown, rendered
from flytenb.errors import FlytenbError, InputError

display: Any = _display

Start = Callable[..., Any]
"""Starts a run of an entity (the one positional argument) with inputs by name, and returns it at once."""

Memory = MutableMapping[str, Mapping[str, Remembered]]
"""By the entity's name: how each input was filled the last time."""


class Form:
    """An input form of one task, workflow or launch plan. Where no widget can be shown it says what to type instead.

    Attributes:
        entity: what is run.
        fields: a field for each input, by name.
        run: the last run that it started, None before.
    """

    def __init__(
        self,
        entity: Any,
        start: Start,
        *,
        names: Mapping[str, Any] | None = None,
        memory: Memory | None = None,
    ) -> None:
        inputs = read_inputs(entity)
        self.entity = entity
        self.run: Any = None
        self._start = start
        self._names = names
        self._memory: Memory = {} if memory is None else memory
        self._folder: Path | None = None
        self._context = contextvars.copy_context()
        self._name = short_name(entity)
        self.fields = {given.name: Field(given, self._place(given), self._changed) for given in inputs}
        self._line = widgets.HTML()
        self._line.add_class("ft-form-call")
        self._said = note("", "ft-form-said")
        self.button = widgets.Button(description="Run", icon="play", button_style="primary")
        self.button.on_click(lambda _: self.submit())
        self.widget = self._laid_out()
        self._restore()
        self._changed()

    def _place(self, given: Input) -> Place:
        return Place(given.name, CONTROLS, self._variables, self._uploads)

    def _variables(self) -> Mapping[str, Any]:
        if self._names is not None:
            return self._names
        shell = get_ipython()
        return shell.user_ns if shell is not None else {}

    def _uploads(self) -> Path:
        """Where uploaded files lie for as long as the form is there."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="flytenb-form-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder

    def _laid_out(self) -> Any:
        kind = kind_of(self.entity)
        word = KIND_WORDS.get(kind, str(kind))
        css = (files("flytenb.display") / "form" / "form.css").read_text(encoding="utf-8")
        head = widgets.HTML(
            f"<style>{css}</style><b>{escape(clean(self._name))}</b> <span>{escape(word)}</span>"
        )  # fmt: skip
        head.add_class("ft-form-head")
        doc = note(read_interface(self.entity).doc.partition("\n\n")[0], "ft-form-doc")
        fields = [field.widget for field in self.fields.values()]
        foot = widgets.HBox([self.button, self._said])
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
                wrong.append(f"{name}: {error.message}")
            except Exception as error:
                wrong.append(f"{name}: {brief(error, 200)}")
        if wrong:
            raise InputError(f"{self._name}: {'; '.join(wrong)}", hint="each field says what it takes")
        return values

    @property
    def line(self) -> str:
        """The Python that does the same as the button; `…` stands for what is no value yet."""
        names = self._variables()
        source = Source(names)
        arguments = [self._variable_of_entity(names)]
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

    def _variable_of_entity(self, names: Mapping[str, Any]) -> str:
        held = (n for n, v in names.items() if v is self.entity and not n.startswith("_"))
        return next(held, self._name)

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
        run = self._start(self.entity, **values)
        display(run)
        return run

    def _restore(self) -> None:
        for name, last in self._memory.get(self._name, {}).items():
            if name in self.fields:
                self.fields[name].restore(last)

    # --- showing it --------------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return self._shown.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        bundle = self._shown._repr_mimebundle_()
        shell = get_ipython()
        if shell is None or not has_reader(shell):
            return bundle
        self._context = contextvars.copy_context()
        return {"text/plain": bundle["text/plain"], **self.widget._repr_mimebundle_()}

    @property
    def _shown(self) -> Shown:
        return rendered(self._part(), Limits(rows=60))

    def _part(self) -> Part:
        """What the form asks for, for whoever can't be shown a widget."""
        rows = [
            (
                given.name,
                type_text(given.type),
                brief(given.default) if given.has_default else "must be given",
                given.doc,
            )
            for given in (field.input for field in self.fields.values())
        ]
        table: Part = Table(("input", "type", "default", "what it is"), rows) if rows else Text("it takes no inputs")
        needed = [f"{name}=…" for name, field in self.fields.items() if not field.input.has_default]
        call = f"flytenb.run({', '.join([self._variable_of_entity(self._variables()), *needed])})"
        parts = (table, Text("where widgets can be shown this is a form; here it is a line to type:", "flow"))
        return Section(self._name, ("input form",), Group((*parts, Text(call, "code"))))
