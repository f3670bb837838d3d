"""The statements that a set of names needs, transitively, from all statements of a notebook."""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Iterator, Mapping, Sequence
from types import FunctionType
from typing import Any

from flytenb.bridge.entities.kind import function_of, inner_workflow
from flytenb.reach.installed_names import scope_of
from flytenb.reach.mutators import changes_container
from flytenb.reach.name_lookup import MISSING, is_module
from flytenb.ship.statements import Statement

_PARTIAL = (ast.AugAssign, ast.If, ast.Try, ast.TryStar, ast.For, ast.While, ast.With, ast.Match)
"""Statements that may leave a name as it was."""
_BUILTIN_HOMES = ("builtins", "io", "_io", "_sitebuiltins")
"""Modules of Python's builtins."""
_CONSTANTS = (None, True, False, NotImplemented, Ellipsis)


class NeededStatements:
    """The statements that names need.

    Args:
        program: all statements, in the order in which they ran.
        namespace: the notebook's variables.

    Attributes:
        names: the names, each with the statement that needs it first.
        missing: those of them that no statement binds.
        statements: the statements, in no particular order.
        registrations: those of them that register something for the others.
    """

    def __init__(self, program: Sequence[Statement], namespace: Mapping[str, Any]) -> None:
        self.program = program
        self.namespace = namespace
        self.names: dict[str, Statement | None] = {}
        self.missing: dict[str, Statement | None] = {}
        self.statements: dict[Statement, None] = {}
        self.registrations: list[Statement] = []
        self._at = {statement: number for number, statement in enumerate(program)}
        self._binding: dict[str, list[Statement]] = {}
        self._chains: dict[str, list[Statement]] = {}
        self._changing: dict[str, list[Statement]] = {}
        self._attributes = [(statement, *change) for statement in program for change in statement.changes]
        for statement in program:
            for changed in {name for name, _ in statement.changes}:
                self._changing.setdefault(changed, []).append(statement)
            for bound in star_names(statement) if "*" in statement.binds else statement.binds:
                self._binding.setdefault(bound, []).append(statement)
        self._adding = [s for s in program if any(map(self._may_add, _decorators_of(s)))]

    def need(self, name: str, by: Statement | None = None) -> None:
        """Add a name and all that it needs."""
        todo: list[tuple[str, Statement | None]] = [(name, by)]
        while todo:
            wanted, why = todo.pop()
            if wanted not in self.names:
                self.names[wanted] = why
                chain = self.chain(wanted)
                if not chain and not self._is_builtin(wanted):
                    self.missing[wanted] = why
                for statement in chain:
                    todo += self._add(statement)
            if not todo:
                todo += self._changes_of_modules()

    def add(self, statement: Statement) -> None:
        """Add a statement and all that it needs."""
        for name, by in self._add(statement):
            self.need(name, by)

    def _add(self, statement: Statement) -> list[tuple[str, Statement | None]]:
        if statement in self.statements:
            return []
        self.statements[statement] = None
        return [(name, statement) for name in sorted(self.needs_of(statement))]

    def needs_of(self, statement: Statement) -> set[str]:
        """Return the names that a statement needs from others."""
        own = {name for name in statement.binds if not self._earlier(name, statement)}
        own |= {name for name in statement.reads if self.reads_builtin(name, statement)}
        changed = {name for name, _ in statement.changes}
        mentioned = {name for name in statement.mentions if self.binding(name)}
        return {*((statement.reads | changed) - own), *((statement.reads_later | mentioned) - statement.binds)}

    def reads_builtin(self, name: str, statement: Statement) -> bool:
        """Whether a statement has read a name of Python's that later statements bind: `sum_ = sum`, then `def sum`."""
        is_later = bool(self.binding(name)) and not self._earlier(name, statement)
        return is_later and hasattr(builtins, name) and statement not in self.binding(name)

    def _earlier(self, name: str, statement: Statement) -> list[Statement]:
        return [each for each in self.binding(name) if self._at[each] < self._at[statement]]

    def made_before(self, name: str, statement: Statement) -> list[Statement]:
        """Return every statement that binds or changes a name above a statement."""
        made = [*self.binding(name), *self._changing.get(name, ())]
        return [each for each in made if self._at[each] < self._at[statement]]

    def _is_builtin(self, name: str) -> bool:
        if not hasattr(builtins, name) or name in SHELL_NAMES or is_added_builtin(name):
            return False
        # IPython adds an `open` that wraps Python's to the notebook's names.
        is_wrapped = getattr(self.namespace.get(name), "__wrapped__", None) is getattr(builtins, name)
        return name not in self.namespace or name.startswith("__") or (is_wrapped and not self.binding(name))

    # --- one name ----------------------------------------------------------------------------------------------------

    def binding(self, name: str) -> list[Statement]:
        """Return every statement that binds a name."""
        return self._binding.get(name, [])

    def chain(self, name: str) -> list[Statement]:
        """Return the statements that make what a name is now: the last binding, what it builds on, what changes it."""
        if name not in self._chains:
            self._chains[name] = self._read_chain(name)
        return self._chains[name]

    def _read_chain(self, name: str) -> list[Statement]:
        binding = list(self.binding(name))
        if not binding:
            return []
        found = [binding.pop()]
        while binding and _builds_on(found[-1], name, binding[-1]):
            found.append(binding.pop())
        found.reverse()
        value = self.namespace.get(name, MISSING)
        if is_module(value):
            return found
        last = self._at[found[-1]]
        found += [s for s in self._changing.get(name, ()) if self._at[s] > last]
        later = self.program[last + 1 :]
        if isinstance(found[0].tree, ast.Assign | ast.AnnAssign):
            found += [s for s in later if s not in found and _goes_on_with(found[0], s)]
        if value is not MISSING and (_is_imperative(value) or _takes_cases(value)):
            found += [s for s in later if s not in found and _is_built_by(name, value, s)]
        if not found[0].is_import and not isinstance(value, type | FunctionType):
            adding = [s for s in self._adding if self._at[s] > last]
            found += [s for s in adding if s not in found and self.is_registered_in(name, s)]
        found += [s for s in _registered_subclasses(found[0].tree, later) if s not in found]
        return sorted(found, key=self._at.__getitem__)

    def is_registered_in(self, name: str, statement: Statement) -> bool:
        """Whether a decorator adds a definition to an object: a method of it, or a function that changes it."""
        called = _decorators_of(statement)
        names = [each.id for each in called if isinstance(each, ast.Name)]
        adding = [s for each in names for s in self.binding(each)[-1:] if s.is_definition]
        return any(_is_method_of(name, each) for each in called) or any(changes_name(s.body, name) for s in adding)

    def _may_add(self, decorator: ast.expr) -> bool:
        """Whether a decorator is a method, or a function of the notebook."""
        if isinstance(decorator, ast.Name):
            return any(s.is_definition for s in self.binding(decorator.id)[-1:])
        return isinstance(decorator, ast.Attribute)

    def _changes_of_modules(self) -> list[tuple[str, Statement | None]]:
        """Add statements that set an attribute of a module which the selected ones read."""
        todo: list[tuple[str, Statement | None]] = []
        for statement, name, attribute in self._attributes:
            is_of_module = name in self.names and is_module(self.namespace.get(name))
            if is_of_module and any(attribute in each.attributes for each in self.statements):
                todo += self._add(statement)
        return todo

    @property
    def postpones_annotations(self) -> bool:
        """Whether annotations are texts: IPython keeps the import of `annotations` for the cells that follow."""
        first = next((at for at, s in enumerate(self.program) if _postpones(s)), len(self.program))
        return any(self._at[statement] > first for statement in self.statements)

    def position(self, statement: Statement) -> int:
        """Return the place of a statement in the program."""
        return self._at[statement]


