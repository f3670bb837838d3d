"""A variable of the notebook, picked from those whose value fits; the only way to give a frame or an array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from flytenb.notebook.forms.control import ControlError
from flytenb.notebook.forms.control_context import ControlContext
from flytenb.notebook.forms.control_registry import BUILT_IN
from flytenb.notebook.forms.python_source import PythonSource
from flytenb.types.plain import may_be
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
    """A list of names, looked up anew by its button."""

    def __init__(self, declared: Any, context: ControlContext) -> None:
        self._declared = declared
        self._names = context.names
        self.choice = widgets.Dropdown(options=[], layout=widgets.Layout(width="auto"))
        self.choice.add_class("ft-form-inside")
        again = widgets.Button(icon="refresh", tooltip="look again", layout=widgets.Layout(width="36px"))
        again.on_click(lambda _: self.look())
        self.widget = widgets.HBox([self.choice, again])
        self.look()

    @property
    def name(self) -> str | None:
        """The name that is chosen."""
        chosen: str | None = self.choice.value
        return chosen

    def look(self) -> None:
        """List the notebook's variables that fit, the newest first; keep what is chosen if it is still there."""
        known = self._names()
        fitting = [n for n, v in known.items() if not n.startswith("_") and may_be(v, self._declared)]
        chosen = self.choice.value
        options = [(f"{n} = {brief(known[n], 40)}", n) for n in reversed(fitting)]
        self.choice.options = options
        self.choice.value = chosen if chosen in fitting else fitting[-1] if fitting else None

    def choose(self, name: str) -> None:
        """Choose a variable by its name.

        Raises:
            ControlError: if none of that name fits.
        """
        self.look()
        if name not in [n for _, n in self.choice.options]:
            raise ControlError(f"no variable {name!r} is a {type_text(self._declared)}")
        self.choice.value = name

    def read(self) -> Any:
        """Return the variable's value as it is now."""
        if self.name is None:
            raise ControlError(f"no variable is a {type_text(self._declared)}: make one, then look again")
        known = self._names()
        if self.name not in known:
            raise ControlError(f"there is no variable {self.name!r} any more")
        return known[self.name]

    def write(self, value: Any) -> None:
        """Choose the variable that holds this very object."""
        for name, held in self._names().items():
            if held is value and not name.startswith("_"):
                self.choose(name)
                return
        raise ControlError(f"no variable holds {brief(value)}")

    def watch(self, changed: Callable[[], None]) -> None:
        """Call it when another variable is chosen."""
        self.choice.observe(lambda _: changed(), names="value")

    def code(self, source: PythonSource) -> str:
        """Write the name."""
        self.read()
        return str(self.name)
