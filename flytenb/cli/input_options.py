"""Options of the command line for the inputs of an entity."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import rich_click as click

from flytenb.bridge.entities.interface import read_interface
from flytenb.bridge.entities.source import input_types
from flytenb.bridge.type_engine.text_inputs import TextInput
from flytenb.errors import say
from flytenb.types.plain_data import from_plain
from flytenb.wording.text import one_line

PREFIX = "input_"
"""Begins the name of an input's option, so that a setting may have the same name."""


class InputType(click.ParamType):  # type: ignore[type-arg] # older versions take no arguments
    """The type of an input.

    Args:
        declared: the declared type.
        name: its text.
    """

    def __init__(self, declared: Any, name: str) -> None:
        self.name = name
        self.text = TextInput(declared)
        self._declared = declared

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        if self.text.choices and value not in self.text.choices:
            self.fail(f"expected one of {', '.join(self.text.choices)}, got {one_line(repr(value))}", param, ctx)
        try:
            read = self.text.read(value, param, ctx)
        except Exception as error:  # of flytekit, or of a type's own
            said = getattr(error, "message", "") or say(error)
            form = "JSON or the path of a JSON or YAML file" if self.text.is_json else self.name
            why = "" if self.text.is_json else f": {one_line(said)}"
            self.fail(f"expected {form}, got {one_line(repr(value))}{why}", param, ctx)
        return self._from_json(read) if self.text.is_json else read

    def _from_json(self, data: Any) -> Any:
        try:
            return from_plain(data, self._declared)
        except Exception:  # the run checks all inputs, and its message lists them
            return data


def input_options(entity: Any) -> Iterator[click.Option]:
    """Yield an option for each input, with its type, default and description."""
    types = input_types(entity)
    for port in read_interface(entity).inputs:
        names = [f"--{port.name}", f"--{port.name.replace('_', '-')}"]
        declared = InputType(types[port.name], one_line(port.type))
        if declared.text.is_switch:
            names = [f"{names[1]}/--no-{names[1][2:]}"] + [f"{names[0]}/--no_{port.name}"] * ("_" in port.name)
        default = "" if port.default is None else f"default: {port.default}"
        option = click.Option(
            [*dict.fromkeys(names), PREFIX + port.name],
            type=click.BOOL if declared.text.is_switch else declared,
            metavar=None if declared.text.is_switch else declared.name,
            required=port.default is None,
            help=one_line("; ".join(text for text in (port.doc, default) if text)),
        )
        if not option.required:
            option.default = None  # else a switch that isn't given is False
        yield option


def given_inputs(params: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs that the options give, by their names."""
    named = {name.removeprefix(PREFIX): value for name, value in params.items() if name.startswith(PREFIX)}
    return {name: value for name, value in named.items() if value is not None}
