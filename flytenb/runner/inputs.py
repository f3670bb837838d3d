"""What a run is given: checked against the interface before anything starts, every bad input named at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flytenb.bridge.compiled import Compiled, CompiledNode, Ref, read_compiled, task_policy
from flytenb.bridge.crossing import Value, packer
from flytenb.bridge.entities import inner_workflow, kind_of, plan_inputs, require_entity, short_name
from flytenb.bridge.stubs import stub_error
from flytenb.bridge.type_names import name_type
from flytenb.errors import InputError, closest
from flytenb.model import Kind


@dataclass(frozen=True)
class Root:
    """What runs, as the workflow that it is or is put into.

    Attributes:
        name: how the user calls it.
        given: the inputs, with defaults filled in.
        types: the inputs' types.
        outputs: the outputs' types.
        interface: flytekit's own interface, which shapes the result.
        compiled: the nodes.
    """

    name: str
    given: dict[str, Any]
    types: dict[str, Any]
    outputs: dict[str, Any]
    interface: Any
    compiled: Compiled


def root_of(entity: Any, given: Mapping[str, Any]) -> Root:
    """Make a root of a task, a workflow or a launch plan.

    Raises:
        NotAnEntityError: for anything else.
        InputError: with every missing and every unknown input.
        StubError: if it has no body yet.
    """
    require_entity(entity)
    name = short_name(entity)
    kind = kind_of(entity)
    interface = entity.python_interface
    fixed, saved = plan_inputs(entity)
    filled = _fill(name, interface, given, fixed, saved)
    if kind is Kind.STUB:
        raise stub_error(name)
    workflow = None if kind in (Kind.MAP, Kind.REFERENCE) else inner_workflow(entity)
    compiled = _alone(entity) if workflow is None else read_compiled(workflow)
    return Root(name, filled, dict(interface.inputs), dict(interface.outputs), interface, compiled)


def _alone(entity: Any) -> Compiled:
    """A task by itself, as the only node of a workflow that passes everything through."""
    interface = entity.python_interface
    node = CompiledNode(
        path="n0",
        entity=entity,
        bindings={name: Ref("@inputs", name, (), t) for name, t in interface.inputs.items()},
        upstream=frozenset(),
        policy=task_policy(entity),
    )
    return Compiled((node,), {name: Ref("n0", name, (), t) for name, t in interface.outputs.items()})


def _fill(
    name: str, interface: Any, given: Mapping[str, Any], fixed: Mapping[str, Any], saved: Mapping[str, Any]
) -> dict[str, Any]:
    """Add what a launch plan saved and what the signature defaults to; refuse what is unknown, fixed or missing."""
    wrong: list[str] = []
    hints: list[str] = []
    known = [n for n in interface.inputs if n not in fixed]
    for key in given:
        if key in fixed:
            wrong.append(f"{key!r} is fixed by the launch plan to {fixed[key]!r}")
        elif key not in interface.inputs:
            wrong.append(f"{key!r} is no input")
            hints.append(closest(key, known) or "it takes no inputs")
    filled = {**{k: v for k, v in saved.items() if k in interface.inputs}, **given}
    missing = []
    for key, (_, default) in interface.inputs_with_defaults.items():
        if key not in filled:
            if default is None and not _has_default(interface, key):
                missing.append(key)
            else:
                filled[key] = default
    wrong.extend(f"{key!r} ({name_type(interface.inputs[key])}) is missing" for key in missing)
    if missing:
        hints.append("give " + ", ".join(f"{key}=…" for key in missing))
    if wrong:
        raise InputError(f"{name}: {'; '.join(wrong)}", hint="; ".join(dict.fromkeys(hints)))
    return {key: filled[key] for key in interface.inputs}


def _has_default(interface: Any, key: str) -> bool:
    """Whether None is a default, which flytekit keeps apart from no default only by the type."""
    return type(None) in getattr(interface.inputs[key], "__args__", ())


def check_inputs(root: Root, *, strict: bool) -> dict[str, Value]:
    """Pack every input as its declared type.

    Raises:
        InputError: with every input that its type refuses, the value and flytekit's reason.
    """
    values: dict[str, Value] = {}
    wrong: list[str] = []
    causes: list[Exception] = []
    for key, given in root.given.items():
        declared = root.types[key]
        try:
            values[key] = packer(declared, strict=strict)(given)
        except Exception as e:
            shown = repr(given)
            shown = shown if len(shown) <= 80 else f"{shown[:77]}…"
            wrong.append(f"{key}={shown} is no {name_type(declared)}")
            causes.append(e)
    if wrong:
        raise InputError(f"{root.name}: {'; '.join(wrong)}", hint=str(causes[0]).partition("\n")[0]) from causes[0]
    return values
