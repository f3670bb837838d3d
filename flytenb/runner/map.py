"""Map tasks: one step per element, limited by the concurrency and the minimum success ratio."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from flytenb.bridge.crossing import CrossingValue, join, split
from flytenb.bridge.execution.map_task import Array
from flytenb.runner.record import Record
from flytenb.runner.step import EntityStep, Expansion, RunControl, Scope, Step
from flytenb.runner.use import PassOn

if TYPE_CHECKING:
    from flytenb.runner.failure import Failure


class MapScope(Scope):
    """The elements of one map. A failed element is tolerated while enough others can still succeed."""

    def __init__(self, path: str, parent: Scope, closing: MapExitStep, array: Array, total: int) -> None:
        super().__init__(path, parent, closing=closing)
        self.total = total
        self.allowed = total - array.needed(total)
        self.runs_all = array.runs_all
        self.failed: dict[str, Failure] = {}

    def tolerates(self, step: Step, failure: Failure, run: RunControl) -> bool:
        self.failed[step.path] = failure
        if len(self.failed) > self.allowed and not self.runs_all:
            return False
        self._count(run)
        return True

    def note_done(self, step: Step, run: RunControl) -> None:
        if step.is_closing:
            self._count(run)

    def _count(self, run: RunControl) -> None:
        record = run.journal.records[self.path]
        record.done += 1
        run.journal.emit_progress(record)


BuildElements = Callable[
    [Mapping[str, Sequence[CrossingValue]], MapScope], tuple[list[Step], list[Step], dict[str, Record]]
]
"""Plans the elements of a map, given the values of each input, one per element, and the map's scope.

It returns the first step of each, the last step of each, and their records."""


class MapStep(EntityStep):
    """Split the lists into elements and start them."""

    __slots__ = ("array", "build", "closing", "passes", "strict")

    def __init__(
        self,
        record: Record,
        scope: Scope,
        array: Array,
        passes: Mapping[str, PassOn],
        build: BuildElements,
        closing: MapExitStep,
        strict: bool,
    ) -> None:
        super().__init__(record, scope, is_closing=False)
        self.retries, self.timeout = 0, None  # retries and timeout apply to the elements
        self.array = array
        self.passes = passes
        self.build = build
        self.closing = closing
        self.strict = strict

    def execute(self, run: RunControl) -> Expansion:
        run.workspace.enter()
        types = self.array.target.python_interface.inputs
        bound = {name: pass_on() for name, pass_on in self.passes.items() if name in self.array.bound}
        mapped = {
            name: split(pass_on(), types[name], strict=self.strict)
            for name, pass_on in self.passes.items()
            if name not in self.array.bound and name in types
        }
        total = self.array.width(mapped)
        scope = MapScope(self.path, self.scope, self.closing, self.array, total)
        columns = {**{name: [value] * total for name, value in bound.items()}, **mapped}
        opening, closing, records = self.build(columns, scope)
        limit = self.array.concurrency or total
        for done, first in zip(closing, opening[limit:], strict=False):
            # An element beyond the concurrency waits for an earlier one.
            done.before(first)
        self.closing.elements = scope
        return Expansion(scope, records, total=total)


class MapExitStep(EntityStep):
    """Collect the elements' outputs in one list; None for a tolerated failure."""

    __slots__ = ("elements", "strict")

    def __init__(self, record: Record, scope: Scope, strict: bool) -> None:
        super().__init__(record, scope, is_opening=False)
        self.retries, self.timeout = 0, None
        self.elements: MapScope | None = None
        self.strict = strict

    def execute(self, run: RunControl) -> None:
        run.workspace.enter()
        scope = self.elements
        assert scope is not None
        if len(scope.failed) > scope.allowed:
            raise next(iter(scope.failed.values())).exception
        types = self.use.entity.python_interface.outputs
        values = self.wires.values
        paths = [f"{self.path}/{i}" for i in range(scope.total)]
        for name, key in self.use.outputs:
            found = [None if path in scope.failed else values.get((path, name)) for path in paths]
            values[key] = join(found, types[name], strict=self.strict)
