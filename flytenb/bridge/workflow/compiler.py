"""Compilation of workflow functions, with the checks that flytekit leaves to the cluster.

Runs, graphs and the extension's direct calls all compile through here.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import wraps
from typing import Any

from flytekit.core.base_task import Task
from flytekit.core.condition import BranchNode
from flytekit.core.context_manager import FlyteEntities
from flytekit.core.launch_plan import LaunchPlan
from flytekit.core.promise import Promise, binding_data_from_python_std
from flytekit.core.reference_entity import ReferenceEntity
from flytekit.core.workflow import PythonFunctionWorkflow, WorkflowBase

from flytenb.bridge import private
from flytenb.bridge.context import at_rest, compile_lock
from flytenb.bridge.crossing.literal import drive, run_on_loop
from flytenb.bridge.entities.interface import is_stub
from flytenb.bridge.patch import Patch, SharedPatch
from flytenb.bridge.stopping import current_attempt, shielded
from flytenb.bridge.workflow.compile_errors import (
    FLYTEKIT_COMPILE,
    check_returned,
    compile_located,
    refuse_cycles,
    refuse_unannounced,
)
from flytenb.bridge.workflow.type_checks import refuse_wrong_inputs, refuse_wrong_outputs
from flytenb.errors import DefinitionError

_WRITTEN = re.compile(r"Promise\(node:[\w-]*\.\w+\.\[")
"""The text of a promise, as `str()` gives it."""


observers: list[Callable[[Any], None]] = []
"""Called with each workflow just before it is compiled: a change during the compile belongs to the next one."""
_nodes: weakref.WeakKeyDictionary[Any, list[Any]] = weakref.WeakKeyDictionary()
"""The nodes that a workflow was compiled to here: each compile makes another list."""


def is_known(workflow: Any) -> bool:
    """Tell whether the nodes that a workflow has now were compiled, and so checked, here."""
    return _nodes.get(workflow) is private.compiled_nodes(workflow)


def compiled_workflows() -> list[Any]:
    """Return the workflows that are compiled, as far as flytekit or flytenb knows them."""
    listed = [entity for entity in FlyteEntities.entities if isinstance(entity, PythonFunctionWorkflow)]
    return [workflow for workflow in {id(w): w for w in (*listed, *_nodes)}.values() if workflow.compiled]


def compile_workflow(workflow: Any, given: Mapping[str, Any] | None = None, *, is_dynamic: bool = False) -> Any:
    """Compile a workflow and those that its body calls, unless it is compiled already.

    flytekit marks a workflow as compiled before it compiles it. Here a workflow that failed to compile is restored, so
    that it fails every time. A stub compiles to nothing.

    Args:
        workflow: a workflow of a function.
        given: the values of its inputs if it is the inside of a dynamic task.
        is_dynamic: whether it is the inside of a dynamic task, which may return promises without declaring outputs.

    Returns:
        What flytekit's own `compile` returns.

    Raises:
        DefinitionError: for what a cluster would refuse.
        Exception: what the workflow's function or flytekit raises.
    """
    if workflow.compiled:  # before the lock: reading a compiled workflow must not wait for another compile
        return None
    if is_dynamic:  # only this thread has it, and its function may take long
        return _compile(workflow, given or {}, is_dynamic=True)
    with shielded(), compile_lock:
        if workflow.compiled:  # by another thread in the meantime
            return None
        with at_rest():
            for observe in observers:
                observe(workflow)
            made = _compile(workflow, given or {}, is_dynamic=False)
            _nodes[workflow] = private.compiled_nodes(workflow)
            return made


def _compile(workflow: Any, given: Mapping[str, Any], *, is_dynamic: bool) -> Any:
    if is_stub(workflow):
        workflow.compiled = True
        return None
    try:
        call = current_attempt().run if is_dynamic else _call
        with ExitStack() as patches:
            for patch in PATCHES:
                patches.enter_context(patch)
            returned = patches.enter_context(private.returned_noted(workflow, call))
            made = compile_located(workflow, lambda: FLYTEKIT_COMPILE(workflow, **given))
        if not is_dynamic:
            refuse_unannounced(workflow, returned[0])
        _check_inside(workflow, given)
        check_returned(workflow, refuse_wrong_outputs)
    except BaseException:
        private.forget_compiled(workflow)
        raise
    return made


def ensure_compiled(workflow: Any) -> None:
    """Compile a workflow unless it was compiled here; flytekit's own compile may have failed and checks less."""
    if not (workflow.compiled and is_known(workflow)):
        with shielded(), compile_lock:
            private.forget_compiled(workflow)
            compile_workflow(workflow)