def _postpones(statement: Statement) -> bool:
    tree = statement.tree
    is_future = isinstance(tree, ast.ImportFrom) and tree.module == "__future__"
    return is_future and "annotations" in statement.binds


def is_added_builtin(name: str) -> bool:
    """Whether `builtins` has a name, or another object under a name, that this process has set: `builtins.N = 3`."""
    value = getattr(builtins, name, MISSING)
    is_python = name.startswith("__") or any(value is each for each in _CONSTANTS)
    home = getattr(value, "__module__", "")
    return value is not MISSING and not is_python and home not in _BUILTIN_HOMES


SHELL_NAMES = frozenset({"get_ipython", "display", "In", "Out", "exit", "quit"})
"""What IPython adds to the notebook's names and to Python's."""


def star_names(statement: Statement) -> frozenset[str]:
    """Return the names that `from module import *` binds."""
    assert isinstance(statement.tree, ast.ImportFrom)
    module = sys.modules.get(statement.tree.module or "")
    if module is None:
        return frozenset()
    scope = scope_of(module)
    return frozenset(scope.get("__all__", [name for name in scope if not name.startswith("_")]))


def _builds_on(statement: Statement, name: str, before: Statement) -> bool:
    """Whether a statement that binds a name may leave something of what it was before."""
    if isinstance(statement.tree, ast.Import):  # `import xml.dom` adds to what `import xml.sax` bound
        return isinstance(before.tree, ast.Import) and any("." in alias.name for alias in statement.tree.names)
    return name in statement.reads or isinstance(statement.tree, _PARTIAL)


