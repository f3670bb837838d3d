"""Subworkflows: one step that passes the inputs, and one that collects the outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from flytenb.runner.record import Record
from flytenb.runner.step import RunControl, Scope, Step
from flytenb.runner.use import Key, PassOn, Values


@dataclass(slots=True)
class Passes:
    """Values that cross a workflow's boundary: each key with the function that returns its value."""

    values: Values = field(default_factory=dict)
    pairs: Sequence[tuple[Key, PassOn]] = ()

    def __call__(self) -> None:
        for key, pass_on in self.pairs:
            self.values[key] = pass_on()


class EnterStep(Step):
    """Pass the inputs to a workflow, as its declared types."""

    __slots__ = ("passes",)

    def __init__(self, record: Record, scope: Scope, passes: Passes) -> None:
        super().__init__(record, scope, is_closing=False)
        self.passes = passes

    def execute(self, run: RunControl) -> None:
        run.workspace.enter()
        self.passes()


class ExitStep(Step):
    """Collect a workflow's outputs after its last step."""

    __slots__ = ("closes", "passes")

    def __init__(self, record: Record, scope: Scope) -> None:
        super().__init__(record, scope, is_opening=False)
        self.passes = Passes()
        self.closes: Scope | None = None

    def execute(self, run: RunControl) -> None:
        run.workspace.enter()
        self.passes()
