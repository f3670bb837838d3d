"""Spread of a step's end over other steps: those to abort, and those that a tolerated failure readies."""

from __future__ import annotations

from collections.abc import Iterator

from flytenb.runner.step import DONE, WAITING, Scope, Step


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
