"""The statements of a notebook that define entities, chosen by their text before anything runs."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Sequence

from flytenb.locks import cached_property
from flytenb.reach.mutators import changes_container
from flytenb.ship.module_head import read_head
from flytenb.ship.needed_statements import subclass_hook
from flytenb.ship.statement_names import Definition
from flytenb.ship.statements import Statement

_SETUP_MAGICS = ("autoreload", "cd", "config", "env", "load_ext", "reload_ext", "run", "set_env")
"""Line magics that change what later cells find."""
_SETUP = ("sys.path", "os.environ", "os.chdir", "os.putenv")
"""What is changed for everything that follows."""
_SETTING = re.compile(
    r"set|use|seed|manual_seed|register|config|basicConfig|filterwarnings|simplefilter|enable|disable"
)
"""Functions of modules that change settings; others display, send or write something."""
_CONNECTING = ("FlyteRemote", "SynchronousFlyteClient")
_MAKERS = frozenset(["task", "workflow", "dynamic", "eager"])
"""flytekit's decorators, which other decorators may call."""
_ACTING = (ast.Expr, ast.If, ast.For, ast.While, ast.With, ast.Try)
"""Statements that may act on what others define."""


class DefiningStatements:
    """Chooses statements: definitions of entities and all that these may need.

    A statement is chosen if it binds or changes a name that is needed, or calls a method of it. Experiments aren't:
    magics such as `%flyte run`, displays, calls of entities, and what uses their results.

    Args:
        program: all statements, in their order.
    """

    def __init__(self, program: Sequence[Statement]) -> None:
        self._program = program
        self._origins = dict(_imported(program))
        self._definitions = {name: s.tree for s in program if s.is_definition for name in s.binds}
        self._by_name = {name: s for s in program if s.is_definition for name in s.binds}

    @cached_property
    def entities(self) -> list[str]:
        """The names that seem to be those of tasks, workflows and launch plans, in the order of their cells."""
        found = [name for s in self._program if self._defines_entity(s) for name in sorted(s.binds)]
        return [name for name in dict.fromkeys(found) if not name.startswith("_")]

    def choose(self, names: Collection[str] = ()) -> set[Statement]:
        """Return the statements for some names; by default for all entities."""
        needed = set(names or self.entities)
        head = read_head(self._program)
        chosen: set[Statement] = {head.first} if head.has_docstring and head.first is not None else set()
        while added := [s for s in self._program if s not in chosen and self._is_needed(s, needed)]:
            chosen.update(added)
            for statement in added:
                needed |= statement.reads | statement.reads_later | statement.mentions | statement.binds
                needed |= {name for name, _ in statement.changes}
        return chosen

    # --- entities ----------------------------------------------------------------------------------------------------

    def _defines_entity(self, statement: Statement) -> bool:
        return statement.decorates or self._makes_entity(statement.tree)

    def _makes_entity(self, tree: ast.stmt) -> bool:
        """Whether a statement, or one in its blocks, seems to bind an entity."""
        if isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef):
            return any(self._is_flytes(each) or self._is_maker(each) for each in tree.decorator_list)
        if isinstance(tree, ast.Assign | ast.AnnAssign):
            return any(isinstance(each, ast.Call) and self._is_flytes(each) for each in _values(tree.value))
        return not isinstance(tree, ast.ClassDef) and any(map(self._makes_entity, _inner(tree)))

    def _is_maker(self, expression: ast.expr) -> bool:
        """Whether an expression begins with a name of the notebook whose definition uses a decorator of flytekit."""
        return bool(self._decorators_used.get(_root(expression)))

    @cached_property
    def _decorators_used(self) -> dict[str, frozenset[str]]:
        decorators = {name for name, origin in self._origins.items() if origin.startswith("flytekit")} & _MAKERS
        made = [s for s in self._program if isinstance(s.tree, ast.FunctionDef) or _is_call(s.tree)]
        used = {s: (s.reads_later if s.is_definition else s.reads) & decorators for s in made}
        return {name: names for s, names in used.items() for name in s.binds}

    def _is_flytes(self, expression: ast.expr) -> bool:
        """Whether an expression begins with a name of flytekit or a class derived from one: it may make an entity."""
        root = _root(expression)
        origin = self._origins.get(root, "").partition(".")[0]
        if origin == "flytenb":
            return ast.unparse(expression).startswith((f"{root}.container(", "container("))
        if origin.startswith("flytekit"):
            return not any(name in ast.unparse(expression) for name in _CONNECTING)
        tree = self._definitions.get(root)
        bases = tree.bases if isinstance(tree, ast.ClassDef) else []
        return any(_root(base) != root and self._is_flytes(base) for base in bases)

    @cached_property
    def _results(self) -> set[str]:
        """The names that hold results of experiments."""
        found: set[str] = set()
        for statement in self._program:
            is_result = any(map(self._is_experiment, _calls(statement.tree))) or statement.reads & found
            if is_result and not statement.is_definition:
                found |= statement.binds
        return found

    def _is_experiment(self, call: ast.Call) -> bool:
        root = _root(call.func)
        if root == "get_ipython":
            return getattr(call.args[0], "value", "") == "flyte" if call.args else False
        is_flytenbs = self._origins.get(root, "").partition(".")[0] == "flytenb"
        is_call_of_entity = isinstance(call.func, ast.Name) and root in self.entities
        return is_call_of_entity or (is_flytenbs and not self._is_flytes(call))

    # --- what else must run ------------------------------------------------------------------------------------------

    def _is_needed(self, statement: Statement, needed: set[str]) -> bool:
        tree = statement.tree
        magic = _magic_of(tree)
        if magic:
            return magic in _SETUP_MAGICS
        is_future = isinstance(tree, ast.ImportFrom) and tree.module == "__future__"
        if is_future or "*" in statement.binds or ast.unparse(tree).startswith(_SETUP):
            return True
        if not statement.binds.isdisjoint(needed) or any(name in needed for name, _ in statement.changes):
            return True
        if isinstance(tree, Definition):
            return self._adds_to(tree, needed)
        if not isinstance(tree, _ACTING) or statement.reads & self._results:
            return False
        calls = list(_calls(tree))
        return any(self._acts_on(call, needed) for call in calls) and not any(map(self._is_experiment, calls))

    def _adds_to(self, tree: Definition, needed: set[str]) -> bool:
        """Whether something that is needed gets to know a definition: by a decorator, or as a subclass."""
        for decorator in tree.decorator_list:
            called = getattr(decorator, "func", decorator)
            root = _root(called)
            if isinstance(called, ast.Attribute) and root in needed and root not in self._origins:
                return True
            if not self._changed_by.get(root, frozenset()).isdisjoint(needed):
                return True
        bases = tree.bases if isinstance(tree, ast.ClassDef) else []
        return any(_root(base) in needed and self._knows_subclasses(_root(base)) for base in bases)

    def _knows_subclasses(self, name: str) -> bool:
        """Whether code of a class, of the notebook, may run when a subclass is defined."""
        tree = self._definitions.get(name)
        if not isinstance(tree, ast.ClassDef):
            return False
        has_own = any(each.arg == "metaclass" for each in tree.keywords) or subclass_hook(tree) is not None
        return has_own or any(_root(base) != name and self._knows_subclasses(_root(base)) for base in tree.bases)

    @cached_property
    def _changed_by(self) -> dict[str, frozenset[str]]:
        """The names whose objects the functions of the notebook may change, or that they set."""
        return {
            name: statement.sets | frozenset(_changed_in(statement.tree)) for name, statement in self._by_name.items()
        }

    def _acts_on(self, call: ast.Call, needed: set[str]) -> bool:
        """Whether a call may change something that is needed: by a method, or by a function that sets names."""
        root = _root(call.func)
        if isinstance(call.func, ast.Name):
            function = self._by_name.get(root)
            return function is not None and (not self._changed_by[root].isdisjoint(needed) or _registers(function))
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if root not in self._origins:
            return root in needed
        is_setting = _SETTING.match(method) is not None
        return is_setting and (root in needed or (method.startswith("register") and self._is_flytes(call.func)))


