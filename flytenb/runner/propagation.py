"""Effects of a failed step on other steps: those to abort, and those that become ready after a tolerated failure."""

from __future__ import annotations

from collections.abc import Iterator

from flytenb.runner.step import DONE, WAITING, Scope, Step


def unfinished(scope: Scope) -> Iterator[Step]:
    """Yield the steps of a scope and of its inner scopes that haven't ended; close the inner scopes."""
    for step in scope.steps:
        if step.state is not DONE:
            yield step
    for child in scope.children:
        child.is_closed = True
        yield from unfinished(child)


def dependents(step: Step) -> Iterator[Step]:
    """Yield the steps of the same scope that depend on a failed step, and close inner scopes.

    Each must be aborted before the next is requested.

    A step in a case of an undecided conditional is marked as doomed instead: it matters only if the case is taken.
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
    """Yield the doomed steps of the case that a branch has taken, and the steps that depend on them."""
    for step in list(branch.scope.steps):
        if step.is_doomed and step.case_of is branch and step.state is WAITING:
            yield step
            yield from dependents(step)


def pass_over(failed: Step) -> list[Step]:
    """Continue after a failed step without the closing step of its node; return the steps that become ready."""
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
