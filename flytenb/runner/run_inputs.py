"""Inputs of a run, checked against the interface before it starts; all bad inputs are reported in one error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from flytenb.bridge.crossing import CrossingValue, packer
from flytenb.bridge.entities.interface import (
    inner_workflow,
    kind_of,
    mock_of,
    plan_inputs,
    require_entity,
    require_local,
    short_name,
)
from flytenb.bridge.entities.stub import stub_error
from flytenb.bridge.execution.files import may_hold_copies, paths_in
from flytenb.bridge.workflow.policy import task_policy
from flytenb.bridge.workflow.reader import read_workflow, require_runnable
from flytenb.bridge.workflow.reading_cache import read_once
from flytenb.errors import InputError, closest, say
from flytenb.model import Kind
from flytenb.model.workflow import Promise, Workflow, WorkflowNode
from flytenb.reach.read_results import FileRead, reads_of
from flytenb.runner.nesting import check_run
from flytenb.runner.wiring import Wired
from flytenb.wording.text import class_name, clip_line
from flytenb.wording.types import type_text
from flytenb.wording.values import LONG, brief


@dataclass(frozen=True)
class Root:
    """An entity to run, as a workflow.

    Attributes:
        name: its short name.
        given: the inputs, with defaults.
        types: the types of the inputs.
        outputs: the types of the outputs.
        interface: flytekit's interface, by which the result is formed.
        wired: the nodes.
        problems: the faults in the names of the inputs, each with a hint.
    """

    name: str
    given: dict[str, Any]
    types: dict[str, Any]
    outputs: dict[str, Any]
    interface: Any
    wired: Wired
    problems: tuple[tuple[str, str], ...]


def root_of(entity: Any, given: Mapping[str, Any]) -> Root:
    """Return the root of a task, a workflow or a launch plan.

    Raises:
        NotAnEntityError: for anything else.
        RemoteEntityError: for an entity that was fetched from a cluster, and for a workflow that calls one.
        StubError: if it has no body yet.
        NestingError: if too many runs are started in tasks of each other.
    """
    require_entity(entity)
    require_local(entity)
    name = short_name(entity)
    check_run(name)
    kind = kind_of(entity)
    interface = entity.python_interface
    fixed, saved = plan_inputs(entity)
    filled, problems = _fill(interface, given, fixed, saved)
    is_mocked = mock_of(entity) is not None
    if kind is Kind.STUB and not is_mocked:
        raise stub_error(name)
    workflow = None if is_mocked or kind in (Kind.MAP, Kind.REFERENCE) else inner_workflow(entity)
    # A mocked workflow is a single node, which isn't in its graph.
    path = name if is_mocked and inner_workflow(entity) is not None else "n0"
    wired = (
        Wired.of(_alone(entity, path)) if workflow is None else read_once(workflow, "wired", partial(_wire, workflow))
    )
    return Root(name, filled, dict(interface.inputs), dict(interface.outputs), interface, wired, problems)


def _wire(workflow: Any) -> Wired:
    return Wired.of(require_runnable(read_workflow(workflow)))


def _alone(entity: Any, path: str) -> Workflow:
    """Return a task as the only node of a workflow with the same inputs and outputs."""
    interface = entity.python_interface
    node = WorkflowNode(
        path=path,
        kind=kind_of(entity),
        name=short_name(entity),
        entity=entity,
        bindings={name: Promise("@inputs", name, (), t) for name, t in interface.inputs.items()},
        policy=task_policy(entity),
    )
    return Workflow((node,), {name: Promise(path, name, (), t) for name, t in interface.outputs.items()})


def _fill(
    interface: Any, given: Mapping[str, Any], fixed: Mapping[str, Any], saved: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[tuple[str, str], ...]]:
    """Add the saved inputs of a launch plan and the defaults; report unknown, fixed and missing inputs."""
    problems: list[tuple[str, str]] = []
    known = [n for n in interface.inputs if n not in fixed]
    for key in given:
        if key in fixed:
            problems.append((f"input {key!r} is fixed by the launch plan to {brief(fixed[key])}", "leave it out"))
        elif key not in interface.inputs:
            problems.append((f"unexpected input {key!r}", closest(key, known) or "it has no inputs"))
    filled = {k: v for k, v in {**saved, **given}.items() if k in interface.inputs}
    for key, (declared, default) in interface.inputs_with_defaults.items():
        if key in filled:
            continue
        if default is None and not _has_default(interface, key):
            problems.append((f"missing input {key!r} ({type_text(declared)})", f"pass {key}=…"))
        else:
            filled[key] = default
    return {key: filled[key] for key in interface.inputs if key in filled}, tuple(problems)


def _has_default(interface: Any, key: str) -> bool:
    """Whether None is the default: flytekit stores None for a missing default too, so the type decides."""
    return type(None) in getattr(interface.inputs[key], "__args__", ())


def check_inputs(root: Root, *, strict: bool) -> dict[str, CrossingValue]:
    """Pack every input as its declared type.

    Raises:
        InputError: with all bad inputs: unknown, missing, or rejected by the type, with values and hints.
    """
    values: dict[str, CrossingValue] = {}
    problems = list(root.problems)
    cause: Exception | None = None
    for key, given in root.given.items():
        declared = root.types[key]
        try:
            values[key] = packer(declared, strict=strict)(given)
        except Exception as e:
            problems.append(rejection(key, given, declared, e))
            cause = cause or e
    if problems:
        hint = "; ".join(dict.fromkeys(hint for _, hint in problems))
        raise InputError(f"{root.name}: {'; '.join(problem for problem, _ in problems)}", hint=hint) from cause
    return values


def given_files(root: Root, inputs: Mapping[str, CrossingValue]) -> tuple[FileRead, ...] | None:
    """Return what the files of inputs hold, None if that isn't known.

    They may be the user's own, which change after the run.
    """
    found: dict[FileRead, None] = {}
    try:
        for name, value in inputs.items():
            if may_hold_copies(root.types[name]):
                for path in paths_in(value.native()):
                    found.update(dict.fromkeys(reads_of(path)))
    except Exception:  # the type engine's, or of a directory that can't be read
        return None
    return tuple(found)


def rejection(key: str, given: Any, declared: Any, error: Exception) -> tuple[str, str]:
    """Return why a value is rejected, and a hint: it is of another type, or it can't be converted."""
    message = clip_line(say(error), LONG)
    is_of_type = isinstance(declared, type) and isinstance(given, declared)
    if is_of_type and "pickle" in message:
        hint = f"Flyte doesn't know the type and would pickle it ({message}): use a dataclass"
        return f"{key}={brief(given)} can't be passed to a task", hint
    if is_of_type:
        return f"{key}={brief(given)} can't be converted to {type_text(declared)}", message or class_name(error)
    expected = f"expected {type_text(declared)} for input {key!r}, got {brief(given)}"
    # The most frequent message of flytekit adds nothing.
    return expected, f"its type is {class_name(given)}" if message.startswith("Expected value of type") else message
