"""Constants of workflows and launch plans that can't be sent: stored on this machine, without a form, too large."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from typing import Any

from flytekit.core.context_manager import FlyteContextManager
from flytekit.core.launch_plan import LaunchPlan
from flytekit.core.type_engine import TypeEngine
from flytekit.core.workflow import WorkflowBase
from google.protobuf.descriptor import Descriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct

from flytenb.bridge.entities.interface import python_interface
from flytenb.bridge.entities.kind import is_reference
from flytenb.bridge.type_engine.transformers import captured_log, literal_type_of
from flytenb.bridge.workflow.compiler import all_nodes
from flytenb.errors import say
from flytenb.wording.values import brief

_SANDBOX = re.compile(rb"/flyte-\w+/raw/")
"""Where flytekit stores what it uploads while no cluster's storage is set, also inside of a dataclass."""
LARGEST_MESSAGE = 4 * 1024 * 1024
"""Bytes of one request that a server takes, by default of gRPC."""


def stored_constants(entity: Any) -> Iterator[str]:
    """Yield the inputs of a workflow's nodes, or of a workflow or launch plan, with such a constant."""
    for name, message in _constants(entity):
        if is_stored_here(message):
            yield name


def size_of_constants(entity: Any) -> int:
    """Return the bytes of the constants in the largest request by which a workflow or launch plan is registered.

    The request of a workflow contains its subworkflows, that of a launch plan its inputs. Each workflow has a launch
    plan with its defaults.
    """
    found: dict[int, WorkflowBase] = {}
    todo = [entity]
    while todo:
        workflow = todo.pop()
        if isinstance(workflow, WorkflowBase) and not is_reference(workflow) and id(workflow) not in found:
            found[id(workflow)] = workflow
            todo += [node.flyte_entity for node in all_nodes(workflow)]
    bound: int = sum(message.ByteSize() for each in found.values() for _, message in _sendable(_literals(each)))
    given = _sendable(_literals(entity)) if isinstance(entity, LaunchPlan) else _defaults(entity)
    with captured_log():
        return max(bound, int(sum(message.ByteSize() for _, message in given)))


def unsendable_constants(entity: Any) -> Iterator[tuple[str, str]]:
    """Yield the defaults and constants of an entity that have no form in Flyte, each with the error."""
    interface = python_interface(entity)
    given = {} if interface is None or isinstance(entity, LaunchPlan) else interface.inputs_with_defaults
    context = FlyteContextManager.current_context()
    with captured_log():
        for name, (declared, default) in given.items():
            try:
                if default is not None:
                    _message(TypeEngine.to_literal(context, default, declared, literal_type_of(declared)))
            except Exception as error:  # of the type engine, or of a type's own
                yield f"the default of {name}, {brief(default)},", say(error)
    for name, literal in _literals(entity):
        try:
            _message(literal)
        except Exception as error:
            yield name, say(error)


def _message(literal: Any) -> Any:
    """Return a literal or binding as a message.

    Raises:
        Exception: if it has none, or one that has no form as JSON, as a duration of a million years.
    """
    message = literal.to_flyte_idl()
    MessageToDict(message)
    return message


def is_stored_here(message: Any) -> bool:
    """Whether a message of flyteidl contains an address that only this machine can read."""
    data = message.SerializeToString()
    access = FlyteContextManager.current_context().file_access
    own = str(access.raw_output_prefix)
    is_in_sandbox = "://" not in own and own.encode() in data
    return is_in_sandbox or _SANDBOX.search(data) is not None or any(map(_is_path, _addresses(message)))


def _is_path(address: str) -> bool:
    return bool(address) and "://" not in address.removeprefix("file://")


def _addresses(message: Message) -> Iterator[str]:
    """Yield the value of every field `uri` in a message, and of `uri` in the JSON of a dataclass."""
    if isinstance(message, Struct):
        yield from _addresses_in_json(MessageToDict(message))
        return
    for field, value in message.ListFields():
        if field.message_type is None:
            if field.name == "uri":
                yield value
        elif _has_addresses(field.message_type):
            is_map = field.message_type.GetOptions().map_entry
            for inner in value.values() if is_map else (value,) if isinstance(value, Message) else value:
                yield from _addresses(inner)


def _addresses_in_json(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        if isinstance(data.get("uri"), str):
            yield data["uri"]
        data = data.values()
    elif not isinstance(data, list):
        return
    for value in data:
        yield from _addresses_in_json(value)


@cache
def _has_addresses(descriptor: Descriptor) -> bool:
    """Whether a message of a type can contain a field `uri` or JSON, directly or in another message."""
    todo, seen = [descriptor], {descriptor.full_name}
    while todo:
        for field in todo.pop().fields:
            inner = field.message_type
            is_one = field.name == "uri" if inner is None else inner is Struct.DESCRIPTOR
            if is_one:
                return True
            if inner is not None and inner.full_name not in seen:
                seen.add(inner.full_name)
                todo.append(inner)
    return False


def _constants(entity: Any) -> Iterator[tuple[str, Any]]:
    yield from _sendable(_literals(entity))
    if isinstance(entity, WorkflowBase):
        with captured_log():
            yield from _defaults(entity)


def _literals(entity: Any) -> Iterator[tuple[str, Any]]:
    """Yield the literals and bindings of a workflow or launch plan."""
    if isinstance(entity, WorkflowBase):
        for node in all_nodes(entity):
            yield from ((f"input {each.var} of node {node.id}", each.binding) for each in node.bindings)
    elif isinstance(entity, LaunchPlan):
        given = {f"input {name}": each.default for name, each in entity.parameters.parameters.items() if each.default}
        yield from (given | {f"input {name}": each for name, each in entity.fixed_inputs.literals.items()}).items()


def _sendable(literals: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Yield the messages of those that have one; `unsendable_constants` has the others."""
    for name, literal in literals:
        with suppress(Exception):
            yield name, _message(literal)


def _defaults(workflow: WorkflowBase) -> Iterator[tuple[str, Any]]:
    context = FlyteContextManager.current_context()
    for name, (declared, default) in workflow.python_interface.inputs_with_defaults.items():
        with suppress(Exception):
            if default is not None:
                literal = TypeEngine.to_literal(context, default, declared, literal_type_of(declared))
                yield f"the default of {name}", _message(literal)
