"""Retrying a failed node by hand: its inputs as variables, its function as a cell; the shell does the rest."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
import textwrap
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flytenb.display.runs.stack_frames import cut
from flytenb.errors import UnknownNameError, UsageError, closest, is_foreign, is_library
from flytenb.reach.syntax_trees import parse
from flytenb.wording.values import clean

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from flytenb.runner.failure import Failure
    from flytenb.runner.node_run import NodeRun
    from flytenb.runner.run import Run


_SHELL_NAMES = re.compile(r"_+|_i*\d*|_dh|_oh|_ih|In|Out")
"""Variables in which IPython keeps inputs and outputs."""


@dataclass(frozen=True, repr=False)
class Debugging:
    """What is needed to retry a failed node; its repr describes it in a few lines.

    Attributes:
        place: the node, its run and the error, in one line.
        variables: each input's name and the variable to assign it to.
        values: the inputs by variable.
        body: the text of a cell with the node's function and a call, `""` if it has no readable function.
        function: the name of the function in `body`, `""` without one.
        error: the exception.
        has_frames: whether the exception has frames of the failed function, in this process.
    """

    place: str
    variables: tuple[tuple[str, str], ...]
    values: Mapping[str, Any] = field(repr=False)
    body: str
    function: str
    error: BaseException
    has_frames: bool

    def __repr__(self) -> str:
        assigned = [f"{name} is in {variable}" if name != variable else name for name, variable in self.variables]
        lines = [self.place, f"  inputs as variables: {', '.join(assigned) or 'none'}"]
        if any(name != variable for name, variable in self.variables):
            lines.append("  variables of the same name were left unchanged")
        lines.append("  its function is in the next cell" if self.body else "  it has no Python function to call here")
        if self.has_frames:
            lines.append("  %debug opens the frame that failed")
        else:
            lines.append("  it failed outside of this process: %debug has no frame of it")
        return "\n".join(lines)


def last_failed(runs: Iterable[Run]) -> Run:
    """Return the latest run that failed.

    Raises:
        UsageError: if none has.
    """
    failed = [run for run in runs if run.error is not None]
    if not failed:
        raise UsageError("no run has failed yet", hint="%flyte runs lists the runs")
    return failed[-1]


def debugging(run: Run, wanted: str, namespace: Mapping[str, Any], reusable: Container[str] = ()) -> Debugging:
    """Return what is needed to retry a node of a failed run.

    Args:
        run: a run that failed.
        wanted: the node's path or its entity's name; `""` is the node that made the run fail.
        namespace: the notebook's variables, which are left unchanged.
        reusable: names of functions that may be redefined, since an earlier call has chosen them.

    Raises:
        UnknownNameError: if that node has not failed.
    """
    failure = find_failure(run, wanted)
    chosen = choose_variables(namespace, failure.inputs)
    body = body_cell(run.nodes[failure.path], chosen, {name for name in namespace if name not in reusable})
    node = run.graph.nodes.get(failure.path)
    name = f" ({node.name})" if node is not None else ""
    return Debugging(
        place=cut(clean(f"node {failure.path}{name} of {run.name}: {failure}".splitlines()[0])),
        variables=chosen,
        values={variable: failure.inputs[name] for name, variable in chosen},
        body=body,
        function=_function_name(body) if body else "",
        error=failure.exception,
        has_frames=has_user_frames(failure.exception),
    )


def find_failure(run: Run, wanted: str) -> Failure:
    """Return the failure of a node; for a container node, the failure inside it that made it fail.

    Raises:
        UnknownNameError: with the nodes that did fail.
    """
    failures = {n.path: n.error for n in run.nodes.values() if n.error is not None}
    if not wanted:
        assert run.error is not None
        return run.error.within(failures.values())
    named = [p for p, n in run.graph.nodes.items() if n.name == wanted and p in failures]
    found = failures.get(wanted) or (failures.get(named[0]) if named else None)
    if found is None:
        raise UnknownNameError(f"no node {wanted!r} failed in the run of {run.name!r}", hint=closest(wanted, failures))
    return found


def choose_variables(namespace: Mapping[str, Any], inputs: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Choose a variable for each input: its own name, or with a number if that name has another meaning."""

    def is_reserved(variable: str) -> bool:
        return keyword.iskeyword(variable) or hasattr(builtins, variable) or bool(_SHELL_NAMES.fullmatch(variable))

    chosen: list[tuple[str, str]] = []
    for name, value in inputs.items():
        variable, number = name, 0
        while is_reserved(variable) or (variable in namespace and namespace[variable] is not value):
            number += 1
            variable = f"{name}_{number}"
        chosen.append((name, variable))
    return tuple(chosen)


def body_cell(node: NodeRun, variables: tuple[tuple[str, str], ...], taken: Container[str] = ()) -> str:
    """Return a cell with the node's function, undecorated and renamed to a free name, and a call of it."""
    from flytenb.bridge.entities.source import source_of

    source = textwrap.dedent(source_of(node.entity)) if node.entity is not None else ""
    try:
        function = next(s for s in parse(source).body if isinstance(s, ast.FunctionDef | ast.AsyncFunctionDef))
    except (SyntaxError, StopIteration):
        return ""
    lines = source.splitlines()[function.lineno - 1 :]
    name, number = f"_{function.name}", 0
    while name in taken:
        number += 1
        name = f"_{function.name}_{number}"
    lines[0] = re.sub(rf"\bdef\s+{re.escape(function.name)}\b", f"def {name}", lines[0], count=1)
    given = ", ".join(f"{name}={variable}" for name, variable in variables)
    called = f"await {name}({given})" if isinstance(function, ast.AsyncFunctionDef) else f"{name}({given})"
    return "\n".join([*lines, "", "", called])


def _function_name(body: str) -> str:
    statement = parse(body).body[0]
    assert isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef)
    return statement.name


def has_user_frames(error: BaseException) -> bool:
    """Tell whether an exception has frames of a user's function below ours; the calling cell is above them."""
    files = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)]
    ours = [number for number, file in enumerate(files) if is_foreign(file)]
    return any(not is_foreign(file) and not is_library(file) for file in files[ours[0] if ours else 0 :])
