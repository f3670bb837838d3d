"""A conditional: decide which case is taken, skip the others, pass on its outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flytenb.bridge.crossing import resolve_attribute
from flytenb.bridge.execution.branch import Way
from flytenb.bridge.workflow.compiled import CompiledNode, Ref
from flytenb.runner.steps import OutputSlot, Record, Scope, Skip, Step

if TYPE_CHECKING:
    from flytenb.runner.scheduler import Scheduler
    from flytenb.runner.wiring import Wiring


class BranchStep(Step):
    """Check each case in order; the first that holds is taken, everything in the others is skipped."""

    __slots__ = ("closing", "operands", "steps", "ways")

    def __init__(
        self, record: Record, scope: Scope, node: CompiledNode, ways: Sequence[Way], wiring: Wiring, closing: JoinStep
    ) -> None:
        super().__init__(record, scope, is_closing=False)
        self.ways = ways
        self.steps: list[list[Step]] = []
        self.closing = closing
        refs = {var: ref for var, ref in node.bindings.items() if isinstance(ref, Ref)}
        self.operands = [(var, wiring.slot(ref.path, ref.output), ref.attributes) for var, ref in refs.items()]
        record.getters = [(ref.output, wiring.getter(ref, ref.python_type)) for ref in refs.values()]

    def execute(self, scheduler: Scheduler) -> Skip:
        scheduler.workspace.enter()
        operands: dict[str, Any] = {}
        for var, slot, attributes in self.operands:
            assert slot.value is not None, f"{self.path} was started before {var}"
            operands[var] = resolve_attribute(slot.value.literal(), attributes)
        taken = next((i for i, way in enumerate(self.ways) if way.holds(operands)), None)
        others = [step for i, steps in enumerate(self.steps) if i != taken for step in steps]
        if taken is None:
            return Skip(others, ValueError(f"no case of branch {self.path!r} holds and it has no else"))
        self.closing.taken = taken
        error = self.ways[taken].error
        return Skip(others, None if error is None else ValueError(error))


class JoinStep(Step):
    """Pass the outputs of the case that was taken on as the branch's own."""

    __slots__ = ("sources", "taken")

    def __init__(self, record: Record, scope: Scope) -> None:
        super().__init__(record, scope, is_opening=False)
        self.taken = 0
        self.sources: list[list[tuple[OutputSlot, OutputSlot]]] = []

    def bind(self, wiring: Wiring, path: str, ways: Sequence[Way], outputs: Sequence[str]) -> dict[str, OutputSlot]:
        """Note, for each case, where each of the branch's outputs comes from; return the branch's own slots."""
        slots = wiring.slots(path, outputs)
        for way in ways:
            then = way.then
            self.sources.append([(slots[o], wiring.slot(then, o)) for o in outputs] if then is not None else [])
        return slots

    def execute(self, scheduler: Scheduler) -> None:
        for mine, theirs in self.sources[self.taken]:
            mine.value = theirs.value
