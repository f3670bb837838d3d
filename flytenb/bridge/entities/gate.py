"""Gates: kinds, questions, types, timeouts, and their settings for a graph."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flytekit.core.gate import Gate
from flytekit.exceptions.user import FlyteDisapprovalException as Disapproved

from flytenb.bridge import private
from flytenb.bridge.entities.durations import seconds
from flytenb.errors import DefinitionError
from flytenb.model.node import Setting
from flytenb.wording.types import type_text

_VALUE = " · value "


@dataclass(frozen=True, slots=True)
class GateFacts:
    """A gate: `kind` is `approve`, `input` or `sleep`; times are in seconds, None for no limit."""

    kind: str
    name: str
    outputs: dict[str, Any]
    duration: float
    timeout: float | None
    question: str


def find_gate(entity: Any) -> GateFacts | None:
    """Read a gate that waits for an answer; return None for any other entity."""
    if not isinstance(entity, Gate) or entity.sleep_duration is not None:
        return None
    return read_gate(entity)


def read_gate(gate: Gate) -> GateFacts:
    """Read a gate.

    Raises:
        DefinitionError: for a timeout that isn't a timedelta, which flytekit refuses only when it is registered.
    """
    duration = gate.sleep_duration.total_seconds() if gate.sleep_duration else 0.0
    timeout = private.gate_timeout(gate)
    if not isinstance(timeout, timedelta):
        raise DefinitionError(
            f"the timeout of the gate {gate.name!r} must be a timedelta, got {timeout!r}",
            hint="timeout=timedelta(minutes=10)",
        )
    if gate.sleep_duration:
        return GateFacts("sleep", gate.name, {}, duration, None, "")
    outputs, limit = dict(gate.python_interface.outputs), timeout.total_seconds()
    if gate.input_type:
        wanted = f"a value of type {type_text(gate.input_type)}"
        return GateFacts("input", gate.name, outputs, 0.0, limit, question(gate.name, wanted))
    return GateFacts("approve", gate.name, outputs, 0.0, limit, question(gate.name, ""))


def gate_settings(gate: Gate) -> dict[str, Setting]:
    """Return the settings of a gate that a badge can show."""
    if gate.sleep_duration is not None:
        return {"gate": "sleep", "duration": seconds(gate.sleep_duration)}
    kind = "approve" if gate.input_type is None else "input"
    return {"gate": kind, "timeout": seconds(private.gate_timeout(gate))}


def question(name: str, wanted: str) -> str:
    """Return the question of a gate: its name if that ends in a question mark, else `approve publishing?`."""
    if name.rstrip().endswith("?"):
        return f"{name} ({wanted})" if wanted else name
    return f"{name}: {wanted}" if wanted else f"approve {name}?"


def with_value(asked: str, value: str) -> str:
    """Return a question with the value that is to be approved, in short."""
    return f"{asked}{_VALUE}{value}"


def without_value(asked: str) -> str:
    """Return a question without the value, for a place that shows the value itself."""
    return asked.partition(_VALUE)[0]


__all__ = [
    "Disapproved",
    "GateFacts",
    "find_gate",
    "gate_settings",
    "question",
    "read_gate",
    "with_value",
    "without_value",
]
