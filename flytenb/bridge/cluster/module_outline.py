"""The part of a module that its specs depend on, if it is the same whenever the module is imported.

The specs of plain modules depend on everything but the bodies of their tasks and functions, which run in pods only.
A module is plain if each statement has one of a few forms: imports of installed packages, tasks and workflows with
settings that are written out, functions, types, constants, launch plans. Its workflows call tasks and workflows only.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
import sysconfig
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SETTINGS = _words(
    "annotations cache cache_ignore_input_vars cache_serialize cache_version container_image deck_fields disable_deck "
    "enable_deck environment interruptible labels limits pod_template_name requests resources retries secret_requests "
    "shared_memory timeout"
)
"""Settings of tasks; others may read the task's code, or be given by a plugin that does."""
_MAKERS = frozenset(
    [
        *(("flytekit", name) for name in ("Resources", "Secret", "CronSchedule", "FixedRate", "kwtypes")),
        ("datetime", "timedelta"),
        ("dataclasses", "dataclass"),
        ("dataclasses", "field"),
    ]
)
"""What makes the same of the same arguments."""
_PLANS = frozenset(["create", "get_or_create"])
_STEADY = frozenset(["dataclasses", "datetime", "decimal", "enum", "flytekit", "math", "string", "typing"])
"""Packages whose variables are the same in each process; those of others are types, or may be anything."""
_PYTHON = _STEADY - {"flytekit"}
"""Packages whose classes and decorators of classes call no methods of a subclass by their public names."""
_IN_WORKFLOWS = frozenset([("flytekit", name) for name in ("conditional", "map_task", "create_node")])
_BUILTINS = _words("dict enumerate float int len list range reversed sorted str tuple zip")
_METHODS = _words("append elif_ else_ extend fail if_ is_false is_none is_true items keys then values with_overrides")
_ANNOTATION = re.compile(r"[\w.\[\], |]*")
"""Texts that are evaluated as annotations and call nothing."""
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def outline(text: str, tree: ast.Module) -> str:
    """Return a module's text without the bodies of functions, except for those that may be workflows.

    What is left says whether a body contains `return` or `yield`, which flytekit requires of a task with an output.
    """
    lines = text.split("\n")
    for function in reversed(tree.body):
        if isinstance(function, _Function) and not _may_be_workflow(function):
            [first, *others] = function.body
            body, end = (
                (others, _last_line(first)) if _is_text(first) else (function.body, _last_line_of_head(function))
            )
            if body and not lines[body[0].lineno - 1][: body[0].col_offset].strip():  # it begins the line
                begin = body[0].lineno - 1
                while begin > end and lines[begin - 1].strip()[:1] in ("", "#"):
                    begin -= 1
                cut = lines[begin : _last_line(body[-1])]
                has_output = any("return" in line or "yield" in line for line in cut)
                lines[begin : _last_line(body[-1])] = [f"\0{has_output}"]
    return "\n".join(lines)


def installed_packages(tree: ast.Module) -> tuple[tuple[str, int], ...] | None:
    """Return each package that a module imports with the time of its file, None if one isn't installed."""
    found: dict[str, int] = {}
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.level:
            return None
        for name in {module.partition(".")[0] for _, (module, _) in _imported(statement)} - sys.stdlib_module_names:
            origin = _origin_of(name)
            if origin is None:
                return None
            found[name] = origin.stat().st_mtime_ns
    return tuple(sorted(found.items()))


def is_plain(tree: ast.Module) -> bool:
    """Tell whether the specs of a module depend on its outline only."""
    bound = [name for statement in tree.body for name in _bound(statement)]
    return len(bound) == len(set(bound)) and _Module(tree).is_plain


