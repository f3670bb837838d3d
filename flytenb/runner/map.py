"""A map: one step per element, no more at once than its concurrency, as many failures as it tolerates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flytenb.bridge.arrays import Array, gather, read_array
from flytenb.runner.steps import EntityStep, Getter, Scope, Step, Use

if TYPE_CHECKING:
    from flytenb.runner.failure import Failure
    from flytenb.runner.plan import Planner
    from flytenb.runner.scheduler import Scheduler


class MapScope(Scope):
    """The elements of one map. An element that fails is borne while enough of the others can still succeed."""

    def __init__(self, path: str, parent: Scope, array: Array, total: int) -> None:
        super().__init__(path, parent)
        self.total = total
        self.allowed = total - array.needed(total)
        self.runs_all = array.runs_all
        self.failed: dict[str, Failure] = {}

    def tolerates(self, step: Step, failure: Failure, scheduler: Scheduler) -> bool:
        self.failed[step.path] = failure
        if len(self.failed) > self.allowed and not self.runs_all:
            return False
        self.note_done(step, scheduler)
        return True

    def note_done(self, step: Step, scheduler: Scheduler) -> None:
        if step.is_closing:
            record = scheduler.records[self.path]
            record.done += 1
            scheduler.emit("progress", record, done=record.done, total=record.total)


class MapStep(EntityStep):
    """Split the lists into elements and start them."""

    __slots__ = ("array", "closing", "planner")

    def __init__(self, planner: Planner, use: Use) -> None:
        super().__init__(use, is_closing=False)
        self.planner = planner
        self.array = read_array(use.entity)
        self.closing: MapExitStep

    @property
    def timeout(self) -> float | None:
        return None  # it is the elements that are tried again and may be late

    @property
    def retries(self) -> int:
        return 0

    def execute(self, scheduler: Scheduler) -> None:
        inputs = self.take_inputs(scheduler)
        total = self.array.width(inputs)
        with scheduler.lock:
            scope = MapScope(self.path, self.scope, self.array, total)
            scope.closing = self.closing
            self.closing.inside = scope
            self.record.total = total
            scheduler.emit("progress", self.record, done=0, total=total)
            elements = [self._element(i, inputs, scope) for i in range(total)]
            for _, last in elements:
                last.before(self.closing)
            limit = self.array.concurrency or total
            for (_, done), (first, _) in zip(elements, elements[limit:], strict=False):
                # Each element beyond the concurrency takes the place of one that has ended.
                done.before(first)
            scheduler.grow(scope.steps)

    def _element(self, index: int, inputs: dict[str, Any], scope: MapScope) -> tuple[Step, Step]:
        path = f"{self.path}/{index}"
        target = self.array.target
        getters: list[tuple[str, Getter]] = []
        for name, declared in target.python_interface.inputs.items():
            if name not in inputs:
                continue
            value = inputs[name] if name in self.array.bound else inputs[name][index]
            getters.append((name, self.planner.given(value, declared)))
        return self.planner.entity_steps(path, target, getters, {}, self.use.policy, scope)


class MapExitStep(EntityStep):
    """Gather the elements' outputs into one list; what failed and was borne is None."""

    __slots__ = ("planner",)

    def __init__(self, planner: Planner, use: Use) -> None:
        super().__init__(use, is_opening=False)
        self.planner = planner

    @property
    def timeout(self) -> float | None:
        return None

    @property
    def retries(self) -> int:
        return 0

    def execute(self, scheduler: Scheduler) -> None:
        scheduler.workspace.enter()
        scope = self.inside
        assert isinstance(scope, MapScope)
        if len(scope.failed) > scope.allowed:
            raise next(iter(scope.failed.values())).exception
        env = scheduler.env
        outputs = self.use.entity.python_interface.outputs
        for name, slot in self.use.slots.items():
            paths = [f"{self.path}/{i}" for i in range(scope.total)]
            elements = [None if p in scope.failed else env[self.planner.slot(p, name)] for p in paths]
            env[slot] = gather(elements, outputs[name], strict=self.planner.settings.strict)
