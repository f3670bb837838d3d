"""Constants that a module can hold: their statements give again what the kernel holds."""

from __future__ import annotations

import ast
import builtins
import contextlib
import functools
import re
import threading
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterator, Sequence, Sized
from contextvars import ContextVar
from types import BuiltinFunctionType, MethodType
from typing import Any

from flytenb.bridge.entities.kind import is_entity
from flytenb.reach.code_digest import structure_of
from flytenb.reach.installed_names import home_of, scope_of
from flytenb.reach.mutators import changes_container
from flytenb.reach.name_lookup import MISSING, is_module
from flytenb.reach.syntax_trees import compile_module
from flytenb.ship import set_order
from flytenb.ship.needed_statements import NeededStatements, changes_name
from flytenb.ship.repeatable_calls import CONNECTING, METHODS, is_repeatable
from flytenb.ship.set_order import makes_set
from flytenb.ship.statements import Statement
from flytenb.wording.text import class_name

_FRESH = ("_thread", "_contextvars", "logging", "threading", "weakref")
"""Modules of classes whose objects hold nothing that a module could lack."""
_OF_WORKFLOWS = ("flytekit.core.node", "flytekit.core.promise")
"""Modules of the parts of a workflow that is built by calls."""
_IMPURE = (ast.Await, ast.Yield, ast.YieldFrom, ast.AsyncWith, ast.AsyncFor, ast.Global, ast.Nonlocal)
_CONTAINERS = (list, dict, set, bytearray, deque, Counter, defaultdict, OrderedDict)


class UnknownConstantError(Exception):
    """A value that its statements don't give again, and why.

    Attributes:
        is_changed: whether they give another one.
        hint: what to do, if that is known.
    """

    def __init__(self, reason: str, *, is_changed: bool = False, hint: str = "") -> None:
        super().__init__(reason)
        self.is_changed = is_changed
        self.hint = hint


def is_code(value: Any) -> bool:
    """Whether a value is known by the code that defines it: a function, class, type, module or entity."""
    if isinstance(value, type) or is_module(value) or is_entity(value) or home_of(type(value)) in _OF_WORKFLOWS:
        return True
    if isinstance(value, BuiltinFunctionType):
        return value.__self__ is None or is_module(value.__self__) or isinstance(value.__self__, type)
    if isinstance(value, MethodType):
        return isinstance(value.__self__, type)
    is_typing = home_of(type(value)).partition(".")[0] in ("typing", "typing_extensions")
    return is_typing or isinstance(
        value, (type(is_code), functools._lru_cache_wrapper, type(list[int]), type(int | str))
    )


