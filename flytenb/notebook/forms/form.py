"""An input form as its user holds it; its widgets are made when somebody can see them, and are left to `body`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

from flytenb.bridge.entities.inputs import read_inputs
from flytenb.bridge.entities.interface import short_name
from flytenb.display.limits import Limits
from flytenb.display.part import Group, Part, Section, Table, Text
from flytenb.display.rendering import Rendering, render_part
from flytenb.notebook.forms.python_source import name_of
from flytenb.notebook.front_end import has_reader
from flytenb.wording.types import type_text
from flytenb.wording.values import brief

if TYPE_CHECKING:
    from flytenb.notebook.forms.field import Field
    from flytenb.notebook.forms.form_widgets import FormWidgets


class Form:
    """An input form of one task, workflow or launch plan. Where no widget can be shown it says what to type instead.

    Args:
        entity: what is run.
        start: starts a run of it, with inputs by name, and returns it at once.
        names: the notebook's variables; those of the shell if not given.
        memory: how each input was filled the last time, by the entity's name.
    """

    def __init__(
        self,
        entity: Any,
        start: Callable[..., Any],
        *,
        names: Mapping[str, Any] | None = None,
        memory: MutableMapping[str, Any] | None = None,
    ) -> None:
        self._inputs = read_inputs(entity)
        self.entity = entity
        self._start = start
        self._names = names
        self._memory = {} if memory is None else memory

    def _variables(self) -> Mapping[str, Any]:
        if self._names is not None:
            return self._names
        shell = get_ipython()
        return shell.user_ns if shell is not None else {}

    @cached_property
    def body(self) -> FormWidgets:
        """The widgets, made when first asked for."""
        from flytenb.notebook.forms.form_widgets import FormWidgets

        return FormWidgets(self.entity, self._start, self._variables, self._memory)

    @property
    def fields(self) -> dict[str, Field]:
        """A field for each input, by name."""
        return self.body.fields

    @property
    def values(self) -> dict[str, Any]:
        """The inputs that would be given; what is left at its default isn't.

        Raises:
            InputError: with every input that is no value of its type yet.
        """
        return self.body.values

    @property
    def line(self) -> str:
        """The Python that does the same as the button; `…` stands for what is no value yet."""
        return self.body.line

    @property
    def run(self) -> Any:
        """The last run that it started, None before."""
        return self.body.run

    def submit(self) -> Any:
        """Do what the button does; return the run, None if there is none."""
        return self.body.submit()

    # --- showing it --------------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return self._shown.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        bundle = self._shown._repr_mimebundle_()
        shell = get_ipython()
        if shell is None or not has_reader(shell):
            return bundle
        self.body.stand_here()
        return {**self.body.widget._repr_mimebundle_(), "text/plain": bundle["text/plain"]}

    @property
    def _shown(self) -> Rendering:
        return render_part(self._part(), Limits(rows=60))

    def _part(self) -> Part:
        """What the form asks for, for whoever can't be shown a widget."""
        rows = [
            (i.name, type_text(i.type), brief(i.default) if i.has_default else "must be given", i.doc)
            for i in self._inputs
        ]
        table: Part = Table(("input", "type", "default", "what it is"), rows) if rows else Text("it takes no inputs")
        needed = [f"{i.name}=…" for i in self._inputs if not i.has_default]
        name = name_of(self.entity, self._variables()) or short_name(self.entity)
        call = f"flytenb.run({', '.join([name, *needed])})"
        parts = (table, Text("where widgets can be shown this is a form; here it is a line to type:", "flow"))
        return Section(short_name(self.entity), ("input form",), Group((*parts, Text(call, "code"))))