class _Module:
    """The statements of a module, and what its names are."""

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        self._origins = {name: origin for statement in tree.body for name, origin in _imported(statement)}
        functions = [each for each in tree.body if isinstance(each, _Function)]
        self._entities = {each.name for each in functions if each.decorator_list}
        self._functions = {each.name for each in functions if not each.decorator_list}
        self._classes = {each.name: each for each in tree.body if isinstance(each, ast.ClassDef)}
        self._constants = {name for each in tree.body if isinstance(each, ast.Assign) for name in _bound(each)}
        calls = [each for each in tree.body if isinstance(each, ast.Assign) and isinstance(each.value, ast.Call)]
        self._plans = {name for each in calls for name in _bound(each)}

    @property
    def is_plain(self) -> bool:
        """Whether each statement is plain."""
        return all(map(self._is_plain, self._tree.body))

    def _is_plain(self, statement: ast.stmt) -> bool:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            return all(alias.name != "*" for alias in statement.names)
        if isinstance(statement, ast.ClassDef):
            is_plain = all(map(self._is_type, _parts(statement))) and all(map(self._is_plain_member, statement.body))
            return is_plain and not self._has_called_methods(statement)
        if isinstance(statement, _Function):
            return self._has_plain_head(statement) and self._is_plain_function(statement)
        return self._is_plain_value(statement)

    def _is_plain_value(self, statement: ast.stmt) -> bool:
        if isinstance(statement, ast.Assign):
            return all(isinstance(each, ast.Name) for each in statement.targets) and self._is_fixed(statement.value)
        if isinstance(statement, ast.AnnAssign):
            is_named = isinstance(statement.target, ast.Name)
            return is_named and self._is_type(statement.annotation) and self._is_fixed(statement.value)
        return _is_text(statement)

    # --- definitions -------------------------------------------------------------------------------------------------

    def _is_plain_member(self, statement: ast.stmt) -> bool:
        if isinstance(statement, _Function):
            is_called = statement.name.startswith("_") or statement.decorator_list
            return not is_called and self._has_plain_head(statement)
        return isinstance(statement, ast.Pass) or self._is_plain_value(statement)

    def _has_called_methods(self, tree: ast.ClassDef) -> bool:
        """Whether a library may call methods of a class while specs are made: flytekit calls `FlyteFile.extension`."""
        family, names = [tree], set[str]()
        for each in family:
            found = {n.id for part in _parts(each) for n in ast.walk(part) if isinstance(n, ast.Name)} - names
            names |= found
            family += [self._classes[name] for name in sorted(found & self._classes.keys())]
        known = {name for name, (module, _) in self._origins.items() if module.partition(".")[0] in _PYTHON}
        known |= self._classes.keys() | (vars(builtins).keys() - self._constants - self._origins.keys())
        return not names <= known and any(isinstance(each, _Function) for own in family for each in own.body)

    def _is_plain_function(self, function: _Function) -> bool:
        if not function.decorator_list:
            return True
        [called, *others] = function.decorator_list
        settings = called.keywords if isinstance(called, ast.Call) else []
        if others or (isinstance(called, ast.Call) and called.args):
            return False
        if not all(self._is_fixed(each.value) for each in settings):
            return False
        origin = self._origin(called.func if isinstance(called, ast.Call) else called)
        if origin == ("flytekit", "workflow"):
            return _may_be_workflow(function) and isinstance(function, ast.FunctionDef) and self._makes_nodes(function)
        return origin == ("flytekit", "task") and not _may_be_workflow(function) and _are_known(settings)

    def _has_plain_head(self, function: _Function) -> bool:
        annotations = [*(each.annotation for each in _arguments(function)), function.returns]
        defaults = (*function.args.defaults, *function.args.kw_defaults)
        return all(map(self._is_type, annotations)) and all(map(self._is_fixed, defaults))

    # --- expressions -------------------------------------------------------------------------------------------------

    def _is_type(self, node: ast.AST | None) -> bool:
        """Whether an annotation, decorator or base class gives the same each time."""
        if isinstance(node, ast.Constant) and type(node.value) is str:
            return _ANNOTATION.fullmatch(node.value) is not None
        return self._is_fixed(node, is_type=True)

    def _is_fixed(self, node: ast.AST | None, *, is_type: bool = False) -> bool:
        """Whether an expression gives the same each time and calls nothing of the module."""
        if isinstance(node, ast.Name):
            origin = self._origins.get(node.id, ("flytekit", ""))[0].partition(".")[0]
            is_own_code = node.id in self._functions or node.id.startswith("__")
            return not is_own_code and (is_type or origin in _STEADY)
        if isinstance(node, ast.Attribute):
            is_entity = isinstance(node.value, ast.Name) and node.value.id in self._entities
            return not is_entity and not node.attr.startswith("_") and self._is_fixed(node.value, is_type=is_type)
        if isinstance(node, ast.Call):
            arguments = (*node.args, *(each.value for each in node.keywords))
            return self._makes_same(node.func) and all(map(self._is_fixed, arguments))
        if isinstance(node, ast.Subscript | ast.Tuple | ast.List | ast.Set | ast.Dict | ast.UnaryOp | ast.BinOp):
            return all(self._is_type(each) if is_type else self._is_fixed(each) for each in ast.iter_child_nodes(node))
        return node is None or isinstance(node, ast.Constant | ast.expr_context | ast.operator | ast.unaryop)

    def _makes_same(self, function: ast.expr) -> bool:
        if isinstance(function, ast.Attribute) and function.attr in _PLANS:
            return self._origin(function.value) == ("flytekit", "LaunchPlan")
        return self._origin(function) in _MAKERS

    def _origin(self, node: ast.expr) -> tuple[str, str]:
        """Return the module and the name that an expression refers to, two empty texts if it isn't imported."""
        if isinstance(node, ast.Name):
            return self._origins.get(node.id, ("", ""))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module, name = self._origins.get(node.value.id, ("", ""))
            return (module, node.attr) if module and not name else ("", "")
        return "", ""

    # --- workflows ---------------------------------------------------------------------------------------------------

    def _makes_nodes(self, function: ast.FunctionDef) -> bool:
        """Whether the body of a workflow, which runs when the specs are made, makes nodes and nothing else."""
        nodes = [node for statement in function.body for node in ast.walk(statement)]
        stored = {node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
        own = stored | {each.arg for each in _arguments(function)}
        if own & (self._entities | self._constants | self._origins.keys()):
            return False
        calls = [node for node in nodes if isinstance(node, ast.Call)]
        making = [call for call in calls if self._origin(call.func) in _IN_WORKFLOWS]
        maps = {each.value for each in nodes if isinstance(each, ast.Assign)} & {*making}
        mapped = {t for s in nodes if isinstance(s, ast.Assign) and s.value in maps for t in _bound(s)}
        called = {call.func for call in calls}
        given = {each for call in making for each in call.args}
        holders = {node.value for node in nodes if isinstance(node, ast.Attribute) and node not in called}
        for node in nodes:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                is_own = node.id in own and (node not in called or node.id in mapped)
                is_class = node.id in self._classes and node in holders
                if not (is_own or is_class or self._may_name(node, node in called, node in given)):
                    return False
            elif isinstance(node, ast.Attribute):
                is_entity = isinstance(node.value, ast.Name) and node.value.id in self._entities
                if is_entity or node.attr.startswith("_") or (node in called and node.attr not in _METHODS):
                    return False
            elif isinstance(node, ast.Call):
                if not (isinstance(node.func, ast.Name | ast.Attribute) or node.func in making):
                    return False
            elif not isinstance(node, _PLAIN_NODES):
                return False
        return True

    def _may_name(self, node: ast.Name, is_called: bool, is_given: bool) -> bool:
        """Whether a workflow may use a name that isn't its own, as what is called or as what a map is given."""
        if node.id in self._entities | self._plans:
            return is_called or is_given
        if node.id in self._constants:
            return not is_called
        if node.id in self._origins:
            return is_called and self._origins[node.id] in _IN_WORKFLOWS | _MAKERS
        return is_called and node.id in _BUILTINS and node.id not in self._functions | self._classes.keys()


_PLAIN_NODES = (
    *(ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return, ast.If, ast.For, ast.Pass),
    *(ast.keyword, ast.Constant, ast.Name, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.Subscript, ast.Slice),
    *(ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.ListComp, ast.DictComp, ast.comprehension),
    *(ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context),
)


def _are_known(settings: list[ast.keyword]) -> bool:
    """Whether the settings of a task don't depend on its code, as the version of a cache may."""
    given = {each.arg: each.value for each in settings}
    is_off = "cache" not in given or getattr(given["cache"], "value", None) is False
    has_version = isinstance(given.get("cache"), ast.Constant) and "cache_version" in given
    return _SETTINGS.issuperset(str(each.arg) for each in settings) and (is_off or has_version)


def _imported(statement: ast.stmt) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield each name that an import binds, with its module and the name there."""
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            name = alias.asname or alias.name.partition(".")[0]
            yield name, (alias.name if alias.asname else name, "")
    elif isinstance(statement, ast.ImportFrom):
        for alias in statement.names:
            yield alias.asname or alias.name, (str(statement.module), alias.name)


def _bound(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        yield from (target.id for target in targets if isinstance(target, ast.Name))
    elif isinstance(statement, _Function | ast.ClassDef):
        yield statement.name
    yield from (name for name, _ in _imported(statement))


@cache
def _installed() -> tuple[str, ...]:
    return tuple({sysconfig.get_path(name) for name in ("purelib", "platlib")})


def _origin_of(package: str) -> Path | None:
    """Return the file of an installed package."""
    try:
        spec = find_spec(package)
    except ValueError:  # of a module without a spec
        return None
    origin = None if spec is None else spec.origin
    return Path(origin) if origin is not None and origin.startswith(_installed()) else None


def _parts(tree: ast.ClassDef) -> list[ast.expr]:
    """Return the decorators and bases of a class."""
    return [*tree.decorator_list, *tree.bases, *(each.value for each in tree.keywords)]


def _arguments(function: _Function) -> list[ast.arg]:
    given = function.args
    others = [each for each in (given.vararg, given.kwarg) if each is not None]
    return [*given.posonlyargs, *given.args, *given.kwonlyargs, *others]


def _may_be_workflow(function: _Function) -> bool:
    """Whether a function has a decorator that isn't called `task`: the body of a task runs in a pod only."""
    decorators = [each.func if isinstance(each, ast.Call) else each for each in function.decorator_list]
    return any((getattr(each, "attr", "") or getattr(each, "id", "")) != "task" for each in decorators)


def _last_line(node: ast.stmt | ast.expr) -> int:
    return node.end_lineno or node.lineno


def _last_line_of_head(function: _Function) -> int:
    parts = [*(each.annotation for each in _arguments(function)), function.returns, *function.args.defaults]
    return max([function.lineno, *(_last_line(each) for each in (*parts, *function.args.kw_defaults) if each)])


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
