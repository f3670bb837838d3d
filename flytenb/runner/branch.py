"""A conditional: decide which case is taken, skip the others, hand its outputs on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flytenb.bridge.branches import Way
from flytenb.bridge.compiled import CompiledNode, Ref
from flytenb.bridge.crossing import resolve_attribute
from flytenb.runner.steps import Record, Scope, Step

if TYPE_CHECKING:
    from flytenb.runner.plan import Planner
    from flytenb.runner.scheduler import Scheduler


class BranchStep(Step):
    """Ask each case in order; the first that holds is taken, all that stands in the others is skipped."""

    __slots__ = ("closing", "operands", "steps", "ways")

    def __init__(self, record: Record, scope: Scope, node: CompiledNode, ways: Sequence[Way], planner: Planner) -> None:
        super().__init__(record, scope, is_closing=False)
        self.ways = ways
        self.steps: list[list[Step]] = []
        self.closing: JoinStep
        self.operands = [
            (var, planner.slot(ref.path, ref.output), ref.attributes)
            for var, ref in node.bindings.items()
            if isinstance(ref, Ref)
        ]
        record.getters = [(ref.output, planner.getter(ref, ref.python_type)) for ref in _refs(node)]

    def execute(self, scheduler: Scheduler) -> None:
        scheduler.workspace.enter()
        env = scheduler.env
        operands: dict[str, Any] = {}
        for var, slot, attributes in self.operands:
            value = env[slot]
            assert value is not None, f"{self.path} was started before {var}"
            operands[var] = resolve_attribute(value.literal(), attributes)
        taken = next((i for i, way in enumerate(self.ways) if way.holds(operands)), None)
        with scheduler.lock:
            for i, steps in enumerate(self.steps):
                if i != taken:
                    scheduler.grow(scheduler.skip(steps))
        if taken is None:
            raise ValueError(f"no case of branch {self.path!r} holds and it has no else")
        way = self.ways[taken]
        if way.error is not None:
            raise ValueError(way.error)
        self.closing.taken = taken


class JoinStep(Step):
    """Hand the outputs of the case that was taken to those who use the branch's."""

    __slots__ = ("sources", "taken")

    def __init__(self, record: Record, scope: Scope) -> None:
        super().__init__(record, scope, is_opening=False)
        self.taken = 0
        self.sources: list[list[tuple[int, int]]] = []

    def bind(self, planner: Planner, node: CompiledNode, ways: Sequence[Way], outputs: Sequence[str]) -> dict[str, int]:
        """Note, for each case, from where each of the branch's outputs comes; return the branch's own slots."""
        slots = planner.slots(node.path, outputs)
        for way in ways:
            then = way.then
            self.sources.append([(slots[o], planner.slot(then, o)) for o in outputs] if then is not None else [])
        return slots

    def execute(self, scheduler: Scheduler) -> None:
        env = scheduler.env
        for mine, theirs in self.sources[self.taken]:
            env[mine] = env[theirs]


def _refs(node: CompiledNode) -> list[Ref]:
    return [b for b in node.bindings.values() if isinstance(b, Ref)]
