"""Constants that flytekit has stored on this machine while it compiled a workflow: files, frames, pickled objects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from flytekit.core.context_manager import FlyteContextManager
from flytekit.core.interface import transform_inputs_to_parameters
from flytekit.core.launch_plan import LaunchPlan
from flytekit.core.workflow import WorkflowBase
from google.protobuf.descriptor import Descriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct

from flytenb.bridge.type_engine.transformers import captured_log

_SANDBOX = re.compile(rb"/flyte-\w+/raw/")
"""Where flytekit stores what it uploads while no cluster's storage is set, also inside of a dataclass."""
LARGEST_MESSAGE = 4 * 1024 * 1024
"""Bytes of one request that a server takes, by default of gRPC."""


def stored_constants(entity: Any) -> Iterator[str]:
    """Yield the inputs of a workflow's nodes, or of a workflow or launch plan, with such a constant."""
    for name, message in _constants(entity):
        if is_stored_here(message):
            yield name


def size_of_constants(workflow: WorkflowBase) -> int:
    """Return the bytes of the constants that the nodes of a workflow are given."""
    return sum(message.ByteSize() for _, message in _bindings(workflow))


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
    if isinstance(entity, WorkflowBase):
        yield from _bindings(entity)
        with captured_log():
            yield from _defaults(entity)
    elif isinstance(entity, LaunchPlan):
        given = {f"input {name}": each.default for name, each in entity.parameters.parameters.items() if each.default}
        given |= {f"input {name}": literal for name, literal in entity.fixed_inputs.literals.items()}
        yield from ((name, literal.to_flyte_idl()) for name, literal in given.items())


def _bindings(workflow: WorkflowBase) -> Iterator[tuple[str, Any]]:
    for node in workflow.nodes:
        yield from ((f"input {each.var} of node {node.id}", each.binding.to_flyte_idl()) for each in node.bindings)


def _defaults(workflow: WorkflowBase) -> Iterator[tuple[str, Any]]:
    context = FlyteContextManager.current_context()
    try:
        found = transform_inputs_to_parameters(context, workflow.python_interface).parameters
        messages = {name: each.default.to_flyte_idl() for name, each in found.items() if each.default}
    except Exception:  # of a value that doesn't have its type, which compiling or another rule reports
        return
    yield from ((f"the default of {name}", message) for name, message in messages.items())
