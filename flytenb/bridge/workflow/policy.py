"""Policies of nodes and tasks: retries, timeout, cache, interruptible."""

from __future__ import annotations

import datetime
from typing import Any

from flytekit.core.array_node_map_task import ArrayNodeMapTask
from flytekit.core.node import Node

from flytenb.model.workflow import Policy


def node_policy(node: Node) -> Policy:
    """Return the policy of a node: its metadata, which holds its overrides, over the metadata of its task.

    The cluster's compiler weighs them in the same way. A map's overrides are kept with its mapped task.
    """
    metadata = node_metadata(node)
    task = getattr(node.flyte_entity, "metadata", None)
    is_cached, version = bool(getattr(task, "cache", False)), getattr(task, "cache_version", "")
    serialize = bool(getattr(task, "cache_serialize", False))
    ignored = getattr(task, "cache_ignore_input_vars", ())
    if metadata.cacheable is not None:
        is_cached = bool(metadata.cacheable)
    if metadata.cache_version is not None:
        version = metadata.cache_version
    if metadata.cache_serializable is not None:
        serialize = bool(metadata.cache_serializable)
    return Policy(
        retries=metadata.retries.retries if metadata.retries else 0,
        timeout=_seconds(metadata.timeout),
        cache_version=str(version or "") if is_cached else None,
        cache_serialize=serialize and is_cached,
        cache_ignore=tuple(ignored) if ignored else (),
        interruptible=metadata.interruptible,
    )


def task_policy(task: Any) -> Policy:
    """Return the policy of a task that is run by itself, without a workflow around it."""
    metadata = getattr(task, "metadata", None)
    is_cached = bool(getattr(metadata, "cache", False))
    return Policy(
        retries=int(getattr(metadata, "retries", 0) or 0),
        timeout=_seconds(getattr(metadata, "timeout", None)),
        cache_version=getattr(metadata, "cache_version", "") if is_cached else None,
        cache_serialize=bool(getattr(metadata, "cache_serialize", False)),
        cache_ignore=tuple(getattr(metadata, "cache_ignore_input_vars", ()) or ()),
        interruptible=getattr(metadata, "interruptible", None),
    )


def node_metadata(node: Node) -> Any:
    """Return the metadata that holds a node's overrides."""
    entity = node.flyte_entity
    return entity.sub_node_metadata if isinstance(entity, ArrayNodeMapTask) else node.metadata


def _seconds(timeout: Any) -> float | None:
    """A timeout as flytekit keeps it: a timedelta or whole seconds, 0 for none."""
    seconds = timeout.total_seconds() if isinstance(timeout, datetime.timedelta) else timeout
    return float(seconds) if seconds else None