def _decorators_of(statement: Statement) -> list[ast.expr]:
    """Return the decorators of a definition, without their arguments."""
    return [getattr(each, "func", each) for each in getattr(statement.tree, "decorator_list", ())]


def _goes_on_with(first: Statement, later: Statement) -> bool:
    """Whether a statement of the same cell fills what an assignment has begun: `T = []`, `T.append(1)`.

    The assignment may have given the value to several names: `A = B = []`. In another cell, which may run again by
    itself, such a statement is refused.
    """
    is_same_cell = later.cell is first.cell
    return is_same_cell and not later.is_definition and any(changes_name(later.tree, each) for each in first.binds)


def _is_imperative(value: Any) -> bool:
    return inner_workflow(value) is value and function_of(value) is None


def _takes_cases(value: Any) -> bool:
    return hasattr(value, "registry") and hasattr(value, "dispatch")


def _registered_subclasses(tree: ast.AST, later: Sequence[Statement]) -> Iterator[Statement]:
    """Yield the subclasses, at any depth, of a class whose `__init_subclass__` is called for them."""
    if not isinstance(tree, ast.ClassDef) or subclass_hook(tree) is None:
        return
    known = {tree.name}
    for statement in later:
        bases = getattr(statement.tree, "bases", ()) if isinstance(statement.tree, ast.ClassDef) else ()
        if any(isinstance(base, ast.Name) and base.id in known for base in bases):
            known |= statement.binds
            yield statement


def subclass_hook(tree: ast.ClassDef) -> ast.FunctionDef | None:
    """Return the `__init_subclass__` of a class that has one."""
    methods = (each for each in tree.body if isinstance(each, ast.FunctionDef))
    return next((each for each in methods if each.name == "__init_subclass__"), None)


def _is_built_by(name: str, value: Any, statement: Statement) -> bool:
    """Whether a statement adds to an object by a method: nodes to an imperative workflow, cases to a function."""
    if _is_imperative(value):
        calls = (node.func for node in ast.walk(statement.tree) if isinstance(node, ast.Call))
        return not statement.is_definition and any(_is_method_of(name, called) for called in calls)
    if _takes_cases(value) and statement.is_definition:
        return any(_is_method_of(name, each) for each in _decorators_of(statement))
    return False


def fills_name(tree: ast.AST, name: str) -> bool:
    """Whether code calls a method that changes what a global name holds: `TABLE.append(1)`."""
    methods = (n.func for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute))
    return any(_is_part_of(each.value, name) and changes_container(each.attr) for each in methods)


def changes_name(tree: ast.AST, name: str) -> bool:
    """Whether code changes what a global name holds: by a method, an item, an attribute, or another value."""
    if fills_name(tree, name):
        return True
    is_global = any(isinstance(node, ast.Global) and name in node.names for node in ast.walk(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            if _is_part_of(node.value, name):
                return True
        elif is_global and isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store):
            return True
    return False


def _is_part_of(expression: ast.expr, name: str) -> bool:
    while isinstance(expression, ast.Attribute | ast.Subscript):
        expression = expression.value
    return isinstance(expression, ast.Name) and expression.id == name


def _is_method_of(name: str, called: ast.expr) -> bool:
    return isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == name
