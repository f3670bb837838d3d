"""Settings of map tasks and array nodes: target, concurrency, elements that must succeed.

Successes are counted as propeller counts them (`nodes/array/handler.go`, 1.16.8).
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any

from flytekit.core.array_node import ArrayNode
from flytekit.core.array_node_map_task import ArrayNodeMapTask
from flytekit.core.legacy_map_task import MapPythonTask

from flytenb.bridge import private
from flytenb.errors import InputError


@dataclass(frozen=True, slots=True)
class Array:
    """The settings of a map.

    Attributes:
        target: the task or launch plan that runs once per element.
        bound: inputs that are the same for every element.
        concurrency: elements that run at once, None for as many as there are workers.
        min_successes: elements that must succeed, None if `min_success_ratio` is used.
        min_success_ratio: the part of the elements that must succeed, None if all must or `min_successes` is used.
        runs_all: whether the other elements still run when too many have failed.
    """

    target: Any
    bound: frozenset[str]
    concurrency: int | None
    min_successes: int | None
    min_success_ratio: float | None
    runs_all: bool
    name: str

    def needed(self, total: int) -> int:
        """Return how many of `total` elements must succeed, which may be more than `total`.

        A number goes before a ratio. The ratio is a 32-bit number on a cluster: 0.6 of 10 elements are 7.
        """
        if self.min_successes is not None:
            return self.min_successes
        if self.min_success_ratio is None:
            return total
        return math.ceil(_as_float32(self.min_success_ratio) * total)

    def width(self, inputs: dict[str, Any]) -> int:
        """Return the number of elements: the length of the mapped inputs, 1 if every input is bound.

        Raises:
            InputError: for lists of different lengths, and for fewer elements than must succeed; both fail on a
                cluster.
        """
        lengths = {name: len(value) for name, value in inputs.items() if name not in self.bound}
        if len(set(lengths.values())) > 1:
            found = ", ".join(f"{name} has {n}" for name, n in lengths.items())
            raise InputError(
                f"the mapped inputs of {self.name!r} differ in length: {found}",
                hint="give lists of one length, or bind an input that stays the same with functools.partial",
            )
        total = next(iter(lengths.values()), 1)
        if self.needed(total) > total:
            raise InputError(
                f"{self.name!r} needs {self.needed(total)} elements that succeed, got {total} in all",
                hint="lower min_successes, or give longer lists",
            )
        return total


def read_array(entity: Any) -> Array:
    """Read a map task (`map_task(t)`), a legacy map task or an array node (`map_task(launch_plan)`)."""
    if isinstance(entity, MapPythonTask):
        concurrency, min_success_ratio = private.legacy_map(entity)
        return Array(
            target=entity.run_task,
            bound=frozenset(entity.bound_inputs),
            concurrency=concurrency or None,
            min_successes=None,
            min_success_ratio=min_success_ratio,
            runs_all=False,
            name=entity.name,
        )
    if isinstance(entity, ArrayNodeMapTask):
        target = entity.python_function_task
        bound = frozenset(entity.bound_inputs)
    elif isinstance(entity, ArrayNode):
        target = entity.flyte_entity
        fixed = getattr(getattr(target, "fixed_inputs", None), "literals", None) or {}
        bound = frozenset(entity.bound_inputs) | frozenset(fixed)
    else:
        raise TypeError(f"expected a map, got {entity!r}")
    # flytekit writes a number of 0 only if there is no ratio: both are one field of the message.
    is_counted = bool(entity.min_successes) or (entity.min_successes == 0 and entity.min_success_ratio is None)
    return Array(
        target=target,
        bound=bound,
        concurrency=entity.concurrency or None,
        min_successes=entity.min_successes if is_counted else None,
        min_success_ratio=entity.min_success_ratio,
        runs_all=bool(getattr(entity, "run_all_sub_nodes", False)),  # since flytekit 1.16.15
        name=entity.name,
    )


_WORKFLOW = """

from flytekit.core.array_node_map_task import ArrayNodeMapTask
from flytekit.core.workflow import ImperativeWorkflow

{variable} = ImperativeWorkflow({name!r})
__map = ArrayNodeMapTask({target}{settings})
__inputs = {{name: {variable}.add_workflow_input(name, kind) for name, kind in __map.python_interface.inputs.items()}}
for __name, __promise in {variable}.add_entity(__map, **__inputs).outputs.items():
    {variable}.add_workflow_output(__name, __promise)
"""


def is_plain_map(entity: Any) -> bool:
    """Tell whether a map is the map of a task with the settings of the task."""
    return isinstance(entity, ArrayNodeMapTask) and entity.metadata == entity.python_function_task.metadata


def map_workflow_text(entity: Any, target: str, variable: str, name: str) -> str:
    """Return the code of a workflow whose only node is a map.

    As a task that is executed alone, a cluster runs one element of it. What a partial binds are inputs.

    Args:
        entity: the map.
        target: the variable of its task.
        variable: the variable of the workflow.
        name: the name of the workflow.
    """
    arguments = {
        "concurrency": entity.concurrency,
        "min_successes": entity.min_successes,
        "min_success_ratio": entity.min_success_ratio,
        "run_all_sub_nodes": getattr(entity, "run_all_sub_nodes", False) or None,  # since flytekit 1.16.15
    }
    settings = "".join(f", {name}={value!r}" for name, value in arguments.items() if value is not None)
    if entity.bound_inputs:
        settings += f", bound_inputs={{{', '.join(map(repr, sorted(entity.bound_inputs)))}}}"
    return _WORKFLOW.format(variable=variable, name=name, target=target, settings=settings)


def _as_float32(number: float) -> float:
    """Return a number as a protobuf message stores it."""
    [held] = struct.unpack("f", struct.pack("f", number))
    return float(held)
