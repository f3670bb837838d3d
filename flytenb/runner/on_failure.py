"""A workflow's failure handler: run once everything in the workflow has ended, with the node that failed named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flytenb.bridge.compiled import CompiledNode
from flytenb.bridge.errors import build_flyte_error, takes_error
from flytenb.runner.steps import Scope, Step

if TYPE_CHECKING:
    from flytenb.runner.failure import Failure
    from flytenb.runner.plan import Planner


class HandlerScope(Scope):
    """The handler's own scope: however it ends, the workflow's failure is what it was."""

    def __init__(self, scope: Scope, planner: Planner) -> None:
        super().__init__(scope.path, scope.parent)
        self.failed_scope = scope
        self.planner = planner
        self.last: Step | None = None

    def note_done(self, step: Step, scheduler: Any) -> None:
        if step is self.last:
            scheduler.resume_close(self.failed_scope)

    def tolerates(self, step: Step, failure: Failure, scheduler: Any) -> bool:
        self.failed_scope.failures.append(failure)
        scheduler.resume_close(self.failed_scope)
        return True


def handler_steps(planner: Planner, node: CompiledNode, scope: Scope, why: Failure) -> list[Step]:
    """Build the steps of a failure handler. Under the scheduler's lock."""
    handler = HandlerScope(scope, planner)
    getters = planner.getters(node.bindings, node.entity.python_interface.inputs)
    given = takes_error(node.entity)
    if given:
        error = build_flyte_error(why.path, why.message)
        getters = [(n, g) for n, g in getters if n != given] + [(given, lambda env: error)]
    bindings = {n: b for n, b in node.bindings.items() if n != given}
    _, handler.last = planner.entity_steps(node.path, node.entity, getters, bindings, node.policy, handler)
    return handler.steps
