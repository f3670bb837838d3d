"""What `with_overrides` changed on one node, as settings over those of its entity."""

from __future__ import annotations

import datetime
from typing import Any

from flytekit.core.array_node_map_task import ArrayNodeMapTask
from flytekit.core.gate import Gate
from flytekit.core.node import Node
from flytekit.models.task import Resources

from flytenb.bridge import private
from flytenb.bridge.entities.interface import name_image, seconds
from flytenb.model.node import Setting

_RESOURCE_KEYS = {
    Resources.ResourceName.CPU: "cpu",
    Resources.ResourceName.MEMORY: "mem",
    Resources.ResourceName.GPU: "gpu",
    Resources.ResourceName.EPHEMERAL_STORAGE: "disk",
}


def add_overrides(settings: dict[str, Setting], node: Node, own_name: str) -> None:
    """Put what the node says over what its entity says; a map's overrides are kept with the mapped task.

    Args:
        settings: the entity's own, changed here
        node: flytekit's
        own_name: the name that the node has without an override
    """
    entity = node.flyte_entity
    metadata = entity.sub_node_metadata if isinstance(entity, ArrayNodeMapTask) else node.metadata
    if metadata is None:
        return
    if metadata.name and metadata.name != own_name:
        settings["alias"] = str(metadata.name)
    if not isinstance(entity, Gate):
        _set(settings, "retries", metadata.retries.retries if metadata.retries else 0)
        _set(settings, "timeout", seconds(metadata.timeout or datetime.timedelta()))
    if metadata.interruptible is not None and (metadata.interruptible or "interruptible" in settings):
        settings["interruptible"] = metadata.interruptible
    if metadata.cacheable is not None:
        _add_cache(settings, metadata)
    image = private.node_image(node)
    if image is not None:
        settings["image"] = name_image(image)
    _add_resources(settings, node)


def _set(settings: dict[str, Setting], key: str, value: int | float) -> None:
    """Set what counts; zero is how Flyte says unset."""
    if value:
        settings[key] = value
    else:
        settings.pop(key, None)


def _add_cache(settings: dict[str, Setting], metadata: Any) -> None:
    if not metadata.cacheable:
        settings.pop("cache", None)
        settings.pop("cache_serialize", None)
        return
    settings["cache"] = str(metadata.cache_version or settings.get("cache", ""))
    if metadata.cache_serializable:
        settings["cache_serialize"] = True


def _add_resources(settings: dict[str, Setting], node: Node) -> None:
    resources = private.node_resources(node)
    if resources is not None:
        for entries in (resources.limits, resources.requests):  # what is requested is told, else the limit
            for entry in entries or ():
                if entry.name in _RESOURCE_KEYS:
                    settings[_RESOURCE_KEYS[entry.name]] = entry.value
    extended = private.node_extended_resources(node)
    if extended is not None and extended.HasField("gpu_accelerator"):
        settings["accelerator"] = extended.gpu_accelerator.device
