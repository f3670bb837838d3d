"""Nodes whose outputs are given for one run: they don't run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flytenb.bridge.crossing import CrossingValue, packer
from flytenb.errors import InputError, UnknownNameError, closest
from flytenb.model import Graph
from flytenb.runner.record import WERE_SET, Record
from flytenb.runner.run_inputs import rejection
from flytenb.runner.step import EntityStep, RunControl, Scope

GivenOutputs = Mapping[str, Mapping[str, Any]]
"""The given outputs by name, of the nodes by path."""


class GivenStep(EntityStep):
    """Put the given outputs in the place of those of a node.

    Raises:
        InputError: if they aren't the outputs of the node, or of other types.
    """

    __slots__ = ("outputs",)

    def __init__(self, record: Record, scope: Scope, given: Mapping[str, Any], *, strict: bool) -> None:
        super().__init__(record, scope)
        self.outputs = _packed(record, given, strict=strict)
        record.rerun = WERE_SET

    def execute(self, run: RunControl) -> None:
        self.put_outputs(self.outputs, run)


def _packed(record: Record, given: Mapping[str, Any], *, strict: bool) -> dict[str, CrossingValue]:
    types = record.entity.python_interface.outputs
    place = record.named
    for name in given:
        if name not in types:
            raise UnknownNameError(f"node {place} has no output {name!r}", hint=closest(name, types))
    if missing := [name for name in types if name not in given]:
        names = ", ".join(map(repr, missing))
        raise InputError(f"node {place} has other outputs that aren't set: {names}", hint="set all or none of them")
    packed = {}
    for name, value in given.items():
        try:
            packed[name] = packer(types[name], strict=strict)(value)
        except Exception as e:
            problem, hint = rejection(f"{record.path}.{name}", value, types[name], e)
            raise InputError(problem, hint=hint) from e
    return packed


def read_given(outputs: Mapping[str, Any], graphs: Iterable[Callable[[], Graph]]) -> dict[str, dict[str, Any]]:
    """Return given outputs by node and name.

    Args:
        outputs: the values by `NODE.output`, the node by its path or by the name of its entity.
        graphs: return the graphs that have the nodes.

    Raises:
        UnknownNameError: if there is no such node, or if several have that name.
    """
    if not outputs:
        return {}
    nodes = {path: node for graph in graphs for path, node in graph().nodes.items() if not node.is_pseudo}
    found: dict[str, dict[str, Any]] = {}
    for key, value in outputs.items():
        asked, dot, output = key.rpartition(".")
        if not dot:
            raise UnknownNameError(f"expected NODE.OUTPUT, got {key!r}", hint=closest(key, nodes))
        named = [asked] if asked in nodes else [path for path, node in nodes.items() if node.name == asked]
        if len(named) != 1:
            hint = f"use a path: {', '.join(map(repr, named))}" if named else closest(asked, nodes)
            raise UnknownNameError(f"no node {asked!r} to set {key!r}", hint=hint)
        found.setdefault(named[0], {})[output] = value
    return found


def branch_error(path: str) -> InputError:
    """Return the error of outputs that are given for a branch."""
    return InputError(
        f"{path!r} has the outputs of one of its cases, which can't be set", hint="set those of the nodes in it"
    )
