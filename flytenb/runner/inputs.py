"""What a run is given: checked against the interface before anything starts, every bad input named at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from flytenb.bridge.crossing import Value, packer
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
from flytenb.bridge.workflow.policy import task_policy
from flytenb.bridge.workflow.reader import read_workflow, require_runnable
from flytenb.bridge.workflow.readings import read_once
from flytenb.errors import InputError, closest, say
from flytenb.model import Kind
from flytenb.model.workflow import Promise, Workflow, WorkflowNode
from flytenb.runner.wiring import Wired
from flytenb.wording.text import class_name
from flytenb.wording.types import type_text
from flytenb.wording.values import brief


@dataclass(frozen=True)
class Root:
    """What runs, as the workflow that it is or is put into.

    Attributes:
        name: how the user calls it.
        given: the inputs, with defaults filled in.
        types: the inputs' types.
        outputs: the outputs' types.
        interface: flytekit's own interface, which shapes the result.
        wired: the nodes.
        problems: what is wrong with the names of the inputs, each with its way out.
    """

    name: str
    given: dict[str, Any]
    types: dict[str, Any]
    outputs: dict[str, Any]
    interface: Any
    wired: Wired
    problems: tuple[tuple[str, str], ...]


def root_of(entity: Any, given: Mapping[str, Any]) -> Root:
    """Make a root of a task, a workflow or a launch plan.

    Raises:
        NotAnEntityError: for anything else.
        RemoteEntityError: for one that was fetched from a cluster, and for a workflow that calls such a one.
        StubError: if it has no body yet.
    """
    require_entity(entity)
    require_local(entity)
    name = short_name(entity)
    kind = kind_of(entity)
    interface = entity.python_interface
    fixed, saved = plan_inputs(entity)
    filled, problems = _fill(interface, given, fixed, saved)
    is_mocked = mock_of(entity) is not None
    if kind is Kind.STUB and not is_mocked:
        raise stub_error(name)
    workflow = None if is_mocked or kind in (Kind.MAP, Kind.REFERENCE) else inner_workflow(entity)
    # A mocked workflow is one node, which isn't one of those that its picture shows.
    path = name if is_mocked and inner_workflow(entity) is not None else "n0"
    wired = (
        Wired.of(_alone(entity, path)) if workflow is None else read_once(workflow, "wired", partial(_wire, workflow))
    )
    return Root(name, filled, dict(interface.inputs), dict(interface.outputs), interface, wired, problems)


def _wire(workflow: Any) -> Wired:
    return Wired.of(require_runnable(read_workflow(workflow)))


def _alone(entity: Any, path: str) -> Workflow:
    """A task by itself, as the only node of a workflow that passes everything through."""
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
    """Add what a launch plan saved and what the signature defaults to; note what is unknown, fixed or missing."""
    problems: list[tuple[str, str]] = []
    known = [n for n in interface.inputs if n not in fixed]
    for key in given:
        if key in fixed:
            problems.append((f"{key!r} is fixed by the launch plan to {brief(fixed[key])}", "leave it out"))
        elif key not in interface.inputs:
            problems.append((f"{key!r} is no input", closest(key, known) or "it takes no inputs"))
    filled = {k: v for k, v in {**saved, **given}.items() if k in interface.inputs}
    for key, (declared, default) in interface.inputs_with_defaults.items():
        if key in filled:
            continue
        if default is None and not _has_default(interface, key):
            problems.append((f"{key!r} ({type_text(declared)}) is missing", f"give {key}=…"))
        else:
            filled[key] = default
    return {key: filled[key] for key in interface.inputs if key in filled}, tuple(problems)


def _has_default(interface: Any, key: str) -> bool:
    """Whether None is a default, which flytekit keeps apart from no default only by the type."""
    return type(None) in getattr(interface.inputs[key], "__args__", ())


def check_inputs(root: Root, *, strict: bool) -> dict[str, Value]:
    """Pack every input as its declared type.

    Raises:
        InputError: with every bad input: unknown, missing, or refused by its type, with the value and the way out.
    """
    values: dict[str, Value] = {}
    problems = list(root.problems)
    cause: Exception | None = None
    for key, given in root.given.items():
        declared = root.types[key]
        try:
            values[key] = packer(declared, strict=strict)(given)
        except Exception as e:
            problems.append(_refused(key, given, declared, e))
            cause = cause or e
    if problems:
        hint = "; ".join(dict.fromkeys(way for _, way in problems))
        raise InputError(f"{root.name}: {'; '.join(what for what, _ in problems)}", hint=hint) from cause
    return values


def _refused(key: str, given: Any, declared: Any, error: Exception) -> tuple[str, str]:
    """Why a value is refused: it isn't one of its type, or it is one that can't be converted."""
    said = say(error).partition("\n")[0]
    is_of_type = isinstance(declared, type) and isinstance(given, declared)
    if is_of_type and "pickle" in said:
        way = f"Flyte doesn't know the type and would pickle it ({said}): a dataclass usually mends it"
        return f"{key}={brief(given)} can't be carried to a task", way
    if is_of_type:
        return f"{key}={brief(given)} can't be converted as {type_text(declared)}", said or class_name(error)
    if said.startswith("Expected value of type"):  # flytekit's words, which say nothing more
        said = f"{key} takes {type_text(declared)}; this is of type {type_text(type(given))}"
    return f"{key}={brief(given)} is no {type_text(declared)}", said
