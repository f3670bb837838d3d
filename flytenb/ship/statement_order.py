"""The order of statements in a module: what one needs comes before it, else they are where their names were first."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Sequence
from functools import cache

from flytenb.ship.needed_statements import NeededStatements
from flytenb.ship.statement_names import Definition
from flytenb.ship.statements import Statement


def sort_statements(needed: NeededStatements, layout: Sequence[Statement]) -> list[Statement]:
    """Return the needed statements in a valid order.

    What a statement needs to run precedes it, together with all that this needs, since it may be called. What its
    functions need only when they are called precedes it too, unless that needs the statement. So the order doesn't
    depend on how the statements are divided into cells. A definition that replaces an earlier one takes its place.

    Args:
        needed: the statements.
        layout: all statements of the notebook, in the order in which their cells ran first.
    """
    number = {statement: at for at, statement in enumerate(layout)}

    def place(statement: Statement) -> tuple[int, int]:
        earlier = [statement]
        if _defines_one(statement):
            earlier += [s for name in statement.binds for s in needed.binding(name) if _defines_one(s)]
        return min(number[each] for each in earlier), number[statement]

    needs = {statement: _Needs(needed, statement) for statement in needed.statements}

    @cache
    def reached(start: Statement) -> frozenset[Statement]:
        """Return what a statement needs, directly or not."""
        seen: set[Statement] = set()
        todo = [start]
        while todo:
            found = needs[todo.pop()].all - seen
            seen |= found
            todo += found
        return frozenset(seen)

    def before(statement: Statement) -> list[Statement]:
        mine = needs[statement]
        wanted = mine.all | {each for direct in mine.now for each in reached(direct)}
        free = {each for each in wanted if each in mine.now or statement not in reached(each)}
        return sorted(free - {statement}, key=place)

    done: dict[Statement, None] = {}
    opened: set[Statement] = set()

    def emit(statement: Statement) -> None:
        if statement not in opened:
            opened.add(statement)
            for each in before(statement):
                emit(each)
            done[statement] = None

    for statement in sorted(needed.statements, key=place):
        emit(statement)
    return list(done)


def _defines_one(statement: Statement) -> bool:
    """Whether a statement defines a function, a class or a variable."""
    return len(statement.binds) == 1 and isinstance(statement.tree, Definition | ast.Assign | ast.AnnAssign)


class _Needs:
    """The statements that one needs.

    Attributes:
        now: those that it needs to run.
        later: those that its functions need.
    """

    def __init__(self, needed: NeededStatements, statement: Statement) -> None:
        self.now: set[Statement] = set()
        self.later: set[Statement] = set()
        at = needed.position
        now = statement.reads | statement.binds | {name for name, _ in statement.changes}
        of_python = {name for name in statement.reads if needed.reads_builtin(name, statement)}
        for name in (now | statement.reads_later | statement.mentions) & needed.names.keys() - of_python:
            chain = needed.chain(name)
            if statement in chain:  # after everything that has bound the name before, or read what it was
                bound = [s for s in (*chain, *needed.binding(name)) if s in needed.statements]
                if hasattr(builtins, name):
                    bound += [s for s in needed.statements if name in s.reads and needed.reads_builtin(name, s)]
                self.now |= {s for s in bound if at(s) < at(statement)}
            elif name in statement.reads or name not in statement.binds:
                (self.now if name in now else self.later).update(chain)
        for registration in needed.registrations:  # for a type: before what uses the type
            if registration is not statement and registration.reads & (statement.reads | statement.reads_later):
                self.later.add(registration)

    @property
    def all(self) -> set[Statement]:
        """Both kinds."""
        return self.now | self.later
