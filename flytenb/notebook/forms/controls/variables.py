"""Control for notebook variables: a list of those whose value fits; the only control for frames and arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from flytenb.notebook.forms.control import ControlError
from flytenb.notebook.forms.control_context import ControlContext
from flytenb.notebook.forms.control_registry import BUILT_IN
from flytenb.notebook.forms.python_source import PythonSource
from flytenb.types.plain_data import may_be
from flytenb.wording.types import type_text
from flytenb.wording.values import brief


@BUILT_IN.register("pandas.DataFrame")
@BUILT_IN.register("pandas.Series")
@BUILT_IN.register("polars.DataFrame")
@BUILT_IN.register("polars.LazyFrame")
@BUILT_IN.register("pyarrow.Table")
@BUILT_IN.register("numpy.ndarray")
@BUILT_IN.register("torch.Tensor")
@BUILT_IN.register("flytekit.types.structured.structured_dataset.StructuredDataset")
def variable_control(declared: Any, context: ControlContext) -> VariableControl:
    """Return a list of the variables that fit."""
    return VariableControl(declared, context)


class VariableControl:
    """A list of variable names, with a refresh button."""

    def __init__(self, declared: Any, context: ControlContext) -> None:
        self._declared = declared
        self._names = context.names
        self.choice = widgets.Dropdown(options=[], layout=widgets.Layout(width="auto"))
        self.choice.add_class("ft-form-inside")
        again = widgets.Button(icon="refresh", tooltip="refresh the list", layout=widgets.Layout(width="36px"))
        again.on_click(lambda _: self.refresh())
        self.widget = widgets.HBox([self.choice, again])
        self.refresh()

    @property
    def name(self) -> str | None:
        """The chosen name."""
        chosen: str | None = self.choice.value
        return chosen

    def refresh(self) -> None:
        """List the variables that fit, newest first, and keep the choice if it still fits."""
        known = self._names()
        fitting = [n for n, v in known.items() if not n.startswith("_") and may_be(v, self._declared)]
        chosen = self.choice.value
        options = [(f"{n} = {brief(known[n], 40)}", n) for n in reversed(fitting)]
        self.choice.options = options
        self.choice.value = chosen if chosen in fitting else fitting[-1] if fitting else None

    def choose(self, name: str) -> None:
        """Choose a variable by name.

        Raises:
            ControlError: if no such variable fits.
        """
        self.refresh()
        if name not in [n for _, n in self.choice.options]:
            raise ControlError(f"no variable {name!r} of type {type_text(self._declared)}")
        self.choice.value = name

    def read(self) -> Any:
        """Return the variable's current value."""
        if self.name is None:
            raise ControlError(f"no variable of type {type_text(self._declared)}: assign one, then refresh")
        known = self._names()
        if self.name not in known:
            raise ControlError(f"variable {self.name!r} no longer exists")
        return known[self.name]

    def write(self, value: Any) -> None:
        """Choose the variable that holds this object."""
        for name, held in self._names().items():
            if held is value and not name.startswith("_"):
                self.choose(name)
                return
        raise ControlError(f"no variable holds {brief(value)}")

    def watch(self, changed: Callable[[], None]) -> None:
        """Call `changed` when another variable is chosen."""
        self.choice.observe(lambda _: changed(), names="value")

    def code(self, source: PythonSource) -> str:
        """Return the variable's name."""
        self.read()
        return str(self.name)
