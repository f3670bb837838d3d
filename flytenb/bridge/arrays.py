"""What a map task or an array node asks for: what is mapped, how wide, how many may fail."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from flytekit.core.array_node import ArrayNode
from flytekit.core.array_node_map_task import ArrayNodeMapTask

from flytenb.errors import InputError


@dataclass(frozen=True, slots=True)
class Array:
    """A map, read.

    Attributes:
        target: the task or launch plan that runs once per element.
        bound: inputs that are the same for every element.
        concurrency: how many run at once, None for as many as there are workers.
        min_successes: how many must succeed, None where `min_success_ratio` tells.
        runs_all: whether the rest still runs when too many have failed.
    """

    target: Any
    bound: frozenset[str]
    concurrency: int | None
    min_successes: int | None
    min_success_ratio: float
    runs_all: bool
    name: str

    def needed(self, total: int) -> int:
        """How many of so many elements must succeed."""
        if self.min_successes:
            return min(self.min_successes, total)
        return math.ceil(total * self.min_success_ratio)

    def width(self, inputs: dict[str, Any]) -> int:
        """How many elements these inputs make; lists of different lengths are refused, as a cluster refuses them."""
        lengths = {name: len(value) for name, value in inputs.items() if name not in self.bound}
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{name} has {n}" for name, n in lengths.items())
            raise InputError(
                f"the mapped inputs of {self.name!r} differ in length: {told}",
                hint="give lists of one length, or bind an input that stays the same with functools.partial",
            )
        return next(iter(lengths.values()), 0)


def read_array(entity: Any) -> Array:
    """Read a map task (`map_task(t)`) or an array node (`map_task(launch_plan)`)."""
    if isinstance(entity, ArrayNodeMapTask):
        target = entity.python_function_task
        bound = frozenset(entity.bound_inputs)
    elif isinstance(entity, ArrayNode):
        target = entity.flyte_entity
        fixed = getattr(getattr(target, "fixed_inputs", None), "literals", None) or {}
        bound = frozenset(entity.bound_inputs) | frozenset(fixed)
    else:
        raise TypeError(f"{entity!r} is no map")
    return Array(
        target=target,
        bound=bound,
        concurrency=entity.concurrency or None,
        min_successes=entity.min_successes or None,
        min_success_ratio=1.0 if entity.min_success_ratio is None else entity.min_success_ratio,
        runs_all=bool(entity.run_all_sub_nodes),
        name=entity.name,
    )
