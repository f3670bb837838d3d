"""Policies of nodes and tasks: retries, timeout, cache, interruptible."""

from __future__ import annotations

import datetime
from typing import Any

from flytekit.core.array_node_map_task import ArrayNodeMapTask
from flytekit.core.node import Node

from flytenb.model.workflow import Policy


class NodePolicies:
    """Policies of the nodes of one entity: a node's own metadata, which holds its overrides, over the task's metadata.

    The cluster's compiler weighs them in the same way.
    """

    def __init__(self, entity: Any) -> None:
        task = getattr(entity, "metadata", None)
        self._is_cached = bool(getattr(task, "cache", False))
        self._version = getattr(task, "cache_version", "")
        self._is_serial = bool(getattr(task, "cache_serialize", False))
        self._ignored = tuple(getattr(task, "cache_ignore_input_vars", ()) or ())
        self._known: dict[tuple[Any, ...], Policy] = {}

    def of(self, metadata: Any) -> Policy:
        """Return the policy of a node with this metadata; nodes with equal metadata share it."""
        retries = metadata.retries.retries if metadata.retries else 0
        cache = metadata.cacheable, metadata.cache_version, metadata.cache_serializable
        key = (retries, metadata.timeout, metadata.interruptible, *cache)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._read(retries, metadata.timeout, metadata.interruptible, *cache)
        return found

    def _read(
        self,
        retries: int,
        timeout: Any,
        interruptible: bool | None,
        is_cached: bool | None,
        version: str | None,
        is_serial: bool | None,
    ) -> Policy:
        if is_cached is None:
            is_cached = self._is_cached
        if version is None:
            version = self._version
        if is_serial is None:
            is_serial = self._is_serial
        return Policy(
            retries=retries,
            timeout=_seconds(timeout),
            cache_version=str(version or "") if is_cached else None,
            cache_serialize=bool(is_serial and is_cached),
            cache_ignore=self._ignored,
            interruptible=interruptible,
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
    """Return the metadata that holds a node's overrides; those of a map are kept with its mapped task."""
    entity = node.flyte_entity
    return entity.sub_node_metadata if isinstance(entity, ArrayNodeMapTask) else node.metadata


def _seconds(timeout: Any) -> float | None:
    """A timeout as flytekit keeps it: a timedelta or whole seconds, 0 for none."""
    seconds = timeout.total_seconds() if isinstance(timeout, datetime.timedelta) else timeout
    return float(seconds) if seconds else None
