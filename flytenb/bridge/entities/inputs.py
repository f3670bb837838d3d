"""Inputs of an entity with their Python types and defaults, for forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

from flytenb.bridge.entities.interface import plan_inputs, python_interface, read_interface, require_entity, short_name
from flytenb.errors import NotAnEntityError

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


def _default(name: str, python_type: Any, default: Any, saved: Any) -> Any:
    """Return the default of an input; flytekit stores None for a missing default too, so the type decides."""
    if saved.get(name) is not None:
        return saved[name]
    if default is None and type(None) not in get_args(python_type):
        return NO_DEFAULT
    return default
