"""Conditionals: one step that chooses a case, and one that collects its outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flytenb.bridge.crossing import resolve_attribute
from flytenb.bridge.execution.branch import is_met
from flytenb.model.workflow import Promise, WorkflowNode
from flytenb.runner.record import Record
from flytenb.runner.step import RunControl, Scope, Skip, Step
from flytenb.runner.use import Key

if TYPE_CHECKING:
    from flytenb.runner.use import Values


class BranchStep(Step):
    """Evaluate the cases in order; the first that holds is taken, the steps of the others are skipped."""

    __slots__ = ("cases", "closing", "operands", "steps", "values")

    def __init__(self, record: Record, scope: Scope, node: WorkflowNode, values: Values, closing: JoinStep) -> None:
        super().__init__(record, scope, is_closing=False)
        self.cases = node.cases
        self.steps: list[list[Step]] = []
        self.closing = closing
        self.values = values
        refs = {var: ref for var, ref in node.bindings.items() if isinstance(ref, Promise)}
        self.operands = [(var, (ref.path, ref.output), ref.attributes) for var, ref in refs.items()]

    def execute(self, run: RunControl) -> Skip:
        run.workspace.enter()
        operands: dict[str, Any] = {}
        for var, key, attributes in self.operands:
            value = self.values.get(key)
            assert value is not None, f"{self.path} was started before {var}"
            operands[var] = resolve_attribute(value.literal(), attributes)
        taken = next((i for i, case in enumerate(self.cases) if is_met(case.condition, operands)), None)
        others = [step for i, steps in enumerate(self.steps) if i != taken for step in steps]
        if taken is None:
            return Skip(others, ValueError(f"no case of branch {self.path!r} holds and it has no else"))
        self.closing.taken = taken
        error = self.cases[taken].error
        return Skip(others, None if error is None else ValueError(error))


class JoinStep(Step):
    """Make the outputs of the chosen case the outputs of the branch."""

    __slots__ = ("sources", "taken", "values")

    def __init__(self, record: Record, scope: Scope, node: WorkflowNode, values: Values) -> None:
        super().__init__(record, scope, is_opening=False)
        self.taken = 0
        self.values = values
        outputs = record.use.outputs if record.use is not None else ()
        self.sources = [_sources(case.then, outputs) for case in node.cases]

    def execute(self, run: RunControl) -> None:
        for mine, theirs in self.sources[self.taken]:
            self.values[mine] = self.values.get(theirs)


def _sources(then: str | None, outputs: Sequence[tuple[str, Key]]) -> list[tuple[Key, Key]]:
    """Return the outputs of a branch, each with its source in one case."""
    return [] if then is None else [(key, (then, name)) for name, key in outputs]
