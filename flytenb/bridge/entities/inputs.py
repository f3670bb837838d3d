"""Inputs of an entity: their Python types and defaults, and the names of positional arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from flytenb.bridge.entities.interface import (
    plan_inputs,
    python_interface,
    read_interface,
    require_entity,
    require_local,
    short_name,
)
from flytenb.errors import InputError, NotAnEntityError

NO_DEFAULT: Any = object()
"""The default of an input that has none; None may be a default."""


@dataclass(frozen=True)
class Input:
    """One input.

    Attributes:
        name: its name.
        type: its declared type.
        default: its default, `NO_DEFAULT` if it is required.
        doc: its description in the docstring.
    """

    name: str
    type: Any
    default: Any = NO_DEFAULT
    doc: str = ""

    @property
    def has_default(self) -> bool:
        """Whether it may be left out."""
        return self.default is not NO_DEFAULT


def read_inputs(entity: Any) -> tuple[Input, ...]:
    """Return the inputs of an entity, without those that a launch plan fixes.

    Raises:
        NotAnEntityError: for anything but a task, workflow or launch plan, and for an entity of a cluster, which
            has no Python types.
    """
    require_entity(entity)
    interface = python_interface(entity)
    if interface is None:
        raise NotAnEntityError(
            f"{short_name(entity)} comes from a cluster and has no Python types",
            hint="write a stub with the same inputs, and make a form of that",
        )
    fixed, saved = plan_inputs(entity)
    docs = {port.name: port.doc for port in read_interface(entity).inputs}
    return tuple(
        Input(name, python_type, _default(name, python_type, default, saved), docs.get(name, ""))
        for name, (python_type, default) in interface.inputs_with_defaults.items()
        if name not in fixed
    )


def name_positional(entity: Any, positional: tuple[Any, ...], named: Mapping[str, Any]) -> dict[str, Any]:
    """Map positional arguments to the inputs, in declared order.

    Raises:
        InputError: for more arguments than inputs, or an input given twice.
        RemoteEntityError: for what was fetched from a cluster.
    """
    require_entity(entity)
    require_local(entity)
    inputs = list(entity.python_interface.inputs)
    if len(positional) > len(inputs):
        raise InputError(
            f"{short_name(entity)} takes {len(inputs)} inputs, {len(positional)} were given",
            hint=f"inputs: {', '.join(inputs)}" if inputs else "call it without arguments",
        )
    given = dict(zip(inputs, positional, strict=False))
    twice = [name for name in given if name in named]
    if twice:
        raise InputError(f"{short_name(entity)}: {', '.join(map(repr, twice))} is given twice")
    return {**given, **named}


def _default(name: str, python_type: Any, default: Any, saved: Any) -> Any:
    """Return the default of an input; flytekit stores None for a missing default too, so the type decides."""
    if saved.get(name) is not None:
        return saved[name]
    if default is None and type(None) not in get_args(python_type):
        return NO_DEFAULT
    return default
