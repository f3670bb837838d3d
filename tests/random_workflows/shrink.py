"""A smaller program that fails in the same way: statements, cases, outputs and entities are left out one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

from tests.random_workflows.program import Conditional, Const, Entity, Fail, Program, Ref, Statement, Workflow, targets

Attempt = Callable[[Program], str]


def attempt_often(program: Program, times: int, attempt: Attempt) -> str:
    """Return what went wrong first in several runs of one program, '' if nothing did."""
    return next(filter(None, (attempt(program) for _ in range(times))), "")


def shrink(program: Program, wrong: str, times: int, attempt: Attempt) -> Program:
    """Return the smallest program found that goes wrong in the same way within `times` runs."""
    kind = _kind(wrong)
    while True:
        for smaller in _smaller(program):
            if _kind(attempt_often(smaller, times, attempt)) == kind:
                program = smaller
                break
        else:
            return program


def _kind(wrong: str) -> str:
    """Return what two failures have in common: the words before the details."""
    return wrong.partition(":")[0]


def _smaller(program: Program) -> Iterator[Program]:
    """Yield every program with one thing left out, the largest things first."""
    used = {name for entity in program.entities for name in targets(entity)}
    for i, entity in enumerate(program.entities[:-1]):
        if entity.name not in used:
            yield replace(program, entities=program.entities[:i] + program.entities[i + 1 :])
    for i, entity in enumerate(program.entities):
        if isinstance(entity, Workflow):
            for smaller in _smaller_workflows(entity):
                entities: tuple[Entity, ...] = (*program.entities[:i], smaller, *program.entities[i + 1 :])
                yield replace(program, entities=entities)


def _smaller_workflows(wf: Workflow) -> Iterator[Workflow]:
    for i in reversed(range(len(wf.statements))):
        yield _without(wf, i)
    if len(wf.outputs) > 1 and wf.name == "wf":
        for i in range(len(wf.outputs)):
            yield replace(wf, outputs=wf.outputs[:i] + wf.outputs[i + 1 :])
    if wf.handler:
        yield replace(wf, handler="")
    if wf.policy:
        yield replace(wf, policy=False)
    for i, statement in enumerate(wf.statements):
        for simpler in _simpler(statement):
            yield replace(wf, statements=(*wf.statements[:i], simpler, *wf.statements[i + 1 :]))


def _simpler(statement: Statement) -> Iterator[Statement]:
    if statement.after:
        yield replace(statement, after=())
    node = statement.node
    if isinstance(node, Conditional):
        for i, (_, then) in enumerate(node.cases):
            yield replace(statement, node=then)
            if len(node.cases) > 1:
                yield replace(statement, node=replace(node, cases=node.cases[:i] + node.cases[i + 1 :]))
        if not isinstance(node.otherwise, Fail):
            yield replace(statement, node=node.otherwise)


def _without(wf: Workflow, index: int) -> Workflow:
    """Leave a statement out; where its numbers were needed, a constant or the first input takes their place."""
    gone = set(wf.statements[index].names)
    statements = []
    for statement in (*wf.statements[:index], *wf.statements[index + 1 :]):
        after = tuple(name for name in statement.after if name not in gone)
        statements.append(replace(statement, node=_filled(statement.node, gone, wf.params[0]), after=after))
    outputs = tuple((_filled(arg, gone, wf.params[0], is_output=True), kind) for arg, kind in wf.outputs)
    return replace(wf, statements=tuple(statements), outputs=outputs)


def _filled(part: Any, gone: set[str], instead: str, *, is_output: bool = False) -> Any:
    if isinstance(part, Ref):
        if part.var not in gone:
            return part
        return Ref(instead) if is_output else Const(1)
    if is_dataclass(part) and not isinstance(part, type):
        changed = {f.name: _filled(getattr(part, f.name), gone, instead) for f in fields(part)}
        if isinstance(changed.get("left"), Const):
            changed["left"] = Ref(instead)
        return replace(part, **changed)
    if isinstance(part, tuple):
        return tuple(_filled(p, gone, instead) for p in part)
    return part
