"""The scopes of a plan: steps that succeed or fail together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from flytenb.runner.step import DONE, WAITING

if TYPE_CHECKING:
    from flytenb.runner.failure import Failure
    from flytenb.runner.scheduler import Scheduler
    from flytenb.runner.step import Step


class Scope:
    """Steps that fail together: the inside of a workflow, a map, a dynamic, or one call of an eager task.

    Attributes:
        path: the node whose inside it is.
        parent: the scope around it; None for the whole run.
        is_fail_fast: whether one failure ends all, or only what depends on it.
        execution_is_fail_fast: the policy of the execution that it is a part of, which also holds in subworkflows and
            dynamics (propeller, 1.16.8); a launch plan and a call of an eager task are executions of their own.
        closing: the step that becomes ready, or fails, when all steps of the scope have ended.
        handler: the scope of its failure handler, which runs before a failed scope closes.
        open: how many steps haven't ended yet.
        is_execution: whether what is called in it is an execution of its own on a cluster.
    """

    is_execution = False

    def __init__(
        self, path: str, parent: Scope | None, *, is_fail_fast: bool = True, closing: Step | None = None
    ) -> None:
        self.path = path
        self.parent = parent
        self.is_fail_fast = is_fail_fast
        self.execution_is_fail_fast: bool = is_fail_fast if parent is None else parent.execution_is_fail_fast
        self.closing = closing
        self.steps: list[Step] = []
        self.children: list[Scope] = []
        self.open = 0
        self.failures: list[Failure] = []
        self.is_closed = False
        self.handler: HandlerScope | None = None

    def add(self, step: Step) -> None:
        """Take a step in."""
        self.steps.append(step)
        self.open += 1

    def attach(self) -> None:
        """Become a part of the scope around it."""
        if self.parent is not None:
            self.parent.children.append(self)

    def first(self) -> list[Step]:
        """Return the steps that wait for nothing."""
        return [s for s in self.steps if s.waits == 0 and s.state is WAITING]

    def let_go(self) -> None:
        """Forget the steps: they and their scope hold each other, and a run is kept for long after its end."""
        for step in self.steps:
            step.successors.clear()
            step.case_of = step.opens = None
        self.steps.clear()
        if self.handler is not None:
            self.handler.let_go()
        for child in self.children:
            child.let_go()
        self.children.clear()
        self.closing = self.handler = None

    def tolerates(self, step: Step, failure: Failure, scheduler: Scheduler) -> bool:
        """Whether the scope goes on as if the step had succeeded. Under the scheduler's lock."""
        return False

    def note_done(self, step: Step, scheduler: Scheduler) -> None:
        """Hear that a step has succeeded. Under the scheduler's lock."""

    def note_closed(self) -> None:
        """Hear that all its steps have ended. Under the scheduler's lock."""


class HandlerScope(Scope):
    """A failure handler's own scope: however it ends, the workflow's failure is what it was."""

    def __init__(self, failed: Scope) -> None:
        super().__init__(failed.path, failed)
        self.failed = failed


def unfinished(scope: Scope) -> Iterator[Step]:
    """Yield the steps of a scope, and of those inside of it, that haven't ended; close those inside."""
    for step in scope.steps:
        if step.state is not DONE:
            yield step
    for child in scope.children:
        child.is_closed = True
        yield from unfinished(child)


def dependents(step: Step) -> Iterator[Step]:
    """Yield what depends on a failed step inside its scope, each to be aborted before the next; close what is inside.

    What is in a case of a conditional that hasn't decided is only doomed: that matters if the case is taken.
    """
    todo = list(step.successors)
    while todo:
        following = todo.pop()
        if following.state is not WAITING or following.scope is not step.scope:
            continue
        case_of = following.case_of
        if case_of is not None and case_of is not step and case_of.state is not DONE:
            following.is_doomed = True
            continue
        yield following
        if following.opens is not None:
            following.opens.is_closed = True
            yield from unfinished(following.opens)
        todo += following.successors


def doomed_in(branch: Step) -> Iterator[Step]:
    """Yield what of the case that a branch has taken can't run, and what depends on it."""
    for step in list(branch.scope.steps):
        if step.is_doomed and step.case_of is branch and step.state is WAITING:
            yield step
            yield from dependents(step)


def pass_over(failed: Step) -> list[Step]:
    """Go on after a failed step, leaving out the closing step of the same node; return what that readies."""
    ready: list[Step] = []
    todo = [failed]
    while todo:
        for following in todo.pop().successors:
            following.waits -= 1
            if following.record is failed.record and following.state is WAITING:
                following.state = DONE
                following.scope.open -= 1
                todo.append(following)
            elif following.waits == 0 and following.state is WAITING:
                ready.append(following)
    return ready