def check_composed(workflow: Any) -> None:
    """Check an imperative workflow.

    Raises:
        DefinitionError: for what a cluster would refuse, with the place.
    """
    _check_inside(workflow)
    refuse_wrong_outputs(workflow)


def _check_inside(workflow: Any, given: Mapping[str, Any] | None = None) -> None:
    refuse_cycles(workflow)
    refuse_written_promises(workflow, given)
    refuse_wrong_inputs(workflow, all_nodes(workflow))


def _call(function: Any, inputs: Mapping[str, Any]) -> Any:
    return function(**inputs)


def _check_nested(_: Any) -> Any:
    """Compile the workflows that a body calls with the same checks."""

    def compile_nested(workflow: Any, **given: Any) -> Any:
        return compile_workflow(workflow, given, is_dynamic=bool(given))

    return compile_nested


def _convert_here(_: Any) -> Any:
    """Convert constants on the thread that compiles: an error of a user's transformer ends no loop thread."""

    def run(runner: Any, coroutine: Any) -> Any:
        return drive(coroutine) if _binds_promise(coroutine) else run_on_loop(coroutine)

    return run


def _binds_promise(coroutine: Any) -> bool:
    """Whether a coroutine makes the binding of another node's output, which waits for nothing."""
    if coroutine.cr_code is not binding_data_from_python_std.__code__:
        return False
    value = coroutine.cr_frame.f_locals["t_value"]
    return isinstance(value, Promise) and not value.is_ready


def _shield(original: Any) -> Any:
    """Defer stop requests while the body of a dynamic task makes a node: flytekit's own code isn't interrupted."""

    @wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        with shielded():
            return original(*args, **kwargs)

    return call


PATCHES = tuple(
    SharedPatch(patch)
    for patch in (
        Patch(PythonFunctionWorkflow, "compile", _check_nested, "core/workflow.py:822"),
        Patch(private.loop_runners()[0], "run", _convert_here, "utils/asyn.py:71"),
        Patch(Task, "__call__", _shield, "core/base_task.py:372"),
        Patch(WorkflowBase, "__call__", _shield, "core/workflow.py:292"),
        Patch(LaunchPlan, "__call__", _shield, "core/launch_plan.py:483"),
        Patch(ReferenceEntity, "__call__", _shield, "core/reference_entity.py:191"),
    )
)
"""Patches that are applied while a workflow compiles."""


def refuse_written_promises(workflow: Any, given: Mapping[str, Any] | None = None) -> None:
    """Raise for an input or output that contains the text of a promise, as an f-string in a workflow makes it.

    Args:
        workflow: a compiled workflow.
        given: the values that a dynamic task was called with; a text in one of them is the user's own.
    """
    inputs = ((f"the input {b.var!r} of {node.id}", b) for node in all_nodes(workflow) for b in node.bindings)
    outputs = ((f"the output {b.var!r}", b) for b in private.compiled_outputs(workflow))
    for place, binding in (*inputs, *outputs):
        for text in _texts(binding.binding):
            found = _WRITTEN.search(text)
            if found is None or any(found[0] in repr(value) for value in (given or {}).values()):
                continue
            raise DefinitionError(
                f"{workflow.short_name}: {place} would be the text {text!r}",
                hint="in a workflow a task's output is a promise, also in an f-string or str(): "
                "make the text inside a task",
            )


def _texts(data: Any) -> Iterator[str]:
    """Yield the strings in a binding, at any depth."""
    if data.collection is not None:
        for inner in data.collection.bindings:
            yield from _texts(inner)
    elif data.map is not None:
        for inner in data.map.bindings.values():
            yield from _texts(inner)
    elif data.scalar is not None and data.scalar.primitive is not None:
        yield data.scalar.primitive.string_value or ""


def all_nodes(workflow: Any) -> Iterator[Any]:
    """Yield the nodes of a workflow, those inside its conditionals and its failure handler too."""
    from flytenb.bridge.workflow.node_paths import name_nodes

    nodes = private.compiled_nodes(workflow)
    handler = private.failure_node(workflow)
    if not any(isinstance(node.flyte_entity, BranchNode) for node in nodes):
        yield from nodes
    else:
        scope = name_nodes(nodes, private.compiled_outputs(workflow))
        for level in scope.levels.values():
            yield from level
    if handler is not None and all(node is not handler for node in nodes):
        yield handler
