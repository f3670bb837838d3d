"""Reasons why selected statements can't become a module: what exists in the kernel only, what looks like a secret."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator, Mapping
from typing import Any

from flytenb.bridge.entities.kind import function_of, is_entity, is_map, is_remote, is_stub, map_target, short_name
from flytenb.reach.name_lookup import MISSING
from flytenb.reach.syntax_trees import parse
from flytenb.ship.cells import Cells
from flytenb.ship.constants import Constants, UnknownConstantError, describe_value, is_code
from flytenb.ship.finding import Finding, Severity
from flytenb.ship.held_state import changed_state, evaluated
from flytenb.ship.local_paths import find_local_paths
from flytenb.ship.module_head import Head
from flytenb.ship.needed_statements import SHELL_NAMES, NeededStatements, is_added_builtin
from flytenb.ship.reached_code import ReachedCode
from flytenb.ship.secret_texts import find_secrets, has_known_form, has_secret, is_secret_of, plain_text
from flytenb.ship.stale_reads import StaleReads
from flytenb.ship.statements import KINDS, Statement, once_per_source, read_statements

_SHELL_OUTPUT = re.compile(r"_+|_i*\d*|_dh|_oh|_ih")
_SECRET_HINT = "keep it in the cluster's secrets, and read it in a task: flytekit.current_context().secrets.get(…)"


class Refusals:
    """Looks for reasons.

    Args:
        needed: the statements.
        reached: what their code reaches.
        cells: the cells of the notebook.
        head: what the module begins with.
    """

    def __init__(self, needed: NeededStatements, reached: ReachedCode, cells: Cells, head: Head) -> None:
        self._needed = needed
        self._namespace = needed.namespace
        self._reached = reached
        self._cells = cells
        self._head = head

    def find(self) -> list[Finding]:
        """Return every reason, sorted by the order of the cells."""
        found = [*self._of_missing(), *self._of_values(), *self._of_code(), *self._of_held_state(), *self._of_paths()]
        found += self._of_secrets()
        return list(dict.fromkeys(found))

    # --- names -------------------------------------------------------------------------------------------------------

    def _of_missing(self) -> Iterator[Finding]:
        for name, by in self._needed.missing.items():
            where = self._place(by, name)
            if name in SHELL_NAMES or _SHELL_OUTPUT.fullmatch(name):
                hint = "from IPython.display import display" if name == "display" else f"leave {name} out of it"
                yield Finding(f"{name} exists in IPython only", where, hint)
            elif name not in self._namespace and is_added_builtin(name):
                what = f"{name} is added to Python's builtins, in this process only"
                yield Finding(what, where, f"set {name} in a cell, without builtins")
            elif name not in self._namespace:
                yield Finding(f"nothing defines {name!r}", where, "define it in a cell, or correct the name")
            elif not _replaces_builtin(name, self._namespace[name]):
                yield self._of_kernel_name(name, where)
        for name in sorted(self._needed.names.keys() - self._needed.missing.keys() - self._namespace.keys()):
            by = next((s for s in self._needed.statements if name in s.reads_later - s.binds), None)
            if by is not None and not hasattr(builtins, name):
                yield Finding(f"{name} has been deleted", self._place(by, name), "run the cell again that defines it")

    def _of_kernel_name(self, name: str, where: str) -> Finding:
        cell = next(
            (c for c in reversed(self._cells.replaced) if any(name in s.binds for s in read_statements(c))), None
        )
        if cell is not None:
            what = f"{name} is left from an earlier text of a cell, {cell.place}"
            return Finding(what, where, f"put what defines {name} into a cell and run it, or don't use it")
        named = re.compile(rf"\b{re.escape(name)}\b")
        magic = next((c for c in self._cells.current if c.kind not in ("", *KINDS) and named.search(c.arguments)), None)
        if magic is not None:
            what = f"{name} is made by the magic %%{magic.kind} ({magic.place})"
            return Finding(what, where, "make it with Python code in a plain cell")
        setter = next((s for s in self._needed.program if name in s.sets), None)
        if setter is not None:
            what = f"{name} is set by a function when it is called ({setter.cell.place})"
            return Finding(what, where, f"set {name} in a cell, outside of functions")
        value = self._namespace[name]
        what = f"no cell defines {name}, {describe_value(value)}" if not is_code(value) else f"no cell defines {name}"
        return Finding(what, where, "define or import it in a cell")

    # --- values ------------------------------------------------------------------------------------------------------

    def _of_values(self) -> Iterator[Finding]:
        constants = Constants(self._needed)
        for name in self._needed.names:
            value = self._namespace.get(name, MISSING)
            chain = self._needed.chain(name)
            if value is MISSING or not chain:
                continue
            where = self._place(chain[-1])
            if is_entity(value):
                yield from self._of_entity(name, value, where)
            if _is_output_of_magic(chain[-1]):
                yield Finding(f"{name} is what a magic or shell command gave", where, f"set {name} by Python code")
                continue
            try:
                constants.value(name)
            except UnknownConstantError as reason:
                yield self._of_value(name, value, chain[-1], reason)
            if name in constants.changed:
                what = f"{name}, {describe_value(value)}, was changed by {constants.changed[name]} when a task ran"
                hint = "each pod begins with what its statements give; pass it between tasks if the changes matter"
                yield Finding(what, where, hint, "warning")

    def _of_value(self, name: str, value: Any, statement: Statement, error: UnknownConstantError) -> Finding:
        where = self._place(statement)
        if error.is_changed:
            what = f"{name}, {describe_value(value)}, isn't what its statements give now"
            return Finding(what, where, f"run {statement.cell.place} again, or write the value of {name} as a constant")
        what = f"{name}, {describe_value(value)}, exists in the kernel only: {error}"
        way_out = error.hint or f"make it in a task, pass it as an input, or write {name} as a constant"
        return Finding(what, where, way_out)

    def _of_entity(self, name: str, entity: Any, where: str) -> Iterator[Finding]:
        if is_remote(entity):
            yield Finding(
                f"{name} was fetched from a cluster", where, "declare it with @reference_task or @reference_workflow"
            )
            return
        if not is_map(entity) and is_stub(entity):
            yield Finding(f"{name} has no body yet", where, "write it, or return a value of its type for now")
        function = function_of(map_target(entity) if is_map(entity) else entity)
        inner = getattr(function, "__name__", "")
        if inner == "<lambda>":
            yield Finding(
                f"the function of {name} is a lambda, which has no name on a cluster", where, "write it with def"
            )

    # --- code --------------------------------------------------------------------------------------------------------

    def _of_code(self) -> Iterator[Finding]:
        for statement in self._needed.statements:
            if _imports_main(statement):
                hint = "read the names themselves, without __main__"
                yield Finding("the notebook's namespace is read as a module", self._place(statement), hint)
            if "__name__" in statement.reads | statement.reads_later and _reads_own_name(statement.tree):
                hint = "leave the condition or the name out"
                severity: Severity = "error" if "__name__" in statement.reads else "warning"
                yield Finding("__name__ is '__main__' in a notebook only", self._place(statement), hint, severity)
        for function in self._reached.unknown(self._needed.statements):
            name = function.__qualname__
            holder = self._name_of(function)
            what = f"{holder or name} holds code that no cell gives now, of the function {name}"
            hint = "run the cells again that define and use it; put what replaces a function into a cell"
            yield Finding(what, f"line {function.__code__.co_firstlineno} of its cell", hint)

    def _name_of(self, function: Any) -> str:
        for name in self._needed.names:
            value = self._namespace.get(name)
            held = function_of(value) if is_entity(value) else value
            if held is function or getattr(held, "__wrapped__", None) is function:
                return name
        return ""

    def _of_held_state(self) -> Iterator[Finding]:
        """Find defaults and attributes of classes that have changed since the definition ran."""
        constants = Constants(self._needed)
        for statement in sorted(self._needed.statements, key=self._needed.position):
            tree = statement.tree
            if isinstance(tree, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                for name in changed_state(tree, self._namespace.get(tree.name), self._namespace):
                    what = f"{name} isn't what its definition gives now"
                    yield Finding(what, self._place(statement), f"run {statement.cell.place} again")
                for name, expression in evaluated(tree).items():
                    if constants.depends_on_order(expression):
                        what = f"{tree.name}.{name} depends on the order of a set, which is another in each process"
                        yield Finding(what, self._place(statement), "give the set an order: sorted(…)")
        for statement, read in StaleReads(self._needed, self._cells).find():
            made = min(statement.binds, default="a statement")
            what = f"{made} was defined with an earlier value of {read}"
            yield Finding(what, self._place(statement), f"run {statement.cell.place} again")

    def _of_paths(self) -> Iterator[Finding]:
        for statement in sorted(self._needed.statements, key=self._needed.position):
            for text in find_local_paths(_texts_in(statement)):
                hint = "pass the file as an input, or name a storage that pods reach"
                yield Finding(f"{text!r} is a path of this machine", self._place(statement), hint, "warning")

    # --- secrets -----------------------------------------------------------------------------------------------------

    def _of_secrets(self) -> Iterator[Finding]:
        for statement in sorted(self._needed.statements, key=self._needed.position):
            for what in _secrets_in(statement) or self._secrets_made_by(statement):
                yield Finding(f"{what} that looks like a secret", self._place(statement), _SECRET_HINT)
        if has_known_form(self._head.text) and self._head.first not in self._needed.statements:
            yield Finding("a comment has a text that looks like a secret", self._place(self._head.first), _SECRET_HINT)

    def _secrets_made_by(self, statement: Statement) -> tuple[str, ...]:
        """Return the names that a statement gives a secret which it puts together, as `f"postgres://{U}:{P}@h"`."""
        if statement.is_definition or statement.is_import:
            return ()
        texts = {
            name: plain_text(self._namespace.get(name)) for name in sorted(statement.binds & {*self._needed.names})
        }
        secret = [name for name, text in texts.items() if has_secret(text) or (text and is_secret_of(name, text))]
        return tuple(f"{name} is set to a text" for name in secret)

    def _place(self, statement: Statement | None, name: str = "") -> str:
        """Return the cell and the line of a statement, or of the first use of a name in it."""
        if statement is None:
            return ""
        nodes = statement.nodes if name else ()
        used = [node.lineno for node in nodes if isinstance(node, ast.Name) and node.id == name]
        return f"{statement.cell.place}, line {min(used, default=statement.tree.lineno)}"


@once_per_source
def _secrets_in(statement: Statement) -> tuple[str, ...]:
    arguments = f"f({statement.cell.arguments})" if statement.decorates else ""
    found = (*find_secrets(statement.nodes), *find_secrets([*ast.walk(parse(arguments))]))
    return found or (("a comment has a text",) if has_known_form(f"{statement.above}\n{statement.text}") else ())


def _reads_own_name(tree: ast.stmt) -> bool:
    """Whether a statement reads `__name__` for anything but the name of a logger."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = {id(each) for call in calls if "logger" in ast.unparse(call.func).lower() for each in call.args}
    return any(isinstance(n, ast.Name) and n.id == "__name__" and id(n) not in named for n in ast.walk(tree))


@once_per_source
def _texts_in(statement: Statement) -> frozenset[str]:
    nodes = (node.value for node in statement.nodes if isinstance(node, ast.Constant))
    return frozenset(value for value in nodes if isinstance(value, str))


@once_per_source
def _imports_main(statement: Statement) -> bool:
    may_import = "__main__" in statement.text or not statement.text.isascii()
    return may_import and "import __main__" in ast.unparse(statement.tree)


@once_per_source
def _is_output_of_magic(statement: Statement) -> bool:
    return not statement.is_definition and any(
        isinstance(node, ast.Name) and node.id == "get_ipython" for node in statement.nodes
    )


def name_of_entity(entity: Any, namespace: Mapping[str, Any]) -> str | None:
    """Return the variable that holds an entity, its own name first, then one that is public."""
    names = [name for name, value in namespace.items() if value is entity and not _SHELL_OUTPUT.fullmatch(name)]
    own = short_name(entity)
    return own if own in names else min(names, key=lambda name: name.startswith("_"), default=None)


def _replaces_builtin(name: str, value: Any) -> bool:
    """Whether a name is IPython's own form of a builtin, as `open` is."""
    return hasattr(builtins, name) and getattr(value, "__wrapped__", None) is getattr(builtins, name)
