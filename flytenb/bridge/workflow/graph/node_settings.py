"""Settings of a node for a graph: those of its entity, its policy, its overrides."""

from __future__ import annotations

from collections.abc import Mapping

from flytenb.bridge.entities.interface import seconds
from flytenb.model import Kind
from flytenb.model.node import Setting
from flytenb.model.workflow import WorkflowNode


def node_settings(node: WorkflowNode, own: Mapping[str, Setting]) -> dict[str, Setting]:
    """Return the settings of a node.

    Args:
        node: the node.
        own: the settings of its entity.
    """
    settings, policy = dict(own), node.policy
    if "alias" in node.overrides:  # the first of what a node changes
        settings["alias"] = node.overrides["alias"]
    if node.kind is not Kind.GATE:  # its timeout is the gate's own
        _set(settings, "retries", policy.retries)
        _set(settings, "timeout", seconds(policy.timeout or 0))
    if policy.interruptible is not None and (policy.interruptible or "interruptible" in settings):
        settings["interruptible"] = policy.interruptible
    if policy.cache_version is None:
        settings.pop("cache", None)
    else:
        settings["cache"] = policy.cache_version
    _set(settings, "cache_serialize", policy.cache_serialize)
    settings.update(node.overrides)
    return settings


def _set(settings: dict[str, Setting], key: str, value: Setting) -> None:
    """Set a value; in Flyte, zero means unset."""
    if value:
        settings[key] = value
    else:
        settings.pop(key, None)
