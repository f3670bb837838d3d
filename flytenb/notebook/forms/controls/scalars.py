"""Controls for numbers, booleans and text. Numbers are typed as text, since number inputs hide invalid text."""

from __future__ import annotations

import ast
from typing import Any

import ipywidgets as widgets

from flytenb.notebook.forms.bounds import Bounds, read_bounds
from flytenb.notebook.forms.control import ControlError, ValueControl
from flytenb.notebook.forms.control_context import ControlContext
from flytenb.notebook.forms.control_registry import BUILT_IN
from flytenb.notebook.forms.slider import Slider

_SLIDER_STEPS = 1000
"""Most steps of a slider that can still be set exactly."""


@BUILT_IN.register(bool)
def bool_control(declared: Any, context: ControlContext) -> ValueControl:
    """Return a check box."""
    return ValueControl(widgets.Checkbox(value=False, indent=False), show=_exactly(bool))


@BUILT_IN.register(int)
def int_control(declared: Any, context: ControlContext) -> ValueControl:
    """Return a slider if the bounds are close, else a text field."""
    bounds = read_bounds(declared)
    low, high = bounds.low, bounds.high
    if isinstance(low, int) and isinstance(high, int):
        low, high = low + bounds.is_low_open, high - bounds.is_high_open
        if 0 < high - low <= _SLIDER_STEPS:
            return _number(Slider(value=str(low), low=str(low), high=str(high)), int, "whole number", bounds)
    return _number(_field("a whole number"), int, "whole number", bounds)


@BUILT_IN.register(float)
def float_control(declared: Any, context: ControlContext) -> ValueControl:
    """Return a slider if both bounds are known and inclusive, else a text field."""
    bounds = read_bounds(declared)
    low, high = bounds.low, bounds.high
    if low is not None and high is not None and low < high and not (bounds.is_low_open or bounds.is_high_open):
        ends = {"low": repr(float(low)), "high": repr(float(high)), "step": f"{(high - low) / 100:.6g}"}
        return _number(Slider(value=ends["low"], **ends), float, "number", bounds)
    return _number(_field("a number"), float, "number", bounds)


@BUILT_IN.register(str)
def str_control(declared: Any, context: ControlContext) -> ValueControl:
    """Return a text area that grows with its text."""
    field = widgets.Textarea(rows=1, layout=widgets.Layout(width="auto"))

    def grow(change: Any) -> None:
        field.rows = min(change["new"].count("\n") + 1, 12)

    field.observe(grow, names="value")
    return ValueControl(field, show=_exactly(str))


@BUILT_IN.register(bytes)
def bytes_control(declared: Any, context: ControlContext) -> ValueControl:
    """Return a text field for a bytes literal."""
    return ValueControl(_field("b'…'"), _parse_bytes, lambda value: repr(_exactly(bytes)(value)))


@BUILT_IN.register(type(None))
@BUILT_IN.register(lambda declared: declared is None)
def none_control(declared: Any, context: ControlContext) -> ValueControl:
    """Return a label, since None is the only value."""
    return ValueControl(widgets.Label("None"), lambda _: None, lambda value: "None")


def _field(placeholder: str) -> Any:
    return widgets.Text(placeholder=placeholder, layout=widgets.Layout(width="auto"))


def _number(widget: Any, kind: type, what: str, bounds: Bounds) -> ValueControl:
    return ValueControl(widget, _parser(kind, what, bounds), _printed(bounds, kind))


def _parser(kind: type, what: str, bounds: Bounds) -> Any:
    def parse(text: str) -> Any:
        if not text.strip():
            raise ControlError(f"a {what} is missing")
        try:
            value = kind(text.strip())
        except ValueError:
            raise ControlError(f"expected a {what}, got {text.strip()!r}") from None
        if problem := bounds.problem(value):
            raise ControlError(problem)
        return value

    return parse


def _printed(bounds: Bounds, kind: type) -> Any:
    check = _inside(bounds, kind)
    return lambda value: str(check(value))


def _inside(bounds: Bounds, kind: type) -> Any:
    exactly = _exactly(kind)

    def check(value: Any) -> Any:
        problem = bounds.problem(exactly(value))
        if problem:
            raise ControlError(problem)
        return value

    return check


def _exactly(kind: type) -> Any:
    """Return a check for the exact type, like those of flytekit's transformers."""

    def check(value: Any) -> Any:
        if type(value) is not kind:
            raise ControlError(f"expected {kind.__name__}, got {value!r}")
        return value

    return check


def _parse_bytes(text: str) -> bytes:
    try:
        value = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError):
        value = None
    if not isinstance(value, bytes):
        raise ControlError(f"expected bytes such as b'…', got {text!r}")
    return value
