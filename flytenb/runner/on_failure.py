"""A workflow's failure handler: run once everything in the workflow has ended, with the node that failed named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flytenb.bridge.compiled import CompiledNode
from flytenb.bridge.entities import is_map
from flytenb.bridge.errors import branch_message, build_flyte_error, element_message, node_message, takes_error
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
        error = build_flyte_error(node.path, _message(planner, why, scope.path))
        getters = [(n, g) for n, g in getters if n != given] + [(given, lambda env: error)]
    bindings = {n: b for n, b in node.bindings.items() if n != given}
    _, handler.last = planner.entity_steps(node.path, node.entity, getters, bindings, node.policy, handler)
    return handler.steps


def _message(planner: Planner, why: Failure, scope_path: str) -> str:
    """Return what a cluster says of a failure in the workflow at `scope_path`: each map on the way adds its index."""
    records = planner.scheduler.records
    failed = records.get(why.path)  # none for the outputs of the outermost workflow
    if failed is not None and failed.entity is None:
        message = branch_message(why.exception)
    else:
        message = node_message(why.exception, attempts=len(why.retries) + 1)
    inside, _, last = why.path.rpartition("/")
    while inside and inside != scope_path:
        around = records.get(inside)
        if around is not None and around.entity is not None and is_map(around.entity):
            message = element_message(last, message)
        inside, _, last = inside.rpartition("/")
    return message
