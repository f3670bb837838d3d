"""Attach the workflow function's line to compile errors; reject unfinished conditionals, cycles, lost outputs."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from graphlib import CycleError, TopologicalSorter
from types import CodeType
from typing import Any, NamedTuple

from flytekit.core.condition import ConditionalSection
from flytekit.core.promise import Promise
from flytekit.core.workflow import PythonFunctionWorkflow

from flytenb.bridge import private
from flytenb.bridge.patch import Patch, SharedPatch
from flytenb.errors import DefinitionError, is_foreign, say

FLYTEKIT_COMPILE = PythonFunctionWorkflow.compile
"""flytekit's own compile, which the extension replaces."""


class _Begun(NamedTuple):
    """A conditional and the place where it begins."""

    section: ConditionalSection
    code: CodeType
    line: int

    @property
    def is_finished(self) -> bool:
        """Whether its last case is an `else_` with a result."""
        cases = self.section.cases
        is_last = bool(cases) and cases[-1].expr is None
        return is_last and (cases[-1].output_promise is not None or cases[-1].err is not None)


_begun: ContextVar[list[_Begun] | None] = ContextVar("flytenb_conditionals", default=None)


def _note_begin(begin: Callable[..., None]) -> Callable[..., None]:
    """Note where a conditional begins: flytekit drops one that has no end, with the tasks of its cases."""

    def init(self: ConditionalSection, name: str) -> None:
        begin(self, name)
        known = _begun.get()
        if known is None:
            return
        frame = sys._getframe(1)
        while is_foreign(frame.f_code.co_filename) and frame.f_back is not None:
            frame = frame.f_back
        known.append(_Begun(self, frame.f_code, frame.f_lineno))

    return init


_conditionals_noted = SharedPatch(Patch(ConditionalSection, "__init__", _note_begin, "core/condition.py:51"))
PATCHES = (_conditionals_noted,)
"""Patches that are applied while a workflow's function is called."""


def compile_located(workflow: Any, compile_body: Callable[[], Any]) -> Any:
    """Compile a workflow; raise for a conditional without an end; give errors without one a line of the function.

    Raises:
        DefinitionError: for an async function, and for a conditional without an end, at its line.
        Exception: what flytekit raises; at the `return` if it refuses the returned value.
    """
    function = inspect.unwrap(workflow.function)
    if inspect.iscoroutinefunction(function):
        error = DefinitionError(
            f"{workflow.short_name} is async, which a workflow can't be", hint="make it @eager, or leave async out"
        )
        _raise_at(error, function.__code__, _line_of(function, "def"))
    noted = _begun.set([])
    with _conditionals_noted:
        try:
            made = compile_body()
            _refuse_unfinished(workflow)
        except DefinitionError:
            raise
        except Exception as e:
            names = [frame.f_code.co_name for frame, _ in traceback.walk_tb(e.__traceback__)]
            is_in_body = any(frame.f_code is function.__code__ for frame, _ in traceback.walk_tb(e.__traceback__))
            if not is_in_body or "flytekit.core.condition." in say(e):
                _refuse_unfinished(workflow)
            if not is_in_body:
                line = _line_of(function, "" if private.FAILURE_HANDLER_CHECK in names else "return")
                _raise_at(e, function.__code__, line)
            raise
        finally:
            _begun.reset(noted)
    return made


def refuse_unannounced(workflow: Any, returned: Any) -> None:
    """Raise if a function that declares no output returned a promise, which would be lost."""
    if not workflow.python_interface.outputs and _has_promise(returned):
        function = inspect.unwrap(workflow.function)
        error = DefinitionError(
            f"{workflow.short_name} returns the output of a node, but declares no output",
            hint=f"annotate it: def {function.__name__}(…) -> type:, or leave the return out",
        )
        _raise_at(error, function.__code__, _line_of(function, "return"))


def _has_promise(value: Any, depth: int = 3) -> bool:
    if isinstance(value, (list, tuple, dict)) and depth:
        inside = value.values() if isinstance(value, dict) else value
        return any(_has_promise(inner, depth - 1) for inner in inside)
    return isinstance(value, Promise)


def check_returned(workflow: Any, check: Callable[[Any], None]) -> None:
    """Check a compiled workflow; add the `return` of its function to the traceback of the error."""
    try:
        check(workflow)
    except DefinitionError as e:
        function = inspect.unwrap(workflow.function)
        _raise_at(e, function.__code__, _line_of(function, "return"))


def refuse_cycles(workflow: Any) -> None:
    """Raise if nodes wait for each other, as with `a >> b` and `b >> a`: a run would never end.

    Nodes are compared by identity: ids restart inside a conditional, and `with_overrides(node_name=…)` may give two
    nodes the same id, for which there is a warning.
    """
    nodes = private.compiled_nodes(workflow)
    _warn_of_same_ids(workflow, nodes)
    names = {id(n): n.id for node in nodes for n in (node, *node.upstream_nodes)}
    waits = {id(node): [id(above) for above in node.upstream_nodes] for node in nodes}
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as e:
        circle = " → ".join(names[number] for number in e.args[1])
        raise DefinitionError(
            f"{workflow.short_name}: nodes wait for each other: {circle}", hint="remove one of the >>"
        ) from None


def _warn_of_same_ids(workflow: Any, nodes: Iterable[Any]) -> None:
    twice = [name for name, times in Counter(node.id for node in nodes).items() if times > 1]
    if twice:
        code = getattr(private.workflow_function(workflow), "__code__", None)
        warnings.warn_explicit(
            f"{workflow.short_name}: node_name={', '.join(map(repr, twice))} is given to more than one node. They run "
            "here, a cluster drops all but one: give each node a name of its own, in a loop node_name=f'step-{i}'",
            UserWarning,
            filename=code.co_filename if code is not None else "<workflow>",
            lineno=code.co_firstlineno if code is not None else 0,
        )


def _refuse_unfinished(workflow: Any) -> None:
    for begun in _begun.get() or ():
        if not begun.is_finished:
            error = DefinitionError(
                f"{workflow.short_name}: the conditional {begun.section.name!r} has no end",
                hint="end it with .else_().then(…) or .else_().fail('…')",
            )
            error.__suppress_context__ = True
            _raise_at(error, begun.code, begun.line)


def _raise_at(error: Exception, body: CodeType, line: int) -> None:
    """Raise an error with a frame for that line above the frames that it already has."""
    code = compile("\n" * (line - 1) + "raise error", body.co_filename, "exec", dont_inherit=True)
    exec(code.replace(co_name=body.co_name), {"error": error})


def _line_of(function: Any, what: str) -> int:
    """The line of the only `return`, of the `def` if there are several, or of the first decorator."""
    first: int = function.__code__.co_firstlineno
    try:
        lines, start = inspect.getsourcelines(function)
        statement = ast.parse(textwrap.dedent("".join(lines))).body[0]
    except (OSError, SyntaxError, TypeError):
        return first
    returns = list(_returns(statement)) if what == "return" else []
    at = returns[0].lineno if len(returns) == 1 else statement.lineno if what else 1
    return start + at - 1


def _returns(node: ast.AST) -> Iterator[ast.Return]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Return):
            yield child
        elif not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield from _returns(child)
