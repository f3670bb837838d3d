"""Addresses in flyteidl's messages, with their JSON as the oracle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flyteidl.core.literals_pb2 import (
    Binding,
    BindingData,
    BindingDataCollection,
    BindingDataMap,
    Blob,
    Literal,
    LiteralCollection,
    LiteralMap,
    LiteralOffloadedMetadata,
    Scalar,
    Schema,
    StructuredDataset,
    Union,
)
from flyteidl.core.workflow_pb2 import Node
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct

from flytenb.bridge.cluster.stored_constants import is_stored_here

HERE, THERE = "/tmp/x.txt", "s3://bucket/x.txt"


def in_json(uri: str) -> Literal:
    struct = Struct()
    struct.update({"name": "/not/an/address", "parts": [{"uri": uri}]})
    return Literal(scalar=Scalar(generic=struct))


def in_bindings(uri: str) -> Node:
    blob = BindingData(scalar=Scalar(blob=Blob(uri=uri)))
    inner = BindingData(map=BindingDataMap(bindings={"k": blob}))
    return Node(inputs=[Binding(var="a", binding=BindingData(collection=BindingDataCollection(bindings=[inner])))])


def in_union_of_map(uri: str) -> Literal:
    held = Literal(map=LiteralMap(literals={"k": Literal(scalar=Scalar(blob=Blob(uri=uri)))}))
    return Literal(scalar=Scalar(union=Union(value=Literal(collection=LiteralCollection(literals=[held])))))


MESSAGES = {
    "file": lambda uri: Literal(scalar=Scalar(blob=Blob(uri=uri))),
    "frame": lambda uri: Literal(scalar=Scalar(structured_dataset=StructuredDataset(uri=uri))),
    "schema": lambda uri: Literal(scalar=Scalar(schema=Schema(uri=uri))),
    "offloaded": lambda uri: Literal(offloaded_metadata=LiteralOffloadedMetadata(uri=uri)),
    "json": in_json,
    "bindings": in_bindings,
    "union": in_union_of_map,
}


@pytest.mark.parametrize("kind", MESSAGES)
@pytest.mark.parametrize("uri", [HERE, f"file://{HERE}", THERE, ""])
def test_each_address_of_a_message_is_looked_at(kind: str, uri: str) -> None:
    message = MESSAGES[kind](uri)
    known = [value for value in addresses(MessageToDict(message)) if value]
    assert known == ([uri] if uri else [])
    assert is_stored_here(message) == any("://" not in value.removeprefix("file://") for value in known)


def addresses(data: Any) -> Iterator[str]:
    for value in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from addresses(value)
    if isinstance(data, dict) and isinstance(data.get("uri"), str):
        yield data["uri"]
