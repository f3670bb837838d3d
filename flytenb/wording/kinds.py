"""Kinds of nodes and other constants in words. The enums themselves are in `model`."""

from __future__ import annotations


def constant_text(name: str) -> str:
    """Return the name of a constant in words: `timed out` for `TIMED_OUT`."""
    return name.lower().replace("_", " ")


def kind_text(kind: str) -> str:
    """Return the kind of a node: `launch plan`, `subworkflow`, `failure handler`."""
    return "failure handler" if kind == "failure" else constant_text(kind)


def entity_text(kind: str) -> str:
    """Return the kind of an entity by itself: a workflow is a subworkflow only as a node of another one."""
    return "workflow" if kind == "subworkflow" else kind_text(kind)
