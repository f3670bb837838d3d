"""`%flyte debug`: what a failed node was given as variables, its body as a cell, and `%debug` where it failed."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
import textwrap
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flytenb.display.runs.stack_frames import cut
from flytenb.errors import UnknownNameError, UsageError, closest, is_foreign, is_library
from flytenb.wording.values import clean

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from flytenb.runner.failure import Failure
    from flytenb.runner.node_run import NodeRun
    from flytenb.runner.run import Run


_OF_THE_SHELL = re.compile(r"_+|_i*\d*|_dh|_oh|_ih|In|Out")
"""Where IPython keeps what went in and came out."""


@dataclass(frozen=True, repr=False)
class Debugging:
    """What was put where; shows itself as a few lines.

    Attributes:
        place: which node of which run.
        variables: each input's name and the variable that now holds it.
        body: the cell that was made, `""` if the node's body can't be read.
        has_frames: whether it failed in this process, in Python.
    """

    place: str
    variables: tuple[tuple[str, str], ...]
    body: str
    has_frames: bool

    def __repr__(self) -> str:
        told = [f"{name} is in {variable}" if name != variable else name for name, variable in self.variables]
        taken = any(name != variable for name, variable in self.variables)
        lines = [self.place]
        lines.append(f"  inputs as variables: {', '.join(told) or 'it has none'}")
        if taken:
            lines.append("  names that were taken have been left alone")
        lines.append("  its body is in the next cell" if self.body else "  it has no function that could be tried here")
        if self.has_frames:
            lines.append("  %debug goes to where it failed")
        else:
            lines.append("  it failed elsewhere: %debug has no frame of it")
        return "\n".join(lines)


def last_failed(runs: Iterable[Run]) -> Run:
    """Return the latest run that failed.

    Raises:
        UsageError: if none has.
    """
    failed = [run for run in runs if run.error is not None]
    if not failed:
        raise UsageError("no run has failed yet", hint="%flyte runs lists them")
    return failed[-1]


def debug(shell: Any, runs: Iterable[Run], wanted: str, names: set[str]) -> Debugging:
    """Put a failed node's inputs into the notebook's variables and its body into a new cell.

    Args:
        shell: the notebook.
        runs: those that are remembered, oldest first.
        wanted: the node's path or its entity's name; `""` is the node that failed.
        names: what functions in such cells have been called so far; a name of the notebook's own is left alone.

    Raises:
        UsageError: if no run has failed.
        UnknownNameError: if that node has not failed in the latest failed run.
    """
    run = last_failed(runs)
    failure = find_failure(run, wanted)
    node = run.nodes[failure.path]
    variables = assign(shell.user_ns, failure.inputs)
    shell.push({variable: failure.inputs[name] for name, variable in variables})
    body = body_cell(node, variables, {name for name in shell.user_ns if name not in names})
    if body:
        names.add(_name_in(body))
        shell.set_next_input(body, replace=False)
    has_frames = failed_here(failure.exception)
    if has_frames:
        point_debugger(shell, failure.exception)
    name = _node_name(run, failure.path)
    place = cut(clean(f"node {failure.path}{name} of {run.name}: {failure}".splitlines()[0]))
    return Debugging(place, variables, body, has_frames)


def find_failure(run: Run, wanted: str) -> Failure:
    """Return the failure at a node; of a container, the failure inside it that made it fail.

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


def assign(namespace: Mapping[str, Any], inputs: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Choose a variable for each input: its own name, unless that holds or means something else."""

    def is_taken(variable: str) -> bool:
        return keyword.iskeyword(variable) or hasattr(builtins, variable) or bool(_OF_THE_SHELL.fullmatch(variable))

    chosen: list[tuple[str, str]] = []
    for name, value in inputs.items():
        variable, number = name, 0
        while is_taken(variable) or (variable in namespace and namespace[variable] is not value):
            number += 1
            variable = f"{name}_{number}"
        chosen.append((name, variable))
    return tuple(chosen)


def body_cell(node: NodeRun, variables: tuple[tuple[str, str], ...], taken: Container[str] = ()) -> str:
    """Return a cell that holds the node's function, undecorated and under a name that is free, and calls it."""
    from flytenb.bridge.entities.source import source_of

    source = textwrap.dedent(source_of(node.entity)) if node.entity is not None else ""
    try:
        function = next(s for s in ast.parse(source).body if isinstance(s, ast.FunctionDef | ast.AsyncFunctionDef))
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


def _name_in(body: str) -> str:
    statement = ast.parse(body).body[0]
    assert isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef)
    return statement.name


def failed_here(error: BaseException) -> bool:
    """Tell whether an error came out of a user's function in this process, below our frames; the cell is above."""
    files = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)]
    ours = [number for number, file in enumerate(files) if is_foreign(file)]
    return any(not is_foreign(file) and not is_library(file) for file in files[ours[0] if ours else 0 :])


def point_debugger(shell: Any, error: BaseException) -> None:
    """Let `%debug` begin where a node failed, with the real frames; a card leaves IPython's own traceback untouched."""
    tracer = getattr(shell, "InteractiveTB", None)
    if tracer is not None:
        tracer.tb = error.__traceback__


def _node_name(run: Run, path: str) -> str:
    node = run.graph.nodes.get(path)
    return f" ({node.name})" if node is not None else ""
