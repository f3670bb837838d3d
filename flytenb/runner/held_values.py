"""The values that an ended run holds: which they are, and others in their place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from flytenb.bridge.crossing import CrossingValue
from flytenb.bridge.execution.kept_values import AbsentValue
from flytenb.errors import FlytenbError
from flytenb.model import Phase
from flytenb.runner.course import Results
from flytenb.runner.plan import RunPlan
from flytenb.runner.use import Values


class Holder(Protocol):
    """A run, as its values are read from it and replaced in it."""

    _plan: Results
    _inputs: dict[str, CrossingValue]

    @property
    def name(self) -> str: ...

    @property
    def id(self) -> str: ...

    @property
    def is_kept(self) -> bool: ...

    @property
    def phase(self) -> Phase: ...


def _between(run: Holder) -> Values:
    """Return the values between the nodes; none of a run that is elsewhere."""
    return run._plan.values if isinstance(run._plan, RunPlan) else {}


def values_of(run: Holder) -> list[CrossingValue]:
    """Return the values of a run, each object once."""
    held = [*_between(run).copy().values(), *run._inputs.copy().values()]
    return [*{id(value): value for value in held if value is not None}.values()]


def replace_values(run: Holder, replace: Callable[[CrossingValue], CrossingValue]) -> None:
    """Replace the values of an ended run; one that several nodes hold is replaced by one object."""
    values, inputs = _between(run), run._inputs
    made = {id(value): (value, replace(value)) for value in values_of(run)}  # the old ones too, so that no id is reused
    for key, value in values.copy().items():
        if id(value) in made:
            values[key] = made[id(value)][1]
    for name, given in inputs.copy().items():
        if id(given) in made:
            inputs[name] = made[id(given)][1]


def drop_values(run: Holder, why: str, hint: str = "") -> None:
    """Drop the values of an ended run; what asks for one gets the reason."""
    if run.is_kept:
        hint = f"flytenb.load_run({run.id!r}) reads it from disk"
    replace_values(run, lambda value: value if isinstance(value, AbsentValue) else AbsentValue(value, why, hint))


def forget_values(run: Holder) -> None:
    """Drop the values of a run at the user's request.

    Raises:
        FlytenbError: before the end of the run.
    """
    if not run.phase.is_terminal:
        raise FlytenbError(f"the run of {run.name!r} is not over yet", hint="run.cancel() ends it")
    drop_values(run, "the values of the run were forgotten")