class Constants:
    """Evaluates the statements of constants again, each once, and compares the values with those of the kernel.

    Attributes:
        changed: constants that only running tasks have changed, each with the function that did. A pod begins with what
            their statements give.
    """

    def __init__(self, needed: NeededStatements) -> None:
        self._needed = needed
        self._namespace = needed.namespace
        self._known: dict[str, Any] = {}
        self._open: list[str] = []
        self.changed: dict[str, str] = {}

    def value(self, name: str) -> Any:
        """Return what the statements of a name give.

        Raises:
            UnknownConstantError: if that can't be known, or isn't what the kernel holds.
        """
        if name not in self._known:
            if name in self._open:
                raise UnknownConstantError(f"{name} is made from itself")
            self._open.append(name)
            try:
                self._known[name] = self._evaluate(name)
            finally:
                self._open.pop()
        return self._known[name]

    def _evaluate(self, name: str) -> Any:
        held = self._namespace.get(name, MISSING)
        chain = self._needed.chain(name)
        if is_code(held) or not chain or chain[0].is_definition or chain[0].is_import:
            return held
        if any(statement.is_definition for statement in chain[1:]):  # decorators have filled it
            return self._filled(name, held, chain)
        made = self._run(name, chain)
        if held is not MISSING and not _is_equal(made, held):
            by = self._changed_by(name)
            if by:
                self.changed[name] = by
                return made
            raise UnknownConstantError(f"its statements give another {class_name(held)}", is_changed=True)
        if self._depends_on_order(name, chain):
            reason = "it depends on the order of a set, which is another in each process"
            raise UnknownConstantError(reason, hint="give the set an order: sorted(…)")
        return made

    def _run(self, name: str, chain: Sequence[Statement], *, marks_sets: bool = False) -> Any:
        """Return what statements give to a name when they run again."""
        scope: dict[str, Any] = {"__name__": "__main__", **set_order.SCOPE}
        for at, statement in enumerate(chain):
            for read in self._needed.needs_of(statement) - {name} - self._made(chain[:at], statement):
                if (value := self.value(read)) is not MISSING:
                    scope[read] = set_order.ordered(value) if marks_sets else value
            if (impure := next(self._impure(statement.tree), None)) is not None:
                raise UnknownConstantError(f"`{impure}` isn't evaluated again")
            tree = set_order.mark_sets(statement.tree) if marks_sets else statement.tree
            try:
                exec(compile_module(ast.Module([tree], []), "<constant>"), scope)
            except Exception as e:
                raise UnknownConstantError(f"its statement raises {class_name(e)} when it runs again") from None
        return scope.get(name, MISSING)

    def _made(self, before: Sequence[Statement], statement: Statement) -> set[str]:
        """Return the names for which nothing but these statements made what a statement reads: `a, b = b, a`."""
        names = {name for each in before for name in each.binds}
        return {name for name in names if all(s in before for s in self._needed.made_before(name, statement))}

    def _depends_on_order(self, name: str, chain: Sequence[Statement]) -> bool:
        """Whether a constant is another one if sets are iterated over in the other direction."""
        read = {read for statement in chain for read in self._needed.needs_of(statement)} - {name}
        if not any(makes_set(s.tree) for s in chain) and not any(
            set_order.ordered(self._known.get(each)) is not self._known.get(each) for each in read
        ):
            return False
        forwards = self._run(name, chain, marks_sets=True)
        with set_order.reversed_sets():
            backwards = self._run(name, chain, marks_sets=True)
        with contextlib.suppress(Exception):
            if forwards == backwards:  # the order of a dictionary doesn't count
                return False
        return not _is_equal(forwards, backwards)

    def depends_on_order(self, expression: ast.expr) -> bool:
        """Whether a default or an attribute in a definition depends on the order of a set."""
        if not makes_set(expression) or any(self._impure(expression)):
            return False
        names = {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)} & self._namespace.keys()
        marked = set_order.mark_sets(ast.Assign([ast.Name("made", ast.Store())], expression, lineno=1))
        code = compile_module(ast.Module([marked], []), "<constant>")
        try:
            scope = {name: set_order.ordered(self.value(name)) for name in names} | set_order.SCOPE
            exec(code, scope)
            forwards = scope.pop("made")
            with set_order.reversed_sets():
                exec(code, scope)
            return not _is_equal(forwards, scope["made"])
        except Exception:  # it reads a name of its class, or a value that is refused anyway
            return False

    def _filled(self, name: str, held: Any, chain: Sequence[Statement]) -> Any:
        """Return an object that decorators of definitions have filled: running them again would change it.

        Raises:
            UnknownConstantError: if something else may have changed it too.
        """
        others = [s for s in self._needed.program if s not in chain and not s.is_definition]
        adding = {b for s in self._needed.program if s.is_definition and changes_name(s.body, name) for b in s.binds}
        called = next((s for s in others if changes_name(s.tree, name) or not adding.isdisjoint(s.reads)), None)
        if called is not None:
            raise UnknownConstantError(f"{called.cell.place} changes it too")
        return held

    def _changed_by(self, name: str) -> str:
        """Return the function that has changed what a name holds when a task ran, `""` if a cell may have."""
        chain = self._needed.chain(name)
        cells = [s for s in self._needed.program if not s.is_definition and s not in chain]
        if len(self._needed.binding(name)) > 1 or any(changes_name(s.tree, name) for s in cells):
            return ""
        changing = [s for s in self._needed.program if s.is_definition and changes_name(s.body, name)]
        names = [bound for s in changing for bound in s.binds]
        called = [
            b
            for b in names
            if not is_entity(self._namespace.get(b)) and any(b in s.reads for s in self._needed.program)
        ]
        return names[0] if names and not called else ""

    def _impure(self, tree: ast.AST) -> Iterator[str]:
        """Yield the parts of a statement that may give something else each time."""
        alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            is_other_call = (
                isinstance(node, ast.Call)
                and not self._is_repeatable(node.func)
                and not (id(node) in alone and self._fills(node.func))
            )
            if is_other_call or isinstance(node, _IMPURE) or (isinstance(node, ast.With) and self._acts(node)):
                yield ast.unparse(node).splitlines()[0]
            elif isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "sys.argv", "sys.path"):
                yield ast.unparse(node)

    def _fills(self, called: ast.expr) -> bool:
        """Whether a method changes one of Python's own containers: `TABLE.append`."""
        if not isinstance(called, ast.Attribute) or not changes_container(called.attr):
            return False
        return type(self._resolve(called.value)) in _CONTAINERS

    def _acts(self, block: ast.With) -> bool:
        """Whether a block does anything but ignore exceptions."""
        contexts = [getattr(item.context_expr, "func", item.context_expr) for item in block.items]
        return any(self._resolve(each) not in (contextlib.suppress, contextlib.nullcontext) for each in contexts)

    def _is_repeatable(self, called: ast.expr) -> bool:
        found = self._resolve(called)
        if found is MISSING:
            return isinstance(called, ast.Attribute) and (called.attr in METHODS or self._is_of_flytekit(called))
        return is_repeatable(found)

    def _is_of_flytekit(self, expression: ast.expr) -> bool:
        """Whether an expression is a method of something of flytekit's: `ImageSpec(…).with_packages`."""
        while isinstance(expression, ast.Attribute | ast.Call):
            expression = expression.func if isinstance(expression, ast.Call) else expression.value
        root = self._resolve(expression)
        home = getattr(root, "__module__", "") if isinstance(root, type) else home_of(type(root))
        return str(home).startswith("flytekit.") and not str(home).startswith(CONNECTING)

    def _resolve(self, called: ast.expr) -> Any:
        """Return what a dotted name through modules and classes leads to."""
        if isinstance(called, ast.Name):
            return self._namespace.get(called.id, getattr(builtins, called.id, MISSING))
        if not isinstance(called, ast.Attribute):
            return MISSING
        owner = self._resolve(called.value)
        if is_module(owner):
            return scope_of(owner).get(called.attr, MISSING)
        return getattr(owner, called.attr, MISSING) if isinstance(owner, type) else MISSING


def _is_equal(made: Any, held: Any) -> bool:
    if made is held:
        return True
    if type(made) is not type(held):
        return False
    try:
        if isinstance(held, threading.local):
            return structure_of(vars(made)) == structure_of(vars(held))
        if isinstance(held, ContextVar):
            return structure_of(made.get(None)) == structure_of(held.get(None))
        if home_of(type(held)).partition(".")[0] in _FRESH:
            return not isinstance(held, Sized) or len(made) == len(held)
        return structure_of(made) == structure_of(held)
    except Exception:
        raise UnknownConstantError(f"an object of type {class_name(held)} doesn't say what it holds") from None


def describe_value(value: Any) -> str:
    """Return what a message calls a value: `a DataFrame`."""
    name = re.sub(r"^.*\.", "", type(value).__qualname__)
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
