"""A dynamic: its function is run to find its nodes, which then run like any others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flytenb.bridge.compiled import read_compiled
from flytenb.bridge.dynamics import compile_dynamic
from flytenb.bridge.graphs import read_inner
from flytenb.runner.steps import EntityStep, ExitStep, Scope, Use

if TYPE_CHECKING:
    from flytenb.runner.plan import Planner
    from flytenb.runner.scheduler import Scheduler


class DynamicStep(EntityStep):
    """Compile with the real inputs, tell what came of it, start it."""

    __slots__ = ("closing", "planner")

    def __init__(self, planner: Planner, use: Use) -> None:
        super().__init__(use, is_closing=False)
        self.planner = planner
        self.closing: ExitStep

    def execute(self, scheduler: Scheduler) -> None:
        inputs = self.take_inputs(scheduler)
        workflow = compile_dynamic(self.use.entity, inputs, scheduler.workspace)
        planner = self.planner
        with scheduler.workspace.outside(), scheduler.lock:
            compiled = read_compiled(workflow, self.path)
            graph = read_inner(workflow, self.path)
            scope = Scope(self.path, self.scope, is_fail_fast=compiled.is_fail_fast)
            scope.closing = self.closing
            declared = self.use.entity.python_interface.outputs
            slots = self.use.slots
            gives = [(slots[name], planner.passer(b, declared[name])) for name, b in compiled.outputs.items()]
            planner.add_workflow(compiled, scope, self.closing, gives)
            scheduler.spawn(self.record, graph)
            scheduler.grow(scope.steps)
