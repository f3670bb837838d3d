"""Form: the public object of an input form; its widgets are in `form_widgets`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

from flytenb.bridge.entities.inputs import read_inputs
from flytenb.bridge.entities.interface import short_name
from flytenb.display.limits import Limits
from flytenb.display.part import Group, Part, Section, Table, Text
from flytenb.display.rendering import Rendering, render_part
from flytenb.locks import cached_property
from flytenb.notebook.forms.python_source import name_of
from flytenb.notebook.front_end import has_reader
from flytenb.wording.types import type_text
from flytenb.wording.values import brief

if TYPE_CHECKING:
    from flytenb.notebook.forms.field import Field
    from flytenb.notebook.forms.form_widgets import FormWidgets


class Form:
    """Input form of a task, workflow or launch plan; without widgets it shows the call to type instead.

    Args:
        entity: the entity.
        start: starts a run of it with inputs by name and returns the run.
        names: the notebook's variables; by default those of the shell.
        memory: saved inputs, by the entity's name.
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
    def widgets(self) -> FormWidgets:
        """The widgets, created on first use."""
        from flytenb.notebook.forms.form_widgets import FormWidgets

        return FormWidgets(self.entity, self._start, self._variables, self._memory)

    @property
    def fields(self) -> dict[str, Field]:
        """The field of each input, by name."""
        return self.widgets.fields

    @property
    def values(self) -> dict[str, Any]:
        """The inputs of the run, without those left at their defaults.

        Raises:
            InputError: naming every invalid input.
        """
        return self.widgets.values

    @property
    def line(self) -> str:
        """Python code that does the same as the button; `…` marks an invalid value."""
        return self.widgets.line

    @property
    def run(self) -> Any:
        """The last run started by the form, None before."""
        return self.widgets.run

    def submit(self) -> Any:
        """Start a run, as the button does; return it, or None if an input is invalid."""
        return self.widgets.submit()

    # --- output ------------------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return self._shown.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        bundle = self._shown._repr_mimebundle_()
        shell = get_ipython()
        if shell is None or not has_reader(shell):
            return bundle
        self.widgets.bind_to_current_cell()
        return {**self.widgets.widget._repr_mimebundle_(), **bundle}

    @property
    def _shown(self) -> Rendering:
        return render_part(self._part(), Limits(rows=60))

    def _part(self) -> Part:
        """Return the inputs as a table, for front ends without widgets."""
        rows = [
            (i.name, type_text(i.type), brief(i.default) if i.has_default else "required", i.doc) for i in self._inputs
        ]
        table: Part = Table(("input", "type", "default", "description"), rows) if rows else Text("no inputs")
        needed = [f"{i.name}=…" for i in self._inputs if not i.has_default]
        name = name_of(self.entity, self._variables()) or short_name(self.entity)
        call = f"flytenb.run({', '.join([name, *needed])})"
        parts = (table, Text("this front end shows no widgets; call it instead:", "flow"))
        return Section(short_name(self.entity), ("input form",), Group((*parts, Text(call, "code"))))