def _imported(program: Sequence[Statement]) -> Iterator[tuple[str, str]]:
    """Yield the names that are imported, each with its module."""
    for statement in program:
        tree = statement.tree
        if isinstance(tree, ast.ImportFrom):
            yield from ((alias.asname or alias.name, f"{tree.module}") for alias in tree.names)
        elif isinstance(tree, ast.Import):
            yield from ((alias.asname or alias.name.partition(".")[0], alias.name) for alias in tree.names)


def _inner(tree: ast.AST) -> Iterator[ast.stmt]:
    """Yield the statements in the blocks of a statement."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.stmt):
            yield child
        elif isinstance(child, ast.ExceptHandler | ast.match_case):
            yield from _inner(child)


def _values(value: ast.expr | None) -> Iterator[ast.expr]:
    """Yield what an assignment may bind: the elements of a tuple, both sides of a condition."""
    if isinstance(value, ast.Tuple | ast.List):
        for each in value.elts:
            yield from _values(each)
    elif isinstance(value, ast.IfExp):
        yield from (*_values(value.body), *_values(value.orelse))
    elif value is not None:
        yield value


def _is_call(tree: ast.stmt) -> bool:
    """Whether a statement assigns what a call returns: `cached = partial(task, cache=True)`."""
    return isinstance(tree, ast.Assign) and isinstance(tree.value, ast.Call)


def _registers(function: Statement) -> bool:
    return any(attribute.startswith("register") for attribute in function.attributes)


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _changed_in(tree: ast.AST) -> Iterator[str]:
    """Yield the names with which what code changes begins: `TABLE.append(1)`, `TABLE["a"] = 1`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if changes_container(node.func.attr):
                yield _root(node.func)
        elif isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            yield _root(node)


def _root(expression: ast.AST) -> str:
    """Return the name that an expression begins with."""
    while isinstance(expression, ast.Attribute | ast.Call | ast.Subscript | ast.Await):
        expression = expression.func if isinstance(expression, ast.Call) else expression.value
    return expression.id if isinstance(expression, ast.Name) else ""


def _magic_of(tree: ast.stmt) -> str:
    """Return the name of the line magic or shell command that a statement consists of, `""` for other statements."""
    call = tree.value if isinstance(tree, ast.Expr) else None
    if not isinstance(call, ast.Call) or _root(call) != "get_ipython":
        return ""
    return str(getattr(call.args[0], "value", "?")) if call.args else "?"
